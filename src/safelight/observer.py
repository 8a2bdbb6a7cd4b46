"""Being told how the work on one clip is getting on, and how long each stage of it took."""

from __future__ import annotations

import time
from typing import Protocol


class Observer(Protocol):
    """Is told how one clip is getting on."""

    def stage(self, name: str) -> None:
        """A new stage begins: ``reading``, ``finding``, ``speaking``, ``hiding``, ``joining``, ``attacking``."""

    def progress(self, done: int, total: int | None) -> None:
        """So many of so many units (bytes while reading, cues while speaking, frames otherwise) are done."""


class Stopwatch:
    """An observer that tells another one everything, and keeps the seconds of each stage."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._began = self._since = time.monotonic()
        self._stage = ""
        self._spent: dict[str, float] = {}

    def stage(self, name: str) -> None:
        """See :meth:`Observer.stage`."""
        self._stop()
        self._stage = name
        self._observer.stage(name)

    def progress(self, done: int, total: int | None) -> None:
        """See :meth:`Observer.progress`."""
        self._observer.progress(done, total)

    @property
    def seconds(self) -> float:
        """Seconds since the work began."""
        return round(time.monotonic() - self._began, 1)

    @property
    def stages(self) -> dict[str, float]:
        """Seconds of each stage so far, in the order in which they first began."""
        self._stop()
        return {name: round(spent, 2) for name, spent in self._spent.items()}

    def _stop(self) -> None:
        now = time.monotonic()
        if self._stage:
            self._spent[self._stage] = self._spent.get(self._stage, 0.0) + now - self._since
        self._since = now
