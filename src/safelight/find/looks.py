"""The looks that are planned ahead: which finder sees which picture, at which size, whatever the tracks say.

A light face finder looks at every few pictures, a strong one on a slow beat and where a shot begins, a person finder on
a beat of its own, twice as slow while everybody it saw shows a sure face. None of it depends on tracks, so it runs in
threads of its own before they are made; and none of it depends on time measured, so the same clip gives the same looks.

Where it is hard to see anybody the cleared picture is looked at as well (:mod:`safelight.find.clear`). Films that lie
on their side or stand on their head are looked at turned upright (:mod:`safelight.find.upright`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from safelight.find.clear import Clearing
from safelight.find.cuts import Glance
from safelight.find.detect import Detection, Finder, PeopleFinder
from safelight.find.head import Sighting, sightings, turned_back
from safelight.find.upright import Upright
from safelight.find.view import View, in_tiles, piece, scaled
from safelight.geometry import Raster

GLANCE = 0.24  # megapixels of an ordinary look: large and middling faces are seen best here, and it is cheap
_USUAL_RATE = 25.0  # pictures a second for which the beat of the person finder is given: people walk in seconds
_FRESH = 3  # pictures of a new shot that the person finder looks at, all of them
_PERSON = 0.4  # score of a sighting from which it keeps the person finder busy
_TILT = 40.0  # degrees: finders see faces that lean by 20 or so as they are
_SURE = 0.5  # score of a leaning face that is believed
_LARGE = 0.3  # part of the picture's width from which it must be surer: a wrong one would hide much
_SAME = 0.2  # overlap of one face as two looks see it
_LARGE_IN_WHOLE = 128.0  # pixels: a face of that size in the whole picture, brought to `GLANCE`, needs no tiles
_CLEAR_FACE, _CLEAR_BODY = 0.45, 0.25  # least scores in a cleared picture: clearing makes shapes out of nothing as well
_FACES_SURE, _PEOPLE_SURE = 0.7, 0.5  # scores in a turned picture that say which way is up
_NEVER = 10**9  # pictures


@dataclass(frozen=True)
class Effort:
    """How hard to look. ``period``: pictures between two looks of the light finder. ``people``: pictures
    between two of the person finder. ``beat``: seconds between two of the strong one. ``pixels``: largest
    picture looked at, megapixels, on every ``closely``-th look of the light finder; the others see `GLANCE`.
    ``enlarge``: a picture of about `GLANCE` is enlarged by this instead. ``spare``: megapixels a picture that may be
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


@dataclass(frozen=True)
class Finders:
    """Who looks. ``light`` looks for faces often, ``strong`` (None: not at all) seldom and closely, ``people`` (None:
    not at all) for people as a whole, ``text`` (None: not at all) for words.
    """

    light: Finder
    strong: Finder | None = None
    people: PeopleFinder | None = None
    text: Finder | None = None


@dataclass
class Looked:
    """A picture and what the planned looks saw in it. ``due``: the light finder looked. ``asked``: the person finder
    did. ``seen``: all they saw, in the shown picture's pixels. ``clear``: the picture cleared, if it was looked at so.
    ``turn``: clockwise quarters by which a film that lies on its side is upright; ``turned``: what was seen in pictures
    turned so, in their own pixels. What is put off (:meth:`Looks.later`): ``tiles``, the size at which the light
    finder is to look in tiles, and ``tilts``, by which the picture is to be turned for it.
    """

    glance: Glance
    view: View
    due: bool = False
    asked: bool = False
    seen: list[Detection] = field(default_factory=list)
    tiles: tuple[int, int] | None = None
    tilts: tuple[float, ...] = ()
    clear: View | None = None
    turn: int = 0
    turned: dict[int, list[Detection]] = field(default_factory=dict)

    def heads(self, width: int, height: int) -> list[Sighting]:
        """One sighting a head. ``width``, ``height``: shown picture."""
        found = sightings(self.seen, height)
        for turn, seen in self.turned.items():
            raster = Raster(width, height, turn=turn)
            found += [turned_back(s, raster) for s in sightings(seen, raster.shown_size[1])]
        return found


