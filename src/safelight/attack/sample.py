"""Which pictures are looked at: all of a short clip, of a longer one those where a face most likely shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from safelight.plan import Decision, How, Plan

_EDGE = 8  # pictures around the beginning and the end of a region, where a face may come earlier or go later
_EDGE_RISK = 3.0
_RISKS = {How.HELD: 3.0, How.FOLLOWED: 2.0, How.FILLED: 1.0, How.FOUND: 0.0, How.DRAWN: 0.5}
_UNSURE = 0.6  # scores below raise the risk
_NOBODY = 1.0  # risk of a picture in which nothing is hidden


def risks(plan: Plan) -> NDArray[np.float32]:
    """How likely a face shows in each picture, by the plan's own doubts; 0 where every region was surely found."""
    risk = np.zeros(plan.clip.frames, np.float32)
    hidden = np.zeros(plan.clip.frames, np.bool_)
    for region in plan.regions:
        if region.decision is not Decision.HIDE:
            continue
        hidden[region.first : region.last + 1] = True
        for stretch in region.stretches:
            weight = _RISKS[stretch.how] + (1.0 if 0 < stretch.score < _UNSURE else 0.0)
            part = risk[stretch.first : stretch.last + 1]
            np.maximum(part, weight, out=part)
        for end in (region.first, region.last):
            part = risk[max(end - _EDGE, 0) : end + _EDGE + 1]
            np.maximum(part, _EDGE_RISK, out=part)
    risk[~hidden] += _NOBODY
    return risk


def chosen(frames: int, risk: NDArray[np.float32] | None, first: int, share: float) -> NDArray[np.bool_] | None:
    """Which of ``frames`` pictures to look at, as many as ``first`` and a ``share`` of the further ones; None for all.

    Half of the looks are spread evenly, the others go to the riskiest pictures; evenly too where no risk is known.
    """
    if frames <= first:
        return None
    looks = first + round((frames - first) * share)
    even = looks if risk is None else -(-looks // 2)
    wanted = np.zeros(frames, np.bool_)
    wanted[np.linspace(0, frames - 1, even).round().astype(np.int64)] = True
    if risk is not None:
        # among equal risks the order is a golden-ratio sequence: it has no rhythm that a cut could share
        order = np.lexsort((np.arange(frames) * 0.6180339887 % 1.0, -risk[:frames]))
        wanted[order[~wanted[order]][: looks - even]] = True
    return wanted


def due(wanted: NDArray[np.bool_] | None, index: int) -> bool:
    """Whether a picture is among the chosen; those nobody expected are."""
    return wanted is None or index >= len(wanted) or bool(wanted[index])
