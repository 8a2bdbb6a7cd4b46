"""Burnt-in overlays: the date, time and name that a camera writes into its picture.

An overlay is text that stays where it is. Places where a text finder sees words again and again are put on trial, for
every shot and for the whole clip. Staying is proof where the scene moves or changes. Where the camera stands on a
tripod everything stays; there two of three must speak for it: its place at the upper or lower border, digits that
change, and that the text finder is sure.

Edges that stay are measured as the length of the mean gradient over the mean length of the gradient: 1 where every look
has the same edges, near 0 where they come and go. Blinking lengthens neither and so does not matter.

Only sums over looks are kept: memory does not grow with the clip.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.find.detect import Detection
from safelight.geometry import Box
from safelight.plan import Kind

Map = NDArray[np.floating]

_OFTEN = 0.3  # share of looks from which a place is put on trial; text that blinks is seen in half of them
_SELDOM = 0.1  # of the place's own share, from which a pixel belongs to it: digits that come late, words that change
_TALLEST = 0.15  # part of the picture's height; nothing burnt in has larger letters
_LOOKS = 3  # looks that a shot needs for a trial of its own
_STAYS = 0.6  # an overlay's edges stay at least so; clocks, blinking and a shaking pixel were measured at 0.73 and more
_FIRM = 0.7  # where words fill that share of their place nearly always ...
_STAYS_FIRM = 0.45  # ... less will do: thin letters without contrast, shaking
_STILLER = 0.2  # an overlay stays so much more than a scene that moves
_TRIPOD = 0.95  # from here on the scene stands still ...
_CHANGES = 0.05  # ... and what changes by that in its place is a clock
_SURE = 0.85  # mean score of the words; burnt-in text was measured at 0.88 and more unless it is faint, a lamp at 0.81
_BORDER = 0.12  # an overlay lies that close to the upper or lower border, part of the picture's height
_UNLIKE = 0.5  # correlation of two looks below which all but an overlay has changed
_STRONG = 60.0  # Sobel units: an edge worth measuring
_THUMB = (32, 24)
_GLYPH = 0.7  # width of a character over a line's height: one more may appear at each end


@dataclass(frozen=True)
class Overlay:
    """A burnt-in text: ``box`` in pixels of the pictures looked at, ``score`` 0 to 1, frames ``first`` to ``last``."""

    box: Box
    score: float
    first: int
    last: int

    kind = Kind.OVERLAY
    finder = "overlay"


class OverlayFinder:
    """Looks at one clip; see the module. All pictures must have one size."""

    def __init__(self) -> None:
        self._clip: _Sums | None = None
        self._shot: _Sums | None = None
        self._shots: list[Overlay] = []
        self._start = 0

    def look(self, bgr: NDArray[np.uint8], words: Iterable[Detection]) -> None:
        """Take in one picture (height, width, 3) and the words that were seen in it, in its pixels."""
        if self._clip is None:
            self._clip = _Sums(bgr.shape[:2])
        if self._shot is None:
            self._shot = _Sums(bgr.shape[:2])
        look = _Look(bgr, words)
        self._clip.add(look)
        self._shot.add(look)

    def cut(self, frame: int) -> None:
        """A new shot begins at that frame."""
        if self._shot is not None and self._shot.looks >= _LOOKS:
            self._shots += [Overlay(box, score, self._start, frame - 1) for box, score in self._shot.overlays()]
        self._shot = None
        self._start = frame

    def finish(self, frames: int) -> list[Overlay]:
        """All overlays of a clip of that many frames: those of the whole clip, and those that only some shots have."""
        self.cut(frames)
        if self._clip is None:
            return []
        found = [Overlay(box, score, 0, frames - 1) for box, score in self._clip.overlays()]
        for overlay in self._shots:
            same = [place for place, other in enumerate(found) if _mostly_inside(overlay.box, other.box)]
            for place in same:
                found[place] = replace(found[place], box=found[place].box.union(overlay.box))
            if not same:
                found.append(overlay)
        return found


class _Look:
    """One picture, taken apart."""

    def __init__(self, bgr: NDArray[np.uint8], words: Iterable[Detection]) -> None:
        height, width = bgr.shape[:2]
        self.scores = np.zeros((height, width), np.float32)
        for word in words:
            if word.box.height > _TALLEST * height:
                continue
            x1, y1, x2, y2 = word.box.clipped(width, height)
            part = self.scores[int(y1) : int(np.ceil(y2)), int(x1) : int(np.ceil(x2))]
            np.maximum(part, word.score, out=part)
        grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
        soft = cv2.GaussianBlur(grey, (0, 0), 1.2)
        self.across = cv2.Sobel(soft, cv2.CV_32F, 1, 0)
        self.down = cv2.Sobel(soft, cv2.CV_32F, 0, 1)
        self.thumb = cv2.resize(grey, _THUMB, interpolation=cv2.INTER_AREA).astype(np.float32)


class _Sums:
    """What is kept of all looks at a clip or a shot, per pixel."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.looks = 0
        self._votes = np.zeros(shape, np.float32)
        self._scores = np.zeros(shape, np.float32)
        self._survived = np.zeros(shape, np.float32)  # times text was there before and after all else had changed
        self._across = np.zeros(shape, np.float32)
        self._down = np.zeros(shape, np.float32)
        self._length = np.zeros(shape, np.float32)
        self._before: _Look | None = None

    def add(self, look: _Look) -> None:
        self.looks += 1
        self._votes += look.scores > 0
        self._scores += look.scores
        self._across += look.across
        self._down += look.down
        self._length += cv2.magnitude(look.across, look.down)
        if self._before is not None and _likeness(self._before.thumb, look.thumb) < _UNLIKE:
            self._survived += (self._before.scores > 0) & (look.scores > 0)
        self._before = look

    def overlays(self) -> list[tuple[Box, float]]:
        """Boxes and scores of what is burnt in, by all that was seen."""
        share = self._votes / self.looks
        mean: Map = np.hypot(self._across, self._down)
        rest = (share < _OFTEN) & (self._length > _STRONG * self.looks)
        scene = _ratio(mean[rest], self._length[rest])
        found = []
        for rows, columns in self._places(share):
            part = rows, columns
            stays = _ratio(mean[part], self._length[part])
            box = Box(columns.start, rows.start, columns.stop, rows.stop)
            score = min(float(self._scores[part].sum()) / float(self._votes[part].sum()), 1.0)
            survived = float(self._survived[part].max()) >= 2
            firm = float((share[part] >= 0.7 * share[part].max()).mean())
            if stays < (_STAYS_FIRM if firm >= _FIRM else _STAYS):
                continue
            if self._burnt_in(box, score, stays, scene, survived):
                found.append((self._roomy(box), score))
        return found

    def _places(self, share: Map) -> list[tuple[slice, slice]]:
        """Rows and columns of the places to be tried, the most seen first, each with its rarer parts."""
        places = []
        left = np.where(share >= _OFTEN, share, 0.0)
        while (most := float(left.max())) > 0:
            _, labels = cv2.connectedComponents((share >= _SELDOM * most).astype(np.uint8))
            here = labels == labels[np.unravel_index(int(left.argmax()), left.shape)]
            rows, columns = np.flatnonzero(here.any(axis=1)), np.flatnonzero(here.any(axis=0))
            places.append((slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)))
            left[here] = 0.0
        return places

    def _burnt_in(self, box: Box, score: float, stays: float, scene: float, survived: bool) -> bool:
        """The judgement on a place that stays; ``stays`` and ``scene``: how far edges do so there and elsewhere."""
        if survived or stays > scene + _STILLER:
            return True
        height = self._votes.shape[0]
        at_border = min(box.y1, height - box.y2) < _BORDER * height
        like_a_clock = scene > _TRIPOD and stays < scene - _CHANGES
        return at_border + like_a_clock + (score >= _SURE) >= 2

    def _roomy(self, box: Box) -> Box:
        """The box with room for one more character at each end, an outline, and a line that shakes by a pixel."""
        height, width = self._votes.shape
        edge = max(0.1 * box.height, 2.0)
        side = _GLYPH * box.height if box.width > 2 * box.height else edge  # a line of text, or a mark
        return box.grown(side, edge, side, edge).clipped(width, height)


def _ratio(mean: Map, length: Map) -> float:
    total = float(length.sum())
    return float(mean.sum()) / total if total > 0 else 1.0


def _likeness(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Correlation of two small pictures, -1 to 1; flat ones are alike."""
    one, two = a - a.mean(), b - b.mean()
    power = float(np.sqrt((one * one).sum() * (two * two).sum()))
    return float((one * two).sum()) / power if power > a.size else 1.0


def _mostly_inside(inner: Box, outer: Box) -> bool:
    common = inner.intersection(outer)
    return common.width > 0 and common.height > 0 and common.area > 0.5 * inner.area
