"""Joining tracks of one head across a stretch where following it failed, once all tracks are known."""

from __future__ import annotations

import math

from safelight.find.path import Path, Spot
from safelight.find.track import Track
from safelight.geometry import Box
from safelight.plan import How


def bridged(tracks: list[Track], longest: int) -> list[Track]:
    """Cover the way of a head that one track lost sight of and another found again within ``longest`` frames.

    Where following failed (behind something, say) each track guesses on its own; if both moved so that one
    could be the other, the straight way between them is covered by the later one too. The guesses stay: the
    bridge may be wrong.
    """
    for later in tracks:
        offers = [
            (miss, earlier.number, earlier)
            for earlier in tracks
            if 1 < later.born - earlier.seen <= longest and (miss := _miss(earlier, later)) < 1.0
        ]
        if offers:
            _bridge(min(offers)[2], later)
    return tracks


def _miss(earlier: Track, later: Track) -> float:
    """How far, in head sizes, one track's straight motion passes the other's, seen from both; infinite if in
    two shots."""
    gap = later.born - earlier.seen
    start, end = earlier.known(earlier.seen), later.known(later.born)
    if earlier.shot != later.shot:
        return float("inf")
    size = (start.box.height + end.box.height) / 2
    ratio = start.box.height / end.box.height
    if not 0.6 < ratio < 1.6:
        return float("inf")
    before = earlier.known(max(earlier.seen - 5, earlier.born))
    after = later.known(min(later.born + 5, later.seen))
    misses = []
    for a, b in ((before, start), (end, after)):
        speed = [(q - p) / max(b.frame - a.frame, 1) for p, q in zip(a.box.centre, b.box.centre, strict=True)]
        gone = [q - p - v * gap for p, q, v in zip(start.box.centre, end.box.centre, speed, strict=True)]
        misses.append(math.hypot(*gone) / size)
    return max(misses) / (1 + gap / 25)


def _bridge(earlier: Track, later: Track) -> None:
    start, end = earlier.known(earlier.seen), later.known(later.born)
    spots = {spot.frame: spot for spot in later.spots}
    for frame in range(start.frame + 1, end.frame):
        part = (frame - start.frame) / (end.frame - start.frame)
        way = Box(*(p + (q - p) * part for p, q in zip(start.box, end.box, strict=True)))
        guess = spots.get(frame)
        if guess is not None and guess.how is How.FOLLOWED and guess.box.overlap(way) > 0.1:
            way = way.union(guess.box)
        spots[frame] = Spot(frame, way, How.FILLED, end.finder, min(start.score, end.score))
    later.spots = Path(spots[frame] for frame in sorted(spots))
