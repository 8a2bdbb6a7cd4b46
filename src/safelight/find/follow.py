"""Following a head in the picture, from where a finder saw it to where none does, forwards or backwards.

A small template of the head is searched for around where motion predicts it (normalised cross-correlation,
Lewis 1995). Two templates are kept: the head as it was found, which cannot drift, and the head as it looked
lately, which survives a turn of the head. Following works on the small luma of each glance; heads are
scaled so that a large one costs no more.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.find.cuts import Glance
from safelight.geometry import Box
from safelight.media.scale import grid, halved

GOOD = 0.6  # correlation from which a match is trusted
POOR = 0.4  # below it the head counts as lost in this picture
_ACROSS = 0.8  # correlation from which a head is still there across a supposed cut,
_DOUBTFUL = 0.3  # if the whole pictures are at least that alike
_SIDE = 18  # longest side of a template
_CORE = 0.65  # part of the head box that makes the template; its rim is background


class Trace(NamedTuple):
    """What following needs of one glance, without its picture; see :class:`safelight.find.cuts.Glance`."""

    frame: int
    luma: NDArray[np.uint8]
    shift: tuple[float, float]
    cut: bool
    alike: float

    @classmethod
    def of(cls, glance: Glance) -> Self:
        """The trace that a glance leaves."""
        return cls(glance.picture.index, glance.luma, glance.shift, glance.cut, glance.alike)

    def ends(self, score: float) -> bool:
        """Whether a head followed into this picture with that score was left behind by the cut before it.

        A cut may be a mistake: if the pictures are not that unlike and the head is where it was, it stays.
        """
        return self.cut and (self.alike < _DOUBTFUL or score < _ACROSS)


class Memory:
    """The luma of the last pictures, so that a head found late can be followed back; bounded."""

    def __init__(self, frames: int) -> None:
        self._traces: deque[Trace] = deque(maxlen=max(frames, 1))

    def add(self, trace: Trace) -> None:
        """Remember one more; the oldest is forgotten when there are too many."""
        self._traces.append(trace)

    def forget(self, before: int) -> None:
        """Give up the traces of all frames before this one."""
        while self._traces and self._traces[0].frame < before:
            self._traces.popleft()

    @property
    def latest(self) -> Trace:
        """The trace added last."""
        return self._traces[-1]

    def back_from(self, frame: int) -> list[Trace]:
        """The traces of ``frame`` and of all remembered frames before it, latest first."""
        return [trace for trace in reversed(self._traces) if trace.frame <= frame]


class Follower:
    """Follows one head. Boxes are in luma pixels."""

    def __init__(self, luma: NDArray[np.uint8], box: Box) -> None:
        self.sure = 1.0  # correlation with the head as it was found, which cannot have drifted
        self._drift = (0.0, 0.0)  # own motion per picture, the camera's taken out
        self.anchor(luma, box)

    def anchor(self, luma: NDArray[np.uint8], box: Box) -> None:
        """Start again from a box that a finder gave."""
        self.box = box
        side = max(box.width, box.height, 4.0)
        self._factor = min(_SIDE / side, 2.0)
        cx, cy = box.centre
        half_w, half_h = max(box.width * _CORE / 2, 3.0), max(box.height * _CORE / 2, 3.0)
        core = Box(cx - half_w, cy - half_h, cx + half_w, cy + half_h)
        self._first = _patch(luma, core, self._factor).pixels
        self._lately = self._first
        self.flat = float(self._first.std()) < 2.0

    def step(self, luma: NDArray[np.uint8], shift: tuple[float, float]) -> float:
        """Move to the next picture (or the one before, with the shift negated); returns how sure, 0 to 1.

        Below POOR the head was not recognised and the box moved as predicted.
        """
        cx, cy = self.box.centre
        side = max(self.box.width, self.box.height)
        guesses = [
            (cx + shift[0], cy + shift[1]),
            (cx + shift[0] + self._drift[0], cy + shift[1] + self._drift[1]),
            (cx, cy),
        ]
        self.sure = 0.0
        if self.flat:
            self._move(guesses[1])
            return 0.0
        radius = max(0.6 * side, 5.0)
        half_h, half_w = (n / self._factor / 2 for n in self._first.shape)
        window = Box(
            min(g[0] for g in guesses) - radius - half_w,
            min(g[1] for g in guesses) - radius - half_h,
            max(g[0] for g in guesses) + radius + half_w,
            max(g[1] for g in guesses) + radius + half_h,
        )
        score, centre = self._search(_patch(luma, window, self._factor, grid(self._factor)), guesses, radius)
        if score < POOR:
            self._drift = self._drift[0] * 0.95, self._drift[1] * 0.95
            self._move(guesses[1])
            return max(score, 0.0)
        if score > GOOD:
            own = centre[0] - cx - shift[0], centre[1] - cy - shift[1]
            self._drift = 0.7 * self._drift[0] + 0.3 * own[0], 0.7 * self._drift[1] + 0.3 * own[1]
        self._move(centre)
        return min(score, 1.0)

    def _move(self, centre: tuple[float, float]) -> None:
        cx, cy = self.box.centre
        dx, dy = centre[0] - cx, centre[1] - cy
        self.box = Box(self.box.x1 + dx, self.box.y1 + dy, self.box.x2 + dx, self.box.y2 + dy)

    def _search(
        self, patch: _Patch, guesses: list[tuple[float, float]], radius: float
    ) -> tuple[float, tuple[float, float]]:
        """Best correlation and the centre it puts the head at; far from every guess counts a little less."""
        rows, cols = self._first.shape
        part = patch.pixels
        if part.shape[0] < rows or part.shape[1] < cols:
            return 0.0, guesses[0]
        match = found = cv2.matchTemplate(part, self._first, cv2.TM_CCOEFF_NORMED)
        if self._lately is not self._first:
            match = np.maximum(found + 0.05, cv2.matchTemplate(part, self._lately, cv2.TM_CCOEFF_NORMED))
        match[~np.isfinite(match)] = 0.0
        ys = (np.arange(match.shape[0], dtype=np.float32) + rows / 2) * patch.down + patch.top
        xs = (np.arange(match.shape[1], dtype=np.float32) + cols / 2) * patch.across + patch.left
        far = np.minimum.reduce([(xs[None, :] - gx) ** 2 + (ys[:, None] - gy) ** 2 for gx, gy in guesses])
        weighed = match - np.float32(0.15 / radius**2) * far
        row, col = (int(v) for v in np.unravel_index(int(np.argmax(weighed)), match.shape))
        score = float(match[row, col])
        self.sure = min(max(float(found[row, col]), 0.0), 1.0) if np.isfinite(found[row, col]) else 0.0
        if POOR < score < 0.85:
            self._lately = part[row : row + rows, col : col + cols].copy()
        dy = _peak(weighed[:, col], row)
        dx = _peak(weighed[row, :], col)
        return score, (float(xs[col]) + dx * patch.across, float(ys[row]) + dy * patch.down)


def _peak(values: NDArray[np.float32], at: int) -> float:
    """Offset of the top of a parabola through three neighbouring values, -0.5 to 0.5."""
    if not 0 < at < len(values) - 1:
        return 0.0
    left, mid, right = (float(v) for v in values[at - 1 : at + 2])
    bend = left - 2 * mid + right
    return 0.0 if bend >= 0 else max(-0.5, min(0.5, 0.5 * (left - right) / bend))


class _Patch(NamedTuple):
    """A scaled part of a picture; the place of its corner, and how many of the picture's pixels one of its is."""

    pixels: NDArray[np.uint8]
    left: float
    top: float
    across: float
    down: float


