"""Which way up a film is. Cameras in bags and clothes lie on their side, and files tell it wrongly; finders know people
upright only.
"""

from __future__ import annotations

from collections.abc import Iterable

from safelight.find.detect import Detection

_WAYS = 1, 3, 2  # clockwise quarter turns that bring a picture upright, the likely ones first
_WAIT = 10  # beats for which a turn holds when nobody is seen
_SELDOM = 3  # beats between two tries
_MORE = 1.2  # as much as the picture as it is shows, a turned one has to show to be upright


class Upright:
    """What one finder says of it. ``sure``: the score from which what it sees counts.

    The finder looks at pictures as they are; on every beat :meth:`ways` says which turns to look at as well, and
    :meth:`saw` takes what was seen. ``turn`` is what holds, 0 while nothing speaks for another way.
    """

    def __init__(self, sure: float) -> None:
        self.turn = 0
        self._sure = sure
        self._idle = 0  # beats since anybody was seen, either way
        self._empty = 0  # beats on which nobody was seen
        self._began = False
        self._seen = [0.0, 0.0, 0.0, 0.0]  # of sure sightings the sum of scores, since the last beat, by turn

    def saw(self, turn: int, found: Iterable[Detection]) -> None:
        """What was seen in a picture turned so, in one look."""
        self._seen[turn] = max(self._seen[turn], sum(d.score for d in found if d.score >= self._sure))

    def ways(self) -> tuple[int, ...]:
        """On a beat, after the picture as it is was looked at: other turns to try.

        All when a clip begins, one on each of the next beats on which nobody was seen, later on every third.
        """
        if not self._began:
            self._began = True
            return _WAYS
        if self.turn or self._seen[0]:
            return ()
        self._empty += 1
        soon = self._empty <= len(_WAYS)
        way, rest = (self._empty, 0) if soon else divmod(self._empty, _SELDOM)
        return () if rest else (_WAYS[way % len(_WAYS)],)

    def settle(self) -> None:
        """On a beat, after these were looked at: decide. What holds goes on for a while when nobody is seen."""
        best = max(range(4), key=lambda turn: (self._seen[turn], -turn))
        self._idle = 0 if self._seen[best] else self._idle + 1
        if self._seen[best] or self._idle > _WAIT:
            self.turn = best if self._seen[best] > _MORE * self._seen[0] else 0
        self._seen = [0.0, 0.0, 0.0, 0.0]
