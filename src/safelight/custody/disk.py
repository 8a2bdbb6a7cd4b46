"""Writing so that a kill or a full disk leaves either nothing or the whole: fsync, rename, and one journal a case."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path, PurePosixPath

from safelight.errors import Code, SafelightError
from safelight.inputs import printable
from safelight.outputs import writing

WORK = "work"
JOURNAL = "journal.json"
STRETCH = 8 << 20  # bytes after which the disk is told to begin with what it has
# Where a journal may move things to. It is read before anything is verified, so it may name nothing else.
_TARGETS = re.compile(r"(store|log|keys)/[A-Za-z0-9._/=%-]+|control")


def write_new(path: Path, data: bytes) -> None:
    """Write a new file and make it durable. Raises OSError; FileExistsError when the name is taken."""
    with Sink(path) as sink:
        sink.write(data)


class Sink:
    """A new file that is written from start to end and durable when closed without an error. Context manager.

    The system lets written bytes gather in memory, gigabytes of them, before it begins to put them on the disk; closing
    would then wait for all of them. Saying that a stretch is not needed again makes it begin, without waiting.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._written = 0
        self._begun = 0

    def write(self, data: bytes) -> int:
        """Write all of ``data``. Raises OSError."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        self._written += len(data)
        if self._written - self._begun >= STRETCH and hasattr(os, "posix_fadvise"):  # macOS has none
            os.posix_fadvise(self._descriptor, self._begun, self._written - self._begun, os.POSIX_FADV_DONTNEED)
            self._begun = self._written
        return len(data)

    def flush(self) -> None:
        """Nothing is buffered here."""

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                os.fsync(self._descriptor)
        finally:
            os.close(self._descriptor)


def sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Make the names in a folder and in all below it durable."""
    for here, _, _ in os.walk(folder):
        sync(Path(here))


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, durably."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir(mode=0o700, exist_ok=True)
        sync(parent.parent)


def commit(case: Path, moves: list[tuple[Path, Path]]) -> None:
    """Move staged files to their places, all or none, in order.

    ``moves``: from below ``case/work`` to below the case; what is staged must be durable already. The moment the
    journal has its name is the moment the act has happened: whoever opens the case next finishes the moves.
    """
    told = [[os.fspath(made.relative_to(case)), os.fspath(final.relative_to(case))] for made, final in moves]
    work = case / WORK
    draft = work / (JOURNAL + ".new")
    draft.unlink(missing_ok=True)
    write_new(draft, json.dumps({"version": 1, "moves": told}).encode())
    sync_tree(work)
    draft.replace(work / JOURNAL)
    sync(work)
    recover(case)


def recover(case: Path) -> None:
    """Finish what a journal says, if there is one. Safe to be killed and repeated.

    Raises SL-CASE-BROKEN for a journal that names what it may not; SL-DISK-FULL, SL-NOT-WRITABLE.
    """
    journal = case / WORK / JOURNAL
    if not journal.exists():
        return
    with writing(case):
        for made, final in _moves(journal, case):
            if os.path.lexists(made):
                make_folder(final.parent)
                made.replace(final)
                sync(final.parent)
                sync(made.parent)
        journal.unlink()
        sync(journal.parent)


def sweep(case: Path) -> None:
    """Remove what a killed run left half-done; call with the case locked and recovered."""
    with writing(case):
        for left in (case / WORK).iterdir():
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            else:
                left.unlink()


def _moves(journal: Path, case: Path) -> list[tuple[Path, Path]]:
    try:
        told = json.loads(journal.read_bytes())["moves"]
        pairs = [(str(made), str(final)) for made, final in told]
    except (ValueError, KeyError, TypeError) as error:
        raise SafelightError(Code.CASE_BROKEN, "The journal cannot be read.", file=printable(journal)) from error
    for made, final in pairs:
        inside = PurePosixPath(made).parts[:1] == (WORK,)
        if not inside or ".." in (*PurePosixPath(made).parts, *PurePosixPath(final).parts):
            raise SafelightError(Code.CASE_BROKEN, "The journal names a strange place.", file=printable(journal))
        if not _TARGETS.fullmatch(final):
            raise SafelightError(Code.CASE_BROKEN, "The journal names a strange target.", file=printable(journal))
    return [(case / made, case / final) for made, final in pairs]
