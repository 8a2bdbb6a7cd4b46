"""Fill the hidden regions of one picture, in place, on its stored planes.

What keeps hidden pixels out of the copy is the order: **first every hidden sample is overwritten with a constant, then
the veil is computed from what is left.** After the first step the planes hold nothing that was hidden, so whatever the
second step does, right or wrong, pretty or ugly, it cannot leak. A sample outside the regions is never written.

Nothing is feathered: a soft edge would either mix hidden pixels in or change pixels the plan does not cover.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.geometry import Box, Raster
from safelight.hide.grain import TILE, bound, grain
from safelight.hide.outline import Area, covered, merged, outlines_of
from safelight.hide.veil import Veil
from safelight.media.planes import Planes
from safelight.plan import Form, Look

_LUMA_GRAIN = 256  # standard deviation, 16-bit scale: one step of 8 bit, what a decent camera leaves after coding
_CHROMA_GRAIN = 90  # a third of a step: enough to keep 8-bit gradients from banding, too little to see as colour


def hide_areas(planes: Planes, areas: Iterable[tuple[Form, Box]], raster: Raster, look: Look, index: int) -> int:
    """Fill areas of one picture; returns how many luma pixels are covered.

    ``planes``: changed in place. ``areas``: forms and their boxes in shown coordinates of ``raster``, which must have
    the size of the planes; areas may overlap and reach outside. ``index``: the picture's number, for the grain.
    The result depends on the areas, the look, the index, and samples outside every area, on nothing else.
    """
    height, width = planes.y.shape
    if (width, height) != (raster.stored_width, raster.stored_height):
        raise ValueError("the planes have another size than their raster")
    outlines = [outline for form, box in areas for outline in outlines_of(form, box, raster)]
    if not outlines:
        return 0
    luma = merged(outlines)
    groups = [_Group([planes.y], slice(0, 1), luma, _LUMA_GRAIN)]
    if planes.u is not None and planes.v is not None:
        chroma = [outline.chroma(planes.sub_x, planes.sub_y, planes.u.shape[0]) for outline in outlines]
        groups.append(_Group([planes.u, planes.v], slice(1, 3), merged(chroma), _CHROMA_GRAIN))
    rest, spans = rest_values(planes.full_range)
    for group in groups:
        group.blank([value >> (16 - planes.depth) for value in rest[group.channels]])
    if look is Look.VEIL:
        every = [plane for group in groups for plane in group.planes]
        limits = [
            (low + bound(group.sigma), high - bound(group.sigma))
            for group in groups
            for low, high in spans[group.channels]
        ]
        veil = Veil(every, planes.depth, planes.sub_x, planes.sub_y, outlines, rest[: len(every)], limits)
        for group in groups:
            group.drape(veil, index, planes.depth)
    return covered(luma)


def rest_values(full_range: bool) -> tuple[list[int], list[tuple[int, int]]]:
    """The colour of rest and the legal span of Y, U and V, on the 16-bit scale.

    Mid grey and not black: it is the value with the smallest largest distance to anything around it, so it neither
    glares nor gapes, and the encoder rings least at its edges. Colourless in every colour matrix.
    """
    if full_range:
        return [32768, 32768, 32768], [(0, 65535)] * 3
    return [(16 + 235) << 7, 32768, 32768], [(16 << 8, 235 << 8), (16 << 8, 240 << 8), (16 << 8, 240 << 8)]


@dataclass(frozen=True)
class _Group:
    """Planes of one size (luma alone, or both of chroma), their place among Y, U and V, and what is hidden in them."""

    planes: list[NDArray[Any]]
    channels: slice
    areas: list[Area]
    sigma: int

    def blank(self, values: list[int]) -> None:
        """Overwrite every covered sample with one value per plane."""
        for area in self.areas:
            x1, y1, x2, y2 = area.box
            for plane, value in zip(self.planes, values, strict=True):
                _put(plane[y1:y2, x1:x2], np.full((y2 - y1, x2 - x1), value, plane.dtype), area.mask)

    def drape(self, veil: Veil, index: int, depth: int) -> None:
        """Lay the veil and its grain over every covered sample, block by block to keep memory small."""
        for area in self.areas:
            x1, y1, x2, y2 = area.box
            for top in range(y1, y2, TILE):
                for left in range(x1, x2, TILE):
                    bottom, right = min(top + TILE, y2), min(left + TILE, x2)
                    where = area.mask[top - y1 : bottom - y1, left - x1 : right - x1]
                    block = veil.block(self.channels, left, top, right - left, bottom - top)
                    noise = grain(index, left, top, right - left, bottom - top, self.sigma, depth)
                    for plane, smooth in zip(self.planes, block, strict=True):
                        fresh = (smooth + noise) >> (16 - depth)
                        # where that is uint16 to uint8 the value fits, its upper bits were shifted out
                        _put(plane[top:bottom, left:right], fresh.astype(plane.dtype, copy=False), where)


def _put(target: NDArray[Any], values: NDArray[Any], where: NDArray[np.bool_]) -> None:
    """Overwrite the samples of ``target`` that are ``where``. OpenCV is several times quicker at it than NumPy, but it
    takes only arrays that lie row after row, and might give back another array than it was given.
    """
    plain = target.size and target.strides[1] == target.itemsize and target.strides[0] > 0
    if not plain or cv2.copyTo(values, where.view(np.uint8), target) is not target:
        np.copyto(target, values, where=where)
