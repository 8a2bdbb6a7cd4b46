"""Which samples a region covers, exactly, on the planes as they are stored.

A region's shape (a box, or the ellipse inside it) is turned into one span per row of luma pixels, a polygon into as
many outlines of that kind as it takes. A pixel belongs to the region as soon as the shape touches it, be it in one
corner: rounding goes outwards everywhere. Coarser rasters (chroma planes, the grid of the veil) are derived from these
spans and never from the shape again, so that no raster can disagree with the luma about what is hidden.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from safelight.geometry import Box, Raster
from safelight.hide import polygon
from safelight.plan import Form, Shape


@dataclass(frozen=True)
class Outline:
    """Covered samples of a raster: row ``top + i`` is covered from ``left[i]`` up to, not including, ``right[i]``.

    ``left`` and ``right`` are int32, of equal length, at least one row; a row with ``right <= left`` covers nothing.
    """

    top: int
    left: NDArray[np.int32]
    right: NDArray[np.int32]

    @classmethod
    def of(cls, box: Box, shape: Shape, width: int, height: int) -> Self | None:
        """Every pixel of a ``width`` x ``height`` raster touched by the shape inside ``box`` (raster coordinates).

        None when the shape lies wholly outside the raster.
        """
        x1, y1, x2, y2 = box
        first = max(int(np.floor(y1)), 0)
        # A shape thinner than the float grid still touches the pixel it lies in, hence "+ 1".
        end = min(max(int(np.ceil(y2)), int(np.floor(y1)) + 1), height)
        if end <= first:
            return None
        rows = np.arange(first, end, dtype=np.float64)
        if shape is not Shape.ELLIPSE:
            left, right = np.full(len(rows), np.floor(x1)), np.full(len(rows), np.ceil(x2))
        else:
            # The widest chord of an ellipse within one row of pixels is the one nearest to its centre.
            across, down = (x2 - x1) / 2, (y2 - y1) / 2
            away = np.maximum(np.minimum(rows + 1, y1 + down), rows) - (y1 + down)
            away = away / down if down > 0 else np.zeros(len(rows))
            half = across * np.sqrt(np.maximum(1.0 - away * away, 0.0))
            left, right = np.floor(x1 + across - half), np.ceil(x1 + across + half)
        right = np.maximum(right, left + 1)
        left = np.minimum(np.maximum(left, 0), width).astype(np.int32)
        right = np.minimum(np.maximum(right, 0), width).astype(np.int32)
        right[right <= left] = 0  # an empty row: it must stay empty on coarser rasters, whatever its left is
        if not right.any():
            return None
        return cls(first, left, right)

    @cached_property
    def box(self) -> tuple[int, int, int, int]:
        """Bounds: left, top, right, bottom, the last two exclusive."""
        return int(self.left.min()), self.top, int(self.right.max()), self.top + len(self.left)

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """Covered samples within :attr:`box`, shape (bottom - top, right - left). Not to be written to."""
        x1, _, x2, _ = self.box
        small = np.dtype(np.uint16 if x2 - x1 < 1 << 16 else np.uint32)
        left, long = (self.left - x1).astype(small), np.maximum(self.right - self.left, 0).astype(small)
        # What lies left of where a row begins is a very large number, so one comparison tells both sides.
        columns = np.subtract(np.arange(x2 - x1, dtype=small), left[:, None])
        covered: NDArray[np.bool_] = columns < long[:, None]
        return covered

    def coarse(self, across: int, down: int) -> Outline:
        """The outline on a raster whose samples are ``across`` x ``down`` of ours: touched samples are covered."""
        first, last = self.top // down, (self.top + len(self.left) - 1) // down
        # where each group of `down` rows begins; the topmost group may be cut
        starts = np.maximum(np.arange(first, last + 1) * down - self.top, 0)
        left = np.minimum.reduceat(self.left, starts) // across
        right = -(-np.maximum.reduceat(self.right, starts) // across)
        return Outline(first, left, right)

    def chroma(self, sub_x: int, sub_y: int, height: int) -> Outline:
        """The outline on a chroma plane of ``height`` rows, subsampled ``sub_x`` times across and ``sub_y`` down.

        Rows of chroma belong to lines of luma in two ways: a progressive picture shares them between neighbouring
        lines, an interlaced one between lines of one field. A file's word for which of both holds is not trusted:
        chroma rows go in pairs, and a pair is covered when any of the lines is that either way of sharing gives it.
        """
        if sub_y == 1:
            return self.coarse(sub_x, 1)
        pairs = self.coarse(sub_x, 2 * sub_y)
        top = 2 * pairs.top
        rows = min(2 * len(pairs.left), height - top)
        return Outline(top, np.repeat(pairs.left, 2)[:rows], np.repeat(pairs.right, 2)[:rows])


def outlines_of(form: Form, box: Box, raster: Raster) -> list[Outline]:
    """Every stored pixel that a form touches, once; ``box`` in shown coordinates of ``raster``."""
    width, height = raster.stored_width, raster.stored_height
    stored = raster.to_stored(box)
    if isinstance(form, Shape):
        outline = Outline.of(stored, form, width, height)
        return [] if outline is None else [outline]
    told = polygon.pixels(polygon.placed(tuple(raster.turned(*corner) for corner in form), stored), width, height)
    if told is None:
        return []
    left, top, touched, _ = told
    return [
        Outline(top + first, begins + np.int32(left), ends + np.int32(left)) for first, begins, ends in _strips(touched)
    ]


def _strips(mask: NDArray[np.bool_]) -> list[tuple[int, NDArray[np.int32], NDArray[np.int32]]]:
    """A mask taken apart: first row, and from there on where its one run in each row begins and ends."""
    steps = np.diff(mask.astype(np.int8), axis=1, prepend=0, append=0)
    rows, begins = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    strips: list[tuple[int, list[int], list[int]]] = []
    open_: list[tuple[int, list[int], list[int]]] = []  # strips with a run in the row before
    for row, group in itertools.groupby(
        zip(rows.tolist(), begins.tolist(), ends.tolist(), strict=True), lambda r: r[0]
    ):
        going = []
        for _, begin, end in group:
            strip = next((s for s in open_ if s[0] + len(s[1]) == row and s[1][-1] < end and begin < s[2][-1]), None)
            if strip is None:
                strip = (row, [], [])
                strips.append(strip)
            strip[1].append(begin)
            strip[2].append(end)
            going.append(strip)
        open_ = going
    return [(first, np.array(begin, np.int32), np.array(end, np.int32)) for first, begin, end in strips]


@dataclass(frozen=True)
class Area:
    """What some outlines cover together, within their common bounds. ``mask``: as :attr:`Outline.mask`."""

    box: tuple[int, int, int, int]
    mask: NDArray[np.bool_]

    @classmethod
    def of(cls, box: tuple[int, int, int, int], outlines: Sequence[Outline]) -> Self:
        """``box``: in which all the outlines lie."""
        if len(outlines) == 1:
            return cls(box, outlines[0].mask)
        left, top, right, bottom = box
        mask = np.zeros((bottom - top, right - left), np.bool_)
        for outline in outlines:
            x1, y1, x2, y2 = outline.box
            mask[y1 - top : y2 - top, x1 - left : x2 - left] |= outline.mask
        return cls(box, mask)


def merged(outlines: Sequence[Outline]) -> list[Area]:
    """Areas that hold together what the outlines cover, no more. Work on an area goes by its bounds: where common
    bounds are smaller than what two have together, they are one.
    """
    groups: list[tuple[tuple[int, int, int, int], list[Outline]]] = []
    for outline in outlines:
        box, members = outline.box, [outline]
        while near := next((g for g in groups if _size(_both(box, g[0])) < _size(box) + _size(g[0])), None):
            groups.remove(near)
            box, members = _both(box, near[0]), near[1] + members
        groups.append((box, members))
    return [Area.of(box, members) for box, members in groups]


def _both(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _size(box: tuple[int, int, int, int]) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def covered(areas: Sequence[Area]) -> int:
    """How many samples of one raster the areas cover together; what lies in several counts once."""
    total = 0
    for number, area in enumerate(areas):
        new = area.mask
        for other in areas[:number]:
            left, top = max(area.box[0], other.box[0]), max(area.box[1], other.box[1])
            right, bottom = min(area.box[2], other.box[2]), min(area.box[3], other.box[3])
            if left < right and top < bottom:
                new = new.copy() if new is area.mask else new
                new[_within(area, left, top, right, bottom)] &= ~other.mask[_within(other, left, top, right, bottom)]
        total += int(np.count_nonzero(new))
    return total


def _within(area: Area, left: int, top: int, right: int, bottom: int) -> tuple[slice, slice]:
    x, y = area.box[:2]
    return slice(top - y, bottom - y), slice(left - x, right - x)
