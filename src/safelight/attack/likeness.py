"""Likeness: can a recogniser tell who is hidden?

Two attacks with two recognisers. *Ordinary*: the face of the original against its place in the copy. *Same-obscured*:
the attacker obscures his references until they look like the copy and then compares. For that every candidate's face is
put into the very picture that the copy shows, matched in colour and light: what surrounds a face (hair, collar, wall)
is the same for all candidates, so only the face itself can decide. Candidates are the true person, from another moment
where there is one, the other people of the clip, and people who do not exist, made by bending faces of the clip.

Both are repeated with a control: the same pictures with a fill that certainly knows nothing. Only what is better than
chance *and* better than the control counts. No gallery is kept; nothing leaves but figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight import models
from safelight.attack.align import Bgr, Dlib, Face, Points5, Recogniser, SFace, chip
from safelight.attack.looks import BARE, INSIDE, LOOKS, Look, healed, laid_over, stranger, toned
from safelight.attack.odds import at_least, better, interval
from safelight.attack.pairs import picture_count
from safelight.attack.protocol import Attacker, Case, Notes, Pair
from safelight.attack.verdict import Evidence, Figure, Finding, Outcome
from safelight.geometry import Box

_MOMENTS = 24  # pictures in which faces are collected, spread evenly
_LOOKED_FOR = 4  # faces looked for in each, the largest first
_PER_PERSON = 6
_PROBES = 36
_PEOPLE = 24
_STAGES = (4, 8, 12)  # probes put before the recognisers, who go on only while something speaks for them
_GOES_ON = 0.4  # share of hits of the best way with which they do; pixels are compared for all probes
_CANDIDATES = 8  # the true person and seven others
_SIDE = 960  # longer side of the picture in which faces are found, pixels
_CROP = 320  # side of the enlarged part when the plan says where a face is
_SMALLEST = 16.0  # pixels of the original: smaller faces are recognised by nobody
_LINK = 0.3  # overlap of a face with the last one of the same person
_RARE = 0.01  # probability below which chance is no explanation
_FEW = 5  # people, below which statistics prove nothing
_UNLIKE = 0.01  # and below which the control is none


# Share of the copy that the true candidate explains, beyond what it explains of the control, from which no statistics
# are needed. Fills that know nothing stay below 0.04 in all clips seen, deface's blur reaches 0.20.
_EXPLAINED = 0.1

Embedding = Callable[[Bgr], NDArray[np.float32]]


@dataclass(frozen=True)
class _Probe:
    person: str
    frame: int
    size: float  # height of the face in the original, pixels
    original: Bgr
    copy: Bgr


@dataclass(frozen=True)
class _Trial:
    """One probe: who it shows, whether the true person came first in the copy and in the control, and which share of
    what sets either apart from the candidates' mean the true candidate explains (1 all of it, 0 or less nothing).
    """

    person: str
    hit: bool
    control: bool
    explained: float
    by_accident: float


class _Way:
    """One way to recognise, and how often the true person came first with it, in the copy and in the control.

    Several pictures of one person are one trial, not several: the same cover lies over the same face each time, so that
    an accident repeats itself. A person counts as recognised when more than half of the pictures are.
    """

    def __init__(self, name: str, look: Look) -> None:
        self.name = name
        self.look = look
        self.trials: list[_Trial] = []

    def rank(
        self, person: str, copy: NDArray[np.float32], control: NDArray[np.float32], known: list[NDArray[np.float32]]
    ) -> None:
        """One trial: what the copy shows, and what a fill that knows nothing shows, against all candidates, the true
        one first. A tie with another candidate is no hit.
        """
        seen, blind = _apart([copy, control], known)
        mean = np.mean(known, axis=0)
        explained, by_accident = (
            1 - float(np.square(face - known[0]).sum()) / max(float(np.square(face - mean).sum()), 1e-9)
            for face in (copy, control)
        )
        hit, accident = seen[0] > max(seen[1:]), blind[0] > max(blind[1:])
        self.trials.append(_Trial(person, hit, accident, explained, by_accident))

    @property
    def hits(self) -> int:
        """Probes recognised."""
        return sum(trial.hit for trial in self.trials)

    def people(self) -> tuple[int, int, int]:
        """People recognised in the copy, in the control, and how many there are."""
        by: defaultdict[str, list[_Trial]] = defaultdict(list)
        for trial in self.trials:
            by[trial.person].append(trial)
        half = [
            (2 * sum(t.hit for t in trials) > len(trials), 2 * sum(t.control for t in trials) > len(trials))
            for trials in by.values()
        ]
        return sum(hit for hit, _ in half), sum(control for _, control in half), len(half)

    def judge(self, figures: list[Figure], evidence: list[Evidence]) -> None:
        """Put the score into words, and into evidence where neither chance nor the control explains it."""
        known, control, people = self.people()
        low, high = interval(known, people)
        explained = float(np.mean([trial.explained for trial in self.trials]))
        by_accident = float(np.mean([trial.by_accident for trial in self.trials]))
        figures.append(
            Figure(
                name=f"recognised by {self.name}",
                value=100 * known / people,
                unit="% of people",
                meaning=f"{known} of {people} people, {self.hits} of {len(self.trials)} pictures; 95 % interval "
                f"{low:.1%} to {high:.1%}, chance {1 / _CANDIDATES:.1%}, control {control / people:.1%}. The true "
                f"candidate explains {explained:.0%} of the copy, {by_accident:.0%} of the control. "
                f"References obscured by {self.look}.",
            )
        )
        beats_chance = at_least(known, people, 1 / _CANDIDATES) < _RARE and better(known, control, people) < _UNLIKE
        plain_to_see = 2 * self.hits > len(self.trials) and explained > max(by_accident, 0) + _EXPLAINED
        if beats_chance or plain_to_see:
            evidence.append(
                Evidence(
                    what=f"{known} of {people} hidden people recognised by {self.name}; references obscured by "
                    f"{self.look}.",
                    score=explained,
                )
            )


class Likeness(Attacker):
    """Two recognisers, ordinary and with references obscured the same way."""

    name = "likeness"
    title = "Likeness"
    question = "Can a hidden person be recognised from what was put in the face's place?"
    tries = (
        "Ordinary recognition: each hidden face of the original against its place in the copy (SFace; dlib's network).",
        "Same-obscured recognition: candidates put into the same picture, obscured like the copy by blur, mosaic or "
        "solid colour of many strengths, the best match chosen; then SFace, dlib's network and plain pixels compare.",
        "The same with a fill that knows nothing, as a control: only what beats chance and control counts.",
    )

    def __init__(self, case: Case, notes: Notes) -> None:
        super().__init__(case, notes)
        self._points = Points5()
        models.require("attack")  # the recognisers themselves are loaded last, when other networks have left the memory
        self._step = max((picture_count(case.facts) or _MOMENTS) // _MOMENTS, 1)
        self._probes: defaultdict[str, list[_Probe]] = defaultdict(list)
        self._last: dict[str, Box] = {}
        self._shown = 0

    def watch(self, pair: Pair) -> None:
        """Collect faces of the original that are hidden in the copy."""
        enough = sum(map(len, self._probes.values())) >= _PROBES
        if pair.original is None or pair.index % self._step or enough:
            return
        for person, face in self._faces(pair):
            probes = self._probes[person]
            if len(probes) >= _PER_PERSON:
                continue
            sx, sy = pair.copy.size[0] / pair.original.size[0], pair.copy.size[1] / pair.original.size[1]
            points = np.asarray(face.points * (sx, sy), np.float32)
            original, copy = chip(pair.original.full(), face.points), chip(pair.copy.full(), points)
            if not _changed(original, copy):
                self._shown += 1
            else:
                probes.append(_Probe(person, pair.index, face.box.height, original, copy))

    def finding(self) -> Finding:
        """Held when nobody is recognised more often than chance and control would."""
        if self.case.original is None:
            return self.answer(
                Outcome.NOT_ASKED,
                "Without the original there are no references to compare with.",
                not_tried=["Recognising the hidden people: that needs the original."],
            )
        people = {person: probes for person, probes in self._probes.items() if probes}
        probes = [probe for group in people.values() for probe in group]
        if not probes and self._shown:
            return self.answer(Outcome.NOT_ASKED, "Every face that was looked at is shown in the copy, not hidden.")
        if not probes:
            return self.answer(
                Outcome.HELD,
                "No hidden face of the original is large and clear enough for a recogniser.",
                figures=[Figure(name="hidden faces collected", value=0)],
            )
        look = self._best_look(probes, people)
        figures = [
            Figure(
                name="hidden people", value=len(people), meaning="As far as a face could be made out in the original."
            ),
            Figure(name="hidden faces collected", value=len(probes)),
            Figure(name="candidates for each", value=_CANDIDATES, meaning=f"Chance is 1 in {_CANDIDATES}."),
        ]
        evidence: list[Evidence] = []
        pixels = _Way("pixel by pixel, same-obscured", look)
        for probe in probes:
            _rank([pixels], _flat, probe, self._gallery(probe, people))
        ways = [pixels, *self._recognised(_spread(probes), people, look)]
        for way in ways:
            way.judge(figures, evidence)
        not_tried = ["Networks trained on copies of this very kind, and people who know the hidden person."]
        if len(people) == 1:
            not_tried.append("Only one person could be made out, so all other candidates were made up.")
        if len(people) < _FEW:
            not_tried.append("With so few people only a near identity can be told from an accident.")
        if evidence:
            return self.answer(
                Outcome.BROKEN, evidence[0].what, figures=figures, evidence=evidence, not_tried=not_tried
            )
        return self.answer(
            Outcome.HELD, "Nobody was recognised more often than by chance.", figures=figures, not_tried=not_tried
        )

    # ----------------------------------------------------------------------------------------------------------------

    def _recognised(self, probes: list[_Probe], people: dict[str, list[_Probe]], look: Look) -> list[_Way]:
        """Both recognisers, ordinary and same-obscured. They stop early where nothing speaks for them, which can only
        make the attacker weaker, never accuse.
        """
        recognisers: tuple[Recogniser, ...] = (SFace(), Dlib())
        ways = {r: [_Way(f"{r.name}, ordinary", BARE), _Way(f"{r.name}, same-obscured", look)] for r in recognisers}
        every = [way for both in ways.values() for way in both]
        done = 0
        for stage in _STAGES:
            for probe in probes[done:stage]:
                gallery = self._gallery(probe, people)
                for recogniser, both in ways.items():
                    _rank(both, recogniser.embed, probe, gallery)
            done = min(stage, len(probes))
            if all(way.hits < _GOES_ON * len(way.trials) for way in every):
                break
        return every

    def _faces(self, pair: Pair) -> list[tuple[str, Face]]:
        """People whose faces are hidden at this moment, with their faces in pixels of the original."""
        assert pair.original is not None
        if self.case.plan is not None:
            return self._planned(pair)
        width, height = pair.original.size
        picture = pair.original.within(_SIDE)
        factor = width / picture.shape[1]
        found = []
        for face in self._points.find(picture, 0.7):
            face = Face(face.score, np.asarray(face.points * factor, np.float32))
            if face.box.height >= _SMALLEST and face.box.clipped(width, height).area > 0.7 * face.box.area:
                found.append((self._person(face.box), face))
        return found

    def _person(self, box: Box) -> str:
        """The person last seen there, or a new one."""
        best = max(self._last, key=lambda name: self._last[name].overlap(box), default=None)
        if best is None or self._last[best].overlap(box) < _LINK:
            best = f"person {len(self._last) + 1}"
        self._last[best] = box
        return best

    def _planned(self, pair: Pair) -> list[tuple[str, Face]]:
        assert self.case.plan is not None
        assert pair.original is not None
        found = []
        covers = [(region, box) for region, box in self.case.plan.covers(pair.original_index)]
        covers = [(region, box) for region, box in covers if len(self._probes[region.id]) < _PER_PERSON]
        # whoever was met least often comes first, among equals the one shown largest
        covers.sort(key=lambda item: (len(self._probes[item[0].id]), -item[1].area))
        for region, box in covers[:_LOOKED_FOR]:
            face = self._face_in(pair, box)
            if face is not None:
                found.append((region.id, face))
        return found

    def _face_in(self, pair: Pair, box: Box) -> Face | None:
        """The face under a region, looked for in an enlarged part of the original."""
        assert pair.original is not None
        factor = _CROP / (max(box.width, box.height) * 1.2)
        left, top = box.centre[0] - _CROP / factor / 2, box.centre[1] - _CROP / factor / 2
        move = np.array([[factor, 0, -left * factor], [0, factor, -top * factor]])
        # one size of picture for all faces: for each size the network is made ready anew
        crop = cv2.warpAffine(pair.original.full(), move, (_CROP, _CROP), flags=cv2.INTER_LINEAR)
        for face in self._points.find(np.asarray(crop, np.uint8), 0.7)[:1]:
            found = Face(face.score, np.asarray(face.points / factor + (left, top), np.float32))
            return found if found.box.height >= _SMALLEST else None
        return None

    def _best_look(self, probes: list[_Probe], people: dict[str, list[_Probe]]) -> Look:
        """The look that brings the candidates nearest to the copy, whoever they are: all count the same, so the choice
        does not favour the true one.
        """
        some = [(probe, self._gallery(probe, people)[::3]) for probe in probes[:: max(len(probes) // 8, 1)]]

        def distance(look: Look) -> float:
            return float(np.mean([_distance(look(face), probe.copy) for probe, faces in some for face in faces]))

        return min(LOOKS, key=distance)

    def _gallery(self, probe: _Probe, people: dict[str, list[_Probe]]) -> list[Bgr]:
        """Candidates in the probe's own picture, the true one first."""
        others = [other for other in people[probe.person] if other.frame != probe.frame]
        mine = min(others, key=lambda other: abs(other.frame - probe.frame), default=probe)
        faces = [mine.original]
        strange = [name for name in people if name != probe.person][: _CANDIDATES - 1]
        faces += [people[name][probe.frame % len(people[name])].original for name in strange]
        number = 0
        while len(faces) < _CANDIDATES:
            faces.append(stranger(faces[number % (len(strange) + 1)], number))
            number += 1
        return [laid_over(toned(face, probe.original), probe.original) for face in faces]


