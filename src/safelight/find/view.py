"""One picture at the sizes finders look at it, and enlarged parts of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.find.detect import Detection, Finder
from safelight.find.tiles import seen_in_tiles, tile_size
from safelight.geometry import Box
from safelight.media.scale import grid, halved

_TILE = 1100  # pixels, longest side of what a finder is given at once
_OVERLAP = 96  # pixels of neighbouring tiles; larger faces are seen in smaller pictures
_LEAST = 2 * _OVERLAP  # pixels, shortest side of a tile of a turned picture
_LONG = 4  # so many times as long as it is wide, a picture is turned in pieces


@dataclass(frozen=True)
class Part:
    """A part of a picture, or all of it, enlarged, reduced or turned. ``back``: (2, 3), from its pixels to the shown
    picture's own. ``tilt``: degrees by which it was turned, counter-clockwise. ``vague``: see :class:`View`.
    """

    pixels: NDArray[np.uint8]
    back: NDArray[np.float64]
    tilt: float = 0.0
    vague: float = 0.0

    def seen(self, finder: Finder) -> list[Detection]:
        """What a finder sees in it, in the shown picture's own pixels."""
        return self.placed(finder.find(self.pixels))

    def placed(self, found: list[Detection]) -> list[Detection]:
        """What was seen in its pixels, in the shown picture's own. Of what leans, the box is a square around it."""
        there = self._turned if self.tilt else self._moved
        return [replace(d, box=there(d.box).grown(*[self.vague] * 4), tilt=self.tilt) for d in found]

    def _moved(self, box: Box) -> Box:
        (sx, _, x), (_, sy, y) = self.back.tolist()
        return box.scaled(sx, sy).grown(-x, -y, x, y)

    def _turned(self, box: Box) -> Box:
        x, y = (self.back @ (*box.centre, 1.0)).tolist()
        half = max(box.width, box.height) / 2 * math.hypot(self.back[0, 0], self.back[1, 0])
        return Box(x - half, y - half, x + half, y + half)


class Pixels(Protocol):
    """A picture that can be had at any size: a decoded one, or what was made of one."""

    def bgr(self, width: int, height: int) -> NDArray[np.uint8]:
        """It at that size, shape (height, width, 3)."""


class View:
    """One picture at the sizes it is looked at, made when they are wanted, straight from the decoded picture.

    ``vague``: shown pixels by which edges may lie elsewhere than the picture says; what is seen is made larger by them.
    """

    def __init__(self, picture: Pixels, width: int, height: int, vague: float = 0.0) -> None:
        self._picture = picture
        self._vague = vague
        self.size = width, height
        self._made: dict[tuple[int, int], NDArray[np.uint8]] = {}

    def _fine(self, scale: float) -> NDArray[np.uint8]:
        """The smallest picture at hand, or quickly made, that is at least the shown picture's size times ``scale``."""
        wanted = self.scaled(scale)
        ready = [*self._made, self.scaled(0.5), self.size]
        return self.at(
            min(size for size in ready if size == self.size or (size[0] >= wanted[0] and size[1] >= wanted[1]))
        )

    def part(self, box: Box, scale: float, side: int, tilt: float = 0.0) -> Part:
        """What lies around a box, the shown picture's size times ``scale``, as a square of ``side`` pixels, turned by
        ``tilt`` degrees counter-clockwise.
        """
        picture = self._fine(scale)
        across, down = self.size[0] / picture.shape[1], self.size[1] / picture.shape[0]
        unit = grid(scale * max(across, down))
        before = max(round(side / (scale * max(across, down)) / unit), 1) * unit
        pixels, left, top = _square(picture, box.scaled(1 / across, 1 / down).centre, before)
        how = cv2.INTER_AREA if before > side else cv2.INTER_CUBIC
        pixels = np.asarray(cv2.resize(halved(pixels, side, side), (side, side), interpolation=how), np.uint8)
        back = np.array([[across * before / side, 0, left * across], [0, down * before / side, top * down]])
        part = _turned(pixels, back, tilt, (side, side)) if tilt else Part(pixels, back)
        return replace(part, vague=self._vague)

    def leaning(self, finder: Finder, size: tuple[int, int], tilt: float) -> list[Detection]:
        """What a finder sees in the picture brought to that size and turned by ``tilt`` degrees counter-clockwise.

        A long and thin picture is turned in pieces: turned whole it would be a line through a square of nothing.
        """
        picture, turning = self.at(size), _Leaning(finder, tilt)
        if max(size) <= _LONG * max(min(size), _LEAST):
            found = turning.find(picture)
        else:
            found = seen_in_tiles(turning, picture, tile_size(size, _LONG * max(min(size), _LEAST), _OVERLAP), _OVERLAP)
        sx, sy = self.size[0] / size[0], self.size[1] / size[1]
        seen = [replace(d, box=d.box.scaled(sx, sy)) for d in found]
        width, height = self.size
        return [d for d in seen if 0 <= d.box.centre[0] < width and 0 <= d.box.centre[1] < height]

    def at(self, size: tuple[int, int]) -> NDArray[np.uint8]:
        """The picture brought to that size (width, height)."""
        if size not in self._made:
            self._made[size] = self._picture.bgr(*size)
        return self._made[size]

    def turned(self, turn: int) -> View:
        """The same picture turned clockwise by so many quarters; what is seen in it is in its own pixels."""
        width, height = self.size
        return View(_Turned(self, turn), *((height, width) if turn % 2 else (width, height)), vague=self._vague)

    def scaled(self, scale: float) -> tuple[int, int]:
        """Its size (width, height) times ``scale``."""
        return scaled(self.size, scale)

    def seen(self, finder: Finder, size: tuple[int, int]) -> list[Detection]:
        """What a finder sees in the picture brought to that size, in the shown picture's own pixels.

        A large picture is looked at in tiles, and what is larger than their overlap may be missed in it.
        """
        if size > self.size:
            picture = np.asarray(cv2.resize(self.at(self.size), size, interpolation=cv2.INTER_CUBIC), np.uint8)
        else:
            picture = self.at(size)
        found = seen_in_tiles(finder, picture, piece(size), _OVERLAP) if in_tiles(size) else finder.find(picture)
        sx, sy = self.size[0] / size[0], self.size[1] / size[1]
        return [replace(d, box=d.box.scaled(sx, sy).grown(*[self._vague] * 4)) for d in found]


def scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """(width, height) times ``scale``."""
    width, height = (max(round(side * scale), 1) for side in size)
    return width, height


def piece(size: tuple[int, int]) -> tuple[int, int]:
    """What a finder is given at once of a picture of that size (width, height): all of it, or a tile."""
    return tile_size(size, _TILE, _OVERLAP) if in_tiles(size) else size


@dataclass(frozen=True)
class _Leaning:
    """A finder that sees what leans: it looks at a picture turned by ``tilt`` degrees counter-clockwise."""

    finder: Finder
    tilt: float

    @property
    def name(self) -> str:
        """The finder's."""
        return self.finder.name

    def find(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """Like every finder's; boxes are squares in the picture as it was before it was turned."""
        height, width = picture.shape[:2]
        turn = math.radians(self.tilt)
        across, down = abs(math.cos(turn)), abs(math.sin(turn))
        whole = math.ceil(width * across + height * down), math.ceil(width * down + height * across)
        part = _turned(picture, np.eye(2, 3), self.tilt, whole)
        # in tiles of the size for which the finder is ready, but never so narrow that they hardly advance
        size = max(width, _LEAST), max(height, _LEAST)
        return part.placed(seen_in_tiles(self.finder, part.pixels, tile_size(size, max(size), _OVERLAP), _OVERLAP))


@dataclass(frozen=True)
class _Turned:
    """The picture of a view, turned clockwise by quarters."""

    view: View
    turn: int

    def bgr(self, width: int, height: int) -> NDArray[np.uint8]:
        size = (height, width) if self.turn % 2 else (width, height)
        return np.ascontiguousarray(np.rot90(self.view.at(size), -self.turn))


def in_tiles(size: tuple[int, int]) -> bool:
    """Whether a picture of that size is looked at in tiles, and not as a whole."""
    return max(size) > _TILE


def _turned(pixels: NDArray[np.uint8], back: NDArray[np.float64], tilt: float, size: tuple[int, int]) -> Part:
    """A picture turned around its middle into a picture of that size (width, height), black around it.

    ``back``: (2, 3), from its pixels to the shown picture's.
    """
    middle = pixels.shape[1] / 2, pixels.shape[0] / 2
    move = cv2.getRotationMatrix2D(middle, tilt, 1.0)
    move[:, 2] += np.array(size) / 2 - middle
    turned = np.asarray(cv2.warpAffine(pixels, move, size, flags=cv2.INTER_LINEAR), np.uint8)
    return Part(turned, back @ np.vstack([cv2.invertAffineTransform(move), (0.0, 0.0, 1.0)]), tilt)


def _square(picture: NDArray[np.uint8], centre: tuple[float, float], side: int) -> tuple[NDArray[np.uint8], int, int]:
    """A square part of a picture, black outside it, and its left and top edge."""
    height, width = picture.shape[:2]
    x, y = (round(c - side / 2) for c in centre)
    part = np.zeros((side, side, 3), np.uint8)
    xa, xb, ya, yb = max(x, 0), min(x + side, width), max(y, 0), min(y + side, height)
    if xb > xa and yb > ya:
        part[ya - y : yb - y, xa - x : xb - x] = picture[ya:yb, xa:xb]
    return part, x, y
