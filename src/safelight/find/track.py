"""Joining sightings of one head into a track, picture by picture, and following it where no finder sees it.

Two-level association as in ByteTrack (arXiv 2110.06864): sure sightings first, unsure ones rescue what is
left. Between sightings and after the last a track follows the picture (:mod:`safelight.find.follow`); once
a track is believed it is followed back before its first sighting as well. A track that nothing supports is
dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from safelight.find.follow import GOOD, POOR, Follower, Memory, Trace
from safelight.find.head import Sighting, fits, overlaps, same_head
from safelight.find.path import Path, Spot
from safelight.find.person import NEVER, Person
from safelight.geometry import Box
from safelight.plan import How, Kind

SURE = 0.5  # a sighting that is associated first
BELIEVED = 0.6  # a single sighting of a small head that makes a track on its own
_LEAST = 0.25  # a sighting below it continues tracks but begins none
_BODY_REACH = 0.35  # a body's head is found less exactly than a face's: so much farther off it may be, in heads
_COVERED = 0.6  # overlap from which a head that is followed covers one that was seen unsurely
_TWICE = 3  # looks in which two tracks are on one head before one of them ends
_SURELY = 3  # good looks from which a head is a head: no hand of another, and one of whom there may be hands
_FAR_BACK = 5  # times as long as one is held: no farther a head reaches back that was surely seen once
_TRICKLE = 5  # frames between two sightings in which little goes wrong
_MOST_GROWN = 0.5  # a held box grows by at most this part of its size on each side


@dataclass(frozen=True)
class Patience:
    """How long a track goes on, in frames: unseen, held in place, and unseen without being believed."""

    unseen: int
    held: int
    doubted: int


@dataclass
class Track:
    """One head through time: a spot for every frame from its first to its last."""

    number: int
    spots: Path
    follower: Follower
    born: int  # frame of the first sighting
    seen: int  # frame of the last sighting
    best: float
    kinds: set[Kind]
    finders: set[str]
    total: float  # sum of all sightings' scores
    good: int  # sightings that would each be believed alone
    sightings: int = 1
    lost: int = 0  # frames since the follower last recognised the head
    believed: bool = False
    shot: int = 0  # how many cuts came before it was born
    beside: int = -NEVER  # frame until which it and a head that it overlaps are known to be two
    tilt: float = 0.0  # degrees by which pictures are turned to see its face upright
    doubled: int = 0  # looks in a row in which a better track was on the same head
    person: Person = field(default_factory=Person)

    @property
    def first(self) -> int:
        """First frame."""
        return self.spots[0].frame

    @property
    def last(self) -> int:
        """Last frame."""
        return self.spots[-1].frame

    @property
    def box(self) -> Box:
        """The box in the last frame."""
        return self.spots[-1].box

    def at(self, frame: int) -> Spot | None:
        """The spot at a frame, if the track covers it."""
        place = frame - self.first
        return self.spots[place] if 0 <= place < len(self.spots) else None

    def known(self, frame: int) -> Spot:
        """The spot at a frame that the track covers."""
        return self.spots[frame - self.first]

    @property
    def face(self) -> bool:
        """Whether a face was ever seen on it."""
        return Kind.FACE in self.kinds

    def supported(self, part: float) -> bool:
        """Whether enough speaks for a head: one good look, two finders, or several weak looks.

        ``part``: the head's width as a part of the picture's; the larger, the more weak looks it takes, up to a limit
        where they show both a face and its body.
        """
        if self.good or (self.person.body >= 0 and self.best >= BELIEVED):
            return True
        if not self.face:
            return self.sightings >= 2 and self.total >= 1.1
        more = 6.0 * max(part - 0.08, 0.0)
        if self.person.body >= 0:  # what is nobody hardly ever looks like a face and like its body
            more = min(more, 1.0)
        if len(self.finders) > 1 and self.total >= 0.7 + more:
            return True
        return self.sightings >= 3 and self.total >= 1.1 + more


def enough(part: float) -> float:
    """The score that makes a track on its own, for a head of that part of the picture's width.

    A finder that sees a large head at all is usually sure of it, and a wrong one would hide much.
    """
    return BELIEVED + 0.35 * min(max(part - 0.15, 0.0), 0.5)


class Tracker:
    """Joins sightings into tracks. Feed every picture once, in order, then :meth:`finish`.

    ``width``, ``height``: shown picture. ``scale``: luma pixels per shown pixel.
    """

    def __init__(self, width: int, height: int, scale: float, patience: Patience) -> None:
        self._picture = Box(0.0, 0.0, float(width), float(height))
        self._scale = scale
        self._patience = patience
        self._memory = Memory(patience.unseen)
        self._number = self._shot = 0
        self.live: list[Track] = []
        self.done: list[Track] = []

    def step(self, trace: Trace) -> None:
        """Go on to the next picture: every live track is followed into it or ends."""
        self._memory.add(trace)
        self._shot += trace.cut
        staying = []
        for track in self.live:
            if self._go_on(track, trace):
                staying.append(track)
            else:
                self._close(track)
        self.live = staying
        self._memory.forget(self._needed(trace.frame))

    def see(self, found: list[Sighting]) -> None:
        """Join what finders saw in the picture of the last step."""
        trace = self._memory.latest
        found = self._first_looks(found, trace.frame)
        taken: set[int] = set()
        for sure in (True, False):
            tier = [s for s in found if (s.score >= SURE) is sure]
            for track, sighting in _pairs([t for t in self.live if t.seen < trace.frame], tier):
                self._join(track, sighting, trace)
                taken.add(id(sighting))
        seen = [track.box for track in self.live if track.seen == trace.frame]
        covering = [track.box for track in self.live if track.believed and not track.lost and track.seen < trace.frame]
        for sighting in found:
            if id(sighting) in taken or (seen and same_head(np.array(seen), sighting.box).any()):
                continue  # joined, or a second look at a head that is
            if not sighting.exact and any(box.overlap(sighting.box) > _COVERED for box in covering):
                continue  # covered; when that track ends, the next look begins another
            if sighting.score < _LEAST:
                continue
            self._number += 1
            spot = Spot(trace.frame, sighting.box, How.FOUND, sighting.finder, sighting.score)
            track = Track(
                self._number,
                Path([spot]),
                Follower(trace.luma, self._small(sighting.box)),
                trace.frame,
                trace.frame,
                sighting.score,
                {sighting.kind},
                set(sighting.finders),
                sighting.score,
                int(self._good(sighting)),
                shot=self._shot,
                tilt=sighting.tilt,
            )
            self._note(track, sighting, trace.frame)
            self.live.append(track)
            seen.append(sighting.box)
        for track in self.live:
            if not track.believed and track.supported(track.box.width / self._picture.width):
                track.believed = True
                self._follow_back(track)
        self._end_doubles(trace.frame)

    def _first_looks(self, found: list[Sighting], frame: int) -> list[Sighting]:
        """The sightings without second looks, closer ones perhaps, at heads that were seen in this picture already."""
        seen, others = ([t.box for t in self.live if (t.seen == frame) is now] for now in (True, False))
        if not seen:
            return found

        def nearest(boxes: list[Box], sighting: Sighting) -> float:
            return max((box.overlap(sighting.box) for box in boxes), default=0.0)

        return [s for s in found if not same_head(np.array(seen), s.box).any() or nearest(others, s) > nearest(seen, s)]

    def _in_another(self, own: Track, frame: int) -> bool:
        """Whether a head lies in the body of another person, whose head is surely known and elsewhere."""
        recent = frame - self._patience.held
        people = ((t.person, t.box) for t in self.live if t is not own and t.good >= _SURELY)
        return any(p.exact >= recent and p.body >= recent and p.holds(head, own.box) for p, head in people)

    def _note(self, track: Track, sighting: Sighting, frame: int) -> None:
        """Remember what a sighting says of the person, and what lies beside it."""
        person = track.person
        unknown = not person.known
        person.note(sighting, track.box, frame)
        person.nested += self._in_another(track, frame)
        person.limb = track.good < _SURELY and 2 * person.nested >= track.sightings
        if unknown and person.known:  # then it is known for what was covered before as well
            for place in range(max(person.rough - track.first + 1, 0)):
                spot = track.spots[place]
                track.spots.put(spot._replace(box=person.expected(spot.box)))

    def _end_doubles(self, frame: int) -> None:
        """Of two tracks that have long been on one head the one goes on that knows more of it.

        Two heads that were lately both surely seen in one picture are two, however near they are.
        """
        recent = frame - self._patience.held
        ranked = [t for t in self.live if t.believed and not t.lost]
        ranked.sort(key=lambda t: (-(t.person.exact >= recent), -t.good, -t.sightings, t.number))
        if len(ranked) < 2:
            return
        boxes = np.array([track.box for track in ranked])
        ended = set()
        for place, track in enumerate(ranked):
            kept = [i for i in range(place) if id(ranked[i]) not in ended and ranked[i].seen >= recent]
            on = [ranked[i] for i, same in zip(kept, same_head(boxes[kept], track.box), strict=True) if same]
            if any(other.person.exact == track.person.exact >= recent for other in on):
                track.beside = frame
            track.doubled = track.doubled + 1 if on and track.beside < recent else 0
            if track.doubled >= _TWICE:
                ended.add(id(track))
                self._close(track)
        self.live = [track for track in self.live if id(track) not in ended]

    def finish(self) -> list[Track]:
        """End every live track; all believed tracks, in order of birth."""
        for track in self.live:
            self._close(track)
        self.live = []
        return sorted(self.done, key=lambda t: t.number)

    def _good(self, sighting: Sighting) -> bool:
        """Whether one look makes a track. At what is seen in the turned picture only, two finders must have looked."""
        sure = sighting.exact and sighting.score >= enough(sighting.box.width / self._picture.width)
        return sure and (not sighting.tilt or len(sighting.finders) > 1)

    def _reach(self, track: Track) -> int:
        """Frames a track goes on unseen: the more good looks there were, the longer, up to the limit."""
        if track.person.limb:
            return self._patience.held // 2
        if not track.face:  # seen in most looks while it is there, and seen wrongly now and then
            return self._patience.held * min(1 + track.sightings // 4, 3)
        return min(self._patience.unseen, self._patience.held * (2 + 3 * track.good))

    def _needed(self, frame: int) -> int:
        """The first frame that may still be asked for: a track is followed back from its first sighting when it is
        believed, one that was lost from where it is found again to where it was last seen.
        """
        back = self._patience.held * _FAR_BACK
        return min([frame - back, *(t.seen if t.believed else t.first - back for t in self.live)])

    def _small(self, box: Box) -> Box:
        return box.scaled(self._scale, self._scale)

    def _close(self, track: Track) -> None:
        if track.believed:
            self.done.append(track)

    def _go_on(self, track: Track, trace: Trace) -> bool:
        """Follow a track into the next picture; False when it ends before it."""
        patience = self._patience
        score = track.follower.step(trace.luma, trace.shift)
        if trace.ends(score):
            return False
        track.lost = 0 if score >= POOR else track.lost + 1
        if track.lost > patience.held or trace.frame - track.seen > self._reach(track):
            return False
        if not track.believed and trace.frame - track.seen > patience.doubted:
            return False
        spot = self._spot(trace.frame, track.follower, track.lost)
        if spot is None:
            return False
        track.spots.append(spot)
        return True

    def _spot(self, frame: int, follower: Follower, lost: int) -> Spot | None:
        """A followed or held spot from a follower's box; None when the head has left the picture."""
        box = follower.box.scaled(1 / self._scale, 1 / self._scale)
        if box.intersection(self._picture).area < 0.1 * box.area:
            return None
        if not lost:
            return Spot(frame, box, How.FOLLOWED, "", follower.sure)
        more = min(0.02 * lost, _MOST_GROWN)
        side = more * box.width, more * box.height
        return Spot(frame, box.grown(*side, *side), How.HELD, "", 0.0)

    def _join(self, track: Track, sighting: Sighting, trace: Trace) -> None:
        """A sighting continues a track: what lies between the last one and this is filled."""
        box = track.person.settled(sighting, track.box, track.lost > 0, trace.frame, self._patience.held)
        spot = Spot(trace.frame, box, How.FOUND, sighting.finder, sighting.score)
        kept = box == track.box and track.lost == 0
        self._fill(track, spot)
        track.seen, track.lost = trace.frame, 0
        track.best = max(track.best, sighting.score)
        track.total += sighting.score
        track.sightings += 1
        track.good += self._good(sighting)
        track.kinds.add(sighting.kind)
        track.finders |= sighting.finders
        if sighting.exact:
            track.tilt = sighting.tilt
        self._note(track, sighting, trace.frame)
        if not kept:
            track.follower.anchor(trace.luma, self._small(box))

    def _fill(self, track: Track, found: Spot) -> None:
        """Bend the followed boxes since the last sighting so that they end in the new one.

        Where following failed on the way, it is believed as far as it was sure, from either end, and the straight way
        counts between.
        """
        expected = track.spots[-1].box
        first = track.seen - track.first
        between = track.spots[first + 1 : -1]
        sure = next((n for n, spot in enumerate(between) if spot.score < GOOD), len(between))
        strayed = sure < len(between)
        start, end = track.spots[first + sure if strayed else first], found
        if strayed and found.frame - start.frame > _TRICKLE:
            for spot in self._surely_back(found, start.frame):
                track.spots.put(spot)
                end = spot
        count = end.frame - start.frame
        for step in range(1, count):
            old = track.known(start.frame + step)
            part = step / count
            box = Box(*(p + (b - e) * part for p, b, e in zip(old.box, end.box, expected, strict=True)))
            if strayed:  # then the straight way counts, and the followed one where it is near
                straight = Box(*(a + (b - a) * part for a, b in zip(start.box, end.box, strict=True)))
                loose = min(0.02 * min(step, count - step), 0.25) * max(straight.width, straight.height)
                straight = straight.grown(loose, loose, loose, loose)
                box = box.union(straight) if box.overlap(straight) > 0.3 else straight
            track.spots.put(Spot(old.frame, box, How.FILLED, found.finder, min(start.score, found.score)))
        track.spots.put(found)

    def _surely_back(self, found: Spot, until: int) -> list[Spot]:
        """Where a head was before it was found, as far as that is sure, latest first; after frame ``until``."""
        traces = self._memory.back_from(found.frame)[: found.frame - until]
        follower = Follower(traces[0].luma, self._small(found.box))
        sure: list[Spot] = []
        for later, trace in pairwise(traces):
            score = follower.step(trace.luma, (-later.shift[0], -later.shift[1]))
            spot = self._spot(trace.frame, follower, 0)
            if score < GOOD or spot is None or later.ends(score):
                break
            sure.append(spot._replace(how=How.FILLED, finder=found.finder, score=found.score))
        return sure

    def _follow_back(self, track: Track) -> None:
        """Follow a new track from its first sighting to the cut before, or until it is lost or meets another."""
        traces = self._memory.back_from(track.first)
        if not traces or traces[0].frame != track.first:
            return
        follower = Follower(traces[0].luma, self._small(track.spots[0].box))
        earlier: list[Spot] = []
        near = (t for t in (*self.live, *self.done) if t.first < track.first <= t.last + len(traces))
        others = [t for t in near if t.believed]
        lost = met = 0
        reach = min(self._reach(track), self._patience.held * _FAR_BACK)
        for later, trace in pairwise(traces[: reach + 1]):
            score = follower.step(trace.luma, (-later.shift[0], -later.shift[1]))
            if later.ends(score):
                break
            lost = 0 if score >= POOR else lost + 1
            spot = self._spot(trace.frame, follower, lost)
            if spot is None or lost > self._patience.held:
                break
            earlier.append(spot)
            met = met + 1 if _taken(others, spot) else 0
            if met >= 5:
                break
        if earlier:
            track.spots = Path([*reversed(earlier), *track.spots])


