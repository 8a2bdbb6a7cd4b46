"""All that is written in a clip: text and screens in the scene, followed, and text burnt into the picture.

Runs beside the search for heads on the same glances, of which it keeps no picture: it may fall behind. Scene text is
only proposed to a person unless it is to be hidden; burnt-in text is always hidden.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from safelight.find.cover import regions
from safelight.find.cuts import Glance, luma_size
from safelight.find.detect import Detection, Finder
from safelight.find.follow import Trace
from safelight.find.head import Sighting
from safelight.find.overlay import Overlay, OverlayFinder
from safelight.find.screen import ScreenFinder
from safelight.find.text import look_size, next_look
from safelight.find.track import Patience, Tracker
from safelight.geometry import Box
from safelight.plan import Decision, How, Keyframe, Kind, Region, Shape, Stretch

_NEAR = 0.6  # words closer than this part of their height are one sign
_ROOM = 0.2  # added on all sides, part of a word's height: what the network takes for ink ends early
_REASONS = {Kind.TEXT: "readable text", Kind.SCREEN: "a lit screen"}
_MOST = 24  # signs followed at a time; a page of print would cost more than the rest of the search


class Note(NamedTuple):
    """What is kept of one glance: its trace, and the picture as it is looked at if it is."""

    trace: Trace
    picture: NDArray[np.uint8] | None


class Signs:
    """Looks for writing in one clip.

    ``width``, ``height``: shown picture. ``rate``: frames a second. ``finder``: gives words, as
    :class:`safelight.find.text.TextFinder` does. ``hide``: scene text is hidden and not only proposed.
    """

    def __init__(self, width: int, height: int, rate: float, finder: Finder, *, hide: bool = False) -> None:
        self._size = width, height
        self._rate, self._hide = rate, hide
        self._finder = finder
        self._look_size = look_size(width, height)
        second = max(round(rate), 2)
        patience = Patience(unseen=6 * second, held=second, doubted=5 * second)
        self._tracker = Tracker(width, height, luma_size(width, height)[0] / width, patience)
        self._overlays = OverlayFinder()
        self._screens = ScreenFinder()
        self._next = 0

    def note(self, glance: Glance) -> Note:
        """What :meth:`step` is to be given of the next picture; to be asked for every picture once, in order."""
        frame = glance.picture.index
        if not glance.cut and frame < self._next:
            return Note(Trace.of(glance), None)
        self._next = next_look(frame, self._rate, closely=self._hide)
        return Note(Trace.of(glance), glance.picture.bgr(*self._look_size))

    def step(self, note: Note) -> None:
        """Go on to the next picture; may run in another thread than :meth:`note`."""
        self._tracker.step(note.trace)
        if note.trace.cut:
            self._overlays.cut(note.trace.frame)
        if note.picture is not None:
            self._look(note.picture)

    def _look(self, picture: NDArray[np.uint8]) -> None:
        words = self._finder.find(picture)
        self._overlays.look(picture, words)
        signs = blocks(words) + [[screen] for screen in self._screens.find(picture)]
        self._tracker.see([self._sighting(sign) for sign in signs[:_MOST]])

    def _sighting(self, words: list[Detection]) -> Sighting:
        box = self._shown(_around(word.box for word in words))
        best = max(words, key=lambda word: word.score)
        return Sighting(box, best.score, best.finder, best.kind, frozenset({best.finder}))

    def _shown(self, box: Box) -> Box:
        return box.scaled(self._size[0] / self._look_size[0], self._size[1] / self._look_size[1])

    def regions(self, cuts: list[int], pts: array[int], margin: int) -> list[Region]:
        """What the plan says about writing, when all pictures were given.

        ``cuts``: first frames of shots after the first. ``pts``: of every frame. ``margin``: frames added before and
        after a sign.
        """
        overlays = self._overlays.finish(len(pts))
        burnt_in = [self._overlay(number, overlay, pts) for number, overlay in enumerate(overlays, 1)]
        decision = Decision.HIDE if self._hide else Decision.PROPOSE
        signs = [
            sign.model_copy(update={"shape": Shape.BOX, "decision": decision, "reason": _REASONS[sign.kind]})
            for sign in regions(self._tracker.finish(), cuts, pts, *self._size, margin)
        ]
        if not self._hide:  # a person need not decide about what is hidden already
            signs = [sign for sign in signs if not any(_same(sign, region) for region in burnt_in)]
        return burnt_in + signs

    def _overlay(self, number: int, overlay: Overlay, pts: array[int]) -> Region:
        box = self._shown(overlay.box)
        frames = sorted({overlay.first, overlay.last})
        return Region(
            id=f"{Kind.OVERLAY.value}-{number}",
            kind=Kind.OVERLAY,
            shape=Shape.BOX,
            reason="text burnt into the picture",
            score=overlay.score,
            keyframes=[Keyframe.of(frame, pts[frame], box) for frame in frames],
            stretches=[
                Stretch(first=frames[0], last=frames[-1], how=How.FOUND, finder=overlay.finder, score=overlay.score)
            ],
        )


def blocks(words: list[Detection]) -> list[list[Detection]]:
    """Words that stand close together, as one sign each; the surest sign first."""
    groups: list[list[Detection]] = []
    for word in words:
        near = [group for group in groups if any(_close(word.box, other.box) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append([word, *(other for group in near for other in group)])
    return sorted(groups, key=lambda group: (-max(word.score for word in group), group[0].box))


def _close(a: Box, b: Box) -> bool:
    room = _NEAR * min(a.height, a.width, b.height, b.width) / 2
    common = a.grown(room, room, room, room).intersection(b.grown(room, room, room, room))
    return common.width > 0 and common.height > 0


def _around(boxes: Iterable[Box]) -> Box:
    """The box around all, with room for what the network leaves out."""
    first, *rest = boxes
    whole, height = first, first.height
    for box in rest:
        whole, height = whole.union(box), max(height, box.height)
    room = max(_ROOM * height, 2.0)
    return whole.grown(room, room, room, room)


def _same(sign: Region, overlay: Region) -> bool:
    """Whether a sign is an overlay that was also followed: most of the time it lies there.

    Between looks a follower is tempted to go with the scene, so it need not lie there always.
    """
    step = max((sign.last - sign.first) // 50, 1)
    places = [(sign.box_at(frame), overlay.box_at(frame)) for frame in range(sign.first, sign.last + 1, step)]
    there = sum(a is not None and b is not None and a.overlap(b) > 0.3 for a, b in places)
    return 2 * there > len(places)
