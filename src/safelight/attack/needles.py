"""Looking for many byte strings in a long file at once, streaming."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

_CHUNK = 1 << 20
_NARROW = re.compile(rb"(?:[\x20-\x7e]|[\xc3-\xdf][\x80-\xbf]){8,}")
_WIDE_LITTLE = re.compile(rb"(?:[\x20-\x7e]\x00|[\x00-\xff][\x04-\x06]){8,}")  # Latin, Cyrillic, Hebrew, Arabic
_WIDE_BIG = re.compile(rb"(?:\x00[\x20-\x7e]|[\x04-\x06][\x00-\xff]){8,}")
_PREFIX = 3  # bytes looked up in the table at every position; two to the 24 entries


@dataclass(frozen=True)
class Needle:
    """What to look for. ``folded``: without regard to the case of ASCII letters. ``meaning``: what finding it says."""

    pattern: bytes
    folded: bool
    meaning: str


def chance(needle: Needle, size: int) -> float:
    """How often the pattern is expected in ``size`` random bytes.

    Zero bytes count half: tables of small numbers are full of them. A letter without its case counts for 128 values.
    """
    bits = 0.0
    for byte in needle.pattern:
        letter = needle.folded and chr(byte).isalpha() and byte < 128
        bits += 4.0 if byte == 0 else 7.0 if letter else 8.0
    return float(size * 2.0**-bits)


def search(source: BinaryIO, needles: Iterable[Needle]) -> Iterator[tuple[Needle, int]]:
    """Every place of every needle, as (needle, offset), in order of place within a stretch of a megabyte.

    A table of the needles' first three bytes rules out nearly all positions; what is left is compared in full. Needles
    are at least three bytes long; shorter ones are not looked for.
    """
    plain, folded = _Table(), _Table()
    for needle in needles:
        if len(needle.pattern) >= _PREFIX:
            (folded if needle.folded else plain).add(needle)
    longest = max(plain.longest, folded.longest)
    if not longest:
        return
    source.seek(0)
    start, rest = 0, b""
    while data := source.read(_CHUNK):
        block = rest + data
        # what begins in the last `longest` bytes is judged with the next block, where it is whole
        yield from _hits(plain, folded, block, start, max(len(block) - longest, 0))
        kept = min(longest, len(block))
        start += len(block) - kept
        rest = block[len(block) - kept :]
    yield from _hits(plain, folded, rest, start, len(rest))


def _hits(plain: _Table, folded: _Table, block: bytes, start: int, end: int) -> Iterator[tuple[Needle, int]]:
    for table, text in ((plain, block), (folded, block.lower() if folded.longest else b"")):
        for needle, offset in table.find(text, end):
            yield needle, start + offset


class _Table:
    def __init__(self) -> None:
        self._seen = np.zeros(1 << (8 * _PREFIX), np.bool_)
        self._by_prefix: defaultdict[bytes, list[tuple[bytes, Needle]]] = defaultdict(list)
        self.longest = 0

    def add(self, needle: Needle) -> None:
        pattern = needle.pattern.lower() if needle.folded else needle.pattern
        self._seen[int.from_bytes(pattern[:_PREFIX], "big")] = True
        self._by_prefix[pattern[:_PREFIX]].append((pattern, needle))
        self.longest = max(self.longest, len(pattern))

    def find(self, text: bytes, end: int) -> Iterator[tuple[Needle, int]]:
        """Needles that begin in ``text`` before ``end``."""
        if not self.longest or len(text) < _PREFIX:
            return
        values = np.frombuffer(text, np.uint8).astype(np.uint32)
        keys = values[:-2] << 16 | values[1:-1] << 8 | values[2:]
        for offset in np.flatnonzero(self._seen[keys[:end]]).tolist():
            for pattern, needle in self._by_prefix[text[offset : offset + _PREFIX]]:
                if text.startswith(pattern, offset):
                    yield needle, offset


def strings(source: BinaryIO, spans: Iterable[tuple[int, int]], wanted: Callable[[str], bool]) -> Iterator[str]:
    """Readable text (ASCII, UTF-8 or UTF-16, 8 characters or more) in spans (offset, length) of a file."""
    for offset, length in spans:
        source.seek(offset)
        data = source.read(length)
        for text in _readable(data):
            if wanted(text):
                yield text


def _readable(data: bytes) -> Iterator[str]:
    for match in _NARROW.finditer(data):
        yield match.group().decode("utf-8", "ignore").strip()
    for pattern, coding in ((_WIDE_LITTLE, "utf-16-le"), (_WIDE_BIG, "utf-16-be")):
        for match in pattern.finditer(data):
            yield match.group().decode(coding, "ignore").strip()
