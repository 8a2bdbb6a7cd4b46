"""One plan from the plans of a film's pieces, each made by somebody who also saw what lies before and after.

What is on both sides of a border at the same place is one thing and becomes one region, which changes hands at the
border. What only one of the two saw stays as far as he saw it: a border never ends what is hidden.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from safelight.media.pieces import Part, Piece
from safelight.plan import Clip, Doubt, Keyframe, Plan, Region, Stretch

_SAME = 0.3  # overlap at the border from which two boxes are on one thing


def stitched(plans: Sequence[Plan], pieces: Sequence[Piece]) -> Plan:
    """The plan of the whole film. ``plans``: of the pieces' wide parts, frames counted from each part's beginning.

    The sounds are those of the first plan, which heard all.
    """
    regions: list[Region] = []
    cuts: list[int] = []
    doubts: list[Doubt] = []
    before: Piece | None = None
    for plan, piece in zip(plans, pieces, strict=True):
        own, shift = piece.own, piece.wide.first
        cuts += [cut + shift for cut in plan.cuts if own.first <= cut + shift < own.stop]
        doubts += [
            Doubt(first=max(doubt.first + shift, own.first), last=min(doubt.last + shift, own.stop - 1))
            for doubt in plan.doubts
            if doubt.last + shift >= own.first and doubt.first + shift < own.stop
        ]
        found = [_moved(region, shift) for region in plan.regions]
        found = [region for region in found if region.last >= own.first and region.first < own.stop]
        regions = found if before is None else _joined(regions, found, before, piece)
        before = piece
    first, last = plans[0], plans[-1]
    clip = Clip.model_validate(
        first.clip.model_dump() | {"frames": pieces[-1].own.stop, "last_pts": last.clip.last_pts}
    )
    devices = ", ".join(sorted({plan.origin.device for plan in plans}))
    origin = first.origin.model_copy(update={"device": devices})
    whole = {"clip": clip, "origin": origin, "cuts": cuts, "doubts": doubts, "regions": _named(regions)}
    return Plan.model_validate((first.model_copy(update=whole)).model_dump())


def _moved(region: Region, shift: int) -> Region:
    keys = [key.model_copy(update={"frame": key.frame + shift}) for key in region.keyframes]
    stretches = [
        stretch.model_copy(update={"first": stretch.first + shift, "last": stretch.last + shift})
        for stretch in region.stretches
    ]
    return region.model_copy(update={"keyframes": keys, "stretches": stretches})


def _joined(earlier: list[Region], later: list[Region], before: Piece, after: Piece) -> list[Region]:
    """All regions, those joined that are on one thing at the border; each in its place among the earlier ones."""
    border = after.own.first
    pairs = [
        (alike, a, b)
        for a, one in enumerate(earlier)
        for b, two in enumerate(later)
        if (alike := _alike(one, two, border)) > _SAME
    ]
    ends: dict[int, int] = {}
    for _, a, b in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if a not in ends and b not in ends.values():
            ends[a] = b
    made = [
        one if a not in ends else _one(one, later[ends[a]], before.last_pts, after.own) for a, one in enumerate(earlier)
    ]
    return made + [two for b, two in enumerate(later) if b not in ends.values()]


def _alike(one: Region, two: Region, border: int) -> float:
    """How much two regions overlap in the last frame before a border and the first after it, 0 to 1."""
    if (one.kind, one.shape, one.decision) != (two.kind, two.shape, two.decision):
        return 0.0
    total = 0.0
    for frame in (border - 1, border):
        a, b = one.box_at(frame), two.box_at(frame)
        if a is None or b is None:
            return 0.0
        total += a.overlap(b) / 2
    return total


def _one(one: Region, two: Region, last_pts: int, own: Part) -> Region:
    """The region that is ``one`` up to the border and ``two`` from it on."""
    border = own.first
    end, start = one.box_at(border - 1), two.box_at(border)
    assert end is not None
    assert start is not None
    keys = [key for key in one.keyframes if key.frame < border - 1]
    keys += [Keyframe.of(border - 1, last_pts, end), Keyframe.of(border, own.pts, start)]
    keys += [key for key in two.keyframes if key.frame > border]
    stretches = [_until(stretch, border - 1) for stretch in one.stretches if stretch.first < border]
    stretches += [
        stretch.model_copy(update={"first": max(stretch.first, border)})
        for stretch in two.stretches
        if stretch.last >= border
    ]
    return one.model_copy(
        update={"keyframes": keys, "stretches": stretches, "score": max(one.score, two.score)},
    )


def _until(stretch: Stretch, last: int) -> Stretch:
    return stretch.model_copy(update={"last": min(stretch.last, last)})


def _named(regions: list[Region]) -> list[Region]:
    """The regions with names that are given once, in the order in which they begin."""
    count: Counter[str] = Counter()
    named = []
    for region in sorted(regions, key=lambda region: region.first):
        prefix = region.id.rpartition("-")[0] or region.kind.value
        count[prefix] += 1
        named.append(region.model_copy(update={"id": f"{prefix}-{count[prefix]}"}))
    return named
