"""From any picture to upright BGR or RGB pixels of a wanted size: for finders, contact sheets and stills."""

from __future__ import annotations

import threading

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from safelight.media.colour import PQ, Colour
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


def shrunk(luma: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """A (rows, columns) plane brought to that size: halved while it can be, which is quick, then interpolated."""
    while luma.shape[1] >= 2 * width and luma.shape[0] >= 2 * height:
        rows, columns = (side // 2 * 2 for side in luma.shape)
        half = columns // 2, rows // 2
        luma = np.asarray(cv2.resize(luma[:rows, :columns], half, interpolation=cv2.INTER_AREA), np.uint8)
    if luma.shape != (height, width):
        luma = np.asarray(cv2.resize(luma, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    return luma


class Scaler:
    """Scales straight to the wanted size; keeps its tables per size and thread, for pictures of the same shape."""

    def __init__(self, *, exact: bool = False) -> None:
        self._how = _EXACT if exact else _FAST
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
        scaled = self._reformatter(across, down).reformat(
            frame, across, down, layout, interpolation=self._how, threads=1
        )
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
