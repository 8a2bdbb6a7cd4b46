"""H.264 as far as damage shows without decoding: is this a coded picture, which one, can it follow the last?

Rec. ITU-T H.264: 7.3.2.1 and 7.3.2.2 (parameter sets), 7.3.3 (slice header), 7.4.1.2.4 (where a picture begins), 8.2.1
(order of pictures), annex B and 7.4.1 (bytes no unit may hold). Nothing is decoded. Runs inside a worker.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SLICE, IDR, NOTES, SEQUENCE, PICTURES, DELIMITER, FILLER = 1, 5, 6, 7, 8, 9, 12
_HIGH = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
FORBIDDEN = (b"\0\0\0", b"\0\0\1", b"\0\0\2")  # in no unit
FILLING = 8  # zero bytes at a picture's end that are no sign of damage: cameras fill up to a round length
HEADER_BYTES = 512  # no slice header is longer, but for weights of 32 pictures
_INTER, _BOTH, _INTRA, _SWITCHING = 0, 1, 2, (3, 4)  # kinds of slices, modulo 5
_MOST_REFERENCES = 32
_RESET = 5  # operation of memory management after which frame numbers begin again


class NotAvcError(ValueError):
    """These bytes are not what they should be."""


class UnknownAvcError(NotAvcError):
    """These bytes may be right, but are of a kind that is not read here."""


def by_lengths(data: bytes, lengths: int) -> Iterator[bytes | None]:
    """A picture's units as MP4 stores them, each after its length in so many bytes; None where they do not fill it."""
    place = 0
    while place < len(data):
        size = int.from_bytes(data[place : place + lengths], "big")
        unit = data[place + lengths : place + lengths + size]
        if not unit or len(unit) != size:
            if len(data) - place > FILLING or any(data[place:]):
                yield None
            return
        yield unit
        place += lengths + size


