"""Takes away what has the strength of sensor noise, at three sizes of detail, and leaves what is stronger; and, where
asked, single spots.

The picture is split into detail of three sizes (differences of ever smoother pictures). In each, values as small as
noise are subtracted in full, values of twice that size and more not at all ("coring", as in video recorders). Edges and
texture that can be seen stay as they are; all arithmetic is in bytes.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]


def noise_of(plane: Plane, limits: tuple[int, ...]) -> NDArray[np.int8]:
    """What is to be subtracted from a plane. ``limits``: grey levels taken for noise, finest detail first, together
    at most 127.
    """
    fine = plane
    total = np.zeros_like(plane)
    for size, limit in enumerate(limits):
        smooth = _smoother(fine, size)
        twice = np.full_like(plane, 2 * limit)
        # OpenCV stops at 0 where a difference is negative, so each of these is one side of it
        total += _taken(cv2.subtract(fine, smooth), twice)
        total -= _taken(cv2.subtract(smooth, fine), twice)
        fine = smooth
    return total.view(np.int8)


def _taken(detail: cv2.typing.MatLike, twice: Plane) -> Plane:
    """What is taken away of detail of that size: all of it up to a limit, then less, nothing from ``twice`` that on."""
    return np.asarray(cv2.min(detail, cv2.subtract(twice, detail)), np.uint8)


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
