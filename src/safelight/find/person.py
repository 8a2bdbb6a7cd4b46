"""What a track knows of the person whose head it follows, and where the head is when a look alone does not say.

A body says only roughly where its head is. Whoever was surely seen by the face tells how large the head really is, in
parts of that rough head, and keeps this proportion while only the body is seen.
"""

from __future__ import annotations

from dataclasses import dataclass

from safelight.find.head import Sighting
from safelight.geometry import Box
from safelight.plan import Kind

NEVER = 10**9  # frames
_SHRUNK = 0.5  # area of a head as seen, part of that followed, below which an unsure look is not taken at its word
_CONFIRMED = 0.7  # part of a followed head that lies in a body's head when they are one
_LEARNED = 2  # sure looks at face and body together from which the proportion is known
_ROOM = 0.15  # added on all sides to a head in proportion, part of its size
_LEAST = 0.12  # area of a head in proportion, part of the rough head's
_APART = 0.3  # part of a doubtful head that may lie on the head of the person whose hand it is
_ARM = 0.2  # how far beside a body its hands may be, part of its width
_LIMB = 0.7  # part of a doubtful head that lies in another's body when it may be a hand of theirs


@dataclass
class Person:
    """Frames and boxes of what was seen last; boxes are in shown pixels."""

    exact: int = -NEVER  # frame of the last sighting that said where the head ends
    size: tuple[float, float] = (0.0, 0.0)  # width and height of the head then
    whole: int = -NEVER  # frame of the last sighting that was not much smaller than the head as it was known
    body: int = -NEVER  # frame of the last sighting of the person's body
    trunk: Box | None = None  # that body, in heads: from the head's centre, in parts of its size
    nested: int = 0  # looks in which it lay in the body of another, whose head is elsewhere and surely known
    limb: bool = False  # may be a hand of theirs
    learned: int = 0  # sure looks at face and body together
    proportion: Box | None = None  # the sure head, in parts of the rough head that the body makes
    rough: int = (
        -NEVER
    )  # frame of the last body before any face was seen: up to it the head is as large as bodies make it
    faced: bool = False

    def note(self, sighting: Sighting, known: Box, frame: int) -> None:
        """Remember what a sighting says. ``known``: where its track has the head now."""
        if sighting.exact:
            self.exact = frame
            self.size = sighting.box.width, sighting.box.height
        if sighting.box.area >= _SHRUNK * known.area:
            self.whole = frame
        self.faced |= sighting.kind is Kind.FACE
        if not self.faced:
            self.rough = frame
        if sighting.body is None:
            return
        self.body = frame
        self.trunk = _within(sighting.body, known)
        if sighting.exact and sighting.rough is not None:
            now = _within(sighting.box, sighting.rough)
            last = self.proportion or now
            self.proportion = Box(*((a + b) / 2 for a, b in zip(last, now, strict=True)))
            self.learned += 1

    @property
    def known(self) -> bool:
        """Whether the head's proportion to the body is known."""
        return self.learned >= _LEARNED

    def expected(self, rough: Box) -> Box:
        """The head in proportion to the rough one that a body makes; the rough one while nothing better is known.

        People turn: a head that was left of the middle may be as far right of it.
        """
        if self.proportion is None or not self.known:
            return rough
        left, top, right, bottom = self.proportion
        head = _placed(Box(min(left, 1 - right), top, max(right, 1 - left), bottom), rough)
        side, more = _ROOM * head.width, _ROOM * head.height
        head = head.grown(side, more, side, more)
        return head if _LEAST * rough.area <= head.area < rough.area else rough

    def settled(self, sighting: Sighting, followed: Box, lost: bool, frame: int, held: int) -> Box:
        """Where the head is. ``followed``: where its track expects it, ``lost``: without recognising it; ``held``: for
        how many frames something seen counts.

        A body confirms a head that was lately seen as a face and has been followed since. An unsure face on a person
        who has lately been seen as a body may be the slit of a veil: the whole head stays covered. So it does when a
        look sees much less of it, a lit patch perhaps, until a second of looks says the same.
        """
        if sighting.exact or sighting.kind is Kind.BODY:
            return sighting.box
        if sighting.kind is Kind.HEAD:
            head = self.expected(sighting.box)
            if lost or frame - self.exact > held:
                return head if head is not sighting.box or lost else self._calm(sighting, followed, frame, held)
            inside = followed.intersection(sighting.box).area >= _CONFIRMED * followed.area
            return followed if inside else head.union(self._sized(followed))
        if lost:
            return sighting.box
        if sighting.body is None and frame - self.body <= held:
            return followed.union(sighting.box)
        return self._calm(sighting, followed, frame, held)

    def _sized(self, followed: Box) -> Box:
        """A followed box no larger than the head was when it was surely seen, and a little room."""
        most = (s * (1 + 2 * _ROOM) for s in self.size)
        x, y = (max(a - b, 0.0) / 2 for a, b in zip((followed.width, followed.height), most, strict=True))
        return followed.grown(-x, -y, -x, -y)

    def _calm(self, sighting: Sighting, followed: Box, frame: int, held: int) -> Box:
        small = sighting.box.area < _SHRUNK * followed.area and frame - self.whole <= held
        return followed.union(sighting.box) if small else sighting.box

    def holds(self, own: Box, other: Box) -> bool:
        """Whether another, no larger head lies in this person's body, off the person's own head ``own``."""
        if self.trunk is None or other.area > own.area or own.intersection(other).area > _APART * other.area:
            return False
        body = _placed(self.trunk, own)
        arm = _ARM * body.width
        return other.intersection(body.grown(arm, 0.0, arm, 0.0)).area >= _LIMB * other.area


def _within(box: Box, frame: Box) -> Box:
    """A box in parts of another."""
    wide, high = max(frame.width, 1.0), max(frame.height, 1.0)
    return box.grown(frame.x1, frame.y1, -frame.x1, -frame.y1).scaled(1 / wide, 1 / high)


def _placed(part: Box, frame: Box) -> Box:
    """The box that is such a part of another."""
    return part.scaled(max(frame.width, 1.0), max(frame.height, 1.0)).grown(-frame.x1, -frame.y1, frame.x1, frame.y1)
