"""Mirrors: places where somebody is seen a second time, turned round, so that a person may look there.

Heads that the finders see in a mirror are hidden like any others. But where one reflection shows, more can show a
moment later, too dim or too small to be found. So two heads whose pictures are each other's mirror images, look after
look, and a head whose picture stands upside down below it, as on a shiny table, give a proposal over the area of the
mirror. Nobody is recognised: only heads in one picture are compared, and nothing is kept of them but the likeness.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.find.cuts import Glance
from safelight.find.track import Track
from safelight.geometry import Box
from safelight.plan import Decision, How, Keyframe, Kind, Region, Shape, Stretch

_SECONDS = 0.4  # between two comparisons
_SIDE = 32  # pixels a head is brought to
_INNER = 22  # of which so many, in the middle, are searched for in the other
_LEAST = 20.0  # width of a head in the luma from which its picture says something
_MOST = 8  # heads compared in one picture
_ALIKE = 0.8  # mean likeness of mirror images; of two people, measured: below 0.6
_PLAIN = 0.7  # likeness from which a look says where the image is
_GOOD = 2  # good looks at the face of whoever stands before the mirror
_LOOKS = 4  # comparisons that must agree
_FAR = 0.2  # area of the smaller head, part of that of the larger
_BELOW = 3.5  # how far below a head its image on a table is looked for, in heads
_AROUND = 0.7  # how far a mirror reaches beyond where the image in it was seen, in heads
_STILL = 0.3  # motion, in heads, below which it says nothing
_SAME_WAY = 0.3  # correlation of sideways motions above which two heads are two people


@dataclass
class Pair:
    """What speaks for two heads, or a head and a place below it, being one; sums over all comparisons."""

    first: int
    last: int = 0
    looks: int = 0
    likeness: float = 0.0
    motion: tuple[float, float, float] = (0.0, 0.0, 0.0)  # sideways: of one squared, of the other, of both multiplied
    areas: list[Box | None] = field(default_factory=lambda: [None, None])  # where each was while they were alike
    sizes: list[float] = field(default_factory=lambda: [0.0, 0.0])  # their largest sides
    clear: list[float] = field(default_factory=lambda: [0.0, 0.0])  # size times contrast

    def mirror(self) -> bool:
        """Whether it is a mirror image, by all comparisons."""
        if self.looks < _LOOKS or self.likeness < _ALIKE * self.looks:
            return False
        one, other, both = self.motion
        return min(one, other) < _STILL**2 or both < _SAME_WAY * math.sqrt(one * other)

    def area(self) -> Box:
        """The area of the mirror: round about where the image was seen, which is the less clear of the two."""
        image = int(self.clear[1] < self.clear[0])
        whole, more = self.areas[image], _AROUND * self.sizes[image]
        return whole.grown(more, more, more, more) if whole is not None else Box(0.0, 0.0, 0.0, 0.0)


class Mirrors:
    """Compares the heads of one clip. ``width``, ``height``: shown picture; ``scale``: luma pixels per shown pixel."""

    def __init__(self, width: int, height: int, scale: float, rate: float) -> None:
        self._picture = Box(0.0, 0.0, float(width), float(height))
        self._scale = scale
        self._period = max(round(_SECONDS * rate), 1)
        self._next = 0
        self._pairs: dict[tuple[int, int], Pair] = {}  # numbers of two tracks; the second is 0 for the place below
        self._places: dict[int, float] = {}  # where tracks were at the last comparison, the camera's motion taken out
        self._camera = 0.0

    def step(self, glance: Glance, tracks: Iterable[Track]) -> None:
        """Compare what is seen in the next picture. Give every picture once, in order, with its live tracks."""
        self._camera = 0.0 if glance.cut else self._camera + glance.shift[0] / self._scale
        frame = glance.picture.index
        if frame < self._next:
            return
        self._next = frame + self._period
        seen = [t for t in tracks if t.believed and not t.lost and t.seen > frame - self._period]
        seen = sorted((t for t in seen if t.box.width * self._scale >= _LEAST), key=lambda t: -t.box.area)[:_MOST]
        heads = [(t, _picture(glance.luma, t.box.scaled(self._scale, self._scale))) for t in seen]
        places = {t.number: (t.box.centre[0] - self._camera) / t.box.width for t in seen}
        moved = {n: place - self._places[n] for n, place in places.items() if n in self._places}
        for place, (track, head) in enumerate(heads):
            if track.good < _GOOD:
                continue
            self._below(glance, track, head)
            for other, picture in heads[place + 1 :]:
                apart = track.box.intersection(other.box).area <= 0
                if apart and other.face and other.box.area > _FAR * track.box.area:
                    score = _likeness(picture[:, ::-1], head)
                    move = moved.get(track.number, 0.0), moved.get(other.number, 0.0)
                    both = sorted(((track.number, track.box, head), (other.number, other.box, picture)), key=_number)
                    if both[0][0] != track.number:
                        move = move[::-1]
                    self._note(both, frame, score, move)
        self._places = places

    def _below(self, glance: Glance, track: Track, head: NDArray[np.uint8]) -> None:
        """Look for the head upside down below it."""
        box = track.box
        place = Box(box.x1 - 0.3 * box.width, box.y2, box.x2 + 0.3 * box.width, box.y2 + _BELOW * box.height)
        place = place.intersection(self._picture)
        if place.height < 0.8 * box.height or place.width < 0.8 * box.width:
            return
        luma = _part(glance.luma, place.scaled(self._scale, self._scale))
        size = round(_SIDE * place.width / box.width), round(_SIDE * place.height / box.height)
        luma = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
        score, (x, y) = _found(luma, head[::-1])
        left, top = place.x1 + x * box.width / _SIDE, place.y1 + y * box.height / _SIDE
        image = Box(left, top, left + box.width, top + box.height)
        self._note([(track.number, box, head), (0, image, head // 2)], glance.picture.index, score, (0.0, 0.0))

    def _note(
        self, both: list[tuple[int, Box, NDArray[np.uint8]]], frame: int, score: float, move: tuple[float, float]
    ) -> None:
        pair = self._pairs.setdefault((both[0][0], both[1][0]), Pair(frame))
        pair.last = frame
        pair.looks += 1
        pair.likeness += score
        more = move[0] ** 2, move[1] ** 2, move[0] * move[1]
        pair.motion = pair.motion[0] + more[0], pair.motion[1] + more[1], pair.motion[2] + more[2]
        for place, (_, box, picture) in enumerate(both):
            pair.clear[place] += box.area * float(picture.std())
            if score >= _PLAIN:
                known = pair.areas[place]
                pair.areas[place] = box if known is None else known.union(box)
                pair.sizes[place] = max(pair.sizes[place], box.width, box.height)

    def regions(self, pts: array[int]) -> list[Region]:
        """A proposal for every mirror. ``pts``: of every frame."""
        found = [(key, pair) for key, pair in sorted(self._pairs.items()) if pair.mirror()]
        return [self._region(number, *one, pts) for number, one in enumerate(found, 1)]

    def _region(self, number: int, key: tuple[int, int], pair: Pair, pts: array[int]) -> Region:
        first, last = max(pair.first - self._period, 0), min(pair.last + self._period, len(pts) - 1)
        box = pair.area().intersection(self._picture)
        how = "upside down, as on a shiny surface" if key[1] == 0 else "the other way round, as in a mirror or a window"
        score = max(min(pair.likeness / pair.looks, 1.0), 0.0)
        return Region(
            id=f"mirror-{number}",
            kind=Kind.FREE,
            shape=Shape.BOX,
            decision=Decision.PROPOSE,
            reason=f"Somebody seems to be seen here a second time, {how}. Look whether more shows in it.",
            score=score,
            keyframes=[Keyframe.of(frame, pts[frame], box) for frame in sorted({first, last})],
            stretches=[Stretch(first=first, last=last, how=How.HELD, finder="mirror", score=score)],
        )


def _number(one: tuple[int, Box, NDArray[np.uint8]]) -> int:
    return one[0]


def _part(luma: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    height, width = luma.shape
    x1, y1 = min(max(round(box.x1), 0), width - 1), min(max(round(box.y1), 0), height - 1)
    return luma[y1 : max(round(box.y2), y1 + 1), x1 : max(round(box.x2), x1 + 1)]


def _picture(luma: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """A head's picture, _SIDE pixels square."""
    return np.asarray(cv2.resize(_part(luma, box), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _found(luma: NDArray[np.uint8], head: NDArray[np.uint8]) -> tuple[float, tuple[float, float]]:
    """Where in a picture the middle of a head is seen, corner of the head, and how well (correlation, -1 to 1)."""
    rim = (_SIDE - _INNER) // 2
    inner = np.ascontiguousarray(head[rim:-rim, rim:-rim])
    if min(luma.shape) < inner.shape[0] or float(inner.std()) < 4.0:
        return 0.0, (0.0, 0.0)
    match = cv2.matchTemplate(luma, inner, cv2.TM_CCOEFF_NORMED)
    match[~np.isfinite(match)] = 0.0
    row, column = (int(v) for v in np.unravel_index(int(np.argmax(match)), match.shape))
    return float(match[row, column]), (float(column - rim), float(row - rim))


def _likeness(picture: NDArray[np.uint8], head: NDArray[np.uint8]) -> float:
    return _found(np.ascontiguousarray(picture), head)[0]
