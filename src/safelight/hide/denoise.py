"""Takes away what has the strength of sensor noise, at three sizes of detail, and leaves what is stronger; and, where
asked, single spots.

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


def without_sparks(plane: Plane, limit: int) -> Plane:
    """The plane without single bright or dark spots of up to three by three samples: hot and dead pixels of a sensor.

    No sample may stick out from the square of samples two steps around it by more than ``limit``. Lines and edges reach
    that square and stay; distant lamps of that size do not.
    """
    wide = cv2.copyMakeBorder(plane, 2, 2, 2, 2, cv2.BORDER_REFLECT_101)
    row, column = np.ones((1, 5), np.uint8), np.ones((5, 1), np.uint8)
    across, down = cv2.dilate(wide, row), cv2.dilate(wide, column)
    most = cv2.max(cv2.max(across[:-4, 2:-2], across[4:, 2:-2]), cv2.max(down[2:-2, :-4], down[2:-2, 4:]))
    across, down = cv2.erode(wide, row), cv2.erode(wide, column)
    least = cv2.min(cv2.min(across[:-4, 2:-2], across[4:, 2:-2]), cv2.min(down[2:-2, :-4], down[2:-2, 4:]))
    low, high = cv2.addWeighted(least, 1, least, 0, -limit), cv2.addWeighted(most, 1, most, 0, limit)
    return np.asarray(cv2.min(cv2.max(plane, low), high), np.uint8)


def _smoother(plane: Plane, size: int) -> Plane:
    if size == 0:
        return np.asarray(cv2.GaussianBlur(plane, (5, 5), 0), np.uint8)
    side = 4 * size + 5  # 9, 13: twice the size of detail each time
    return np.asarray(cv2.blur(plane, (side, side)), np.uint8)
