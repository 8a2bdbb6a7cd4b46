"""The curtain: the whole picture is hidden, except what a plan reveals. For the most dangerous clips.

Deny by default: a frame nobody has decided about shows nothing at all, and a hidden region inside a revealed one stays
hidden. What is drawn is one constant, so nothing of the picture, not even its light, passes through.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from safelight.geometry import Box, Raster
from safelight.hide import polygon
from safelight.hide.outline import Outline, outlines_of
from safelight.hide.picture import rest_values
from safelight.media.planes import Planes
from safelight.plan import Form, Shape

Areas = Iterable[tuple[Form, Box]]


def draw_curtain(planes: Planes, revealed: Areas, hidden: Areas, raster: Raster) -> int:
    """Cover everything but ``revealed`` less ``hidden``, in place; returns how many luma pixels are covered.

    Areas are forms and their boxes in shown coordinates of ``raster``. Rounding goes against showing: a pixel at the
    rim of a revealed shape is covered, one at the rim of a hidden shape too; a chroma sample is kept only when all luma
    pixels that may share it are.
    """
    height, width = planes.y.shape
    shown = np.zeros((height, width), np.bool_)
    for form, box in revealed:
        _reveal(shown, form, box, raster)
    for form, box in hidden:
        for outline in outlines_of(form, box, raster):
            _set(shown, outline, False)
    values = [value >> (16 - planes.depth) for value in rest_values(planes.full_range)[0]]
    np.copyto(planes.y, planes.y.dtype.type(values[0]), where=~shown)
    for plane, value in zip((planes.u, planes.v), values[1:], strict=True):
        if plane is not None:
            kept = _chroma(shown, planes.sub_x, planes.sub_y, plane.shape)
            np.copyto(plane, plane.dtype.type(value), where=~kept)
    return int(np.count_nonzero(~shown))


def _reveal(shown: NDArray[np.bool_], form: Form, box: Box, raster: Raster) -> None:
    """Show the pixels that lie wholly inside."""
    height, width = shown.shape
    stored = raster.to_stored(box)
    if isinstance(form, Shape):
        inner = stored.grown(-1, -1, -1, -1)
        outline = Outline.of(inner, form, width, height) if inner.width > 0 and inner.height > 0 else None
        if outline is not None:
            _set(shown, outline, True)
        return
    told = polygon.pixels(polygon.placed(tuple(raster.turned(*corner) for corner in form), stored), width, height)
    if told is not None:
        left, top, _, wholly = told
        shown[top : top + wholly.shape[0], left : left + wholly.shape[1]] |= wholly


def _set(mask: NDArray[np.bool_], outline: Outline, value: bool) -> None:
    x1, y1, x2, y2 = outline.box
    mask[y1:y2, x1:x2][outline.mask] = value


def _chroma(shown: NDArray[np.bool_], sub_x: int, sub_y: int, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Chroma samples of which every luma pixel is shown, whether lines are shared within frames or within fields."""
    down = 2 * sub_y if sub_y > 1 else 1  # see Outline.chroma
    rows, columns = -(-shown.shape[0] // down), -(-shown.shape[1] // sub_x)
    padded = np.pad(
        shown, ((0, rows * down - shown.shape[0]), (0, columns * sub_x - shown.shape[1])), constant_values=True
    )
    whole = padded.reshape(rows, down, columns, sub_x).all(axis=(1, 3))
    kept: NDArray[np.bool_] = np.repeat(whole, 2 if sub_y > 1 else 1, axis=0)[: shape[0], : shape[1]]
    return kept
