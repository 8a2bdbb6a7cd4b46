"""Regions made of regions: longer, shorter, split, merged. Nothing that was covered is uncovered but on request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from safelight.geometry import Box
from safelight.plan import Corners, Decision, How, Keyframe, Kind, Region, Shape, Sound, Stretch

# The corners a shape gets when it becomes free: the box itself, or eight that lie around the ellipse.
_NEAR, _FAR = 1 - 0.5**0.5, 0.5**0.5
_SQUARE: Corners = ((0, 0), (1, 0), (1, 1), (0, 1))
_AROUND: Corners = (
    *((_NEAR, 0), (_FAR, 0), (1, _NEAR), (1, _FAR)),
    *((_FAR, 1), (_NEAR, 1), (0, _FAR), (0, _NEAR)),
)


class Times(Protocol):
    """Presentation times by frame number."""

    def __getitem__(self, frame: int, /) -> int: ...


def new(name: str, kind: Kind, shape: Shape, keys: list[Keyframe]) -> Region:
    """A region that a person drew."""
    drawn_all = Stretch(first=keys[0].frame, last=keys[-1].frame, how=How.DRAWN)
    return Region(id=name, kind=kind, shape=shape, score=1.0, keyframes=keys, stretches=[drawn_all])


def drawn(region: Region) -> bool:
    """Whether a person drew all of it."""
    return bool(region.stretches) and all(stretch.how is How.DRAWN for stretch in region.stretches)


def with_key(region: Region, key: Keyframe) -> Region:
    """The region with that box at that frame; between the neighbouring key frames it now counts as drawn.

    A polygon keeps the corners it has in that frame when the key frame brings none.
    """
    if not key.corners:
        key = key.model_copy(update={"corners": _corners(region, key.frame)})
    earlier = [k for k in region.keyframes if k.frame < key.frame]
    later = [k for k in region.keyframes if k.frame > key.frame]
    first = earlier[-1].frame + 1 if earlier else key.frame
    last = later[0].frame - 1 if later else key.frame
    return _rebuilt(region, [*earlier, key, *later], (first, last))


def without_key(region: Region, frame: int) -> Region:
    """The region less one key frame; a region always keeps one."""
    earlier = [key for key in region.keyframes if key.frame < frame]
    later = [key for key in region.keyframes if key.frame > frame]
    between = (earlier[-1].frame + 1, later[0].frame - 1) if earlier and later else None
    return _rebuilt(region, earlier + later, between)


def over(region: Region, first: int, last: int, times: Times) -> Region:
    """The region over exactly the frames ``first`` to ``last``: cut off there, or its first and last box held."""
    inside = [key for key in region.keyframes if first <= key.frame <= last]
    for frame in (first, last):
        if not any(key.frame == frame for key in inside):
            inside.append(Keyframe.of(frame, times[frame], near(region, frame), _corners(region, frame)))
    inside.sort(key=lambda key: key.frame)
    made = _rebuilt(region, inside, None)
    for held in ((first, min(region.first - 1, last)), (max(region.last + 1, first), last)):
        if held[0] <= held[1]:
            made = _rebuilt(made, made.keyframes, held)
    return made


def near(region: Region, frame: int) -> Box:
    """The box at a frame, or outside the region's frames its first or last."""
    return region.box_at(min(max(frame, region.first), region.last)) or region.keyframes[0].box


def _corners(region: Region, frame: int) -> Corners:
    form = region.form_at(frame)
    return () if isinstance(form, Shape) else form


def shaped(region: Region, shape: Shape) -> Region:
    """The region with another shape in the same boxes. One that becomes a polygon covers at least what it did."""
    if shape is region.shape:
        return region
    corners: Corners = ()
    if shape is Shape.POLYGON:
        corners = _AROUND if region.shape is Shape.ELLIPSE else _SQUARE
    keys = [key.model_copy(update={"corners": corners}) for key in region.keyframes]
    return region.model_copy(update={"shape": shape, "keyframes": keys})