def _changed(original: Bgr, copy: Bgr) -> bool:
    """Whether the face is hidden in the copy at all; a shown one is for the face attacker."""
    return float(np.abs(original[INSIDE].astype(np.float32) - copy[INSIDE]).mean()) > 3.0


def _distance(a: Bgr, b: Bgr) -> float:
    return float(np.square(a[INSIDE].astype(np.float32) - b[INSIDE]).mean())


def _rank(ways: list[_Way], embed: Embedding, probe: _Probe, gallery: list[Bgr]) -> None:
    """One trial for ways that see with the same eyes."""
    copy, control = embed(probe.copy), embed(healed(probe.original))
    for way in ways:
        way.rank(probe.person, copy, control, [embed(way.look(face)) for face in gallery])


def _spread(probes: list[_Probe]) -> list[_Probe]:
    """The probes in an order in which different people come first, each with the largest face first."""
    met: dict[str, int] = {}
    order = []
    for probe in sorted(probes, key=lambda probe: -probe.size):
        met[probe.person] = met.get(probe.person, 0) + 1
        order.append((met[probe.person], probe))
    return [probe for _, probe in sorted(order, key=lambda item: item[0])]


def _flat(face: Bgr) -> NDArray[np.float32]:
    return face[INSIDE].astype(np.float32).reshape(-1)


def _apart(seen: list[NDArray[np.float32]], known: list[NDArray[np.float32]]) -> list[list[float]]:
    """Cosines of what sets each seen face and each candidate apart from the candidates' mean.

    Without the mean, what all candidates share (the light, the surroundings, the blur itself) would count, and a face
    without any features would look most like the most ordinary candidate.
    """
    mean = np.mean(known, axis=0)
    others = [_direction(candidate - mean) for candidate in known]
    return [[float(_direction(face - mean) @ other) for other in others] for face in seen]


def _direction(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-9), np.float32)
