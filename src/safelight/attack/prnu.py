"""Sensor noise as evidence: pulling it out of pictures, and comparing it with a sensor's pattern.

A sensor's pixels differ a little in how much they answer to light, and that pattern lies over every picture it takes
(photo response non-uniformity; Lukas, Fridrich and Goljan, 2006). What a denoiser takes from a picture, weighted with
how light it was, is added up over pictures and correlated with the pattern. The figure is the peak to correlation
energy (Goljan, 2008): about 30 by chance where all shifts are tried, above 60 usually taken for a match.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]
Luma = NDArray[np.uint8]

_NOISE = 9.0  # variance that the denoiser takes for noise
_TEXTURE = 25.0  # local variance above which a place tells of the scene and not of the sensor
_MOST = 4.0  # grey levels: what sticks out more is no sensor noise
_AROUND = 5  # pixels around a peak that belong to it
_SEARCH = 16  # pixels either way in which a block is searched for
_BLOCK = 96


def residual(luma: Luma) -> Grey:
    """What a Wiener filter takes for noise (after Mihcak, 1999: variance is the least of three windows)."""
    picture = luma.astype(np.float32)
    fine = picture - cv2.GaussianBlur(picture, (0, 0), 1.5)
    energy = fine * fine
    spread = [np.maximum(cv2.blur(energy, (side, side)) - _NOISE, 0) for side in (3, 5, 9)]
    least = np.minimum(np.minimum(spread[0], spread[1]), spread[2])
    noise = np.clip(fine * (_NOISE / (least + _NOISE)), -_MOST, _MOST)
    return np.asarray(noise * (cv2.blur(least, (9, 9)) < _TEXTURE), np.float32)


class Tally:
    """The noise of several pictures of one size, added up: the maximum likelihood estimate of the pattern."""

    def __init__(self) -> None:
        self._noise: Grey | None = None
        self._light: Grey | None = None

    def add(self, noise: Grey, light: Grey) -> None:
        """One picture's noise, and how light it is; both (height, width)."""
        if self._noise is None or self._light is None:
            self._noise, self._light = np.zeros_like(noise), np.zeros_like(light)
        self._noise += noise * light
        self._light += light * light

    def pattern(self) -> Grey:
        """The estimate, without what lies in whole rows and columns (coder and readout, the same in every camera)."""
        assert self._noise is not None
        assert self._light is not None
        return without_lines(self._noise / (self._light + 1))


def without_lines(plane: Grey) -> Grey:
    """The plane with all rows and columns brought to mean 0."""
    plane = plane - plane.mean(axis=0, keepdims=True)
    return np.asarray(plane - plane.mean(axis=1, keepdims=True), np.float32)


def pce(pattern: Grey, found: Grey, *, anywhere: bool) -> float:
    """Peak to correlation energy of two planes of one size; negative for the opposite pattern.

    ``anywhere``: of the best of all shifts, as for a stranger's picture; else of none, for who knows the geometry.
    """
    one, other = (np.fft.rfft2(without_lines(plane)) for plane in (pattern, found))
    surface = np.fft.irfft2(other * np.conj(one), pattern.shape)
    at = np.unravel_index(int(np.argmax(surface)), surface.shape) if anywhere else (0, 0)
    peak = float(surface[at])
    rest = surface**2
    rows = (np.arange(-_AROUND, _AROUND + 1) + at[0]) % surface.shape[0]
    columns = (np.arange(-_AROUND, _AROUND + 1) + at[1]) % surface.shape[1]
    near = rest[np.ix_(rows, columns)]
    energy = (float(rest.sum()) - float(near.sum())) / max(rest.size - near.size, 1)
    return float(np.sign(peak)) * peak**2 / max(energy, 1e-12)


def block_z(pattern: Grey, found: Sequence[Grey]) -> tuple[float, int]:
    """How much better the pattern's blocks are found again than those of patterns of no camera; and how many there are.

    Each block of each plane of ``found`` is searched for near its place in ``pattern`` and, as control, in the same
    pattern mirrored three ways. The figure is the difference of the mean best correlations in standard errors.
    """
    pattern = without_lines(pattern)
    patterns = [
        pattern,
        *(np.ascontiguousarray(turned) for turned in (pattern[:, ::-1], pattern[::-1], pattern[::-1, ::-1])),
    ]
    height, width = pattern.shape
    side = min(_BLOCK, (min(height, width) - 1) // 2)
    search = min(_SEARCH, side // 4)
    best: list[list[float]] = [[] for _ in patterns]
    for plane in found:
        for top in range(search, height - side - search + 1, side):
            for left in range(search, width - side - search + 1, side):
                block = plane[top : top + side, left : left + side]
                if float(block.std()) < 1e-9:
                    continue
                around = np.s_[top - search : top + side + search, left - search : left + side + search]
                for scores, candidate in zip(best, patterns, strict=True):
                    match = cv2.matchTemplate(candidate[around], block, cv2.TM_CCOEFF_NORMED)
                    scores.append(float(match.max()))
    true, control = np.array(best[0]), np.array(best[1] + best[2] + best[3])
    if true.size < 8:
        return 0.0, int(true.size)
    error = float(control.std()) * (1 / true.size + 1 / control.size) ** 0.5
    return (float(true.mean()) - float(control.mean())) / max(error, 1e-9), int(true.size)
