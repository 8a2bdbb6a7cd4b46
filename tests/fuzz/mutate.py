"""Broken files that are broken where parsers look: sizes, kinds, order and tables of MP4, AVI, MKV and JPEG.

A file is seen as a tree of parts, each with a field that says how long it is and one that says what it is. A mutant has
one to four wounds. The same number always gives the same mutant, so a finding is repeated by its number alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

INTERESTING = (0, 1, 2, 7, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_BOXES_WITH_BOXES = b"moov trak mdia minf stbl dinf edts udta mvex moof traf mfra".split()
_EBML_WITH_EBML = (0x18538067, 0x1654AE6B, 0xAE, 0x1549A966, 0x1F43B675, 0x1C53BB6B, 0xBB, 0xB7, 0xE0, 0xE1, 0x114D9B74)


@dataclass(frozen=True)
class Part:
    """``start`` to ``end``: the whole part; ``length``, ``kind``: slices of its fields; ``body``: where it begins."""

    start: int
    end: int
    length: slice
    kind: slice
    body: int
    order: str  # of the bytes in its fields: "big" or "little"


def parts(data: bytes) -> list[Part]:
    """The parts of a file of one of the four formats, parents before children; empty for anything else."""
    if data[4:8] == b"ftyp":
        return list(_boxes(data, 0, len(data)))
    if data[:4] == b"RIFF":
        return list(_chunks(data, 0, len(data)))
    if data[:4] == b"\x1a\x45\xdf\xa3":
        return list(_elements(data, 0, len(data)))
    return list(_segments(data)) if data[:2] == b"\xff\xd8" else []


def _boxes(data: bytes, at: int, end: int) -> Iterator[Part]:
    while at + 8 <= end:
        size = int.from_bytes(data[at : at + 4], "big")
        size = end - at if size == 0 else size
        if not 8 <= size <= end - at:
            return
        kind = data[at + 4 : at + 8]
        yield Part(at, at + size, slice(at, at + 4), slice(at + 4, at + 8), at + 8, "big")
        if kind in _BOXES_WITH_BOXES:
            yield from _boxes(data, at + 8, at + size)
        elif kind == b"stsd":
            yield from _boxes(data, at + 16, at + size)
        elif kind in (b"avc1", b"mp4v"):
            yield from _boxes(data, at + 86, at + size)
        at += size


def _chunks(data: bytes, at: int, end: int) -> Iterator[Part]:
    while at + 8 <= end:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        stop = min(at + 8 + size + size % 2, end)
        yield Part(at, stop, slice(at + 4, at + 8), slice(at, at + 4), at + 8, "little")
        if data[at : at + 4] in (b"RIFF", b"LIST"):
            yield from _chunks(data, at + 12, stop)
        at = stop


def _elements(data: bytes, at: int, end: int) -> Iterator[Part]:
    while at + 2 <= end:
        name = 9 - data[at].bit_length()
        if name > 4 or at + name >= end:
            return
        width = 9 - data[at + name].bit_length()
        if width > 8:
            return
        body = at + name + width
        size = int.from_bytes(data[at + name : body], "big") & ((1 << 7 * width) - 1)
        stop = end if size == (1 << 7 * width) - 1 else min(body + size, end)
        yield Part(at, stop, slice(at + name, body), slice(at, at + name), body, "big")
        if int.from_bytes(data[at : at + name], "big") in _EBML_WITH_EBML:
            yield from _elements(data, body, stop)
        at = stop


def _segments(data: bytes) -> Iterator[Part]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        last = data[at + 1] == 0xDA  # the scan: its pixels follow without a length
        stop = len(data) if last else min(at + 2 + size, len(data))
        yield Part(at, stop, slice(at + 2, at + 4), slice(at + 1, at + 2), at + 4, "big")
        at = stop


def mutant(seeds: list[bytes], number: int) -> bytes:
    """Mutant ``number`` of a herd: deterministic."""
    dice = Random(number)
    data = bytearray(dice.choice(seeds))
    for _ in range(dice.choice((1, 1, 1, 2, 2, 3, 4))):
        found = parts(bytes(data))
        wound = dice.choice(_WOUNDS if found else _BLIND)
        wound(data, found, dice, seeds)
    return bytes(data)


def _resize(data: bytearray, found: list[Part], dice: Random, _: list[bytes]) -> None:
    part = dice.choice(found)
    width = part.length.stop - part.length.start
    told = int.from_bytes(data[part.length], part.order)  # type: ignore[arg-type]
    lie = dice.choice((*INTERESTING, told + 1, told - 1, told * 2, told // 2, told + 8, told - 8))
    data[part.length] = (lie % (1 << 8 * width)).to_bytes(width, part.order)  # type: ignore[arg-type]


def _rename(data: bytearray, found: list[Part], dice: Random, _: list[bytes]) -> None:
    part, other = dice.choice(found), dice.choice(found)
    if part.kind.stop - part.kind.start == other.kind.stop - other.kind.start:
        data[part.kind] = data[other.kind]


def _remove(data: bytearray, found: list[Part], dice: Random, _: list[bytes]) -> None:
    part = dice.choice(found)
    del data[part.start : part.end]


def _double(data: bytearray, found: list[Part], dice: Random, _: list[bytes]) -> None:
    part, place = dice.choice(found), dice.choice(found)
    data[place.start : place.start] = data[part.start : part.end] * dice.choice((1, 1, 2, 50))


def _replace(data: bytearray, found: list[Part], dice: Random, _: list[bytes]) -> None:
    part, other = dice.choice(found), dice.choice(found)
    data[part.start : part.end] = data[other.start : other.end]


def _field(data: bytearray, found: list[Part], dice: Random, _: list[bytes]) -> None:
    """A number inside a part becomes one at the edge of what fits."""
    part = dice.choice([p for p in found if p.end - p.body < 4096] or found)
    width = dice.choice((1, 2, 4, 4, 8))
    if part.end - part.body < width:
        return
    at = part.body + dice.randrange(0, part.end - part.body - width + 1, min(width, 4))
    now = int.from_bytes(data[at : at + width], part.order)  # type: ignore[arg-type]
    lie = dice.choice((*INTERESTING, now + 1, now - 1, now << 1, now ^ (1 << dice.randrange(8 * width)), -1))
    data[at : at + width] = (lie % (1 << 8 * width)).to_bytes(width, part.order)  # type: ignore[arg-type]


def _flip(data: bytearray, _: list[Part], dice: Random, __: list[bytes]) -> None:
    for _ in range(dice.choice((1, 2, 8, 64))):
        if data:
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _scribble(data: bytearray, _: list[Part], dice: Random, __: list[bytes]) -> None:
    at, length = dice.randrange(len(data) + 1), dice.choice((1, 4, 16, 300))
    data[at : at + length] = dice.choice((bytes(length), b"\xff" * length, dice.randbytes(length)))


def _cut(data: bytearray, _: list[Part], dice: Random, __: list[bytes]) -> None:
    del data[dice.randrange(len(data) + 1) :]


def _graft(data: bytearray, _: list[Part], dice: Random, seeds: list[bytes]) -> None:
    other = dice.choice(seeds)
    begin = dice.randrange(len(other))
    at = dice.randrange(len(data) + 1)
    data[at:at] = other[begin : begin + dice.choice((16, 200, 3000))]


_Wound = Callable[[bytearray, list[Part], Random, list[bytes]], None]
_BLIND: tuple[_Wound, ...] = (_flip, _scribble, _cut, _graft)
_WOUNDS: tuple[_Wound, ...] = (_resize, _resize, _rename, _remove, _double, _replace, _field, _field, _field, *_BLIND)