class Looks:
    """Plans the looks at one clip. ``width``, ``height``: shown picture; ``rate``: pictures a second.

    :meth:`faces`, :meth:`later` and :meth:`people` each go through the clip once, in this order, side by side: a thread
    that has more to do than the others makes them wait.
    """

    def __init__(self, width: int, height: int, rate: float, effort: Effort, finders: Finders) -> None:
        self._size = width, height
        self._effort = effort
        self._finders = finders
        self._beat = max(round(effort.beat * max(round(rate), 2)), 1)
        self.people_period = max(round(effort.people * rate / _USUAL_RATE), 2)

    def first(self) -> list[tuple[Finder, tuple[int, int]]]:
        """What the finders are given of a clip's first picture: sizes (width, height), in the order of need."""
        light, strong, people = self._finders.light, self._finders.strong, self._finders.people
        small = scaled(self._size, self.within(GLANCE))
        given = [(light, small), (light, piece(scaled(self._size, self._scale(0, first=True))))]
        given += [] if strong is None else [(strong, small)]
        given += [] if people is None else [(people, people.fitted(*self._size))]
        # and turned by a quarter, since nobody knows yet which way up the film is
        given.append((light, small[::-1]))
        given += [] if people is None else [(people, people.fitted(*self._size[::-1]))]
        return given

    def faces(self, glances: Iterable[Glance]) -> Iterator[Looked]:
        """Let the face finders look where they are due, but for the looks that are put off."""
        strong = self._finders.strong
        since_light = since_strong = _NEVER
        looks = beats = 0
        clearing, upright = Clearing(), Upright(_FACES_SURE)
        for glance in glances:
            item = Looked(glance, View(glance.picture, *self._size))
            since_light, since_strong = since_light + 1, since_strong + 1
            first = glance.cut or glance.picture.index == 0
            beat = first or since_strong >= self._beat
            closely = strong is not None and beat
            clearing.step(glance)
            if beat:
                clearing.measure(glance)
            item.due = first or glance.last or closely or since_light >= self._effort.period
            if item.due:
                if clearing.hard:
                    size = item.view.scaled(self.within(GLANCE))
                    vague = clearing.vague * max(self._size)
                    item.clear = View(clearing.clear(glance, item.view.at(size)), *self._size, vague=vague)
                    item.seen += _better(item.clear.seen(self._finders.light, size), _CLEAR_FACE)
                size = item.view.scaled(self._scale(looks, first))
                item.tiles = size if in_tiles(size) else None
                whole = size if item.tiles is None else item.view.scaled(self.within(GLANCE))
                item.seen += item.view.seen(self._finders.light, whole)
                looks += 1
                since_light = 0
            if closely and strong is not None:
                item.seen += item.view.seen(strong, item.view.scaled(self.within(GLANCE)))
                if item.clear is not None:
                    item.seen += item.clear.seen(strong, item.clear.scaled(self.within(GLANCE)))
                item.tilts = (_TILT, -_TILT) if first else (_TILT * (-1) ** beats,)
                beats += 1
            if beat:
                since_strong = 0
            if item.due:
                upright.saw(0, item.seen)
                self._turned(item, self._finders.light, upright, beat, lambda v: v.scaled(self.within(GLANCE)))
                item.turn = upright.turn
            yield item

    def _turned(
        self, item: Looked, finder: Finder, upright: Upright, beat: bool, size: Callable[[View], tuple[int, int]]
    ) -> None:
        """Let a finder look at the picture turned as the film lies, and on a beat find out how that is."""
        held = (upright.turn,) if upright.turn else (item.turn,) if item.turn else ()
        for turn in held or (upright.ways() if beat else ()):
            view = (item.clear if item.clear is not None else item.view).turned(turn)
            found = view.seen(finder, size(view))
            upright.saw(turn, found)
            sure = [d for d in found if held or d.score >= _SURE]
            item.turned[turn] = item.turned.get(turn, []) + sure
        if beat:
            upright.settle()

    def later(self, looked: Iterable[Looked]) -> Iterator[Looked]:
        """Let the light finder have the looks that were put off."""
        for item in looked:
            if item.tiles is not None:
                found = item.view.seen(self._finders.light, item.tiles)
                item.seen = [face for face in found if self._fits_tiles(face, item.seen)] + item.seen
            item.seen += self._askew(item, item.tilts)
            yield item

    def _fits_tiles(self, face: Detection, seen: list[Detection]) -> bool:
        """Whether a face seen in tiles counts: an unsure large one is nobody's, or is seen in the whole picture too."""
        large = max(face.box.width, face.box.height) * self.within(GLANCE) > _LARGE_IN_WHOLE
        return not large or face.score >= _SURE or any(face.box.overlap(other.box) > _SAME for other in seen)

    def _askew(self, item: Looked, tilts: tuple[float, ...]) -> list[Detection]:
        """Sure faces that the light finder sees in the turned picture only: cameras in clothes seldom hang straight."""
        found: list[Detection] = []
        for tilt in tilts:
            for face in item.view.leaning(self._finders.light, item.view.scaled(self.within(GLANCE)), tilt):
                upright = any(face.box.overlap(other.box) > _SAME for other in item.seen)
                large = max(face.box.width / self._size[0] - _LARGE, 0.0)
                if face.score >= _SURE + large and not upright:
                    found.append(face)
        return found

    def people(self, looked: Iterable[Looked]) -> Iterator[Looked]:
        """Let the person finder look where it is due."""
        finder = self._finders.people
        since, age, pause, since_beat = _NEVER, 0, 0, _NEVER
        faces: list[Detection] = []
        upright = Upright(_PEOPLE_SURE)
        for item in looked:
            since, since_beat = since + 1, since_beat + 1
            age = 1 if item.glance.cut else age + 1
            if item.due:
                faces = list(item.seen)
            if finder is not None and (age <= _FRESH or item.glance.last or since >= pause):
                size = finder.fitted(*self._size)
                found = item.view.seen(finder, size)
                if item.clear is not None:
                    found += _better(item.clear.seen(finder, size), _CLEAR_BODY)
                pause = self.people_period * (2 if self._all_sure(faces + found) else 1)
                item.seen += found
                item.asked = True
                since = 0
                turn = since_beat >= self._beat
                upright.saw(0, found + [face for face in faces if face.score >= _FACES_SURE])
                self._turned(item, finder, upright, turn, lambda v: finder.fitted(*v.size))
                since_beat = 0 if turn else since_beat
            yield item

    def _all_sure(self, seen: list[Detection]) -> bool:
        """Whether there are people, and each of them shows a face that says where the head is."""
        people = [s for s in sightings(seen, self._size[1]) if s.body is not None and s.score >= _PERSON]
        return bool(people) and all(person.exact for person in people)

    def within(self, megapixels: float) -> float:
        """Scale that brings the picture to that many megapixels; never enlarges."""
        return min(1.0, math.sqrt(megapixels / self.megapixels(1.0)))

    def megapixels(self, scale: float) -> float:
        """Megapixels of the picture times ``scale``."""
        return self._size[0] * self._size[1] * scale * scale / 1e6

    def _scale(self, looks: int, first: bool) -> float:
        """Scale of the light finder's next look, after so many.

        Small faces are seen in large pictures only, but large faces best in small ones, and tracks of small faces are
        kept by closer looks. So a large picture is looked at where a shot begins and now and then.
        """
        turn = looks % self._effort.closely
        if self.megapixels(1.0) <= 2 * GLANCE:
            return self._effort.enlarge if turn == 1 % self._effort.closely else 1.0
        return self.within(self._effort.pixels if first or turn == 0 else GLANCE)


def _better(found: list[Detection], score: float) -> list[Detection]:
    return [d for d in found if d.score >= score]
