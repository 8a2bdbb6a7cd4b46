"""The first pass: which finder looks at which picture, at which size; tracks come out.

A light finder looks at every few pictures, a strong one on a slow beat and where a shot begins, and both
look closer, at enlarged parts, where a track is young, doubted or was not seen. What may be spent is
counted in pixels looked at, never in time measured, so the same clip always gives the same plan.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.find.bridge import bridged
from safelight.find.cuts import Glance, Showable, glances, luma_size
from safelight.find.detect import Detection, Finder
from safelight.find.head import Sighting, sightings
from safelight.find.track import Patience, Track, Tracker
from safelight.geometry import Box

_STRONG_COST = 4.0  # what a pixel costs the strong finder, the light one's being 1
_CALL_COST = 0.03  # what each look costs beside its pixels, megapixels
_CLOSER_SIDE = 160  # side of an enlarged part, pixels
_CLOSER_FACE = 44.0  # size a head is brought to in it, at most three times enlarged
_CLOSER_MOST = 12  # parts looked at in one picture


@dataclass(frozen=True)
class Effort:
    """How hard to look. ``period``: pictures between two looks of the light finder. ``beat``: seconds
    between two of the strong one. ``pixels``: largest picture looked at, megapixels. ``enlarge``: a picture
    smaller than half of that is enlarged by this on every fourth look. ``spare``: megapixels a picture that
    may be spent on closer and extra looks.
    """

    period: int
    beat: float
    pixels: float
    enlarge: float
    spare: float


EFFORTS = {
    "quick": Effort(period=4, beat=2.0, pixels=1.0, enlarge=1.0, spare=0.02),
    "default": Effort(period=2, beat=1.0, pixels=1.3, enlarge=1.5, spare=0.05),
    "thorough": Effort(period=1, beat=0.3, pixels=2.1, enlarge=1.5, spare=0.6),
}


@dataclass
class Found:
    """Outcome of the first pass: tracks, first frames of shots after the first, presentation time of every
    frame."""

    tracks: list[Track]
    cuts: list[int]
    pts: array[int]


class _Purse:
    """Counts what may still be spent; saved up for at most one second."""

    def __init__(self, income: float, most: float) -> None:
        self._income, self._most = income, most
        self.left = most

    def earn(self) -> None:
        self.left = min(self.left + self._income, self._most)

    def spend(self, megapixels: float) -> bool:
        if megapixels > self.left:
            return False
        self.left -= megapixels
        return True


class Search:
    """Looks through one clip. ``width``, ``height``: shown picture; ``rate``: pictures a second."""

    def __init__(
        self, width: int, height: int, rate: float, effort: Effort, light: Finder, strong: Finder | None
    ) -> None:
        self._size = width, height
        self._effort, self._light, self._strong = effort, light, strong
        scale = luma_size(width, height)[0] / width
        second = max(round(rate), 2)
        patience = Patience(unseen=min(10 * second, 300), held=second, doubted=max(second // 2, 3))
        self._tracker = Tracker(width, height, scale, patience)
        self._purse = _Purse(effort.spare, effort.spare * second)
        self._beat = max(round(effort.beat * second), 1)
        self._since_light = self._since_strong = 10**9
        self._looks = 0
        self._second = second

    def run(self, pictures: Iterable[Showable], progress: Callable[[int], None]) -> Found:
        """Read the whole clip once; ``progress`` is told the number of frames done."""
        cuts: list[int] = []
        times: array[int] = array("q")
        for glance in glances(pictures, *self._size):
            frame = glance.picture.index
            times.append(glance.picture.pts)
            if glance.cut:
                cuts.append(frame)
            self._tracker.step(glance)
            self._look(glance)
            progress(frame + 1)
        return Found(bridged(self._tracker.finish(), round(1.5 * self._second)), cuts, times)

    def _look(self, glance: Glance) -> None:
        """Let the finders that are due look at one picture."""
        self._purse.earn()
        self._since_light += 1
        self._since_strong += 1
        first = glance.cut or glance.picture.index == 0
        strong = self._strong is not None and (first or self._since_strong >= self._beat)
        due = first or glance.last or strong or self._since_light >= self._effort.period
        if not due and not (self._restless() and self._purse.spend(self._megapixels(1.0))):
            return
        scale = self._scale()
        picture = glance.picture.bgr(*self._size)
        seen = _look_at(self._light, picture, scale)
        self._since_light = 0
        self._looks += 1
        if strong and self._strong is not None:
            seen += _look_at(self._strong, picture, min(scale, self._fit()))
            self._since_strong = 0
        self._tracker.see(sightings(seen))
        closer = self._closer(glance.picture.index, picture)
        if closer:
            self._tracker.see(closer)

    def _restless(self) -> bool:
        """Whether a track is new, or moves by more than a third of its size between two pictures."""
        for track in self._tracker.live:
            if len(track.spots) < 4:
                return True
            (ax, ay), (bx, by) = track.spots[-2].box.centre, track.box.centre
            if max(abs(ax - bx), abs(ay - by)) > 0.33 * track.box.width:
                return True
        return False

    def _fit(self) -> float:
        """Scale that brings the picture to the largest size looked at."""
        width, height = self._size
        return min(1.0, math.sqrt(self._effort.pixels * 1e6 / (width * height)))

    def _scale(self) -> float:
        width, height = self._size
        small = width * height < self._effort.pixels * 0.5e6
        return self._effort.enlarge if small and self._looks % 4 == 1 else self._fit()

    def _megapixels(self, scale: float) -> float:
        return self._size[0] * self._size[1] * scale * scale / 1e6

    def _closer(self, frame: int, picture: NDArray[np.uint8]) -> list[Sighting]:
        """Look at enlarged parts around tracks that were not seen in this picture or are not believed yet."""
        wanting = [t for t in self._tracker.live if t.seen < frame or not t.believed]
        wanting.sort(key=lambda t: (frame - t.seen, t.number))
        seen: list[Detection] = []
        for track in wanting[:_CLOSER_MOST]:
            scale = min(3.0, _CLOSER_FACE * 1.8 / max(track.box.height, 1.0))
            side = round(_CLOSER_SIDE / scale)
            part, origin = _part(picture, track.box, side)
            megapixels = (_CLOSER_SIDE**2) / 1e6 + _CALL_COST
            both = self._strong is not None and (frame - track.seen) % 3 != 1
            if not self._purse.spend(megapixels * (1 + _STRONG_COST * both)):
                break
            for finder in (self._light, self._strong) if both else (self._light,):
                if finder is not None:
                    seen += [_moved(d, *origin) for d in _look_at(finder, part, _CLOSER_SIDE / side)]
        return sightings(seen)


def _look_at(finder: Finder, picture: NDArray[np.uint8], scale: float) -> list[Detection]:
    """What a finder sees in a scaled picture, in the picture's own pixels."""
    if scale != 1.0:
        size = max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1)
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        sx, sy = picture.shape[1] / size[0], picture.shape[0] / size[1]
        picture = np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)
    else:
        sx = sy = 1.0
    return [Detection(d.box.scaled(sx, sy), d.score, d.finder, d.kind) for d in finder.find(picture)]


def _moved(d: Detection, x: float, y: float) -> Detection:
    return Detection(d.box.grown(-x, -y, x, y), d.score, d.finder, d.kind)


def _part(picture: NDArray[np.uint8], box: Box, side: int) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """A square part around a box, black outside the picture, and its top left corner."""
    height, width = picture.shape[:2]
    x, y = (round(c - side / 2) for c in box.centre)
    part = np.zeros((side, side, 3), np.uint8)
    xa, xb, ya, yb = max(x, 0), min(x + side, width), max(y, 0), min(y + side, height)
    if xb > xa and yb > ya:
        part[ya - y : yb - y, xa - x : xb - x] = picture[ya:yb, xa:xb]
    return part, (x, y)
