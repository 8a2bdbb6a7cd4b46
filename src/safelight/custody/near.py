"""Where two clips show the same: their hashes laid beside each other at every shift.

A picture's hash is a "phash" of 256 bits (imagehash). Two pictures count as the same up to LIKE differing bits; that is
the distance that the makers of another hash of 256 bits recommend for theirs (PDQ, "The TMK+PDQF video-hashing
algorithm and the PDQ image-hashing algorithm", Facebook 2019: 31). Such a hash changes wholly when a camera turns by a
few hundredths of its view, so few pictures of one clip are looked for among *all* pictures of the other. Along one
shift, a picture that is the same adds one and another takes one away; a stretch ends where its sum was highest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safelight.custody.trace import STEP, Hashes

LIKE = 31  # bits of 256
EVERY = 4  # hashes: of these of one clip each is looked for, eight in a second
LEAST = 16  # of those in a stretch, more alike than not: two seconds
_TAKEN = 0.5  # share of a stretch from which another one has it already
_BREAK = 16  # of those by which a stretch may worsen before it has ended: two seconds
_DRIFT = 16  # hashes by which the shift may have changed where stretches meet: half a second
_SHIFTS = 64  # shifts that are looked at closely
_ROWS = 16  # pictures of one clip that are held against the whole other one at once
_LATER = 64  # hashes: two seconds


@dataclass(frozen=True)
class Stretch:
    """Seconds of one clip that are seconds of another. ``alike``: share of its pictures that are the same.

    ``still``: nothing moves there; it may be the same view at another time.
    """

    begin: float
    end: float
    other_begin: float
    other_end: float
    alike: float
    still: bool

    def __str__(self) -> str:
        doubt = ", where nothing moves" if self.still else ""
        return f"{clock(self.begin)}-{clock(self.end)} is {clock(self.other_begin)}-{clock(self.other_end)}{doubt}"


@dataclass(frozen=True)
class _Run:
    """Hashes ``first`` to before ``stop`` of one clip, ``shift`` later in the other; ``score`` tells how many."""

    first: int
    stop: int
    shift: int
    score: int
    mean: float
    alike: float


def stretches(one: Hashes, other: Hashes) -> list[Stretch]:
    """All stretches that two clips have in common, in the order of ``one``."""
    need = min(LEAST, -(-len(one) // EVERY), -(-len(other) // EVERY))
    if not need:
        return []
    kept: list[_Run] = []
    runs = [run for shift in _likely(one, other, need) for run in _along(one, other, shift, need)]
    for run in sorted(runs, key=lambda run: (-run.score, run.mean)):
        free = all(
            min(run.stop, had.stop) - max(run.first, had.first) <= _TAKEN * (run.stop - run.first) for had in kept
        )
        if free:
            kept.append(run)
    return _joined(one, sorted(kept, key=lambda run: run.first))


def clock(seconds: float) -> str:
    """A place in a clip, as players show it."""
    whole = int(seconds)
    return f"{whole // 60}:{whole % 60:02}{f'{seconds - whole:.2f}'[1:].rstrip('0').rstrip('.')}"


def _distances(one: Hashes, other: Hashes) -> NDArray[np.int64]:
    """Differing bits of pairs; pictures that show nothing are as far from everything as can be."""
    bits = np.bitwise_count(one ^ other).sum(axis=-1, dtype=np.int64)
    return np.where(one.any(axis=-1) & other.any(axis=-1), bits, 256)


def _likely(one: Hashes, other: Hashes, need: int) -> list[int]:
    """The shifts at which most pictures are the same, the best of its neighbours each."""
    counts = np.zeros(len(one) + len(other) - 1, np.int64)
    asked = np.arange(0, len(one), 2 * EVERY)
    first, second = (np.ascontiguousarray(other[:, word]) for word in (0, 1))
    for rows in np.split(asked, range(_ROWS, len(asked), _ROWS)):
        # Half of the bits are enough to rule nearly all pairs out, and added as bytes they cost least.
        rough = np.bitwise_count(one[rows, 0, None] ^ first) + np.bitwise_count(one[rows, 1, None] ^ second)
        here, there = np.nonzero(rough <= LIKE)
        same = _distances(one[rows[here]], other[there]) <= LIKE
        here, there = here[same], there[same]
        counts += np.bincount(there - rows[here] + len(one) - 1, minlength=len(counts))
    wide = np.convolve(counts, (1, 1, 1), "same")
    rank = np.where(wide >= max(need // 4, 1), 4 * wide + counts, 0)
    found: list[int] = []
    while len(found) < _SHIFTS and rank[best := int(rank.argmax())]:
        found.append(best - len(one) + 1)
        rank[max(best - 1, 0) : best + 2] = 0
    return found


def _along(one: Hashes, other: Hashes, shift: int, need: int) -> list[_Run]:
    places = np.arange(0, len(one), EVERY)
    places = places[(places + shift >= 0) & (places + shift < len(other))]
    if not len(places):
        return []
    apart = np.full(len(places), 256, np.int64)
    for near in (-1, 0, 1):  # the two clips were not sampled at the same moments
        beside = np.clip(places + shift + near, 0, len(other) - 1)
        apart = np.minimum(apart, _distances(one[places], other[beside]))
    same = apart <= LIKE
    return [
        _Run(
            first=int(places[first]),
            stop=min(int(places[last - 1]) + EVERY, len(one), len(other) - shift),
            shift=shift,
            score=score,
            mean=float(apart[first:last].mean()),
            alike=float(same[first:last].mean()),
        )
        for first, last, score in _sums(same.tolist())
        if score >= need
    ]


def _sums(same: list[bool]) -> list[tuple[int, int, int]]:
    """Stretches (first, stop, sum) along a row of pictures that are the same or not."""
    found: list[tuple[int, int, int]] = []
    first = stop = total = best = 0
    for place, good in enumerate([*same, *[False] * (_BREAK + 1)]):
        total += 1 if good else -1
        if total > best:
            best, stop = total, place + 1
        if total < 0 or best - total >= _BREAK:
            if best:
                found.append((first, stop, best))
            first, total, best = place + 1, 0, 0
    if best:
        found.append((first, stop, best))
    return found


def _joined(one: Hashes, runs: list[_Run]) -> list[Stretch]:
    """Stretches whose ends meet in both clips are one: a clip that runs a little faster drifts from shift to shift."""
    joined: list[list[_Run]] = []
    for run in runs:
        last = joined[-1][-1] if joined else None
        if last is not None and run.first - last.stop <= _BREAK * EVERY and abs(run.shift - last.shift) <= _DRIFT:
            joined[-1].append(run)
        else:
            joined.append([run])
    return [_stretch(one, group) for group in joined]


def _stretch(one: Hashes, runs: list[_Run]) -> Stretch:
    first, last = runs[0], runs[-1]
    seen = one[first.first : last.stop]
    apart = _distances(seen[:-_LATER], seen[_LATER:])
    return Stretch(
        begin=first.first * STEP,
        end=last.stop * STEP,
        other_begin=max(first.first + first.shift, 0) * STEP,
        other_end=(last.stop + last.shift) * STEP,
        alike=sum(run.alike * (run.stop - run.first) for run in runs) / sum(run.stop - run.first for run in runs),
        still=len(apart) > 0 and float(np.median(apart)) <= LIKE,
    )
