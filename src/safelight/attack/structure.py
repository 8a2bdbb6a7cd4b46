"""What a file is made of, read byte by byte, against the list of what a copy may be made of.

A block-list would have to know every place where a tag can hide; this is an allow-list. It covers the forms in which
copies are written: MP4, PNG and JPEG. For others :func:`structure` says that it cannot tell.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_NESTS = frozenset(b"moov trak mdia minf stbl dinf edts udta mvex moof traf".split())
_ALLOWED = _NESTS - {b"udta"} | frozenset(
    b"ftyp free mdat mvhd tkhd elst mdhd hdlr vmhd smhd dref stsd stts ctts stss stsc stsz stco co64 sgpd sbgp".split()
)
_ENTRIES = frozenset(b"avc1 avcC colr pasp btrt mp4a esds".split())  # inside stsd
# The empty list of tags that FFmpeg writes: meta (version 0) with a handler mdir of appl, and ilst without an entry.
_NO_TAGS = (
    b"\x00\x00\x00\x35meta"
    + bytes(4)
    + b"\x00\x00\x00\x21hdlr"
    + bytes(8)
    + b"mdirappl"
    + bytes(9)
    + b"\x00\x00\x00\x08ilst"
)
_DATED = frozenset({b"mvhd", b"tkhd", b"mdhd"})
_DEEPEST = 8
_MOST = 10_000
_PNG_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"sRGB", b"gAMA", b"cHRM", b"sBIT"})
_JPEG_MARKERS = frozenset({0xDB, 0xC4, 0xDD, 0xDA, *range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC)})


@dataclass(frozen=True)
class Part:
    """A part of a file. ``wrong``: why it should not be in a copy, "" when it may."""

    kind: str
    offset: int
    length: int
    wrong: str = ""
    holds_media: bool = False


def structure(source: BinaryIO) -> list[Part] | None:
    """The parts of a file in order; None for forms that no copy is written in. At most _MOST parts."""
    size = source.seek(0, os.SEEK_END)
    start = _read(source, 0, 16)
    if start[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip", b"uuid"):
        return _first(_boxes(source, 0, size, 0))
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return _first(_chunks(source, size))
    if start.startswith(b"\xff\xd8"):
        return _first(_segments(source, size))
    return None


def _first(parts: Iterator[Part]) -> list[Part]:
    kept: list[Part] = []
    for part in parts:
        kept.append(part)
        if len(kept) >= _MOST:
            kept.append(Part("parts", part.offset, 0, f"more than {_MOST} parts"))
            break
    return kept


def _read(source: BinaryIO, offset: int, length: int) -> bytes:
    source.seek(offset)
    return source.read(length)


def _boxes(source: BinaryIO, start: int, end: int, depth: int) -> Iterator[Part]:
    """Boxes of an MP4 (ISO/IEC 14496-12)."""
    while start < end:
        header = _read(source, start, 16)
        length, kind, head = int.from_bytes(header[:4], "big"), header[4:8], 8
        if length == 1:
            length, head = int.from_bytes(header[8:16], "big"), 16
        elif length == 0 and depth == 0:
            length = end - start
        name = kind.decode("latin-1") if kind.isalnum() else kind.hex()
        if len(header) < 8 or length < head or start + length > end:
            yield Part(name, start, end - start, "bytes that belong to no part of the file")
            return
        yield Part(name, start, length, _wrong(source, kind, start + head, length - head), kind == b"mdat")
        if depth < _DEEPEST:
            if kind in _NESTS and kind != b"udta":
                yield from _boxes(source, start + head, start + length, depth + 1)
            elif kind == b"stsd":
                yield from _entries(source, start + head + 8, start + length)
        start += length


def _entries(source: BinaryIO, start: int, end: int) -> Iterator[Part]:
    """The descriptions of a track's coding inside ``stsd``, and the boxes inside each."""
    fixed = {b"avc1": 78, b"mp4a": 28}  # bytes before the first box inside (14496-12, 12.1.3 and 12.2.3)
    while start + 8 <= end:
        header = _read(source, start, 8)
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if length < 8 or start + length > end:
            return
        name = kind.decode("latin-1") if kind.isalnum() else kind.hex()
        if kind not in _ENTRIES:
            yield Part(name, start, length, "a kind of part that no copy has")
        elif kind == b"avc1" and _read(source, start + 8 + 42, 32).strip(b"\x00"):
            yield Part(name, start, length, "the name of a coder")
        else:
            yield Part(name, start, length)
        if kind in fixed:
            yield from _entries(source, start + 8 + fixed[kind], start + length)
        start += length


def _wrong(source: BinaryIO, kind: bytes, offset: int, length: int) -> str:
    """Why this box should not be in a copy."""
    if kind == b"udta" and _read(source, offset, length if length <= len(_NO_TAGS) else 0) == _NO_TAGS:
        return ""
    if kind not in _ALLOWED:
        return "a kind of part that no copy has"
    if kind == b"free" and length:
        return "free space that is not empty" if _has_content(source, offset, length) else ""
    if kind in _DATED:
        version = _read(source, offset, 1)
        if any(_read(source, offset + 4, 16 if version == b"\x01" else 8)):
            return "a date"
    if kind == b"hdlr" and _read(source, offset + 24, max(min(length - 24, 4096), 0)).strip(b"\x00"):
        return "the name of a handler"
    if kind == b"mdhd":
        version = _read(source, offset, 1)
        if _read(source, offset + (32 if version == b"\x01" else 20), 2) not in (b"\x55\xc4", b"\x00\x00"):
            return "a language"
    return ""


def _has_content(source: BinaryIO, offset: int, length: int) -> bool:
    for start in range(offset, offset + length, 1 << 20):
        if _read(source, start, min(1 << 20, offset + length - start)).strip(b"\x00"):
            return True
    return False


def _chunks(source: BinaryIO, size: int) -> Iterator[Part]:
    """Chunks of a PNG (ISO/IEC 15948)."""
    start = 8
    while start + 12 <= size:
        header = _read(source, start, 8)
        length, kind = int.from_bytes(header[:4], "big") + 12, header[4:8]
        wrong = "" if kind in _PNG_CHUNKS else "a kind of part that no copy has"
        yield Part(kind.decode("latin-1") if kind.isalnum() else kind.hex(), start, length, wrong, kind == b"IDAT")
        start += length
        if kind == b"IEND":
            break
    if start < size:
        yield Part("rest", start, size - start, "bytes after the end of the picture")


def _segments(source: BinaryIO, size: int) -> Iterator[Part]:
    """Segments of a JPEG (ITU-T T.81, annex B) up to the picture itself, and what follows it."""
    start = 2
    while start + 4 <= size:
        header = _read(source, start, 4)
        if header[0] != 0xFF:
            yield Part("rest", start, size - start, "bytes that belong to no part of the file")
            return
        marker, length = header[1], int.from_bytes(header[2:4], "big") + 2
        jfif = marker == 0xE0 and _read(source, start + 4, 5) == b"JFIF\x00" and length <= 18
        wrong = "" if jfif or marker in _JPEG_MARKERS else "a kind of part that no copy has"
        if marker == 0xDA:
            yield Part("SOS", start, size - start, holds_media=True)
            if _read(source, size - 2, 2) != b"\xff\xd9":
                yield Part("rest", size, 0, "bytes after the end of the picture")
            return
        yield Part(f"FF{marker:02X}", start, length, wrong)
        start += length
