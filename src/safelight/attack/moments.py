"""The copy's worst moments: which of the many that attackers offer are kept, and which of those are shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from safelight.attack.verdict import MAX_MOMENTS, NAMES, Moment

_SHOWN = 16
_APART = 0.3  # seconds between two moments that are shown


@dataclass(frozen=True)
class Glimpse:
    """A small picture of the copy, worth looking at. ``weight``: the heavier, the worse. ``frame``, ``seconds``: of the
    copy. ``png``: its bytes.
    """

    weight: float
    attacker: str
    frame: int
    seconds: float
    why: str
    png: bytes = field(repr=False)


def heaviest(glimpses: Iterable[Glimpse]) -> list[Glimpse]:
    """Those that are kept, heaviest first; among equals the earlier picture, then the roster's order, comes first.

    Whoever keeps some of them at a time, or has several lists of the heaviest, ends with the same.
    """
    order = sorted(glimpses, key=lambda one: (-one.weight, one.frame, _place(one.attacker)))
    return order[:MAX_MOMENTS]


def worst(glimpses: Iterable[Glimpse]) -> list[Glimpse]:
    """Those that a person is shown, in order of time; of some that are close together only the heaviest."""
    shown: list[Glimpse] = []
    for one in heaviest(glimpses):
        if len(shown) < _SHOWN and all(abs(one.seconds - other.seconds) >= _APART for other in shown):
            shown.append(one)
    return sorted(shown, key=lambda one: one.frame)


def named(glimpses: Iterable[Glimpse]) -> list[tuple[Moment, bytes]]:
    """Glimpses as a verdict lists them, each with the bytes of the picture that it names."""
    return [
        (
            Moment(
                attacker=one.attacker,
                frame=one.frame,
                seconds=one.seconds,
                why=one.why,
                weight=one.weight,
                picture=f"moment-{number:02d}.png",
            ),
            one.png,
        )
        for number, one in enumerate(glimpses)
    ]


def _place(attacker: str) -> int:
    return NAMES.index(attacker) if attacker in NAMES else len(NAMES)
