"""Takes away what has the strength of sensor noise, at three sizes of detail, and leaves what is stronger.

The picture is split into detail of three sizes (differences of ever smoother pictures). In each, values as small as
noise are subtracted in full, values of twice that size and more not at all ("coring", as in video recorders). Edges and
texture that can be seen stay as they are; all arithmetic is in bytes and tables, a few hundred microseconds a picture.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

_MIDDLE = 128  # stands for 0 where a byte holds a difference


@lru_cache(maxsize=16)
def _taken(limit: int) -> Plane:
    """What is taken away of a difference: all of it up to ``limit``, then less, nothing from twice that on."""
    value = np.arange(256) - _MIDDLE
    size = np.abs(value)
    taken = np.sign(value) * np.clip(2 * limit - size, 0, np.minimum(size, limit))
    return np.asarray(taken + _MIDDLE, np.uint8)


def noise_of(plane: Plane, limits: tuple[int, ...]) -> Plane:
    """What is to be subtracted from a plane, plus 128. ``limits``: grey levels taken for noise, finest detail first."""
    fine = plane
    total: Plane | None = None
    for size, limit in enumerate(limits):
        smooth = _smoother(fine, size)
        taken = cv2.LUT(cv2.addWeighted(fine, 1, smooth, -1, _MIDDLE), _taken(limit))
        total = np.asarray(taken if total is None else cv2.addWeighted(total, 1, taken, 1, -_MIDDLE), np.uint8)
        fine = smooth
    return np.full_like(plane, _MIDDLE) if total is None else total


def _smoother(plane: Plane, size: int) -> Plane:
    if size == 0:
        return np.asarray(cv2.GaussianBlur(plane, (5, 5), 0), np.uint8)
    side = 4 * size + 5  # 9, 13: twice the size of detail each time
    return np.asarray(cv2.blur(plane, (side, side)), np.uint8)
