"""Glances: what is kept of every picture, how the camera moved, and where one shot ends and the next begins.

A false cut would end coverage while the person is still there; a missed cut only covers a patch too long.
So a cut is called only when a picture is unlike the one before *even after the camera's motion is taken
out*, when nothing around it is equally unlike (a whip pan is unlike all the way), and when the next
pictures stay unlike it (a flash passes).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

LUMA_SIDE = 640  # longest side of the luma kept for following
_TINY_SIDE = 160  # longest side of the luma that is compared
_LOOKAHEAD = 4  # pictures after a suspected cut that must be unlike the picture before it
_UNLIKE = 0.5  # likeness below which a cut is possible
_STEP = 0.2  # how much less alike a cut is than its neighbours


class Showable(Protocol):
    """A decoded picture as :mod:`safelight.media` hands it out."""

    @property
    def index(self) -> int:
        """Frame number, from 0, without gaps."""

    @property
    def pts(self) -> int:
        """Presentation time in ticks."""

    def bgr(self, width: int, height: int) -> NDArray[np.uint8]:
        """The shown picture at that size, shape (height, width, 3)."""

    def luma(self, width: int, height: int) -> NDArray[np.uint8]:
        """How light it is, at that size, shape (height, width)."""


@dataclass
class Glance:
    """One picture and what following needs of it.

    ``luma``: (height, width) uint8, longest side at most LUMA_SIDE. ``shift``: motion (x, y) of the whole
    picture since the one before, in luma pixels. ``alike``: likeness to the picture before, -1 to 1.
    ``cut``: a new shot begins here; ``last``: a new shot begins after it, or the clip ends.
    """

    picture: Showable
    luma: NDArray[np.uint8]
    tiny: NDArray[np.float32]
    shift: tuple[float, float] = (0.0, 0.0)
    alike: float = 1.0
    cut: bool = False
    last: bool = False


def luma_size(width: int, height: int) -> tuple[int, int]:
    """Size of the luma kept of a shown picture of that size."""
    scale = min(LUMA_SIDE / max(width, height), 1.0)
    return max(round(width * scale), 1), max(round(height * scale), 1)


def likeness(a: NDArray[np.float32], b: NDArray[np.float32], shift: tuple[int, int]) -> float:
    """Normalised correlation, -1 to 1, of two equal-sized pictures where they overlap when b moved by
    ``shift``.

    Gain and offset do not matter, so a change of exposure is no change. Two flat pictures are alike.
    """
    height, width = a.shape
    dx, dy = shift
    if abs(dx) > width * 0.6 or abs(dy) > height * 0.6:
        return -1.0
    one = a[max(-dy, 0) : height - max(dy, 0), max(-dx, 0) : width - max(dx, 0)]
    two = b[max(dy, 0) : height - max(-dy, 0), max(dx, 0) : width - max(-dx, 0)]
    one = one - one.mean()
    two = two - two.mean()
    power = float(np.sqrt((one * one).sum() * (two * two).sum()))
    if power < one.size * 4.0:  # both nearly flat: standard deviations of about two grey levels
        return 1.0 if abs(float(a.mean()) - float(b.mean())) < 40 else 0.0
    return float((one * two).sum()) / power


class _Motion:
    """Shift between two tiny pictures by phase correlation (Kuglin and Hines, 1975), checked against standing
    still."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._window = cv2.createHanningWindow((max(shape[1], 2), max(shape[0], 2)), cv2.CV_32F)
        # OpenCV brings sides to a length that suits its transform, and takes half of an odd one for its whole middle.
        self._astray = tuple(0.5 * (cv2.getOptimalDFTSize(side) % 2) for side in (shape[1], shape[0]))

    def between(self, a: NDArray[np.float32], b: NDArray[np.float32]) -> tuple[float, float, float]:
        """(dx, dy, likeness after the shift): how the content of ``a`` moved to be that of ``b``."""
        still = likeness(a, b, (0, 0))
        if min(a.shape) < 8:
            return 0.0, 0.0, still
        # Copies: OpenCV multiplies its inputs by the window in place when their size suits its transform.
        (dx, dy), _ = cv2.phaseCorrelate(a.copy(), b.copy(), self._window)
        dx, dy = dx - self._astray[0], dy - self._astray[1]
        moved = likeness(a, b, (round(dx), round(dy))) if max(abs(dx), abs(dy)) >= 0.5 else still
        if abs(dx) < 0.5 and abs(dy) < 0.5 and still > 0.5:
            return dx, dy, still
        return (dx, dy, moved) if moved > still else (0.0, 0.0, still)


def glances(pictures: Iterable[Showable], width: int, height: int) -> Iterator[Glance]:
    """Every picture as a glance, cuts marked; holds back a few pictures to look ahead.

    ``width`` and ``height`` are those of the shown picture.
    """
    size = luma_size(width, height)
    scale = min(_TINY_SIDE / max(size), 1.0)
    tiny_size = max(round(size[0] * scale), 1), max(round(size[1] * scale), 1)
    motion = _Motion((tiny_size[1], tiny_size[0]))
    passed: deque[Glance] = deque(maxlen=2)
    ahead: deque[Glance] = deque()
    newest: Glance | None = None
    for picture in pictures:
        luma = picture.luma(*size)
        tiny = cv2.GaussianBlur(cv2.resize(luma, tiny_size, interpolation=cv2.INTER_AREA), (0, 0), 1.0)
        glance = Glance(picture, luma, tiny.astype(np.float32))
        if newest is not None:
            dx, dy, glance.alike = motion.between(newest.tiny, glance.tiny)
            glance.shift = dx / scale, dy / scale
        newest = glance
        ahead.append(glance)
        if len(ahead) > _LOOKAHEAD:
            yield _settled(passed, ahead, motion)
    while ahead:
        yield _settled(passed, ahead, motion)


def _settled(passed: deque[Glance], ahead: deque[Glance], motion: _Motion) -> Glance:
    """Take the oldest waiting glance, after deciding whether the one that follows it begins a new shot."""
    glance = ahead.popleft()
    if ahead:
        glance.last = ahead[0].cut = _is_cut(passed, glance, ahead, motion)
    else:
        glance.last = True
    passed.append(glance)
    return glance


def _is_cut(passed: deque[Glance], before: Glance, ahead: deque[Glance], motion: _Motion) -> bool:
    after = ahead[0]
    if after.alike >= _UNLIKE:
        return False
    around = [g.alike for g in (*list(passed)[-1:], before) if g.picture.index > 0 and not g.cut]
    around += [g.alike for g in list(ahead)[1:3]]
    if around and after.alike > sorted(around)[len(around) // 2] - _STEP:
        return False
    # A flash: one of the next pictures is again like this one, or like those before it if this one flashed.
    known = [before, *list(passed)[-2:]]
    return all(motion.between(old.tiny, new.tiny)[2] < _UNLIKE + 0.1 for old in known for new in ahead)
