"""Who attacks together when one long copy is attacked by several workers, and the verdict made of theirs.

Every attacker sees the whole film, so that its finding is the one it would give alone. What is split is the roster:
each group reads copy and original for itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from safelight.attack.moments import Glimpse, named, worst
from safelight.attack.verdict import MAX_PROPOSALS, NAMES, Verdict, headline, overall
from safelight.plan import Decision, Plan, SoundAction, SoundDefault

# Processor seconds: of a film however long, and of a thousand pictures. Measured at 640 x 360; they only balance.
_COSTS = {
    "faces": (3.0, 1.2),
    "likeness": (2.5, 0.0),
    "fill": (0.0, 1.7),
    "timing": (0.0, 0.7),
    "sensor": (0.3, 0.0),
}
_VOICES = 60.0  # where a voice is disguised, its speaker is looked for among a hundred others


@dataclass(frozen=True)
class Share:
    """The verdict of some of the attackers, and the pictures of its moments by name."""

    verdict: Verdict
    pictures: Mapping[str, bytes]


def groups(plan: Plan, most: int) -> list[tuple[str, ...]]:
    """The roster in at most ``most`` groups that cost about the same for a copy made by ``plan``, each in the roster's
    order. There are never more than help: whoever costs most sets the time, whatever else is split off.
    """
    spans = [sound.action is SoundAction.DISGUISE and sound.decision is Decision.HIDE for sound in plan.sounds]
    disguised = any(spans) or plan.settings.sound is SoundDefault.DISGUISE
    costs = {name: _cost(name, plan.clip.frames, disguised) for name in NAMES}
    count = max(min(most, math.ceil(sum(costs.values()) / max(costs.values()))), 1)
    made: list[list[str]] = [[] for _ in range(count)]
    for name in sorted(NAMES, key=lambda name: -costs[name]):  # the costliest first, each to whom has least
        min(made, key=lambda group: sum(costs[one] for one in group)).append(name)
    return [tuple(name for name in NAMES if name in group) for group in made]


def joined(shares: Sequence[Share]) -> Share:
    """The verdict of all attackers, as one worker would have given it. The shares are about the same copy."""
    findings = sorted(
        (finding for share in shares for finding in share.verdict.findings),
        key=lambda finding: NAMES.index(finding.attacker),
    )
    glimpses = [
        Glimpse(m.weight, m.attacker, m.frame, m.seconds, m.why, share.pictures[m.picture])
        for share in shares
        for m in share.verdict.moments
    ]
    moments = named(worst(glimpses))
    first, outcome = shares[0].verdict, overall(findings)
    verdict = Verdict(
        safelight=first.safelight,
        outcome=outcome,
        sentence=headline(outcome),
        copy_=first.copy_,
        had_original=first.had_original,
        had_plan=first.had_plan,
        findings=findings,
        proposals=[region for share in shares for region in share.verdict.proposals][:MAX_PROPOSALS],
        moments=[moment for moment, _ in moments],
        weights=first.weights,
        device=first.device,
    )
    return Share(verdict, {moment.picture: png for moment, png in moments})


def _cost(name: str, frames: int, disguised: bool) -> float:
    fixed, each = _COSTS.get(name, (0.1, 0.0))
    return fixed + each * frames / 1000 + (_VOICES if disguised and name == "voices" else 0.0)
