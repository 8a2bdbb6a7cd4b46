"""H.264 as far as salvage needs it: is this a coded picture, which one, and can it follow the one before?

Rec. ITU-T H.264: 7.3.2.1 and 7.3.2.2 (parameter sets), 7.3.3 (slice header), 7.4.1.2.4 (where a picture begins), 8.2.1
(order of pictures), annex B and 7.4.1 (bytes no unit may hold). Nothing is decoded. Runs inside a worker.
"""

from __future__ import annotations

from dataclasses import dataclass

SLICE, IDR, NOTES, SEQUENCE, PICTURES, DELIMITER, FILLER = 1, 5, 6, 7, 8, 9, 12
_HIGH = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
FORBIDDEN = (b"\0\0\0", b"\0\0\1", b"\0\0\2")  # in no unit
_INTRA = (2, 7)
HEADER_BYTES = 64  # more than the part of a slice header that is read here can be long


class NotAvcError(ValueError):
    """These bytes are not what they should be."""


class _Bits:
    """Reads bits of a unit, the bytes against false starts taken out. Raises NotAvcError at the end."""

    def __init__(self, data: bytes) -> None:
        plain = data.replace(b"\0\0\3", b"\0\0")
        self._value = int.from_bytes(plain, "big")
        self._left = 8 * len(plain)

    def take(self, count: int) -> int:
        """The next bits as a number."""
        self._left -= count
        if self._left < 0:
            raise NotAvcError("it ends too early")
        return (self._value >> self._left) & ((1 << count) - 1)

    def number(self) -> int:
        """An Exp-Golomb number, ue(v)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 31:
                raise NotAvcError("no such number")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """An Exp-Golomb number, se(v)."""
        value = self.number()
        return (value + 1) // 2 if value % 2 else -(value // 2)


@dataclass(frozen=True)
class _Sequence:
    frame_bits: int
    order_kind: int
    order_bits: int
    frames_only: bool
    planes_apart: bool
    blocks: int  # macroblocks of a frame


@dataclass(frozen=True)
class Slice:
    """Part of a coded picture. ``first``: it begins the picture; ``order``: low bits of its place when shown."""

    key: bool
    reference: bool
    first: bool
    frame: int
    order: int


class Sets:
    """The parameter sets of a stream, from the ``avcC`` record of an MP4 or MOV file (ISO/IEC 14496-15, 5.3.3.1).

    Raises NotAvcError for what is no such record, and for streams salvage cannot put in order: interlaced ones, and
    those with the rare second way of counting pictures.
    """

    def __init__(self, record: bytes) -> None:
        if len(record) < 7 or record[0] != 1:
            raise NotAvcError("it has no parameter sets")
        if record[4] & 3 != 3:
            raise NotAvcError("lengths are not written in four bytes")
        self._sequences: dict[int, _Sequence] = {}
        self._pictures: dict[int, int] = {}
        place = 5
        for mask, take in ((31, self._take_sequence), (255, self._take_pictures)):
            if place >= len(record):
                raise NotAvcError("it has no parameter sets")
            count, place = record[place] & mask, place + 1
            for _ in range(count):
                size = int.from_bytes(record[place : place + 2], "big")
                unit = record[place + 2 : place + 2 + size]
                if len(unit) != size or size < 2:
                    raise NotAvcError("a parameter set is cut off")
                take(_Bits(unit[1:]))
                place += 2 + size
        if not self._pictures or any(number not in self._sequences for number in self._pictures.values()):
            raise NotAvcError("it has no parameter sets")
        kept = next(iter(self._sequences.values()))
        if len(self._sequences) > 1 or kept.order_kind == 1 or not kept.frames_only or kept.planes_apart:
            raise NotAvcError("it is interlaced, or its pictures are counted in a way salvage does not know")
        self._kept = kept

    @property
    def counts(self) -> int:
        """After how many the frame numbers begin again."""
        return 1 << self._kept.frame_bits

    @property
    def orders(self) -> int:
        """After how many the low bits of the places begin again; 0: pictures are shown as they are coded."""
        return 1 << self._kept.order_bits if self._kept.order_kind == 0 else 0

    def _take_sequence(self, bits: _Bits) -> None:
        profile = bits.take(8)
        bits.take(16)
        number = bits.number()
        planes_apart = False
        if profile in _HIGH:
            colours = bits.number()
            if colours == 3:
                planes_apart = bool(bits.take(1))
            bits.number()
            bits.number()
            bits.take(1)
            if bits.take(1):
                for table in range(12 if colours == 3 else 8):
                    if bits.take(1):
                        _pass_table(bits, 16 if table < 6 else 64)
        frame_bits = bits.number() + 4
        kind = bits.number()
        order_bits = bits.number() + 4 if kind == 0 else 0
        if kind == 1:
            raise NotAvcError("its pictures are counted in a way salvage does not know")
        bits.number()
        bits.take(1)
        across, down = bits.number() + 1, bits.number() + 1
        if frame_bits > 16 or order_bits > 16 or kind > 2 or across * down > 1 << 18:
            raise NotAvcError("a parameter set says what cannot be")
        frames_only = bool(bits.take(1))
        self._sequences[number] = _Sequence(frame_bits, kind, order_bits, frames_only, planes_apart, across * down)

    def _take_pictures(self, bits: _Bits) -> None:
        number = bits.number()
        self._pictures[number] = bits.number()

    def slice(self, unit: bytes) -> Slice:
        """Read the header of a slice. ``unit``: from its first byte on, at least its first 64. Raises NotAvcError."""
        kind, reference = unit[0] & 31, bool(unit[0] >> 5)
        key = kind == IDR
        bits = _Bits(unit[1:HEADER_BYTES])
        block, coding, pictures = bits.number(), bits.number(), bits.number()
        if block >= self._kept.blocks or coding > 9 or pictures not in self._pictures:
            raise NotAvcError("no slice of this stream")
        frame = bits.take(self._kept.frame_bits)
        if key and (coding not in _INTRA or frame or not reference or bits.number() > 65535):
            raise NotAvcError("no slice of this stream")
        order = bits.take(self._kept.order_bits) if self._kept.order_kind == 0 else 0
        return Slice(key, reference, block == 0, frame, order)


def _pass_table(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def can_begin(start: bytes, size: int, last: int) -> bool:
    """Whether a unit can begin with ``start``, have ``size`` bytes and end with the byte ``last``."""
    if size < 2 or len(start) < 2 or start[0] & 0x80 or not last:
        return False
    kind, reference = start[0] & 31, bool(start[0] >> 5)
    return {
        SLICE: size > 4,
        IDR: reference and size > 4,
        NOTES: not reference and last == 0x80,
        SEQUENCE: reference and size < 1024,
        PICTURES: reference and size < 1024,
        DELIMITER: not reference and size == 2,
        FILLER: not reference,
    }.get(kind, False)
