"""From any picture to upright BGR or RGB pixels of a wanted size: for finders, contact sheets and stills."""

from __future__ import annotations

import math
import threading

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from safelight.media.colour import PQ, Colour
from safelight.media.planes import has_luma, view
from safelight.media.tonemap import pq_to_nits

_FAST = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
# The fast way to RGB is up to 3 levels too dark: good enough to find people, not to keep a picture.
_EXACT = _FAST | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
_SIZES_KEPT = 8
_BRIGHT = 500.0  # nits shown as white; faces in graded HDR lie around 50 to 200


def _pq_curve() -> NDArray[np.uint8]:
    """8-bit PQ values as 8-bit values of an ordinary screen."""
    nits = pq_to_nits(np.arange(256) / 255)
    curve: NDArray[np.uint8] = np.round(255 * np.minimum(nits / _BRIGHT, 1) ** (1 / 2.2)).astype(np.uint8)
    return curve


def halved(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """(rows, columns) or (rows, columns, channels) halved, which is quick, while the picture stays at least ``width`` x
    ``height`` and no row or column is left out.
    """
    rows, columns = pixels.shape[:2]
    while columns >= 2 * width and rows >= 2 * height and not (rows % 2 or columns % 2):
        rows, columns = rows // 2, columns // 2
        pixels = np.asarray(cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    return pixels


def grid(factor: float) -> int:
    """What sides should be multiples of, so that :func:`halved` does most of a scaling by ``factor``, above 0."""
    return int(2 ** max(int(-math.log2(factor)), 0))


def shrunk(luma: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """A (rows, columns) plane brought to that smaller size."""
    luma = halved(luma, width, height)
    if luma.shape != (height, width):
        far = luma.shape[1] >= 2 * width or luma.shape[0] >= 2 * height
        how = cv2.INTER_AREA if far else cv2.INTER_LINEAR
        luma = np.asarray(cv2.resize(luma, (width, height), interpolation=how), np.uint8)
    return luma


def _reduced(frame: VideoFrame, width: int, height: int) -> VideoFrame:
    """The frame at that size or as it is, where it is not larger or not three planes of bytes: each plane by itself,
    several times quicker than FFmpeg's one step from a large picture to a small one of colours.
    """
    layout = frame.format
    larger = frame.width > width and frame.height > height
    if not larger or not has_luma(layout) or [part.plane for part in layout.components] != [0, 1, 2]:
        return frame
    small = VideoFrame(width, height, layout.name)
    for index in range(3):
        target = view(small, index)
        target[:] = shrunk(view(frame, index), target.shape[1], target.shape[0])
    small.color_range, small.colorspace = frame.color_range, frame.colorspace
    return small


class Scaler:
    """Scales straight to the wanted size; keeps its tables per size and thread, for pictures of the same shape."""

    def __init__(self, *, exact: bool = False) -> None:
        self._exact = exact
        self._kept = threading.local()
        self._curve = _pq_curve()

    def pixels(
        self, frame: VideoFrame, colour: Colour, turn: int, width: int, height: int, layout: str = "bgr24"
    ) -> NDArray[np.uint8]:
        """The frame turned clockwise by ``turn`` quarters as (height, width, 3) of uint8.

        ``width`` and ``height`` count after turning. PQ is made visible by a fixed curve, good enough to find people;
        HLG is made to be watched as it is.
        """
        frame.colorspace = colour.matrix
        across, down = (height, width) if turn % 2 else (width, height)
        if not self._exact:
            frame = _reduced(frame, across, down)
        how = _EXACT if self._exact else _FAST
        scaled = self._reformatter(across, down).reformat(frame, across, down, layout, interpolation=how, threads=1)
        array = scaled.to_ndarray()
        if colour.transfer == PQ:
            array = self._curve[array]
        return np.ascontiguousarray(np.rot90(array, -turn)).astype(np.uint8, copy=False)

    def _reformatter(self, width: int, height: int) -> VideoReformatter:
        """One for each size: it forgets its tables when the size changes."""
        kept: dict[tuple[int, int], VideoReformatter] = self._kept.__dict__.setdefault("sizes", {})
        if (width, height) not in kept and len(kept) >= _SIZES_KEPT:
            kept.clear()
        return kept.setdefault((width, height), VideoReformatter())
