"""The veil: a calm surface that continues the visible surroundings of all hidden regions of one picture.

The picture is averaged over a grid of cells; cells touched by any hidden region are holes. The holes are filled by
pulling the visible cells up a pyramid and pushing the coarse colours back down where finer levels know nothing
(Gortler, Grzeszczuk, Szeliski, Cohen: The Lumigraph, SIGGRAPH 1996, section 3.4). The veil is the second finest level
of that pyramid, enlarged smoothly: light and colours of the surroundings pass into it, edges and textures do not, so
nothing in it can look like a face and nothing flickers with the noise of single pixels. A breath of grey is mixed in:
a viewer should see that something is hidden here, not be shown an emptiness that never was.

All values are on a 16-bit scale, whatever the depth of the picture. Integers throughout, or single exactly rounded
operations: the same planes give the same veil on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.hide.outline import Outline

FULL = 65535
_HAZE = 3  # one part in 2 ** 3 is the colour of rest: a pane of glass, not a picture of what might be behind it
_CELLS = 240  # cells along the longer side of a picture, at most; a head then still spans several
_LOUDNESS = np.float32(4.0)  # how strongly few visible cells on a level speak against the coarser level
_REACH = 2  # cells of the surface around a block that its enlargement needs, so that blocks fit without a seam
_PAD = 4  # cells around the surface: the reach, and the rim of the picture outside whole cells


def cell_side(width: int, height: int, sub_x: int, sub_y: int) -> int:
    """Side of a grid cell in luma pixels: a power of two that every group of pixels sharing chroma divides."""
    side = max(4, sub_x, 2 * sub_y if sub_y > 1 else 1)
    while max(width, height) > _CELLS * side:
        side *= 2
    return side


class Veil:
    """The surface for one picture.

    ``planes``: luma and, unless grey, both chroma planes, (height, width) each, uint8 or uint16 with ``depth`` bits.
    ``outlines``: every hidden region on the luma raster. ``rest``: one value per plane on the 16-bit scale, the colour
    where nothing visible is left to continue. ``limits``: lowest and highest value of the surface per plane.
    """

    def __init__(
        self,
        planes: Sequence[NDArray[np.uint8] | NDArray[np.uint16]],
        depth: int,
        sub_x: int,
        sub_y: int,
        outlines: Sequence[Outline],
        rest: Sequence[int],
        limits: Sequence[tuple[int, int]],
    ) -> None:
        height, width = planes[0].shape
        self._side = cell_side(width, height, sub_x, sub_y)
        self._subs = [(1, 1)] + [(sub_x, sub_y)] * (len(planes) - 1)
        rows, columns = height // self._side, width // self._side
        if rows and columns:
            cells = [
                _cells(plane, self._side // across, self._side // down, columns, rows).astype(np.uint16) << (16 - depth)
                for plane, (across, down) in zip(planes, self._subs, strict=True)
            ]
            level: NDArray[Any] = cv2.merge([*cells, np.full((rows, columns), FULL, np.uint16)])
            for outline in outlines:
                _punch(level, outline.coarse(self._side, self._side))
            surface = _spread(level, np.array(rest, np.uint16))
            surface += np.array([value >> _HAZE for value in rest], np.uint16) - (surface >> _HAZE)
        else:  # too small for a single cell
            surface = np.tile(np.array(rest, np.uint16), (rows // 2 + 1, columns // 2 + 1, 1))
        low, high = (np.array(side, np.uint16) for side in zip(*limits, strict=True))
        surface = np.minimum(np.maximum(surface, low), high)
        padded = cv2.copyMakeBorder(surface, _PAD, _PAD, _PAD, _PAD, cv2.BORDER_REPLICATE)
        self._surface = padded.reshape(*padded.shape[:2], len(planes))

    def block(self, channels: slice, x: int, y: int, width: int, height: int) -> NDArray[np.uint16]:
        """The veil on a block of planes of one subsampling, in their samples.

        Shape (channels, height, width), 16-bit scale.
        """
        sub_x, sub_y = self._subs[channels.start]
        # Enlarging doubles both directions alike: go to the finer of the two and leave samples out in the other.
        fine = min(sub_x, sub_y)
        step_x, step_y = sub_x // fine, sub_y // fine
        scale = 2 * self._side // fine  # the surface is one level coarser than the cells
        offset = (self._side // fine - 1) // 2  # sample 0 of the surface is the centre of cell 0, not its corner
        x1, y1 = x * step_x + (step_x - 1) // 2 - offset, y * step_y + (step_y - 1) // 2 - offset
        x2, y2 = x1 + (width - 1) * step_x + 1, y1 + (height - 1) * step_y + 1
        left, top, right, bottom = x1 // scale, y1 // scale, -(-x2 // scale), -(-y2 // scale)
        part: NDArray[Any] = np.ascontiguousarray(
            self._surface[
                top - _REACH + _PAD : bottom + _REACH + _PAD, left - _REACH + _PAD : right + _REACH + _PAD, channels
            ]
        )
        grown = 1
        while grown < scale:
            part = cv2.pyrUp(part)
            grown *= 2
        x1, y1 = x1 - (left - _REACH) * scale, y1 - (top - _REACH) * scale
        part = part.reshape(*part.shape[:2], -1).transpose(2, 0, 1)
        return part[:, y1 : y1 + (height - 1) * step_y + 1 : step_y, x1 : x1 + (width - 1) * step_x + 1 : step_x]


def _cells(
    plane: NDArray[np.uint8] | NDArray[np.uint16], across: int, down: int, columns: int, rows: int
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Means over cells of ``across`` x ``down`` samples (powers of two); shape (rows, columns)."""
    part: NDArray[Any] = plane[: rows * down, : columns * across]
    while across > 1 or down > 1:
        step_x, step_y = min(across, 2), min(down, 2)
        size = (part.shape[1] // step_x, part.shape[0] // step_y)
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        across, down = across // step_x, down // step_y
    return part


def _punch(level: NDArray[np.uint16], outline: Outline) -> None:
    """Make the covered cells holes; the outline may reach beyond the grid, which holds whole cells only."""
    x1, y1, x2, y2 = outline.box
    part = level[y1:y2, x1:x2]
    part[outline.mask[: part.shape[0], : part.shape[1]]] = 0


def _spread(level: NDArray[np.uint16], rest: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Fill the holes; returns the next coarser level, (rows / 2, columns / 2, channels).

    ``level``: values times weight in all channels but the last, the weight (0 or FULL) in the last.
    """
    pyramid: list[NDArray[Any]] = []
    finer: NDArray[Any] = level
    while not pyramid or max(finer.shape[:2]) > 1:
        finer = cv2.pyrDown(finer)
        pyramid.append(finer)
    surface = rest.reshape(1, 1, -1)
    for known in reversed(pyramid):
        rows, columns = known.shape[:2]
        coarser = cv2.pyrUp(surface, dstsize=(columns, rows)).reshape(rows, columns, -1)
        weight = known[..., -1:].astype(np.float32)
        loudness = np.minimum(FULL / np.maximum(weight, 1), _LOUDNESS)
        blend = known[..., :-1] * loudness
        blend += (1 - weight * loudness / FULL) * coarser
        surface = np.minimum(blend + 0.5, FULL).astype(np.uint16)
    return surface
