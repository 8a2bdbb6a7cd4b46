"""The first pass: which finder looks at which picture, at which size; tracks come out.

A light face finder looks at every few pictures, a strong one on a slow beat and where a shot begins, and
both look closer, at enlarged parts, where a track is young, doubted or was not seen. A person finder looks on
a beat of its own. What may be spent is counted in pixels looked at, never in time measured, so the same clip
always gives the same plan.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.find.bridge import bridged
from safelight.find.cuts import Glance, Showable, glances, luma_size
from safelight.find.detect import Detection, Finder, PeopleFinder
from safelight.find.head import Sighting, bodies, sightings
from safelight.find.mirror import Mirrors
from safelight.find.person import NEVER
from safelight.find.signs import Signs
from safelight.find.track import Patience, Track, Tracker
from safelight.geometry import Box
from safelight.media.ahead import ahead
from safelight.plan import Region

_STRONG_COST = 4.0  # what a pixel costs the strong finder, the light one's being 1
_CALL_COST = 0.03  # what each look costs beside its pixels, megapixels
_CLOSER_SIDE = 160  # side of an enlarged part, pixels
_CLOSER_FACE = 44.0  # size a head is brought to in it, at most three times enlarged
_CLOSER_MOST = 12  # parts looked at in one picture
_GLANCE = 0.24  # megapixels of an ordinary look: large and middling faces are seen best here, and it is cheap
_USUAL_RATE = 25.0  # pictures a second for which the beat of the person finder is given: people walk in seconds
_FRESH = 3  # pictures of a new shot that the person finder looks at, all of them


@dataclass(frozen=True)
class Effort:
    """How hard to look. ``period``: pictures between two looks of the light finder. ``people``: pictures
    between two of the person finder. ``beat``: seconds between two of the strong one. ``pixels``: largest
    picture looked at, megapixels, on every ``closely``-th look of the light finder; the others see `_GLANCE`.
    ``enlarge``: a picture of about `_GLANCE` is enlarged by this instead. ``spare``: megapixels a picture that may be
    spent on closer and extra looks.
    """

    period: int
    people: int
    beat: float
    pixels: float
    closely: int
    enlarge: float
    spare: float


EFFORTS = {
    "quick": Effort(period=4, people=6, beat=2.0, pixels=1.0, closely=4, enlarge=1.0, spare=0.02),
    "default": Effort(period=2, people=4, beat=1.0, pixels=1.3, closely=6, enlarge=1.5, spare=0.05),
    "thorough": Effort(period=1, people=2, beat=0.3, pixels=2.1, closely=1, enlarge=1.5, spare=0.6),
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


@dataclass(frozen=True)
class Finders:
    """Who looks. ``light`` looks for faces often, ``strong`` (None: not at all) seldom and closely, ``people`` (None:
    not at all) for people as a whole, ``text`` (None: not at all) for words.
    """

    light: Finder
    strong: Finder | None = None
    people: PeopleFinder | None = None
    text: Finder | None = None


class Search:
    """Looks through one clip. ``width``, ``height``: shown picture; ``rate``: pictures a second; ``whole``: whole
    bodies are tracked too, beside the heads; ``text``: readable text is to be hidden, not only proposed.
    """

    def __init__(
        self,
        width: int,
        height: int,
        rate: float,
        effort: Effort,
        finders: Finders,
        *,
        whole: bool = False,
        text: bool = False,
    ) -> None:
        self._size = width, height
        self._effort = effort
        self._light, self._strong, self._people = finders.light, finders.strong, finders.people
        scale = luma_size(width, height)[0] / width
        second = max(round(rate), 2)
        patience = Patience(unseen=min(10 * second, 300), held=second, doubted=max(second // 2, 3))
        self._tracker = Tracker(width, height, scale, patience)
        self._bodies = Tracker(width, height, scale, patience) if whole else None
        self._signs = Signs(width, height, rate, finders.text, hide=text) if finders.text is not None else None
        self._mirrors = Mirrors(width, height, scale, rate)
        self._purse = _Purse(effort.spare, effort.spare * second)
        self._beat = max(round(effort.beat * second), 1)
        self._people_period = max(round(effort.people * rate / _USUAL_RATE), 2)
        self._since_light = self._since_strong = self._since_people = NEVER
        self._age = 0  # pictures of this shot so far
        self._looks = 0
        self._second = second

    def run(self, pictures: Iterable[Showable], progress: Callable[[int], None]) -> Found:
        """Read the whole clip once; ``progress`` is told the number of frames done."""
        cuts: list[int] = []
        times: array[int] = array("q")
        with ahead(glances(pictures, *self._size)) as early:
            for glance in early:
                frame = glance.picture.index
                times.append(glance.picture.pts)
                if glance.cut:
                    cuts.append(frame)
                self._age = 1 if glance.cut else self._age + 1
                for tracker in self._trackers:
                    tracker.step(glance)
                self._look(glance)
                self._mirrors.step(glance, self._tracker.live)
                if self._signs is not None:
                    self._signs.step(glance)
                progress(frame + 1)
        tracks = [bridged(tracker.finish(), round(1.5 * self._second)) for tracker in self._trackers]
        return Found([track for some in tracks for track in some], cuts, times)

    def beside(self, found: Found, margin: int) -> list[Region]:
        """Regions of what else gives people away: writing and mirrors. ``margin``: frames added around signs."""
        written = [] if self._signs is None else self._signs.regions(found.cuts, found.pts, margin)
        return written + self._mirrors.regions(found.pts)

    @property
    def _trackers(self) -> list[Tracker]:
        return [self._tracker] if self._bodies is None else [self._tracker, self._bodies]

    def _look(self, glance: Glance) -> None:
        """Let the finders that are due look at one picture."""
        self._purse.earn()
        self._since_light += 1
        self._since_strong += 1
        self._since_people += 1
        first = glance.cut or glance.picture.index == 0
        strong = self._strong is not None and (first or self._since_strong >= self._beat)
        due = first or glance.last or strong or self._since_light >= self._effort.period
        due = due or (self._restless() and self._purse.spend(self._megapixels(self._within(_GLANCE))))
        fresh = self._age <= _FRESH or glance.last
        people = self._people if fresh or self._since_people >= self._people_period else None
        if not due and people is None:
            return
        view = _View(glance.picture, *self._size)
        seen: list[Detection] = []
        if people is not None:
            seen += view.seen(people, people.fitted(*self._size))
            self._since_people = 0
            if self._bodies is not None:
                self._bodies.see(bodies(seen, self._size[1]))
        if due:
            seen += view.seen(self._light, view.scaled(self._scale(first)))
            self._since_light = 0
            self._looks += 1
            if strong and self._strong is not None:
                seen += view.seen(self._strong, view.scaled(self._within(_GLANCE)))
                self._since_strong = 0
        self._tracker.see(sightings(seen, self._size[1]))
        if due:
            self._tracker.see(self._closer(glance.picture.index, view))

    def _restless(self) -> bool:
        """Whether a track is new, or moves by more than a third of its size between two pictures."""
        for track in self._tracker.live:
            if len(track.spots) < 4:
                return True
            (ax, ay), (bx, by) = track.spots[-2].box.centre, track.box.centre
            if max(abs(ax - bx), abs(ay - by)) > 0.33 * track.box.width:
                return True
        return False

    def _within(self, megapixels: float) -> float:
        """Scale that brings the picture to that many megapixels; never enlarges."""
        return min(1.0, math.sqrt(megapixels / self._megapixels(1.0)))

    def _scale(self, first: bool) -> float:
        """Scale of the light finder's next look.

        Small faces are seen in large pictures only, but large faces best in small ones, and tracks of small faces are
        kept by closer looks. So a large picture is looked at where a shot begins and now and then.
        """
        turn = self._looks % self._effort.closely
        if self._megapixels(1.0) <= 2 * _GLANCE:
            return self._effort.enlarge if turn == 1 % self._effort.closely else 1.0
        return self._within(self._effort.pixels if first or turn == 0 else _GLANCE)

    def _megapixels(self, scale: float) -> float:
        return self._size[0] * self._size[1] * scale * scale / 1e6

    def _closer(self, frame: int, view: _View) -> list[Sighting]:
        """Look at enlarged parts around tracks that were not seen in this picture or are not believed yet."""
        due = frame - self._people_period
        wanting = [t for t in self._tracker.live if not t.believed or t.seen < (frame if t.face else due)]
        wanting.sort(key=lambda t: (frame - t.seen, t.number))
        seen: list[Detection] = []
        for track in wanting[:_CLOSER_MOST]:
            scale = min(3.0, _CLOSER_FACE * 1.8 / max(track.box.height, 1.0))
            side = round(_CLOSER_SIDE / scale)
            part, origin = _part(view.whole, track.box, side)
            megapixels = (_CLOSER_SIDE**2) / 1e6 + _CALL_COST
            both = self._strong is not None and (frame - track.seen) % 3 != 1
            if not self._purse.spend(megapixels * (1 + _STRONG_COST * both)):
                break
            how = cv2.INTER_AREA if side > _CLOSER_SIDE else cv2.INTER_CUBIC
            part = np.asarray(cv2.resize(part, (_CLOSER_SIDE, _CLOSER_SIDE), interpolation=how), np.uint8)
            for finder in (self._light, self._strong) if both else (self._light,):
                if finder is not None:
                    seen += [_moved(d, side / _CLOSER_SIDE, *origin) for d in finder.find(part)]
        return sightings(seen, self._size[1])


class _View:
    """One picture at the sizes it is looked at, made when they are wanted, straight from the decoded picture."""

    def __init__(self, picture: Showable, width: int, height: int) -> None:
        self._picture = picture
        self._size = width, height

    @cached_property
    def whole(self) -> NDArray[np.uint8]:
        """The shown picture as it is, (height, width, 3)."""
        return self._picture.bgr(*self._size)

    def scaled(self, scale: float) -> tuple[int, int]:
        """Its size (width, height) times ``scale``."""
        width, height = (max(round(side * scale), 1) for side in self._size)
        return width, height

    def seen(self, finder: Finder, size: tuple[int, int]) -> list[Detection]:
        """What a finder sees in the picture brought to that size, in the shown picture's own pixels."""
        if size == self._size:
            return finder.find(self.whole)
        if size > self._size:
            picture = np.asarray(cv2.resize(self.whole, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        else:
            picture = self._picture.bgr(*size)
        sx, sy = self._size[0] / size[0], self._size[1] / size[1]
        return [Detection(d.box.scaled(sx, sy), d.score, d.finder, d.kind) for d in finder.find(picture)]


def _moved(d: Detection, scale: float, x: float, y: float) -> Detection:
    """A detection in an enlarged part, in the whole picture; the part's corner lies at ``x``, ``y``."""
    return Detection(d.box.scaled(scale, scale).grown(-x, -y, x, y), d.score, d.finder, d.kind)


def _part(picture: NDArray[np.uint8], box: Box, side: int) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """A square part around a box, black outside the picture, and its top left corner."""
    height, width = picture.shape[:2]
    x, y = (round(c - side / 2) for c in box.centre)
    part = np.zeros((side, side, 3), np.uint8)
    xa, xb, ya, yb = max(x, 0), min(x + side, width), max(y, 0), min(y + side, height)
    if xb > xa and yb > ya:
        part[ya - y : yb - y, xa - x : xb - x] = picture[ya:yb, xa:xb]
    return part, (x, y)
