"""SHA-256 of large files, made in the background and remembered as long as a file stays as it is.

A film of gigabytes takes seconds to minutes to read; nobody should wait for that before the first picture. What may
only happen when the hash is known waits for it (:meth:`Hashes.wait`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from safelight.errors import Code, SafelightError
from safelight.inputs import Original, printable

AT_ONCE = 32 << 20  # bytes; a smaller file is not worth a thread
Stamp = tuple[int, int, int, int, int]


class Hashes:
    """Safe to use from several threads. One file is read at a time; the thread ends when there is nothing to do."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._known: dict[Stamp, str | SafelightError] = {}
        self._waiting: list[tuple[Stamp, Original]] = []
        self._share: dict[Stamp, float] = {}  # of those that wait or are being read
        self._busy = False

    def of(self, file: Original, *, first: bool = False) -> str | None:
        """The hash of an opened file; None when it is not known yet: then it is being made, if ``first`` before others.

        Raises what reading raised, SL-CHANGED.
        """
        stamp = _stamp(file.descriptor)
        with self._change:
            known = self._known.get(stamp)
            if isinstance(known, SafelightError):
                raise known
            if known is not None:
                return known
            if file.size > AT_ONCE:
                self._begin(stamp, file, first=first)
                return None
        digest = _read(file, stamp, lambda share: None)
        with self._change:
            self._known[stamp] = digest
        return digest

    def of_path(self, path: Path) -> str | None:
        """:meth:`of` of a file that is opened for it. Raises what opening raises."""
        with Original(path) as file:
            return self.of(file)

    def share(self, file: Original) -> float:
        """How much of a file was read, from 0 to 1; 1 when its hash is known."""
        with self._change:
            stamp = _stamp(file.descriptor)
            return 1.0 if stamp in self._known else self._share.get(stamp, 0.0)

    def wait(self, file: Original) -> str:
        """:meth:`of`, when it is known."""
        while True:
            known = self.of(file, first=True)
            if known is not None:
                return known
            with self._change:
                if _stamp(file.descriptor) in self._share:
                    self._change.wait(1.0)

    # ------------------------------------------------------------------------------------------------------------

    def _begin(self, stamp: Stamp, file: Original, *, first: bool) -> None:
        waits = next((n for n, (other, _) in enumerate(self._waiting) if other == stamp), None)
        if waits is not None:
            if first and waits:
                self._waiting.insert(0, self._waiting.pop(waits))
            return
        if stamp in self._share:
            return  # being read
        self._share[stamp] = 0.0
        self._waiting.insert(0 if first else len(self._waiting), (stamp, Original(file.path, os.dup(file.descriptor))))
        if not self._busy:
            self._busy = True
            threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._change:
                if not self._waiting:
                    self._busy = False
                    return
                stamp, file = self._waiting.pop(0)
            made: str | SafelightError
            try:
                with file:
                    made = _read(file, stamp, lambda share, stamp=stamp: self._told(stamp, share))  # type: ignore[misc]
            except SafelightError as error:
                made = error
            with self._change:
                self._known[stamp] = made
                del self._share[stamp]
                self._change.notify_all()

    def _told(self, stamp: Stamp, share: float) -> None:
        self._share[stamp] = share


def _read(file: Original, stamp: Stamp, told: Callable[[float], None]) -> str:
    digest = file.sha256(lambda done: told(done / file.size))
    if _stamp(file.descriptor) != stamp:
        raise SafelightError(Code.CHANGED, "The file changed while it was read.", file=printable(file.path))
    return digest


def _stamp(descriptor: int) -> Stamp:
    """What is another one when a file was written to; the time of change cannot be set back by who may write."""
    facts = os.fstat(descriptor)
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns
