"""From what a finder saw to the whole head, and from several finders' boxes in one picture to one sighting
a person.

Everything after this file speaks of heads only, so a face, a head and a body of one person join into one
track.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from safelight.find.detect import Detection
from safelight.geometry import Box
from safelight.plan import Kind

_SAME = 0.4  # overlap from which two heads in one picture are one person's
_INSIDE = 0.75  # or this part of the smaller lies in the larger


@dataclass(frozen=True)
class Sighting:
    """One head in one picture: its box, the best finder's score and name, and how many finders agree."""

    box: Box
    score: float
    finder: str
    kind: Kind
    finders: frozenset[str]


def head_of(detection: Detection) -> Box:
    """The box whose inscribed ellipse covers the whole head of a detection.

    Faces reach from brow to chin. An ellipse leaves its box's corners free: with these margins the corners
    of the face box lie inside it with a tenth to spare, hair and ears too. A profile's face is narrow for
    its height but its head is not, so the width is never less than 1.25 times the face's height. For bodies
    the head is looked for at the top.
    """
    box, width, height = detection.box, detection.box.width, detection.box.height
    if detection.kind is Kind.FACE:
        side = max(0.38 * width, (1.25 * height - width) / 2, 2.0)
        return box.grown(side, max(0.5 * height, 2.0), side, max(0.32 * height, 2.0))
    if detection.kind is Kind.BODY:
        head = min(0.6 * width, 0.22 * height)
        x = box.centre[0]
        return Box(x - 0.8 * head, box.y1 - 0.3 * head, x + 0.8 * head, box.y1 + 1.4 * head)
    return box.grown(0.15 * width, 0.15 * height, 0.15 * width, 0.15 * height)


def sightings(detections: Iterable[Detection]) -> list[Sighting]:
    """One sighting a head, best first; boxes of faces win over boxes of bodies, which say less exactly where
    it is."""
    found: list[Sighting] = []
    ranked = sorted(detections, key=lambda d: (d.kind is Kind.BODY, -d.score, d.box))
    boxes = np.empty((len(ranked), 4))
    for detection in ranked:
        if detection.box.area <= 0:
            continue
        head = head_of(detection)
        known = boxes[: len(found)]
        same = same_head(known, head)
        if detection.kind is Kind.BODY:
            same |= _on_top(known, detection.box)
        places = np.flatnonzero(same)
        if places.size:
            first = found[places[0]]
            found[places[0]] = replace(first, finders=first.finders | {detection.finder})
            continue
        boxes[len(found)] = head
        names = frozenset({detection.finder})
        found.append(Sighting(head, detection.score, detection.finder, detection.kind, names))
    return sorted(found, key=lambda s: (-s.score, s.box))


def _on_top(heads: NDArray[np.float64], body: Box) -> NDArray[np.bool_]:
    """Which heads (n, 4) sit on a body."""
    x, y = (heads[:, :2] + heads[:, 2:]).T / 2
    inside: NDArray[np.bool_] = (x >= body.x1) & (x <= body.x2)
    inside &= (y >= body.y1 - 0.1 * body.height) & (y <= body.y1 + 0.4 * body.height)
    return inside


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
