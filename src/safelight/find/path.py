"""Where a head is in every frame of a track, kept small: a clip of ten minutes has hundreds of thousands of these."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple, overload

from safelight.geometry import Box
from safelight.plan import How

_HOWS = tuple(How)


class Spot(NamedTuple):
    """Where a head is in one frame, in shown pixels, and how that is known."""

    frame: int
    box: Box
    how: How
    finder: str
    score: float


class Path(Sequence[Spot]):
    """Spots of consecutive frames in about 22 bytes each; box edges in single precision."""

    def __init__(self, spots: Iterable[Spot]) -> None:
        self._first = -1
        self._numbers = array("f")  # left, top, right, bottom, score of every spot
        self._hows = bytearray()
        self._finders = bytearray()
        self._names = [""]
        for spot in spots:
            self.append(spot)

    def __len__(self) -> int:
        return len(self._hows)

    @overload
    def __getitem__(self, place: int) -> Spot: ...

    @overload
    def __getitem__(self, place: slice) -> list[Spot]: ...

    def __getitem__(self, place: int | slice) -> Spot | list[Spot]:
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        i = range(len(self))[place]
        *edges, score = self._numbers[5 * i : 5 * i + 5]
        return Spot(self._first + i, Box(*edges), _HOWS[self._hows[i]], self._names[self._finders[i]], score)

    def append(self, spot: Spot) -> None:
        """Add the spot of the next frame."""
        if not self._hows:
            self._first = spot.frame
        self._numbers.extend((*spot.box, spot.score))
        self._hows.append(_HOWS.index(spot.how))
        self._finders.append(self._name(spot.finder))

    def put(self, spot: Spot) -> None:
        """Replace the spot of a frame that is covered."""
        i = range(len(self))[spot.frame - self._first]
        self._numbers[5 * i : 5 * i + 5] = array("f", (*spot.box, spot.score))
        self._hows[i] = _HOWS.index(spot.how)
        self._finders[i] = self._name(spot.finder)

    def _name(self, finder: str) -> int:
        if finder not in self._names:
            self._names.append(finder)
        return self._names.index(finder)
