"""What is heard when: a plan's sound spans, settled where they overlap, the strictest first."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from safelight.media.soundline import Span
from safelight.plan import Decision, Plan, SoundAction, SoundDefault

Spans = tuple[Span, ...]  # disjoint, rising, none empty


@dataclass(frozen=True)
class Score:
    """Disjoint stretches of the copy's time line, in seconds. Everywhere else is silence.

    ``keep`` and ``disguise``: the only places where the original passes. ``mute``: where not even the synthetic voice
    of a cue that runs on may be heard.
    """

    keep: Spans
    disguise: Spans
    tone: Spans
    mute: Spans

    @property
    def original(self) -> Spans:
        """Where the original passes."""
        return union((*self.keep, *self.disguise))


def score(plan: Plan) -> Score:
    """Settle a plan's sounds: silence before tone, tone before revoice, then disguise, then keep."""

    def decided(action: SoundAction) -> Spans:
        return union((s.start, s.end) for s in plan.sounds if s.action is action and s.decision is Decision.HIDE)

    silence = decided(SoundAction.SILENCE)
    tone = minus(decided(SoundAction.TONE), silence)
    spoken = union((*silence, *tone, *decided(SoundAction.REVOICE)))
    disguise = decided(SoundAction.DISGUISE)
    if plan.settings.sound is SoundDefault.DISGUISE:
        heard = [(s.start, s.end) for s in plan.sounds if s.decision is Decision.PROPOSE]
        disguise = union((*disguise, *heard))
    disguise = minus(disguise, spoken)
    keep = minus(decided(SoundAction.KEEP), union((*spoken, *disguise)))
    return Score(keep, disguise, tone, union((*silence, *tone)))


def union(spans: Iterable[Span]) -> Spans:
    """The same stretches, sorted and joined where they touch."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)


def minus(spans: Spans, others: Sequence[Span]) -> Spans:
    """What of ``spans`` lies outside ``others`` (disjoint, rising)."""
    left: list[Span] = []
    for start, end in spans:
        inside = [(max(a, start), min(b, end)) for a, b in others if a < end and b > start]
        edges = [start, *itertools.chain.from_iterable(inside), end]
        left += [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]
    return tuple(left)
