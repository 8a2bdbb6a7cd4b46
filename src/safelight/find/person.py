"""What a track knows of the person whose head it follows, and where the head is when a look alone does not say.

A body says only roughly where its head is. Whoever was surely seen by the face tells how large the head really is, in
parts of that rough head, and keeps this proportion while only the body is seen.
"""

from __future__ import annotations

from dataclasses import dataclass

from safelight.find.head import Sighting, core
from safelight.geometry import Box
from safelight.plan import Kind

Size = tuple[float, float]
NEVER = 10**9  # frames
_SHRUNK = 0.5  # area of a head as seen, part of that followed, below which an unsure look is not taken at its word
_CONFIRMED = 0.7  # part of a followed head that lies in a body's head when they are one
_LEARNED = 2  # sure looks at face and body together from which the proportion is known
_ROOM = 0.15  # added on all sides to a head in proportion, part of its size
_LEAST = 0.12  # area of a head in proportion, part of the rough head's
_APART = 0.3  # part of a doubtful head that may lie on the head of the person whose hand it is
_ARM = 0.2  # how far beside a body its hands may be, part of its width
_NESTED, _SMALLER = 0.85, 0.5  # parts of a body that lies in another's and is small when it may be a hand of theirs
_LIMB = 0.7  # part of a doubtful head that lies in another's body when it may be a hand of theirs


@dataclass
class Person:
    """Frames and boxes of what was seen last; boxes are in shown pixels."""

    exact: int = -NEVER  # frame of the last sighting that said where the head ends
    size: Size = (0.0, 0.0)  # width and height of the head then
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
    sizes: tuple[Size, Size] = ((0.0, 0.0), (0.0, 0.0))  # width and height that a body, a sure face or two looks say;
    # and the largest that any look says

    def measure(self, sighting: Sighting) -> None:
        """Remember how large a look makes the head."""
        size = sighting.box.width, sighting.box.height
        told, most = self.sizes
        agreed = size if sighting.exact or sighting.body is not None else _least(size, most)
        self.sizes = _most(told, agreed), _most(most, size)

    def bounded(self, box: Box) -> Box:
        """The box no larger than a body, a sure face or two looks say."""
        return _shrunk(box, self.sizes[0])

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
        if sighting.exact or sighting.kind is Kind.BODY or self.limb:
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
        width, height = (s * (1 + 2 * _ROOM) for s in self.size)
        return _shrunk(followed, (width, height))

    def _calm(self, sighting: Sighting, followed: Box, frame: int, held: int) -> Box:
        if frame - self.exact <= held:
            followed = self._sized(followed)
        small = sighting.box.area < _SHRUNK * followed.area and frame - self.whole <= held
        return followed.union(sighting.box) if small else sighting.box

    def body_at(self, own: Box) -> Box | None:
        """The person's body as it was last seen, under the head ``own``."""
        return None if self.trunk is None else _placed(self.trunk, own)

    def holds(self, own: Box, other: Box, theirs: Box | None = None) -> bool:
        """Whether another, no larger head lies in this person's body, off the person's own head ``own``.

        ``theirs``: of a head that is known from a body alone, that body. Then it has to lie in this one, be much
        smaller and lower than the head: whoever stands behind or beside somebody sticks out.
        """
        body = self.body_at(own)
        if body is None:
            return False
        side = _ARM * body.width
        reach = body.grown(side, 0.0, side, 0.0)
        if theirs is None:
            place, inside = other, other.intersection(reach).area >= _LIMB * other.area and other.area <= own.area
        else:
            place, inside = core(other), theirs.intersection(reach).area >= _NESTED * theirs.area
            inside &= theirs.area <= _SMALLER * body.area and place.centre[1] > own.centre[1]
        return inside and own.intersection(place).area <= _APART * place.area


def _within(box: Box, frame: Box) -> Box:
    """A box in parts of another."""
    wide, high = max(frame.width, 1.0), max(frame.height, 1.0)
    return box.grown(frame.x1, frame.y1, -frame.x1, -frame.y1).scaled(1 / wide, 1 / high)


def _placed(part: Box, frame: Box) -> Box:
    """The box that is such a part of another."""
    return part.scaled(max(frame.width, 1.0), max(frame.height, 1.0)).grown(-frame.x1, -frame.y1, frame.x1, frame.y1)


def _shrunk(box: Box, most: Size) -> Box:
    """The box about the same centre, no wider or higher than that."""
    x, y = (max(a - b, 0.0) / 2 for a, b in zip((box.width, box.height), most, strict=True))
    return box.grown(-x, -y, -x, -y)


def _least(a: Size, b: Size) -> Size:
    return min(a[0], b[0]), min(a[1], b[1])


def _most(a: Size, b: Size) -> Size:
    return max(a[0], b[0]), max(a[1], b[1])
