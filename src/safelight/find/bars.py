"""Bars before the lens: fences, gratings, blinds and wire mesh cut faces into pieces, in which no finder knows them.

Whoever looks on knows a face behind bars all the same. Bars come again at equal steps; so one wave, or two that cross,
stand out of the picture's spectrum, and say how wide a step is and which way it goes. Of five points spread over one
step at most two lie on a bar that covers up to two fifths of it: their median is what lies behind.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

Step = tuple[float, float]  # from one bar to the next (x, y), parts of the picture's longest side

_FINE, _COARSE = 4.0, 12.0  # pixels from bar to bar in a picture of 160; between those farther apart faces show
_AROUND = 12.0  # pixels in which contrast is made even: one strong edge is no wave
_EVEN = 2.0  # grey levels added to it, so that flat walls stay flat
_ALONE, _BOTH = 0.18, 0.20  # part that one wave has in all, or two that cross, from which it is bars
_CROSSES = 0.07  # part that the second one has at least
_CLEAR = 2.0  # so many times as much as any other has: in leaves and pebbles many waves cross
_APART = math.radians(30.0)  # angle at which they cross, at least
_WAVES = 192  # length of the transform: more than the picture's sides
_SPREAD = 5  # of its places over which one wave is spread
_POINTS = 5


def bars(luma: NDArray[np.float32]) -> list[Step]:
    """Steps from bar to bar in a small picture (height, width), longest side about 160: none, one, or two that
    cross."""
    even = luma - cv2.GaussianBlur(luma, (0, 0), _AROUND)
    even /= np.sqrt(cv2.GaussianBlur(even * even, (0, 0), _AROUND)) + _EVEN
    window = np.outer(np.hanning(luma.shape[0]), np.hanning(luma.shape[1]))
    waves = np.fft.fftshift(np.fft.fftfreq(_WAVES))
    x, y = waves[None, :], waves[:, None]
    often = x * x + y * y
    power = np.fft.fftshift(np.abs(np.fft.fft2(even * window, s=(_WAVES, _WAVES))) ** 2)
    power *= often * ((often > 1 / _COARSE**2) & (often < 1 / _FINE**2))  # of what is finer, pictures have less
    power *= 2 / max(float(power.sum()), 1e-9)  # every wave is there twice, in opposite directions
    near = np.asarray(cv2.boxFilter(power, -1, (_SPREAD, _SPREAD), normalize=False), np.float64)
    way = np.arctan2(y, x)
    best: list[tuple[float, Step]] = []
    for _ in range(3):
        row, column = (int(v) for v in np.unravel_index(int(np.argmax(near)), near.shape))
        best.append((float(near[row, column]), _step(waves[row], waves[column], max(luma.shape))))
        near[np.abs(np.sin(way - way[row, column])) < math.sin(_APART)] = 0.0
    (one, first), (two, second), (three, _) = best
    crosses = two >= max(_CROSSES, _CLEAR * three)
    if one < _ALONE and not (crosses and one + two >= _BOTH):
        return []
    return [first, second] if crosses else [first]


def _step(down: float, across: float, side: int) -> Step:
    """The way to the next crest of a wave, given in waves per pixel, in a picture of that longest side."""
    often = (across * across + down * down) * side
    return across / often, down / often


def without(bgr: NDArray[np.uint8], steps: Iterable[Step]) -> NDArray[np.uint8]:
    """The picture (height, width, 3) with the bars taken out that stand so far apart."""
    size = bgr.shape[1::-1]
    for step in steps:
        moved = []
        for point in range(_POINTS):
            x, y = ((point - _POINTS // 2) / _POINTS * way * max(size) for way in step)
            by = np.array([[1.0, 0.0, round(x)], [0.0, 1.0, round(y)]])
            moved.append(cv2.warpAffine(bgr, by, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101))
        bgr = _median([np.asarray(picture, np.uint8) for picture in moved])
    return bgr


def blurred(steps: Iterable[Step]) -> float:
    """How far edges may have moved in a picture without bars that stand so far apart: by one point where one of the
    others lies on a bar. Part of the picture's longest side.
    """
    return max((math.hypot(*step) for step in steps), default=0.0) / _POINTS


def _median(five: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The middle one of five values in every place."""
    a, b, c, d, e = five
    low = cv2.max(cv2.min(a, b), cv2.min(c, d))
    high = cv2.min(cv2.max(a, b), cv2.max(c, d))
    return np.asarray(cv2.max(cv2.min(low, high), cv2.min(cv2.max(low, high), e)), np.uint8)
