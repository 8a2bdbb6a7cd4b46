"""The first pass: from pictures to tracks.

Pictures go through a row of threads: decoding, the planned looks at faces and at people, and at the end, here, what
depends on tracks: following, joining, and closer looks at enlarged parts where a track is young, doubted or was not
seen. Writing is looked for aside, in a thread that nobody waits for until the end: one look takes as long as ten
pictures. What these may cost is counted in pixels looked at, never in time measured, so the same clip always gives
the same plan.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from safelight.find.bridge import bridged
from safelight.find.cuts import Showable, glances, luma_size
from safelight.find.detect import Detection, Finder
from safelight.find.follow import Trace
from safelight.find.head import Sighting, bodies, sightings
from safelight.find.looks import GLANCE, Effort, Finders, Looked, Looks
from safelight.find.mirror import Mirrors
from safelight.find.signs import Note, Signs
from safelight.find.track import Patience, Track, Tracker
from safelight.find.view import View
from safelight.media.ahead import ahead, aside
from safelight.plan import Region

_STRONG_COST = 4.0  # what a pixel costs the strong finder, the light one's being 1
_CALL_COST = 0.03  # what each look costs beside its pixels, megapixels
_CLOSER_SIDE = 160  # side of an enlarged part, pixels
_CLOSER_FACE = 44.0  # size a head is brought to in it, at most three times enlarged
_CLOSER_MOST = 12  # parts looked at in one picture
_WAITING = 2  # pictures that wait between two threads; with four it goes 1 to 3 % quicker, for 20 MB more at 1080p
_ASIDE = 24  # pictures whose small luma waits for the looks at writing


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
        self._looks = Looks(width, height, rate, effort, finders)
        self._light, self._strong = finders.light, finders.strong
        scale = luma_size(width, height)[0] / width
        second = max(round(rate), 2)
        patience = Patience(unseen=min(10 * second, 300), held=second, doubted=max(second // 2, 3))
        self._tracker = Tracker(width, height, scale, patience)
        self._bodies = Tracker(width, height, scale, patience) if whole else None
        self._signs = Signs(width, height, rate, finders.text, hide=text) if finders.text is not None else None
        self._mirrors = Mirrors(width, height, scale, rate)
        self._purse = _Purse(effort.spare, effort.spare * second)
        self._second = second

    def first(self) -> list[tuple[Finder, tuple[int, int]]]:
        """What the finders are given of the first picture, writing left out: sizes (width, height) in order of need."""
        closer = (_CLOSER_SIDE, _CLOSER_SIDE)
        strong = [] if self._strong is None else [(self._strong, closer)]
        return [*self._looks.first(), (self._light, closer), *strong]

    def run(self, pictures: Iterable[Showable], progress: Callable[[int], None]) -> Found:
        """Read the whole clip once; ``progress`` is told the number of frames done."""
        cuts: list[int] = []
        times: array[int] = array("q")
        with ExitStack() as threads:
            early = threads.enter_context(ahead(glances(pictures, *self._size), _WAITING))
            faces = threads.enter_context(ahead(self._looks.faces(early), _WAITING))
            later = threads.enter_context(ahead(self._looks.later(faces), _WAITING))
            people = self._looks.people(later)
            if self._signs is not None:
                people = _noted(people, self._signs, threads.enter_context(aside(self._signs.step, _ASIDE)))
            for looked in threads.enter_context(ahead(people, _WAITING)):
                frame = looked.glance.picture.index
                trace = Trace.of(looked.glance)
                times.append(looked.glance.picture.pts)
                if looked.glance.cut:
                    cuts.append(frame)
                for tracker in self._trackers:
                    tracker.step(trace)
                self._look(looked)
                self._mirrors.step(looked.glance, self._tracker.live)
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

    def _look(self, looked: Looked) -> None:
        """Join what the planned looks saw in one picture, and look closer where the tracks ask for it."""
        self._purse.earn()
        if looked.asked and self._bodies is not None:
            self._bodies.see(bodies(looked.seen, self._size[1]))
        due = looked.due
        if not due and self._restless() and self._purse.spend(self._looks.megapixels(self._looks.within(GLANCE))):
            due = True
            looked.seen += looked.view.seen(self._light, looked.view.scaled(self._looks.within(GLANCE)))
        if due or looked.asked:
            self._tracker.see(looked.heads(*self._size))
        if due:
            self._tracker.see(self._closer(looked.glance.picture.index, looked.clear or looked.view))

    def _restless(self) -> bool:
        """Whether a track is new, or moves by more than a third of its size between two pictures."""
        for track in self._tracker.live:
            if len(track.spots) < 4:
                return True
            (ax, ay), (bx, by) = track.spots[-2].box.centre, track.box.centre
            if max(abs(ax - bx), abs(ay - by)) > 0.33 * track.box.width:
                return True
        return False

    def _closer(self, frame: int, view: View) -> list[Sighting]:
        """Look at enlarged parts around tracks that were not seen in this picture or are not believed yet."""
        due = frame - self._looks.people_period
        wanting = [t for t in self._tracker.live if not t.believed or t.seen < (frame if t.face else due)]
        wanting.sort(key=lambda t: (frame - t.seen, t.number))
        seen: list[Detection] = []
        for track in wanting[:_CLOSER_MOST]:
            megapixels = (_CLOSER_SIDE**2) / 1e6 + _CALL_COST
            both = self._strong is not None and (frame - track.seen) % 3 != 1
            if not self._purse.spend(megapixels * (1 + _STRONG_COST * both)):
                break
            scale = min(3.0, _CLOSER_FACE * 1.8 / max(track.box.height, 1.0))
            part = view.part(track.box, scale, _CLOSER_SIDE, track.tilt)
            for finder in (self._light, self._strong) if both else (self._light,):
                if finder is not None:
                    seen += part.seen(finder)
        return sightings(seen, self._size[1])


def _noted(looked: Iterable[Looked], signs: Signs, give: Callable[[Note], None]) -> Iterator[Looked]:
    """The same, after what the looks at writing need was given to them."""
    for item in looked:
        give(signs.note(item.glance))
        yield item