def _taken(tracks: list[Track], spot: Spot) -> bool:
    """Whether one of these tracks covers that spot."""
    there = (track.at(spot.frame) for track in tracks)
    return any(other is not None and other.box.overlap(spot.box) > 0.5 for other in there)


def _pairs(tracks: list[Track], found: list[Sighting]) -> list[tuple[Track, Sighting]]:
    """Greedy one-to-one pairs, nearest first; believed tracks and good scores are a little nearer.

    Distances are between expected and sighted centres in head sizes; a head may not suddenly be twice or
    half as large.
    """
    if not tracks or not found:
        return []
    expected = np.array([track.box for track in tracks])
    boxes = np.array([sighting.box for sighting in found])
    known, size = ((b[:, 2] - b[:, 0] + b[:, 3] - b[:, 1]) / 2 for b in (expected, boxes))
    ratio = size[None] / known[:, None]
    centres, places = ((b[:, :2] + b[:, 2:]) / 2 for b in (expected, boxes))
    apart = np.hypot(*np.moveaxis(centres[:, None] - places[None], 2, 0))
    away = apart / np.maximum(np.minimum(size[None], known[:, None]), 1.0)
    reach = np.array([0.55 + min(0.05 * track.lost, 0.7) for track in tracks])
    near = (away <= reach[:, None]) | (overlaps(expected, boxes) >= 0.3)
    bodies = np.array([sighting.kind is Kind.HEAD for sighting in found])
    near |= bodies[None] & (away <= reach[:, None] + _BODY_REACH)
    possible = near & (ratio > 0.45) & (ratio < 2.2)
    faces = np.array([track.face for track in tracks])
    for column, sighting in enumerate(found):
        if sighting.kind is Kind.HEAD and sighting.body is not None:
            possible[:, column] |= faces & fits(expected, sighting.box)
    trust = np.array([0.3 * track.believed for track in tracks])[:, None]
    order = away + 0.5 * np.abs(ratio - 1) - trust - 0.2 * np.array([s.score for s in found])[None]
    rows, columns = np.nonzero(possible)
    pairs: list[tuple[Track, Sighting]] = []
    taken_rows: set[int] = set()
    taken_columns: set[int] = set()
    for place in np.argsort(order[rows, columns], kind="stable"):
        row, column = int(rows[place]), int(columns[place])
        if row not in taken_rows and column not in taken_columns:
            taken_rows.add(row)
            taken_columns.add(column)
            pairs.append((tracks[row], found[column]))
    return pairs
