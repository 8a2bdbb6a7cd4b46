"""Polygons as pixels: which pixels one touches, and which lie wholly inside. Rounding goes outwards.

What a polygon covers is what its corners wind around (the non-zero rule of SVG and of the desk's page), rim included.
A pixel is touched when the rim runs through it or when its middle lies inside: one whose middle lies outside and that
the rim does not cross has no part inside.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from safelight.geometry import Box
from safelight.plan import Corners

Points = NDArray[np.float64]  # (n, 2), x and y in pixels of a raster
Mask = NDArray[np.bool_]


def placed(corners: Corners, box: Box) -> Points:
    """The corners of a polygon in the pixels its box is given in."""
    shares = np.asarray(corners, np.float64).reshape(-1, 2)
    return np.asarray(shares * (box.width, box.height) + (box.x1, box.y1), np.float64)


def contains(points: Points, xs: ArrayLike, ys: ArrayLike) -> Mask:
    """Which points of the grid ``xs`` x ``ys`` lie inside, shape (len(ys), len(xs)). Not told for the rim itself."""
    across, down = np.asarray(xs, np.float64), np.asarray(ys, np.float64)
    winding = np.zeros((down.size, across.size), np.int32)
    for (ax, ay), (bx, by) in _edges(points):
        upwards = by < ay
        rows = np.flatnonzero((down >= min(ay, by)) & (down < max(ay, by)))
        if rows.size:
            crossed = ax + _share(down[rows] - ay, by - ay) * (bx - ax)
            winding[rows] += np.where(across[None] > crossed[:, None], -1 if upwards else 1, 0).astype(np.int32)
    return np.asarray(winding != 0, np.bool_)


def pixels(points: Points, width: int, height: int) -> tuple[int, int, Mask, Mask] | None:
    """Left and top of a part of a ``width`` x ``height`` raster, and in it: the pixels that the polygon touches, and
    those that lie wholly inside. None when no pixel of the raster is touched.
    """
    least, most = np.floor(points.min(axis=0)), np.floor(points.max(axis=0))
    left, top = (max(int(v), 0) for v in least)
    right, bottom = min(int(most[0]) + 1, width), min(int(most[1]) + 1, height)
    if right <= left or bottom <= top:
        return None
    rim = np.zeros((bottom - top, right - left + 1), np.int32)  # where runs of the rim begin (+1) and end (-1)
    for a, b in _edges(points):
        _run_along(rim, a, b, left, top)
    touched = np.cumsum(rim[:, :-1], axis=1) > 0
    inside = contains(points, np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
    wholly = inside & ~touched
    touched |= inside
    return (left, top, touched, wholly) if touched.any() else None


def _edges(points: Points) -> zip[tuple[Points, Points]]:
    return zip(points, np.roll(points, -1, axis=0), strict=True)


def _share(part: NDArray[np.float64], whole: float) -> NDArray[np.float64]:
    """How far along an edge, 0 to 1; not by its slope, which has no finite value where it is nearly level."""
    return np.clip(part / whole, 0.0, 1.0)


def _run_along(rim: NDArray[np.int32], a: Points, b: Points, left: int, top: int) -> None:
    """Add the pixels that the line from ``a`` to ``b`` runs through, a run in every row of pixels."""
    (ax, ay), (bx, by) = a, b
    rows = np.arange(max(int(np.floor(min(ay, by))), top), min(int(np.floor(max(ay, by))), top + len(rim) - 1) + 1)
    if not rows.size:
        return
    if ay == by:
        begins, ends = np.full(rows.size, min(ax, bx)), np.full(rows.size, max(ax, bx))
    else:
        enters, leaves = np.maximum(rows, min(ay, by)), np.minimum(rows + 1, max(ay, by))
        there = ax + _share(np.stack([enters, leaves]) - ay, by - ay) * (bx - ax)
        begins, ends = there.min(axis=0), there.max(axis=0)
    wide = rim.shape[1] - 1
    first = np.clip(np.floor(begins).astype(np.int64) - left, 0, wide)
    stop = np.clip(np.floor(ends).astype(np.int64) + 1 - left, 0, wide)
    np.add.at(rim, (rows - top, first), 1)
    np.add.at(rim, (rows - top, stop), -1)
