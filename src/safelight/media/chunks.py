"""Damage in an AVI file, found in its own bytes: chunks that do not follow each other without a break.

FFmpeg searches on when a chunk's head is spoilt, and says nothing. Runs inside a worker.
"""

from __future__ import annotations

import re
from typing import BinaryIO

_HEAD = 8  # bytes: four letters, then the length
_NAME = re.compile(rb"[0-9A-Za-z][0-9A-Za-z ]{3}", re.DOTALL)
_GROUP = re.compile(rb"RIFF|LIST")
_MOST_STEPS = 1 << 16  # between two pictures


class Chunks:
    """Reads along in an AVI file."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._at: int | None = None  # where the next chunk should begin; None: before the first picture

    def broken(self, start: int) -> bool:
        """Whether the file is broken between the picture before and the chunk whose content begins at ``start``."""
        place, self._at = self._at, None
        goal = start - _HEAD
        kept = self._source.tell()
        try:
            if place is not None and place <= goal:
                for _ in range(_MOST_STEPS):
                    if place >= goal:
                        break
                    following = self._after(place)
                    if following is None:
                        return True
                    place = following
                # Lengths are even; some cameras forget to fill up.
                if place not in (goal, goal + 1):
                    return True
            return False
        finally:
            self._at = self._after(goal)
            self._source.seek(kept)

    def _after(self, place: int) -> int | None:
        """Where the chunk ends that begins at a place, or its list of chunks begins; None if there is none."""
        self._source.seek(place)
        head = self._source.read(_HEAD)
        if len(head) < _HEAD or not _NAME.fullmatch(head[:4]):
            return self._unfilled(place)
        if _GROUP.fullmatch(head[:4]):
            return place + _HEAD + 4
        size = int.from_bytes(head[4:], "little")
        return place + _HEAD + size + size % 2

    def _unfilled(self, place: int) -> int | None:
        """Go on one byte earlier, where a camera did not fill up a chunk of odd length."""
        self._source.seek(place - 1)
        head = self._source.read(_HEAD)
        if len(head) < _HEAD or not _NAME.fullmatch(head[:4]):
            return None
        size = int.from_bytes(head[4:], "little")
        return place - 1 + _HEAD + size + size % 2