class _Bits:
    """Reads bits of a unit, the bytes against false starts taken out. Raises NotAvcError at the end."""

    def __init__(self, data: bytes) -> None:
        plain = data.replace(b"\0\0\3", b"\0\0")
        self._value = int.from_bytes(plain, "big")
        self.left = 8 * len(plain)

    def take(self, count: int) -> int:
        """The next bits as a number."""
        self.left -= count
        if self.left < 0:
            raise NotAvcError("it ends too early")
        return (self._value >> self.left) & ((1 << count) - 1)

    def number(self, most: int = (1 << 32) - 2) -> int:
        """An Exp-Golomb number, ue(v)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 31:
                raise NotAvcError("no such number")
        value = (1 << zeros) - 1 + self.take(zeros)
        if value > most:
            raise NotAvcError("a number is too large")
        return value

    def signed(self, least: int = -(1 << 31), most: int = 1 << 31) -> int:
        """An Exp-Golomb number, se(v)."""
        value = self.number()
        told = (value + 1) // 2 if value % 2 else -(value // 2)
        if not least <= told <= most:
            raise NotAvcError("a number is too large or too small")
        return told


@dataclass(frozen=True)
class Sequence:
    """A sequence parameter set. ``gaps``: frame numbers may be left out; ``blocks``: macroblocks of a frame."""

    frame_bits: int
    order_kind: int
    order_bits: int
    deltas: bool  # second way of counting: slices tell how far they are from what is expected
    gaps: bool
    frames_only: bool
    planes_apart: bool
    coloured: bool
    luma_depth: int
    blocks: int


@dataclass(frozen=True)
class Pictures:
    """A picture parameter set."""

    sequence: int
    arithmetic: bool
    both_orders: bool
    grouped: bool
    references: tuple[int, int]
    weighted: bool
    weighted_both: int
    quantiser: int
    edges: bool  # slices say how edges are smoothed
    redundant: bool


@dataclass(frozen=True)
class Slice:
    """Part of a coded picture. ``first``: it begins the picture; ``order``: low bits of its place when shown;
    ``counts``: after how many frame numbers begin again, 0 where some may be left out; ``resets``: they begin again
    after this one.
    """

    key: bool
    reference: bool
    first: bool
    frame: int
    order: int
    counts: int = 0
    spare: bool = False  # a second coding of something that is there already
    resets: bool = False


def sequence(bits: _Bits) -> tuple[int, Sequence]:
    """Read a sequence parameter set: its number and what it says."""
    profile = bits.take(8)
    bits.take(16)
    number = bits.number(31)
    planes_apart, colours, depth = False, 1, 8
    if profile in _HIGH:
        colours = bits.number(3)
        if colours == 3:
            planes_apart = bool(bits.take(1))
        depth = 8 + bits.number(6)
        bits.number(6)
        bits.take(1)
        if bits.take(1):
            for table in range(12 if colours == 3 else 8):
                if bits.take(1):
                    _pass_table(bits, 16 if table < 6 else 64)
    frame_bits = bits.number(12) + 4
    kind = bits.number(2)
    order_bits, deltas = 0, False
    if kind == 0:
        order_bits = bits.number(12) + 4
    elif kind == 1:
        deltas = not bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(bits.number(255)):
            bits.signed()
    bits.number()
    gaps = bool(bits.take(1))
    across, down = bits.number() + 1, bits.number() + 1
    if across * down > 1 << 18:
        raise NotAvcError("a parameter set says what cannot be")
    frames_only = bool(bits.take(1))
    blocks = across * down * (1 if frames_only else 2)
    coloured = colours != 0 and not planes_apart
    return number, Sequence(
        frame_bits, kind, order_bits, deltas, gaps, frames_only, planes_apart, coloured, depth, blocks
    )


def pictures(bits: _Bits) -> tuple[int, Pictures]:
    """Read a picture parameter set: its number and what it says."""
    number, parent = bits.number(255), bits.number(31)
    arithmetic, both = bool(bits.take(1)), bool(bits.take(1))
    if bits.number(7):
        return number, Pictures(parent, arithmetic, both, True, (1, 1), False, 0, 26, False, False)
    references = bits.number(31) + 1, bits.number(31) + 1
    weighted, weighted_both = bool(bits.take(1)), bits.take(2)
    quantiser = 26 + bits.signed(-62, 25)
    bits.signed()
    bits.signed(-12, 12)
    edges = bool(bits.take(1))
    bits.take(1)
    redundant = bool(bits.take(1))
    return number, Pictures(
        parent, arithmetic, both, False, references, weighted, weighted_both, quantiser, edges, redundant
    )


class Sets:
    """The parameter sets of a stream, known so far."""

    def __init__(self) -> None:
        self.sequences: dict[int, Sequence] = {}
        self.pictures: dict[int, Pictures] = {}

    @classmethod
    def of_record(cls, record: bytes) -> Sets:
        """From the ``avcC`` record of an MP4 or MOV file (ISO/IEC 14496-15, 5.3.3.1). Raises NotAvcError."""
        made = cls()
        if len(record) < 7 or record[0] != 1:
            raise NotAvcError("it has no parameter sets")
        place = 5
        for mask in (31, 255):
            if place >= len(record):
                raise NotAvcError("it has no parameter sets")
            count, place = record[place] & mask, place + 1
            for _ in range(count):
                size = int.from_bytes(record[place : place + 2], "big")
                unit = record[place + 2 : place + 2 + size]
                if len(unit) != size or size < 2:
                    raise NotAvcError("a parameter set is cut off")
                made.take(unit)
                place += 2 + size
        if not made.pictures or any(told.sequence not in made.sequences for told in made.pictures.values()):
            raise NotAvcError("it has no parameter sets")
        return made

    def take(self, unit: bytes) -> None:
        """Remember a unit that is a parameter set. Raises NotAvcError."""
        if unit[0] & 31 == SEQUENCE:
            number, told = sequence(_Bits(unit[1:]))
            self.sequences[number] = told
        elif unit[0] & 31 == PICTURES:
            number, kept = pictures(_Bits(unit[1:]))
            self.pictures[number] = kept

    def of(self, number: int) -> tuple[Sequence, Pictures]:
        """The sets that a slice names. Raises NotAvcError."""
        told = self.pictures.get(number)
        if told is None or told.sequence not in self.sequences:
            raise NotAvcError("no slice of this stream")
        return self.sequences[told.sequence], told

    def slice(self, unit: bytes, size: int | None = None) -> Slice:
        """Read the header of a slice. ``unit``: from its first byte on; ``size``: bytes of all of it, if more.

        Raises NotAvcError for what cannot be; UnknownAvcError where this cannot be said.
        """
        seen = unit[:HEADER_BYTES]
        bits = _Bits(seen[1:])
        try:
            return self._slice(bits, unit[0])
        except NotAvcError as error:
            if bits.left < 0 and (size or len(unit)) > len(seen):
                raise UnknownAvcError("its header is long") from error
            raise

    def _slice(self, bits: _Bits, start: int) -> Slice:
        key, reference = start & 31 == IDR, bool(start >> 5 & 3)
        block, coding, number = bits.number(), bits.number(9) % 5, bits.number(255)
        seq, pic = self.of(number)
        if block >= seq.blocks or (key and (coding not in (_INTRA, 4) or not reference)):
            raise NotAvcError("no slice of this stream")
        if seq.planes_apart:
            bits.take(2)
        frame = bits.take(seq.frame_bits)
        field = not seq.frames_only and bool(bits.take(1))
        if field:
            bits.take(1)
        if key and (frame or bits.number() > 65535):
            raise NotAvcError("no slice of this stream")
        order = 0
        if seq.order_kind == 0:
            order = bits.take(seq.order_bits)
        if pic.both_orders and not field and (seq.order_kind == 0 or seq.deltas):
            bits.signed()
        if seq.order_kind == 1 and seq.deltas:
            bits.signed()
        spare = pic.redundant and bits.number(127) > 0
        resets = False
        if not pic.grouped and coding not in _SWITCHING:
            resets = _rest(bits, seq, pic, coding, reference, key)
        counts = 0 if seq.gaps else 1 << seq.frame_bits
        return Slice(key, reference, block == 0, frame, order, counts, spare, resets)


def _rest(bits: _Bits, seq: Sequence, pic: Pictures, coding: int, reference: bool, key: bool) -> bool:
    """Read a slice header from the choice of references to its end; whether frame numbers begin again after it."""
    counts = list(pic.references) if coding == _BOTH else [pic.references[0]] if coding == _INTER else []
    if coding == _BOTH:
        bits.take(1)
    if counts and bits.take(1):
        counts = [bits.number(_MOST_REFERENCES - 1) + 1 for _ in counts]
    for _ in counts:
        if bits.take(1):
            _pass_order(bits)
    if (pic.weighted and coding == _INTER) or (pic.weighted_both == 1 and coding == _BOTH):
        _pass_weights(bits, seq.coloured, counts)
    resets = False
    if reference and key:
        bits.take(2)
    elif reference and bits.take(1):
        resets = _pass_memory(bits)
    if pic.arithmetic and coding != _INTRA:
        bits.number(2)
    quantiser = pic.quantiser + bits.signed()
    if not -6 * (seq.luma_depth - 8) <= quantiser <= 51:
        raise NotAvcError("a slice has a quantiser that cannot be")
    if pic.edges and bits.number(2) != 1:
        bits.signed(-6, 6)
        bits.signed(-6, 6)
    if pic.arithmetic:
        rest = bits.left % 8
        if bits.take(rest) != (1 << rest) - 1:
            raise NotAvcError("a slice header does not end where it should")
    return resets


def _pass_order(bits: _Bits) -> None:
    for _ in range(2 * _MOST_REFERENCES + 2):
        kind = bits.number(3)
        if kind == 3:
            return
        bits.number()
    raise NotAvcError("too many references")


def _pass_weights(bits: _Bits, coloured: bool, counts: list[int]) -> None:
    bits.number(7)
    if coloured:
        bits.number(7)
    for count in counts:
        for _ in range(count):
            for values in (2, 4) if coloured else (2,):
                if bits.take(1):
                    for _ in range(values):
                        bits.signed(-128, 127)


def _pass_memory(bits: _Bits) -> bool:
    resets = False
    for _ in range(2 * _MOST_REFERENCES + 4):
        kind = bits.number(6)
        if not kind:
            return resets
        resets = resets or kind == _RESET
        for _ in range({1: 1, 2: 1, 3: 2, 4: 1, 6: 1}.get(kind, 0)):
            bits.number()
    raise NotAvcError("too many orders")


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
