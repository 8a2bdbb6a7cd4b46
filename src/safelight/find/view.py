"""One picture at the sizes finders look at it, and enlarged parts of it."""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.find.cuts import Showable
from safelight.find.detect import Detection, Finder
from safelight.geometry import Box


class View:
    """One picture at the sizes it is looked at, made when they are wanted, straight from the decoded picture."""

    def __init__(self, picture: Showable, width: int, height: int) -> None:
        self._picture = picture
        self._size = width, height

    @cached_property
    def whole(self) -> NDArray[np.uint8]:
        """The shown picture as it is, (height, width, 3)."""
        return self._picture.bgr(*self._size)

    def scaled(self, scale: float) -> tuple[int, int]:
        """Its size (width, height) times ``scale``."""
        width, height = (max(round(side * scale), 1) for side in self._size)
        return width, height

    def seen(self, finder: Finder, size: tuple[int, int]) -> list[Detection]:
        """What a finder sees in the picture brought to that size, in the shown picture's own pixels."""
        if size == self._size:
            return finder.find(self.whole)
        if size > self._size:
            picture = np.asarray(cv2.resize(self.whole, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        else:
            picture = self._picture.bgr(*size)
        sx, sy = self._size[0] / size[0], self._size[1] / size[1]
        return [Detection(d.box.scaled(sx, sy), d.score, d.finder, d.kind) for d in finder.find(picture)]


def moved(d: Detection, scale: float, x: float, y: float) -> Detection:
    """A detection in an enlarged part, in the whole picture; the part's corner lies at ``x``, ``y``."""
    return Detection(d.box.scaled(scale, scale).grown(-x, -y, x, y), d.score, d.finder, d.kind)


def part_of(picture: NDArray[np.uint8], box: Box, side: int) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """A square part around a box, black outside the picture, and its top left corner."""
    height, width = picture.shape[:2]
    x, y = (round(c - side / 2) for c in box.centre)
    part = np.zeros((side, side, 3), np.uint8)
    xa, xb, ya, yb = max(x, 0), min(x + side, width), max(y, 0), min(y + side, height)
    if xb > xa and yb > ya:
        part[ya - y : yb - y, xa - x : xb - x] = picture[ya:yb, xa:xb]
    return part, (x, y)
