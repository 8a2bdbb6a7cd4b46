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


@dataclass(frozen=True)
class Share:
    """The verdict of some of the attackers, and the pictures of its moments by name."""

    verdict: Verdict
    pictures: Mapping[str, bytes]


def groups(plan: Plan, most: int) -> list[tuple[str, ...]]:
    """The roster in at most ``most`` groups that cost about the same for a copy made by ``plan``, each in the roster's
    order. There are never more than help: whoever costs most sets the time, whatever else is split off.
    """
    costs = _costs(plan)
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


def _costs(plan: Plan) -> dict[str, float]:
    """Processor seconds of each attacker, roughly, to balance by: measured at 320 x 180, 640 x 360 and 1280 x 720."""
    thousands = plan.clip.frames / 1000
    first = min(thousands, 1.5)  # of these every picture is looked at for faces
    area = min(max(plan.clip.width, plan.clip.height) / 640, 1.0) ** 2  # larger pictures are looked at scaled down
    costs = dict.fromkeys(NAMES, 0.1) | {
        "faces": (3 + 7 * area) * first + (0.3 + 1.3 * area) * (thousands - first),
        "likeness": 2.5,
        "fill": (1.2 + 1.9 * area) * thousands,
        "timing": 1.4 * thousands,
        "sensor": 0.6,
    }
    spans = [sound.action is SoundAction.DISGUISE and sound.decision is Decision.HIDE for sound in plan.sounds]
    if any(spans) or plan.settings.sound is SoundDefault.DISGUISE:
        costs["voices"] = 60.0  # each speaker is looked for among a hundred others
    return costs
