"""Small random pictures and, by brute force, what a region covers in them: the yardstick for `hide`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from safelight.geometry import Box, Raster
from safelight.media.planes import Planes
from safelight.plan import Form, Look, Shape

SUBSAMPLINGS = [None, (1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (4, 4)]  # None: grey
PLAIN = [Shape.BOX, Shape.ELLIPSE]
DEPTHS = [8, 10, 12, 16]


@dataclass(frozen=True)
class Scene:
    """One picture's format, the areas to hide in it, and the seed of its samples."""

    raster: Raster
    sub: tuple[int, int] | None
    depth: int
    full_range: bool
    areas: list[tuple[Form, Box]]
    look: Look
    index: int
    seed: int

    def planes(self) -> Planes:
        """Random samples over all values of the depth."""
        width, height = self.raster.stored_width, self.raster.stored_height
        sub_x, sub_y = self.sub or (1, 1)
        dice = np.random.default_rng(self.seed)
        y = noise(dice, (height, width), self.depth)
        if self.sub is None:
            return Planes(y, None, None, 1, 1, self.depth, self.full_range)
        size = (-(-height // sub_y), -(-width // sub_x))
        u, v = noise(dice, size, self.depth), noise(dice, size, self.depth)
        return Planes(y, u, v, sub_x, sub_y, self.depth, self.full_range)

    def hidden(self, more: float = 0.0) -> list[NDArray[np.bool_]]:
        """Per plane, the samples that must be hidden; by ``more`` pixels around the areas as well."""
        width, height = self.raster.stored_width, self.raster.stored_height
        luma = np.zeros((height, width), bool)
        for form, area in self.areas:
            box = area.grown(more, more, more, more)
            if not isinstance(form, Shape):
                form = tuple(self.raster.turned(*corner) for corner in form)
            luma |= touched(self.raster.to_stored(box), form, width, height)
        if self.sub is None:
            return [luma]
        chroma = shared(luma, *self.sub)
        return [luma, chroma, chroma]


def noise(dice: np.random.Generator, size: tuple[int, int], depth: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    return dice.integers(0, 1 << depth, size).astype(np.uint8 if depth == 8 else np.uint16)


def touched(box: Box, form: Form, width: int, height: int) -> NDArray[np.bool_]:
    """Pixels whose area the form overlaps: the pixel's point nearest to the centre lies inside the shape."""
    x, y = np.arange(width)[None, :], np.arange(height)[:, None]
    if not isinstance(form, Shape):
        return crossed([(box.x1 + u * box.width, box.y1 + v * box.height) for u, v in form], width, height, 1e-7)
    if form is Shape.BOX:
        return (box.x1 < x + 1) & (box.x2 > x) & (box.y1 < y + 1) & (box.y2 > y)
    cx, cy = box.centre
    away_x = (np.clip(cx, x, x + 1) - cx) / (box.width / 2)
    away_y = (np.clip(cy, y, y + 1) - cy) / (box.height / 2)
    return away_x**2 + away_y**2 < 1 - 1e-9


def crossed(corners: list[tuple[float, float]], width: int, height: int, rim: float) -> NDArray[np.bool_]:
    """Pixels, each less a rim (more by it where that is negative), that a polygon's edges run through, or whose middle
    it winds around. Edges are cut at the pixel's sides (Liang and Barsky), turns are counted by angles.
    """
    x, y = np.arange(width)[None, :], np.arange(height)[:, None]
    found = np.zeros((height, width), bool)
    turns = np.zeros((height, width))
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        enter, leave = np.zeros((height, width)), np.ones((height, width))
        for step, low, high in ((bx - ax, x + rim - ax, x + 1 - rim - ax), (by - ay, y + rim - ay, y + 1 - rim - ay)):
            if step == 0:
                leave = np.where((low <= 0) & (high >= 0), leave, -1.0)
                continue
            with np.errstate(over="ignore"):  # an edge that is all but level enters and leaves at no finite place
                enter = np.maximum(enter, np.minimum(low / step, high / step))
                leave = np.minimum(leave, np.maximum(low / step, high / step))
        found |= enter <= leave
        here, there = np.arctan2(ay - y - 0.5, ax - x - 0.5), np.arctan2(by - y - 0.5, bx - x - 0.5)
        turns += (there - here + np.pi) % (2 * np.pi) - np.pi
    return found | (np.abs(turns) > np.pi)


def shared(luma: NDArray[np.bool_], sub_x: int, sub_y: int) -> NDArray[np.bool_]:
    """Chroma samples that any hidden luma sample shares, in a progressive or in an interlaced picture."""
    height, width = luma.shape
    rows, columns = -(-height // sub_y), -(-width // sub_x)
    result = np.zeros((rows, columns), bool)
    for y, x in zip(*np.nonzero(luma), strict=True):
        result[y // sub_y, x // sub_x] = True
        if sub_y > 1:  # line y of the picture is line y // 2 of field y % 2, and so are the rows of chroma
            row = y // 2 // sub_y * 2 + y % 2
            if row < rows:
                result[row, x // sub_x] = True
    return result


def samples(planes: Planes) -> list[NDArray[np.uint8] | NDArray[np.uint16]]:
    return [planes.y] if planes.u is None or planes.v is None else [planes.y, planes.u, planes.v]


plain = st.sampled_from(PLAIN)
shares = st.floats(0, 1)
polygons = st.lists(st.tuples(shares, shares), min_size=3, max_size=8).map(tuple)


@st.composite
def scenes(draw: st.DrawFn, forms: st.SearchStrategy[Form] = plain) -> Scene:
    """Pictures of all formats with areas that overlap, touch, leave the picture, are tiny, or are all of it."""
    raster = Raster(
        draw(st.integers(1, 90)),
        draw(st.integers(1, 90)),
        draw(st.sampled_from([1.0, 1.0, 4 / 3, 12 / 11, 0.5])),
        draw(st.integers(0, 3)),
    )
    width, height = raster.shown_size
    place = st.one_of(st.integers(-20, 110), st.floats(-20, 110, allow_nan=False))
    size = st.one_of(st.integers(1, 50), st.floats(0.01, 50), st.just(400.0))
    areas = []
    for _ in range(draw(st.integers(1, 5))):
        x, y, w, h = draw(place), draw(place), draw(size), draw(size)
        areas.append((draw(forms), Box(x, y, x + w, y + h)))
    if draw(st.booleans()) and len(areas) > 1:  # side by side without a gap
        first = areas[0][1]
        areas[1] = (Shape.BOX, Box(first.x2, first.y1, first.x2 + 7, first.y2))
    if draw(st.integers(0, 9)) == 0:
        areas.append((Shape.BOX, Box(0, 0, width, height)))
    return Scene(
        raster,
        draw(st.sampled_from(SUBSAMPLINGS)),
        draw(st.sampled_from(DEPTHS)),
        draw(st.booleans()),
        areas,
        draw(st.sampled_from(Look)),
        draw(st.integers(0, 10**6)),
        draw(st.integers(0, 2**32 - 1)),
    )
