"""Readable text: shop signs, name badges, licence plates, lit screens.

The network (PP-OCRv6, detector only; nothing is ever read) gives every pixel the probability that it belongs to a word,
shrunk towards the word's middle line. Boxes are made of it as in Liao et al., "Real-time scene text detection with
differentiable binarization" (arXiv 1911.08947): cut at a threshold, take the mean probability of each piece as its
score, and move each outline outwards again by area x ratio / length.

Text is slow to find and slow to change, so it is looked for twice a second at most; see :func:`next_look`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.find.detect import Detection
from safelight.geometry import Box
from safelight.models import engine
from safelight.plan import Kind

SIDE = 960  # longest side of the picture the network looks at; measured, see docs/text-and-overlays.md
_SMALL = 480  # pictures up to here are doubled: letters of 7 pixels are readable, but not to the network
_STEP = 32  # sides the network takes
_INK = 0.3  # probability from which a pixel is text
_UNSHRINK = 1.6  # how far outlines are moved outwards again, as a share of area over length
_SCORE = 0.5
_LARGE = 1 / 8  # of the picture's height: faces and cups pass for letters that large ...
_LARGE_SCORE = 0.9  # ... unless the network is sure
_SMALLEST = 3  # pixels of the network's map

# Seconds between looks, by the second of the clip until which they hold.
_CLOSELY = ((8.0, 0.5), (math.inf, 1.0))
_SELDOM = ((2.0, 0.5), (10.0, 2.0), (math.inf, 4.0))

Network = Callable[[NDArray[np.uint8]], list[NDArray[np.float32]]]


def next_look(frame: int, rate: float, *, closely: bool) -> int:
    """The frame to look at after a look at ``frame``, of a clip with ``rate`` frames a second.

    Often at first, so that a clip of a few seconds gets enough looks to tell burnt-in text from the scene, then seldom:
    a look costs as much as ten looks for faces. ``closely``: text is to be hidden and must not be missed in between.
    """
    gaps = _CLOSELY if closely else _SELDOM
    gap = next(seconds for until, seconds in gaps if frame < until * rate)
    return frame + max(round(rate * gap), 1)


def look_size(width: int, height: int) -> tuple[int, int]:
    """Size (width, height) at which a shown picture of that size is looked at; very small ones are enlarged."""
    scale = min(SIDE / max(width, height), 2.0 if max(width, height) <= _SMALL else 1.0)
    return max(round(width * scale), 1), max(round(height * scale), 1)


class TextFinder:
    """Finds words in one picture."""

    name = "text"

    def __init__(self, network: Network | None = None) -> None:
        """``network``: picture in, probabilities (1, 1, height, width) out; the manifest's "text" if none is given.

        Raises:
            SafelightError: as :func:`safelight.models.engine.network`.
        """
        self._network = network or engine.network("text")

    def find(self, bgr: NDArray[np.uint8]) -> list[Detection]:
        """Words in a picture (height, width, 3), best at :func:`look_size`; boxes in its pixels."""
        height, width = bgr.shape[:2]
        probabilities = self._network(_padded(bgr))[0][0, 0][:height, :width]
        return [
            Detection(box.clipped(width, height), score, self.name, Kind.TEXT)
            for box, score in words(probabilities)
            if score >= (_LARGE_SCORE if box.height > _LARGE * height else _SCORE)
        ]


def words(probabilities: NDArray[np.float32]) -> list[tuple[Box, float]]:
    """Boxes and scores (0 to 1) of the pieces of a text probability map (height, width), in its pixels."""
    ink = (probabilities > _INK).astype(np.uint8)
    outlines, _ = cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for outline in outlines:
        x, y, width, height = cv2.boundingRect(outline)
        if min(width, height) < _SMALLEST:
            continue
        inside = np.zeros((height, width), np.uint8)
        cv2.drawContours(inside, [outline - (x, y)], -1, 1, cv2.FILLED)
        score = cv2.mean(probabilities[y : y + height, x : x + width], inside)[0]
        # an outline moved outwards by d has exactly the bounding box of the outline, moved outwards by d
        d = float(inside.sum()) * _UNSHRINK / max(cv2.arcLength(outline, True), 1.0)
        found.append((Box(x, y, x + width, y + height).grown(d, d, d, d), min(float(score), 1.0)))
    return found


def _padded(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with its last row and column repeated until both sides are multiples of what the network takes."""
    height, width = bgr.shape[:2]
    below, right = -height % _STEP, -width % _STEP
    return np.asarray(cv2.copyMakeBorder(bgr, 0, below, 0, right, cv2.BORDER_REPLICATE), dtype=np.uint8)
