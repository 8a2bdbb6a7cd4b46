"""A case that several processes have open at once: each locks it only for as long as one of its acts takes.

Whoever has a clip in work holds a lock of its own, so that no other process changes the clip's documents meanwhile.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safelight.custody import ocfl
from safelight.custody.case import LOG, STORE, Case, Facts, locked, tidy, unlocked
from safelight.custody.catalogue import IN_MEMORY, Catalogue, Clip
from safelight.custody.keys import Ask
from safelight.custody.log import CHECKPOINT
from safelight.errors import Code, SafelightError
from safelight.inputs import printable

PATIENCE = 20.0  # seconds to wait for another process's act


class Shared:
    """Such a case. Of one thread only: the one that opened it."""

    def __init__(self, case: Case) -> None:
        self._case = case

    @property
    def who(self) -> str:
        """The member who opened it."""
        return self._case.keys.who

    @property
    def head(self) -> bytes:
        """Another one whenever anybody did anything. Cheap, and needs no lock. Raises SL-CASE-BROKEN."""
        path = self._case.path / LOG / CHECKPOINT
        try:
            return path.read_bytes()
        except OSError as error:
            raise SafelightError(Code.CASE_BROKEN, "The log cannot be read any more.", file=printable(path)) from error

    @contextmanager
    def turn(self, patience: float = PATIENCE) -> Iterator[Case]:
        """The case as it is now, locked against all others while entered.

        Raises SL-CASE-LOCKED when another process holds it for longer than ``patience`` seconds; SL-CASE-BROKEN.
        """
        with locked(self._case.path, patience):
            tidy(self._case.path)
            self._case.catch_up()
            yield self._case


@contextmanager
def shared(path: Path, *, identity: Path | None = None, ask: Ask) -> Iterator[Shared]:
    """Open a case for its members, others beside them. Raises like :func:`safelight.custody.case.opened`."""
    facts = Facts.load(path)
    with locked(path, PATIENCE):
        tidy(path)
    keys = unlocked(path, facts, identity=identity, ask=ask)  # may wait for a person, so nobody else has to
    with Catalogue(IN_MEMORY, facts.id) as tables:
        with locked(path, PATIENCE):
            tidy(path)
            case = Case(path, keys, facts, tables)
        yield Shared(case)


class ClipLock:
    """A clip of a case that one process has in work. The lock is the kernel's and goes with its process."""

    def __init__(self, case: Case, clip: Clip) -> None:
        """With the case locked. Raises SL-DESK-TAKEN when another process has it; SL-CASE-BROKEN."""
        place = case.path / STORE / ocfl.place_of(clip.object)
        try:
            self._descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise SafelightError(Code.CASE_BROKEN, "The clip's object is not there.", file=printable(place)) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._descriptor)
            raise SafelightError(Code.DESK_TAKEN, "Another process has this clip in work.", file=clip.name) from error

    def close(self) -> None:
        """Give it back."""
        os.close(self._descriptor)


def in_work(case: Case, clip: Clip) -> bool:
    """Whether any other process has the clip in work. With the case locked, so that this is in nobody's way."""
    try:
        ClipLock(case, clip).close()
    except SafelightError as error:
        if error.code is not Code.DESK_TAKEN:
            raise
        return True
    return False
