"""What lies in an MP4 or MOV whose index was never written: coded pictures, pieces of sound, holes.

Such a file is a row of units (four bytes of length, then the unit) with pieces of sound between them, and nothing says
which is which. So the row is followed as long as each unit can be one of this camera's; where it breaks, the next
place is searched from which it goes on. What lies between is sound if it decodes as sound from its first byte to its
last. If not, pictures may be lost there: that is a hole, and the picture before it is not believed either, since its
length may have led astray. Runs inside a worker.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from mmap import mmap

from safelight.media.avc import (
    FORBIDDEN,
    HEADER_BYTES,
    IDR,
    SLICE,
    NotAvcError,
    Sets,
    Slice,
    UnknownAvcError,
    can_begin,
)

MAX_UNIT = 16 << 20  # bytes
_MOST_BEFORE = 6  # units
_LEAST_SLICE = 64  # bytes; of less not enough is seen to say that it is none
_LEAST_SOUND = 8  # bytes; less decodes by chance
_NEAR, _TRIES = 1 << 16, 8  # how far, and how often, the end of a piece of sound is searched when a unit is in doubt
# Four bytes of length below 16 MiB, then the first byte of a unit that may stand there. Overlapping finds count.
_START = re.compile(rb"(?=\x00...[\x01\x06\x09\x0c\x21\x41\x61\x25\x45\x65\x27\x47\x67\x28\x48\x68])", re.DOTALL)


@dataclass(frozen=True)
class Coded:
    """A whole coded picture: ``data`` as MP4 stores it. ``key``: needs no other. ``place``: when it is shown, among
    those since the last key picture; only the order of the numbers means something.
    """

    data: bytes
    key: bool
    place: int


@dataclass(frozen=True)
class Heard:
    """A piece of sound that decoded whole."""

    data: bytes


@dataclass(frozen=True)
class Hole:
    """Bytes that are neither; pictures may be lost. ``offset``: in the file; ``size``: bytes."""

    offset: int
    size: int


@dataclass(frozen=True)
class _Unit:
    start: int
    end: int
    slice: Slice | None


class Carver:
    """Goes through the bytes of a file once. ``hears``: whether bytes are whole sound; None: the film has no sound.

    Raises NotAvcError for streams salvage cannot put in order: interlaced ones, and those with the rare second way of
    counting pictures.
    """

    def __init__(self, data: bytes | mmap, sets: Sets, hears: Callable[[bytes], bool] | None) -> None:
        self._data, self._sets, self._hears = data, sets, hears
        kept = next(iter(sets.sequences.values()))
        if len(sets.sequences) > 1 or kept.order_kind == 1 or not kept.frames_only or kept.planes_apart:
            raise NotAvcError("it is interlaced, or its pictures are counted in a way salvage does not know")
        self._counts = 1 << kept.frame_bits  # after how many the frame numbers begin again
        # After how many the low bits of the places begin again; 0: pictures are shown as they are coded.
        self._orders = 1 << kept.order_bits if kept.order_kind == 0 else 0
        self.place = 0  # how far the file has been gone through
        self._picture: list[_Unit] = []
        self._slices = 0  # of the picture before
        self._frame: int | None = None  # number of the last picture that others need
        self._high, self._low = 0, 0  # of the place of that picture
        self._count = 0  # pictures since the last key picture

    def parts(self) -> Iterator[Coded | Heard | Hole]:
        """Everything in the order of the file. What is cut off at its end is left out; nothing before the first
        picture counts.
        """
        first = _first_byte(self._data)
        place = self._begin(first)
        if place is not None and self._sounds(first, place):
            yield Heard(self._data[first:place])
        while place is not None:
            self.place = place
            unit = self._unit(place)
            if unit is not None:
                yield from self._add(unit)
                place = unit.end
                continue
            following = self._begin(place)
            stop = len(self._data) if following is None else following
            if self._sounds(place, stop):
                yield from self._finish()
                yield Heard(self._data[place:stop])
            elif following is None:
                yield from self._tail(place)
                return
            else:
                yield self._break(place, stop)
            place = following
        yield from self._last(cut=False)

    def _tail(self, place: int) -> Iterator[Coded | Heard | Hole]:
        """What lies between the last whole unit and the end: a unit that is cut off, or sound and then such a one.

        With anything else nothing shows that the last picture ends where it says, so it is not believed.
        """
        if self._cut_off(place):
            yield from self._last(cut=True)
            return
        starts = (found.start() for found in _START.finditer(self._data, place + 1))
        for start in itertools.islice((s for s in starts if self._cut_off(s)), _TRIES):
            if self._sounds(place, start):
                yield from self._last(cut=True)
                yield Heard(self._data[place:start])
                return

    # -- units ---------------------------------------------------------------------------------------------------

    def _unit(self, place: int) -> _Unit | None:
        """The unit at a place, if one can be there."""
        size = int.from_bytes(self._data[place : place + 4], "big")
        end = place + 4 + size
        if not 2 <= size <= MAX_UNIT or end > len(self._data):
            return None
        start = self._data[place + 4 : min(place + 4 + HEADER_BYTES, end)]
        if not can_begin(start, size, self._data[end - 1]):
            return None
        told = None
        if start[0] & 31 in (SLICE, IDR):
            try:
                told = self._sets.slice(start, size)
            except NotAvcError:
                return None
        if any(self._data.find(pattern, place + 4, end) >= 0 for pattern in FORBIDDEN):
            return None
        return _Unit(place, end, told)

    def _cut_off(self, place: int) -> bool:
        """Whether a unit begins here that goes on beyond the end of the file."""
        start = self._data[place : place + 4 + HEADER_BYTES]
        size = int.from_bytes(start[:4], "big")
        if len(start) < 4 + _LEAST_SLICE:
            return size <= MAX_UNIT and (len(start) < 5 or can_begin(start[4:] + b"\0", size, 0x80))
        if not can_begin(start[4:], size, 0x80) or not len(self._data) < place + 4 + size <= place + 4 + MAX_UNIT:
            return False
        try:
            return start[4] & 31 not in (SLICE, IDR) or bool(self._sets.slice(start[4:], size))
        except UnknownAvcError:
            return True
        except NotAvcError:
            return False

    def _begin(self, place: int) -> int | None:
        """The next place where the row of units surely goes on.

        A unit is believed if another follows it, if it is the picture that is due, or if there is whole sound right
        before or right after it.
        """
        for unit in self._candidates(place, len(self._data)):
            told = unit.slice
            after = self._unit(unit.end)
            for _ in range(_MOST_BEFORE):  # parameter sets and notes stand before a picture's first slice
                if after is None or told or after.slice:
                    break
                after = self._unit(after.end)
            if after is not None and (told or after.slice):
                return unit.start
            if told is None or not told.first:
                continue
            if (self._due(told) and not told.key) or self._sounds(place, unit.start) or self._sound_after(unit.end):
                return unit.start
        return None

    def _candidates(self, place: int, stop: int) -> Iterator[_Unit]:
        for found in _START.finditer(self._data, place, stop):
            unit = self._unit(found.start())
            if unit is not None:
                yield unit

    def _sounds(self, place: int, stop: int) -> bool:
        return (
            self._hears is not None and _LEAST_SOUND <= stop - place <= MAX_UNIT and self._hears(self._data[place:stop])
        )

    def _sound_after(self, place: int) -> bool:
        """Whether whole sound begins here and ends where a unit can begin, not far away."""
        if self._hears is None:
            return False
        near = itertools.islice(self._candidates(place, min(place + _NEAR, len(self._data))), _TRIES)
        return any(self._sounds(place, unit.start) for unit in near)

    def _due(self, told: Slice) -> bool:
        """Whether a picture can follow the ones so far: none that others need is missing (7.4.3, frame_num)."""
        if self._frame is None:
            return False
        return (told.frame - self._frame) % self._counts == 1

    # -- pictures ------------------------------------------------------------------------------------------------

    def _add(self, unit: _Unit) -> Iterator[Coded | Hole]:
        has_slice = any(part.slice for part in self._picture)
        if has_slice and (unit.slice is None or unit.slice.first):
            yield from self._finish()
        self._picture.append(unit)

    def _finish(self) -> Iterator[Coded | Hole]:
        """The picture whose units were collected."""
        slices = [part.slice for part in self._picture if part.slice]
        if not slices:
            return
        units, self._picture = self._picture, []
        told = slices[0]
        if not told.first or not (told.key or self._due(told)):
            yield Hole(units[0].start, 0)
            if not told.first or self._frame is None:
                return  # there is nothing it could build on
        self._slices = len(slices)
        place = self._placed(told)
        yield Coded(b"".join(self._data[part.start : part.end] for part in units), told.key, place)

    def _placed(self, told: Slice) -> int:
        """Picture order count as in 8.2.1.1, without operation 5 of memory management."""
        if told.key:
            self._high = self._low = 0
            self._count = 0
        else:
            self._count += 1
        orders = self._orders
        if not orders:
            place = self._count
        else:
            high = self._high
            if told.order < self._low and self._low - told.order >= orders // 2:
                high += orders
            elif told.order > self._low and told.order - self._low > orders // 2:
                high -= orders
            place = high + told.order
            if told.reference:
                self._high, self._low = high, told.order
        if told.reference:
            self._frame = told.frame
        return place

    def _break(self, place: int, stop: int) -> Hole:
        """A hole; the picture before it goes with it."""
        start = self._picture[0].start if self._picture else place
        self._picture = []
        return Hole(start, stop - start)

    def _last(self, *, cut: bool) -> Iterator[Coded | Hole]:
        """The last picture, unless parts of it may be beyond the end of the file."""
        slices = [part.slice for part in self._picture if part.slice]
        if slices and len(slices) >= self._slices and not (cut and len(slices) < self._slices):
            yield from self._finish()


def _first_byte(data: bytes | mmap) -> int:
    """Where pictures and sound begin: after the head of the box that holds them, if the boxes before it are whole."""
    place = 0
    for _ in range(_MOST_BOXES):
        size, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        if kind == b"mdat":
            return place + (16 if size == 1 else 8)
        if size < 8:
            break
        place += size
    return 0


_MOST_BOXES = 100
