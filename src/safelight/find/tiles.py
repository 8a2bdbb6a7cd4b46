"""A large picture looked at in tiles that overlap: what a network needs of memory goes with the size of its picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from safelight.find.detect import Detection, Finder, nms

_UNIT = 32  # pixels; networks see whole cells of that size
_SAME = 0.3  # overlap of two boxes on one thing
_TOUCHES = 1.0  # pixels


def tile_size(size: tuple[int, int], most: int, overlap: int) -> tuple[int, int]:
    """(width, height) of equal tiles with sides of at most about ``most`` pixels that cover a picture of ``size``."""
    return _side(size[0], most, overlap), _side(size[1], most, overlap)


def seen_in_tiles(finder: Finder, picture: NDArray[np.uint8], tile: tuple[int, int], overlap: int) -> list[Detection]:
    """What a finder sees in the tiles of a picture, each thing once, best first; in pixels of the picture.

    ``picture``: (height, width, 3). ``tile``: (width, height). ``overlap``: least overlap of two neighbours, pixels.
    Whatever reaches a seam is left out: up to the size of ``overlap`` it lies whole in the next tile, and larger things
    are for a look at a smaller picture.
    """
    height, width = picture.shape[:2]
    found: list[Detection] = []
    for top in _starts(height, tile[1], overlap):
        for left in _starts(width, tile[0], overlap):
            right, bottom = min(left + tile[0], width), min(top + tile[1], height)
            for d in finder.find(np.ascontiguousarray(picture[top:bottom, left:right])):
                box = d.box.grown(-left, -top, left, top)
                cut = (
                    (left > 0 and box.x1 <= left + _TOUCHES)
                    or (top > 0 and box.y1 <= top + _TOUCHES)
                    or (right < width and box.x2 >= right - _TOUCHES)
                    or (bottom < height and box.y2 >= bottom - _TOUCHES)
                )
                if not cut:
                    found.append(replace(d, box=box))
    if not found:
        return []
    return [found[i] for i in nms(np.array([d.box for d in found]), np.array([d.score for d in found]), _SAME)]


def _count(side: int, tile: int, overlap: int) -> int:
    return max(-(-(side - overlap) // max(tile - overlap, 1)), 1)


def _side(side: int, most: int, overlap: int) -> int:
    count = _count(side, most, overlap)
    return -(-(side + (count - 1) * overlap) // (count * _UNIT)) * _UNIT


def _starts(side: int, tile: int, overlap: int) -> list[int]:
    """Where tiles begin, evenly spread, so that the last ends with the picture."""
    count = _count(side, tile, overlap)
    return [round((side - tile) * number / (count - 1)) for number in range(count)] if count > 1 else [0]