def with_corner(region: Region, corner: int, *, add: bool) -> Region:
    """A polygon with a corner more, half way from ``corner`` to the next, or without it; in all key frames."""
    keys = []
    for key in region.keyframes:
        corners = list(key.corners)
        if add:
            (ax, ay), (bx, by) = corners[corner], corners[(corner + 1) % len(corners)]
            corners.insert(corner + 1, ((ax + bx) / 2, (ay + by) / 2))
        else:
            del corners[corner]
        keys.append(key.model_copy(update={"corners": tuple(corners)}))
    return region.model_copy(update={"keyframes": keys})


def merged(parts: Sequence[Region], times: Times) -> Region:
    """One region, named like the longest, that covers all of ``parts`` (sorted by first frame) and what lies between.

    Where parts overlap in time the box around both is covered.
    """
    frames = sorted({key.frame for part in parts for key in part.keyframes} | _borders(parts))
    keys = []
    together = False  # two different shapes in one frame: no ellipse covers two ellipses side by side
    for frame in frames:
        there = [(box, _corners(part, frame)) for part in parts if (box := part.box_at(frame)) is not None]
        together = together or len(set(there)) > 1
        whole, corners = there[0]
        for box, _ in there[1:]:
            whole = whole.union(box)
        keys.append(Keyframe.of(frame, times[frame], whole, corners))
    longest = max(parts, key=lambda part: part.last - part.first)
    hidden = next((part for part in parts if part.decision is Decision.HIDE), longest)
    same = len({(part.shape, len(part.keyframes[0].corners)) for part in parts}) == 1
    shape = longest.shape if same and not together else Shape.BOX
    if shape is not Shape.POLYGON:
        keys = [key.model_copy(update={"corners": ()}) for key in keys]
    stretches: list[Stretch] = []
    for part in parts:
        end = stretches[-1].last if stretches else -1
        if stretches and part.first > end + 1:
            stretches.append(Stretch(first=end + 1, last=part.first - 1, how=How.DRAWN))
        for told in part.stretches:
            if told.last > end:
                stretches.append(told.model_copy(update={"first": max(told.first, end + 1)}))
    return longest.model_copy(
        update={
            "shape": shape,
            "decision": hidden.decision,
            "reason": hidden.reason,
            "score": min(part.score for part in parts),
            "keyframes": keys,
            "stretches": stretches,
        }
    )


def _borders(parts: Sequence[Region]) -> set[int]:
    """Frames next to a beginning or an end inside another part: the box jumps there, in one frame and outwards."""
    frames = set()
    for part in parts:
        for frame in (part.first - 1, part.last + 1):
            if any(other.first <= frame <= other.last for other in parts):
                frames.add(frame)
    return frames


def _rebuilt(region: Region, keys: list[Keyframe], made: tuple[int, int] | None) -> Region:
    """The region with other key frames; frames of ``made`` count as drawn, what is told of others stays."""
    first, last = keys[0].frame, keys[-1].frame
    stretches: list[Stretch] = []
    for told in region.stretches:
        pieces = [(told.first, told.last)]
        if made is not None:
            pieces = [(told.first, min(told.last, made[0] - 1)), (max(told.first, made[1] + 1), told.last)]
        for start, end in pieces:
            start, end = max(start, first), min(end, last)
            if start <= end:
                stretches.append(told.model_copy(update={"first": start, "last": end}))
    if made is not None:
        stretches.append(Stretch(first=made[0], last=made[1], how=How.DRAWN))
    joined: list[Stretch] = []
    for told in sorted(stretches, key=lambda stretch: stretch.first):
        before = joined[-1] if joined else None
        if before and before.how is told.how is How.DRAWN and before.last + 1 >= told.first:
            joined[-1] = before.model_copy(update={"last": max(before.last, told.last)})
        else:
            joined.append(told)
    return region.model_copy(update={"keyframes": keys, "stretches": joined})


def without_overlap(sounds: Sequence[Sound], span: Sound) -> list[Sound]:
    """What is left of stretches of sound outside a span."""
    left = []
    for sound in sounds:
        for start, end in ((sound.start, min(sound.end, span.start)), (max(sound.start, span.end), sound.end)):
            if start < end:
                left.append(sound.model_copy(update={"start": start, "end": end}))
    return left
