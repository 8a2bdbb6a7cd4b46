"""Lit screens: phones, monitors, televisions in a scene that is darker than they are.

No network: a bright four-cornered patch with something on it, well above its surroundings. A screen in bright light is
not found this way; what is written on it still is, by :mod:`safelight.find.text`.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.find.detect import Detection
from safelight.geometry import Box
from safelight.plan import Kind

_SIDE = 480  # longest side of the picture that is looked at
_LEVELS = (100, 140, 180, 215)  # brightness from which a pixel may be screen
_LEAST, _MOST = 0.003, 0.4  # part of the picture
_CONVEX = 0.9  # area over that of the convex hull
_CORNERS = 0.85  # area of the four-cornered outline over that of the hull
_BRIGHTER = 1.8  # times as bright as what surrounds it
_CONTENT = 12.0  # standard deviation of brightness inside; an empty wall or window has less


class ScreenFinder:
    """Finds lit screens in one picture."""

    name = "screen"

    def find(self, bgr: NDArray[np.uint8]) -> list[Detection]:
        """Screens in a picture (height, width, 3) of any size, best first; the score grows with the contrast."""
        height, width = bgr.shape[:2]
        scale = min(_SIDE / max(height, width), 1.0)
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        brightness = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA).max(axis=2)
        found: list[Detection] = []
        for level in _LEVELS:
            bright = cv2.morphologyEx((brightness > level).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
            outlines, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
            for outline in outlines:
                corners = _four_corners(outline, brightness.size)
                score = _contrast(brightness, corners) if corners is not None else 0.0
                if corners is not None and score > 0:
                    x, y, w, h = cv2.boundingRect(corners)
                    box = Box(x, y, x + w, y + h).scaled(width / size[0], height / size[1])
                    found.append(Detection(box, score, self.name, Kind.SCREEN))
        found.sort(key=lambda d: (-d.score, d.box))
        return [d for place, d in enumerate(found) if all(d.box.overlap(b.box) < 0.5 for b in found[:place])]


def _four_corners(outline: Any, picture_area: int) -> NDArray[np.int32] | None:
    """The four corners of an outline that has four, (4, 1, 2), or None."""
    area = cv2.contourArea(outline)
    if not _LEAST * picture_area < area < _MOST * picture_area:
        return None
    hull = cv2.convexHull(outline)
    whole = cv2.contourArea(hull)
    corners = cv2.approxPolyDP(hull, 0.04 * cv2.arcLength(hull, True), True)
    if area < _CONVEX * whole or len(corners) != 4 or cv2.contourArea(corners) < _CORNERS * whole:
        return None
    return np.asarray(corners, np.int32)


def _contrast(brightness: NDArray[np.uint8], corners: NDArray[np.int32]) -> float:
    """How much a patch stands out from its surroundings, 0.5 to 1; 0 when it is no screen."""
    inside = np.zeros_like(brightness)
    cv2.fillPoly(inside, [corners], 1)
    near, far = cv2.dilate(inside, np.ones((3, 3), np.uint8)), cv2.dilate(inside, np.ones((9, 9), np.uint8))
    x, y, width, height = cv2.boundingRect(corners)
    core = cv2.erode(inside, np.ones((5, 5), np.uint8)) > 0
    at_edge = x <= 1 or y <= 1 or x + width >= brightness.shape[1] - 1 or y + height >= brightness.shape[0] - 1
    if at_edge or not core.any():
        return 0.0
    lit, around = brightness[core].astype(np.float64), brightness[(far > near)]
    if lit.std() < _CONTENT or float(np.percentile(around, 80)) > 0.75 * lit.mean():
        return 0.0
    ratio = lit.mean() / (float(around.mean()) + 10.0)
    return min(0.5 + 0.1 * (ratio - _BRIGHTER), 1.0) if ratio > _BRIGHTER else 0.0
