"""Bringing the sound of copy and original together, second by second and in flat memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from safelight.attack.protocol import Case, SoundPair
from safelight.media.facts import ClipFacts
from safelight.media.listen import listen


def sound_pairs(case: Case, rate: int, cut: float = 0.0) -> Iterator[SoundPair]:
    """The copy's sound and the original's, in stretches of a second, from the earlier beginning to the later end.

    Times count from the original's first picture, which comes ``cut`` seconds before the copy's, and are right to about
    one coded frame of sound. Nothing where the copy has no sound. Raises what listening raises.
    """
    if case.facts.sound is None:
        return
    copy = _Line(case.copy, case.facts, rate, cut)
    original = None
    if case.original is not None and case.original_facts is not None and case.original_facts.sound is not None:
        original = _Line(case.original, case.original_facts, rate)
    first = min(copy.next, copy.next if original is None else original.next)
    while not (copy.ended and (original is None or original.ended)):
        heard = copy.take(first, rate)
        theirs = original.take(first, rate) if original is not None else None
        count = max(copy.last - first, 0 if original is None else original.last - first, 0)
        if count:
            yield SoundPair(rate, first, heard[:count], None if theirs is None else theirs[:count])
        first += rate


class _Line:
    """One file's sound, put on the time line that begins ``later`` seconds before its first picture."""

    def __init__(self, source: BinaryIO, facts: ClipFacts, rate: int, later: float = 0.0) -> None:
        assert facts.sound is not None
        self._rate = rate
        self._heard = listen(source, rate=rate)
        self._begins = facts.sound.start - facts.picture_start + later
        self._origin: float | None = None
        self.next = round(self._begins * rate)  # number of the first sample not taken yet
        self.last = self.next  # number after the last sample read so far
        self.ended = False
        self._waiting: list[tuple[int, NDArray[np.float32]]] = []

    def take(self, first: int, count: int) -> NDArray[np.float32]:
        """The samples ``first`` to ``first + count``, zeros where there are none; ``first`` must not go back."""
        while not self.ended and self.last < first + count:
            self._read()
        taken = np.zeros(count, np.float32)
        kept = []
        for place, samples in self._waiting:
            begin, end = max(place, first), min(place + len(samples), first + count)
            if begin < end:
                taken[begin - first : end - first] = samples[begin - place : end - place]
            if place + len(samples) > first + count:
                kept.append((place, samples))
        self._waiting = kept
        return taken

    def _read(self) -> None:
        part = next(self._heard, None)
        if part is None:
            self.ended = True
            return
        if self._origin is None:
            self._origin = part.seconds
        place = round((self._begins + part.seconds - self._origin) * self._rate)
        if abs(place - self.last) <= self._rate // 50:
            place = self.last  # times are rounded: joined without a seam unless a fiftieth of a second is missing
        self._waiting.append((place, part.samples[0]))
        self.last = place + part.samples.shape[1]
