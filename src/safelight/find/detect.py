"""What every finder gives, and how several boxes on one thing become one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from safelight.geometry import Box
from safelight.plan import Kind


@dataclass(frozen=True)
class Detection:
    """One finder's box in one picture.

    ``box`` is in pixels of the picture that was given and may reach beyond its edges, where the thing does.
    ``score`` is the finder's own confidence, 0 to 1; scores of different finders do not compare.
    ``tilt``: degrees, counter-clockwise, by which the picture had to be turned for the finder to see it.
    """

    box: Box
    score: float
    finder: str
    kind: Kind
    tilt: float = 0.0


class Finder(Protocol):
    """Anything that finds people, or what gives them away, in one picture at a time."""

    @property
    def name(self) -> str:
        """Stable name; it appears in plans and accounts."""
        ...

    def find(self, bgr: NDArray[np.uint8]) -> list[Detection]:
        """All it finds in a picture, best score first.

        Args:
            bgr: (height, width, 3) uint8, blue, green, red, upright; any size.
        """
        ...


class PeopleFinder(Finder, Protocol):
    """A finder that sees every picture at one size of its own."""

    def fitted(self, width: int, height: int) -> tuple[int, int]:
        """The size (width, height) at which it sees a picture of that size."""
        ...


def detections(boxes: NDArray[np.floating], scores: NDArray[np.floating], finder: str, kind: Kind) -> list[Detection]:
    """Detections from (n, 4) corner boxes and (n,) scores, in the order given."""
    return [
        Detection(Box(*map(float, box)), min(float(score), 1.0), finder, kind)
        for box, score in zip(boxes, scores, strict=True)
    ]


def nms(boxes: NDArray[np.floating], scores: NDArray[np.floating], overlap: float) -> NDArray[np.intp]:
    """Greedy non-maximum suppression: of boxes that overlap, only the best stays.

    Args:
        boxes: (n, 4) left, top, right, bottom.
        scores: (n,); among equal scores the earlier box wins, so that the result is always the same.
        overlap: intersection over union above which the lesser box goes, 0 to 1.

    Returns:
        Indices of the boxes that stay, best score first.
    """
    left, top, right, bottom = boxes.T
    areas = (right - left) * (bottom - top)
    order = np.argsort(-scores, kind="stable")
    kept = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(best)
        width = np.minimum(right[best], right[rest]) - np.maximum(left[best], left[rest])
        height = np.minimum(bottom[best], bottom[rest]) - np.maximum(top[best], top[rest])
        common = np.maximum(width, 0) * np.maximum(height, 0)
        order = rest[common <= overlap * (areas[best] + areas[rest] - common)]
    return np.array(kept, dtype=np.intp)
