"""One picture at the sizes finders look at it, and enlarged parts of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.find.cuts import Showable
from safelight.find.detect import Detection, Finder
from safelight.find.tiles import seen_in_tiles, tile_size
from safelight.geometry import Box

_TILE = 960  # pixels, longest side of what a finder is given at once
_OVERLAP = 96  # pixels of neighbouring tiles; larger faces are seen in smaller pictures


@dataclass(frozen=True)
class Part:
    """A square part of a picture, enlarged or reduced. ``corner``: its left top; ``step``: (x, y) of its pixels, both
    in the shown picture's own pixels.
    """

    pixels: NDArray[np.uint8]
    corner: tuple[float, float]
    step: tuple[float, float]

    def seen(self, finder: Finder) -> list[Detection]:
        """What a finder sees in it, in the shown picture's own pixels."""
        x, y = self.corner
        return [
            Detection(d.box.scaled(*self.step).grown(-x, -y, x, y), d.score, d.finder, d.kind)
            for d in finder.find(self.pixels)
        ]


class View:
    """One picture at the sizes it is looked at, made when they are wanted, straight from the decoded picture."""

    def __init__(self, picture: Showable, width: int, height: int) -> None:
        self._picture = picture
        self._size = width, height
        self._made: dict[tuple[int, int], NDArray[np.uint8]] = {}

    def _fine(self, scale: float) -> NDArray[np.uint8]:
        """The smallest picture at hand, or quickly made, that is at least the shown picture's size times ``scale``."""
        wanted = self.scaled(scale)
        ready = [*self._made, self.scaled(0.5), self._size]
        return self._at(
            min(size for size in ready if size == self._size or (size[0] >= wanted[0] and size[1] >= wanted[1]))
        )

    def part(self, box: Box, scale: float, side: int) -> Part:
        """What lies around a box, the shown picture's size times ``scale``, as a square of ``side`` pixels."""
        picture = self._fine(scale)
        across, down = self._size[0] / picture.shape[1], self._size[1] / picture.shape[0]
        before = max(round(side / (scale * max(across, down))), 1)
        pixels, left, top = _square(picture, box.scaled(1 / across, 1 / down).centre, before)
        how = cv2.INTER_AREA if before > side else cv2.INTER_CUBIC
        pixels = np.asarray(cv2.resize(pixels, (side, side), interpolation=how), np.uint8)
        return Part(pixels, (left * across, top * down), (across * before / side, down * before / side))

    def _at(self, size: tuple[int, int]) -> NDArray[np.uint8]:
        if size not in self._made:
            self._made[size] = self._picture.bgr(*size)
        return self._made[size]

    def scaled(self, scale: float) -> tuple[int, int]:
        """Its size (width, height) times ``scale``."""
        width, height = (max(round(side * scale), 1) for side in self._size)
        return width, height

    def seen(self, finder: Finder, size: tuple[int, int]) -> list[Detection]:
        """What a finder sees in the picture brought to that size, in the shown picture's own pixels.

        A large picture is looked at in tiles, and what is larger than their overlap may be missed in it.
        """
        if size > self._size:
            picture = np.asarray(cv2.resize(self._at(self._size), size, interpolation=cv2.INTER_CUBIC), np.uint8)
        else:
            picture = self._at(size)
        if in_tiles(size):
            found = seen_in_tiles(finder, picture, tile_size(size, _TILE, _OVERLAP), _OVERLAP)
        else:
            found = finder.find(picture)
        sx, sy = self._size[0] / size[0], self._size[1] / size[1]
        return [Detection(d.box.scaled(sx, sy), d.score, d.finder, d.kind) for d in found]


def in_tiles(size: tuple[int, int]) -> bool:
    """Whether a picture of that size is looked at in tiles, and not as a whole."""
    return max(size) > _TILE


def _square(picture: NDArray[np.uint8], centre: tuple[float, float], side: int) -> tuple[NDArray[np.uint8], int, int]:
    """A square part of a picture, black outside it, and its left and top edge."""
    height, width = picture.shape[:2]
    x, y = (round(c - side / 2) for c in centre)
    part = np.zeros((side, side, 3), np.uint8)
    xa, xb, ya, yb = max(x, 0), min(x + side, width), max(y, 0), min(y + side, height)
    if xb > xa and yb > ya:
        part[ya - y : yb - y, xa - x : xb - x] = picture[ya:yb, xa:xb]
    return part, x, y
