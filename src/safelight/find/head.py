"""From what a finder saw to the whole head, and from several finders' boxes in one picture to one sighting
a person.

Everything after this file speaks of heads only, so a face, a head and a body of one person join into one
track. Whole bodies, where they are wanted, are sightings of their own and never mix with heads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from safelight.find.detect import Detection
from safelight.geometry import Box, Raster
from safelight.plan import Kind

_SAME = 0.4  # overlap from which two heads in one picture are one person's
_SMALLEST = 0.15  # area of a face's head, part of the area in which its body has it
_INSIDE = 0.75  # or this part of the smaller lies in the larger
_ASTRAY = 3.0  # pixels by which an unsure face may be off: much of a small head, nothing of a large one
_EXACT = 0.6  # score from which a face says where its head ends; weaker ones are often the slit of a veil

# What a person finder's score is worth beside a face finder's: from 0.3 on it makes a track on its own, from 0.2
# on when it comes again. Below that only people near the camera count, who would be recognised first.
_WORTH = (0.12, 0.199, 0.2, 0.3, 0.5, 1.0), (0.3, 0.4, 0.55, 0.6, 0.75, 1.0)
_NEAR = 0.35  # height of a person near the camera, part of the picture's height
_LITTLE = 0.1  # what a weak look at a far person is worth

# How far down a person's box the head reaches and half how wide it is, as parts of the box's height and width,
# by height over width of the box: only the top is head where the whole person shows, half of it where the
# picture ends at the chest. Fitted on pictures of people, veiled ones among them; see docs/people.md.
_DEPTH = (0.6, 1.1, 1.6, 2.1, 2.6, 3.5), (0.55, 0.54, 0.54, 0.49, 0.36, 0.29)
_HALF = (1.3, 1.7, 2.2, 3.0), (0.50, 0.46, 0.46, 0.52)
_WIDEST = 1.4  # width of a head region over its height; a body may be far wider than the head on it
_EDGE = 0.03  # a head that begins so near the top of the picture, part of its height, begins above it


@dataclass(frozen=True)
class Sighting:
    """One head in one picture: its box, the best finder's score and name, and how many finders agree.

    ``kind``: FACE; HEAD when it was worked out from a body; BODY for a whole body. ``body``: the person's box
    if a person finder saw one, and ``rough`` the head that this body alone makes. ``exact``: it says where the head
    ends. ``tilt``: degrees by which the picture was turned to see it.
    """

    box: Box
    score: float
    finder: str
    kind: Kind
    finders: frozenset[str]
    body: Box | None = None
    exact: bool = False
    rough: Box | None = None
    tilt: float = 0.0


def head_of(detection: Detection, height: float) -> Box:
    """The box whose inscribed ellipse covers the whole head of a detection.

    ``height``: the picture's. Faces reach from brow to chin. An ellipse leaves its box's corners free: with
    these margins the corners of the face box lie inside it with a tenth to spare, hair and ears too. A
    profile's face is narrow for its height but its head is not, so the width is never less than 1.25 times
    the face's height. A body's head is looked for at its top, a little above it, all the more generously the
    less of the body shows.
    """
    box, wide, high = detection.box, detection.box.width, detection.box.height
    if detection.kind is Kind.FACE:
        side = max(0.38 * wide, (1.25 * high - wide) / 2, 2.0)
        more = 0.0 if detection.score >= _EXACT else _ASTRAY
        return box.grown(side + more, max(0.5 * high, 2.0) + more, side + more, max(0.32 * high, 2.0) + more)
    shape = high / max(wide, 1.0)
    depth = high * float(np.interp(shape, *_DEPTH))
    half = wide * float(np.interp(shape, *_HALF))
    top = box.y1 - 0.1 * high - 0.06 * depth
    half = min(half, _WIDEST * (box.y1 + depth - top) / 2)
    x = box.centre[0]
    return Box(x - half, min(top, 0.0) if top < _EDGE * height else top, x + half, box.y1 + depth)


def bodies(detections: Iterable[Detection], height: float) -> list[Sighting]:
    """One sighting a whole body, a little larger than seen, best first. ``height``: the picture's."""
    found = []
    for detection in sorted(detections, key=lambda d: (-d.score, d.box)):
        if detection.kind is Kind.BODY:
            side, more = 0.06 * detection.box.width, 0.05 * detection.box.height
            box = detection.box.grown(side, more, side, more)
            names = frozenset({detection.finder})
            found.append(Sighting(box, _worth(detection, height), detection.finder, Kind.BODY, names, detection.box))
    return found


