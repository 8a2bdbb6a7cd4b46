"""Laying two rows of sounds side by side, and what it costs: 0 for spellings of one name, near 1 for other names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from safelight.names.sounds import VOWEL_GAP, Sound

# Pairs that writers and typists mix up, at half the cost of two that have nothing to do with each other.
_KIN = {frozenset(pair) for pair in ("SX", "GK", "HK", "HG", "TS", "JX", "VF", "VB", "MN", "JS", "KX")}
_OTHER_VOWEL = 0.2
_VOWELS = frozenset("aiu")
_SOFT = _VOWELS | {"Y"}


@lru_cache(maxsize=1 << 14)
def _differ(one: frozenset[str], other: frozenset[str]) -> float:
    if one & other:
        return 0.0
    if one & _VOWELS and other & _VOWELS:
        return _OTHER_VOWEL
    if any(frozenset((a, b)) in _KIN for a in one for b in other):
        return 0.5
    return 1.0 if not (one | other) & _VOWELS else 1.2


def distance(one: Sequence[Sound], other: Sequence[Sound], *, unvowelled: bool) -> float:
    """Cost of the cheapest way to lay the rows side by side, per firm sound of the longer one.

    ``unvowelled``: one of them is written in a script without short vowels, so vowels may stand against nothing.
    """
    gaps_one = [_gap(sound, unvowelled) for sound in one]
    gaps_other = [_gap(sound, unvowelled) for sound in other]
    above = [0.0]
    for gap in gaps_other:
        above.append(above[-1] + gap)
    for i, sound in enumerate(one):
        row = [above[0] + gaps_one[i]]
        for j, against in enumerate(other):
            row.append(
                min(
                    above[j] + _differ(sound.readings, against.readings),
                    above[j + 1] + gaps_one[i],
                    row[j] + gaps_other[j],
                )
            )
        above = row
    firm = max(sum(s.firm for s in one), sum(s.firm for s in other), 1)
    return above[-1] / firm


def _gap(sound: Sound, unvowelled: bool) -> float:
    short = sound.readings <= _SOFT and sound.gap <= VOWEL_GAP
    return min(sound.gap, 0.03) if unvowelled and short else sound.gap