def _patch(luma: NDArray[np.uint8], box: Box, factor: float, unit: int = 1) -> _Patch:
    """The part of a picture inside a box, scaled, edges repeated outside.

    ``unit``: it is made larger, right and below, until its sides are multiples of so many pixels; a power of two makes
    scaling down quick.
    """
    height, width = luma.shape
    x1, y1 = int(np.floor(box.x1)), int(np.floor(box.y1))
    x2, y2 = (first + unit * max(-int(-(last - first) // unit), 1) for first, last in ((x1, box.x2), (y1, box.y2)))
    xa, xb = min(max(x1, 0), width - 1), max(min(x2, width), 1)
    ya, yb = min(max(y1, 0), height - 1), max(min(y2, height), 1)
    xb, yb = max(xb, xa + 1), max(yb, ya + 1)
    part = luma[ya:yb, xa:xb]
    pads = (max(ya - y1, 0), max(y2 - yb, 0), max(xa - x1, 0), max(x2 - xb, 0))
    if any(pads):
        part = np.asarray(cv2.copyMakeBorder(part, *pads, cv2.BORDER_REPLICATE), np.uint8)
    rows, columns = part.shape
    size = max(round(columns * factor), 1), max(round(rows * factor), 1)
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    pixels = np.asarray(cv2.resize(halved(part, *size), size, interpolation=how), np.uint8)
    return _Patch(pixels, float(x1), float(y1), columns / size[0], rows / size[1])