def _worth(detection: Detection, height: float) -> float:
    if detection.kind is not Kind.BODY:
        return detection.score
    if detection.score < _WORTH[0][2] and detection.box.height < _NEAR * height:
        return _LITTLE
    return float(np.interp(detection.score, *_WORTH))


def sightings(detections: Iterable[Detection], height: float) -> list[Sighting]:
    """One sighting a head, best first. ``height``: the picture's.

    A sure face says where the head is, and a body under it adds nothing; with an unsure one, a veil's slit perhaps, the
    head is where either says. A body without a face makes a head of its own.
    """
    found: list[Sighting] = []
    ranked = sorted(detections, key=lambda d: (d.kind is Kind.BODY, -d.score, d.box))
    boxes = np.empty((len(ranked), 4))
    for detection in ranked:
        if detection.box.area <= 0:
            continue
        head, score = head_of(detection, height), _worth(detection, height)
        known = boxes[: len(found)]
        same = same_head(known, head)
        body = detection.box if detection.kind is Kind.BODY else None
        if body is not None:
            sure = np.array([s.exact for s in found], dtype=bool)
            same = (same & ~sure) | (fits(known, head) & sure)
        places = np.flatnonzero(same)
        if places.size:
            place = int(places[0])
            found[place] = _agreed(found[place], head, score, detection.finder, body)
            boxes[place] = found[place].box
            continue
        boxes[len(found)] = head
        names = frozenset({detection.finder})
        kind = Kind.FACE if body is None else Kind.HEAD
        exact = body is None and score >= _EXACT
        rough = head if body is not None else None
        found.append(Sighting(head, score, detection.finder, kind, names, body, exact, rough, detection.tilt))
    return sorted(found, key=lambda s: (-s.score, s.box))


def turned_back(sighting: Sighting, raster: Raster) -> Sighting:
    """What was seen in a turned picture, in the shown one. ``raster``: the shown picture as it was turned."""
    tilt = (0.0, -90.0, 180.0, 90.0)[raster.turn]
    body, rough = (None if box is None else raster.to_stored(box) for box in (sighting.body, sighting.rough))
    return replace(sighting, box=raster.to_stored(sighting.box), body=body, rough=rough, tilt=tilt)


def _agreed(first: Sighting, head: Box, score: float, finder: str, body: Box | None) -> Sighting:
    """A sighting that another finder confirms; ``head`` is the other's."""
    finders = first.finders | {finder}
    if body is None or first.body is not None:
        return replace(first, finders=finders)
    if first.exact:
        return replace(first, finders=finders, body=body, rough=head)
    box = first.box.union(_core(head))
    return replace(first, box=box, score=max(first.score, score), finders=finders, body=body, rough=head)


def _core(head: Box) -> Box:
    """The part of a body's head box in which the face is to be expected, if there is one."""
    side, below = 0.2 * head.width, 0.25 * head.height
    return head.grown(-side, 0.0, -side, -below)


def fits(heads: NDArray[np.float64], head: Box) -> NDArray[np.bool_]:
    """Which heads (n, 4) can be the one that a body was found to have: in its middle, and not far too small."""
    x, y = (heads[:, :2] + heads[:, 2:]).T / 2
    inside: NDArray[np.bool_] = (x >= head.x1) & (x <= head.x2) & (y >= head.y1) & (y <= head.y2)
    return inside & (_areas(heads) >= _SMALLEST * head.area)


def _common(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Common area of boxes, (n, 4) and (m, 4), as (n, m)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    common: NDArray[np.float64] = np.prod(np.maximum(high - low, 0.0), axis=2)
    return common


def _areas(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    areas: NDArray[np.float64] = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0), axis=1)
    return areas


def overlaps(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of boxes, (n, 4) and (m, 4), as (n, m), 0 to 1."""
    common = _common(a, b)
    return common / np.maximum(_areas(a)[:, None] + _areas(b)[None] - common, 1e-9)


def same_head(known: NDArray[np.float64], head: Box) -> NDArray[np.bool_]:
    """Which boxes (n, 4) are the same head as another in one picture: they overlap much, or one lies in the
    other."""
    one = np.array([head])
    inside = _common(known, one)[:, 0] > _INSIDE * np.minimum(_areas(known), head.area)
    same: NDArray[np.bool_] = (overlaps(known, one)[:, 0] > _SAME) | inside
    return same
