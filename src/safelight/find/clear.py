"""Pictures brought to the light in which finders see best: what is dark or noisy, or behind bars, is looked at a second
time, cleared.

Finders were trained on photographs. In a dark room, against the sun or in night mode they see little, though people
looking on still know the face. Three old means bring most of it back: the mean of the last looks, moved along with the
camera, takes noise out; so does a small blur; and every part of the picture is brought to the same mean and contrast.
How noisy a picture is, is told by its second differences (Immerkær: "Fast Noise Variance Estimation", 1996), where
it is calmest.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.find.bars import Step, bars, blurred, without
from safelight.find.cuts import Glance

_DIFFERENCES = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_BLOCK = 24  # pixels of the small luma in which noise is measured; the calmest quarter of them counts
_NOISY = 0.04  # noise, part of the picture's contrast; ordinary films have 0.02 at most
_VERY_NOISY = 0.12
_DARK = 64.0  # grey level below which nearly all of a dark picture lies
_DUSK = 96.0  # or of one that has little contrast anywhere, as against the light:
_PALE, _PALE_PART = 12.0, 16  # grey levels, in parts of so many pixels of the tiny luma
_PART = 6  # parts of the picture's shorter side that are brought to the same light each
_MIDDLE, _CONTRAST = 118.0, 55.0  # mean and standard deviation they get
_LEAST, _FAINT = 1.0, 0.05  # added to their own: grey levels, and part of their mean; bright surfaces are flat, not dim
_COARSE = 8  # pixels: the light is measured on a picture so much smaller
_KEPT = 0.7  # of the mean of what was seen before, in noise
_STAY = 5  # measures for which bars hold that are no longer recognised


@dataclass
class Cleared:
    """A picture brought to good light; stands for the decoded one at any size."""

    pixels: NDArray[np.uint8]

    def bgr(self, width: int, height: int) -> NDArray[np.uint8]:
        """It at that size (height, width, 3)."""
        if self.pixels.shape[1::-1] == (width, height):
            return self.pixels
        return np.asarray(cv2.resize(self.pixels, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


class Clearing:
    """Says of a clip's pictures how hard they are, and clears them. Feed it the pictures in order."""

    def __init__(self) -> None:
        self.hard = False  # it is hard to see anybody
        self._noise = 0.0  # part of the contrast
        self._dim = False  # because it is dark or noisy
        self._bars: list[Step] = []  # or because bars stand before the lens
        self._missed = 0  # measures since they were recognised
        self._mean: NDArray[np.float32] | None = None  # of earlier pictures, moved to where the camera looks now
        self._shift = np.zeros(2)  # of the camera since, in pixels of the glance's luma

    def measure(self, glance: Glance) -> None:
        """Look at the light of a picture; what comes out holds until the next measure."""
        low, high = np.percentile(glance.tiny, (2, 98))
        contrast = max(float(high - low), 1.0)
        self._noise = noise(glance.luma) / contrast
        dark = float(high) < _DARK or (float(high) < _DUSK and _contrast(glance.tiny) < _PALE)
        self._dim = self._noise > _NOISY or dark
        found = bars(glance.tiny)
        self._missed = 0 if found else self._missed + 1
        self._bars = found or (self._bars if self._missed < _STAY else [])
        self.hard = self._dim or bool(self._bars)

    @property
    def vague(self) -> float:
        """How far edges in a cleared picture may have moved, part of the picture's longest side."""
        return blurred(self._bars)

    def step(self, glance: Glance) -> None:
        """Go on to the next picture."""
        self._shift += glance.shift
        if glance.cut:
            self._mean, self._bars = None, []

    def clear(self, glance: Glance, bgr: NDArray[np.uint8]) -> Cleared:
        """The picture of a glance, cleared. ``bgr``: (height, width, 3), as small as it is looked at."""
        picture = without(bgr, self._bars)
        if self._noise > _NOISY:
            picture = self._calmed(glance, picture)
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.8 if self._noise > _VERY_NOISY else 1.2), np.uint8)
        return Cleared(lit(picture) if self._dim else picture)

    def _calmed(self, glance: Glance, bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The mean of this picture and those before, which are moved along with the camera."""
        now = bgr.astype(np.float32)
        if self._mean is not None and self._mean.shape == now.shape:
            dx, dy = self._shift * bgr.shape[1] / glance.luma.shape[1]
            move = np.array([[1.0, 0.0, dx], [0.0, 1.0, dy]])
            before = cv2.warpAffine(self._mean, move, bgr.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
            now = np.asarray(cv2.addWeighted(before, _KEPT, now, 1 - _KEPT, 0.0), np.float32)
        self._mean = now
        self._shift = np.zeros(2)
        return now.astype(np.uint8)


def noise(luma: NDArray[np.uint8]) -> float:
    """Standard deviation of the noise in a picture (height, width), grey levels."""
    rough = np.abs(cv2.filter2D(luma, cv2.CV_16S, _DIFFERENCES)).astype(np.float32)
    size = max(luma.shape[1] // _BLOCK, 1), max(luma.shape[0] // _BLOCK, 1)
    calm = np.percentile(cv2.resize(rough, size, interpolation=cv2.INTER_AREA), 25)
    return float(calm) * float(np.sqrt(np.pi / 2)) / 6


def _contrast(tiny: NDArray[np.float32]) -> float:
    """Standard deviation, grey levels, in those parts of a picture (height, width) that have most of it."""
    mean = cv2.blur(tiny, (_PALE_PART, _PALE_PART))
    spread = cv2.blur(tiny * tiny, (_PALE_PART, _PALE_PART)) - mean * mean
    return float(np.sqrt(max(float(np.percentile(spread, 97)), 0.0)))


def lit(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture whose parts all have the same mean and contrast; colours stay in proportion."""
    height, width = bgr.shape[:2]
    small = max(width // _COARSE, 1), max(height // _COARSE, 1)
    luma = cv2.cvtColor(cv2.resize(bgr, small, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY).astype(np.float32)
    mean, contrast = _light(luma, max(min(luma.shape) // _PART, 1) * 2 + 1)
    gain = _CONTRAST / (contrast + _FAINT * mean + _LEAST)
    planes = np.dstack([gain, _MIDDLE - mean * gain]).astype(np.float32)
    fine = np.asarray(cv2.resize(planes, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.asarray(np.clip(bgr * fine[..., :1] + fine[..., 1:], 0, 255), np.uint8)


def _light(luma: NDArray[np.float32], side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation (height, width) around every pixel, in about so many to each side."""

    def around(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.blur(cv2.blur(values, (side, side)), (side, side)), np.float32)

    mean = around(luma)
    return mean, np.sqrt(np.maximum(around(luma * luma) - mean * mean, 0.0))
