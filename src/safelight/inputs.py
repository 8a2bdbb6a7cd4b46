"""From what a person names on the command line to opened, hashed, unchanging originals.

Files are opened here, once, read-only; workers inherit the descriptor. Nothing in here looks inside a file.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from safelight.errors import Code, SafelightError, harmless

CHUNK = 1 << 20  # bytes read at once while hashing

# Files that systems leave in every folder. They hold no film; anything else in a folder is tried, whatever its name.
LITTER = frozenset({".ds_store", "thumbs.db", "desktop.ini"})


def printable(path: Path) -> str:
    """A path as one harmless line: control characters, bidirectional marks and undecodable bytes are spelled out."""
    name = os.fspath(path)
    if path.parts[:1] == ("s3:",):  # a place in a bucket; a path has lost a stroke of it
        name = f"s3://{name[4:]}"
    return harmless(name)


@dataclass(frozen=True)
class Item:
    """One file to work on. ``below``: the folders between the folder that was named and the file."""

    path: Path
    below: Path


def expand(paths: list[Path], *, leave_out: Path | None = None) -> Iterator[Item]:
    """Every file that ``paths`` name, folders walked in order of name; what lies below ``leave_out`` is not entered.

    Links to folders are not followed. Raises SafelightError SL-NO-PERMISSION for a folder that cannot be listed.
    """
    skip = leave_out.resolve() if leave_out is not None and leave_out.exists() else None
    for path in paths:
        if not path.is_dir():
            yield Item(path, Path())
            continue

        def refuse(error: OSError, named: Path = path) -> None:
            raise _refusal(error, Path(error.filename or named)) from error

        for folder, folders, files in os.walk(path, onerror=refuse):
            here = Path(folder)
            folders[:] = sorted(f for f in folders if skip is None or (here / f).resolve() != skip)
            for name in sorted(files):
                if name.lower() not in LITTER and not name.startswith("._"):
                    yield Item(here / name, here.relative_to(path))


class Original:
    """An opened original: its descriptor, its hash, the promise that it did not change meanwhile. Context manager."""

    def __init__(self, path: Path, descriptor: int | None = None) -> None:
        """Open ``path`` read-only, or take over an open ``descriptor`` of which ``path`` is only the name.

        Raises SafelightError when it is missing, empty, no regular file or not ours.
        """
        self.path = path
        self.descriptor = _opened(path) if descriptor is None else descriptor
        self._facts = os.fstat(self.descriptor)
        if not stat.S_ISREG(self._facts.st_mode):
            os.close(self.descriptor)
            raise SafelightError(Code.NOT_A_FILE, "This is not a regular file.", file=printable(path))
        if self._facts.st_size == 0:
            os.close(self.descriptor)
            raise SafelightError(Code.EMPTY, "The file is empty.", file=printable(path))

    @property
    def size(self) -> int:
        """Size in bytes when it was opened."""
        return self._facts.st_size

    def sha256(self, progress: Callable[[int], None] | None = None) -> str:
        """SHA-256 of the whole file as hex; ``progress`` is called with the bytes read. Raises SL-UNREADABLE."""
        digest = hashlib.sha256()
        offset = 0
        try:
            while data := os.pread(self.descriptor, CHUNK, offset):
                digest.update(data)
                offset += len(data)
                if progress is not None:
                    progress(offset)
        except OSError as error:
            raise _refusal(error, self.path) from error
        return digest.hexdigest()

    def part(self, offset: int, size: int) -> bytes:
        """At most ``size`` bytes of the file from ``offset`` on; fewer only at its end. Raises SL-UNREADABLE."""
        data = bytearray()
        try:
            while len(data) < size and (more := os.pread(self.descriptor, size - len(data), offset + len(data))):
                data += more
        except OSError as error:
            raise _refusal(error, self.path) from error
        return bytes(data)

    @contextlib.contextmanager
    def again(self) -> Iterator[Original]:
        """The same file opened once more, with a position of its own. Raises SL-CHANGED when it is another by now."""
        try:
            with Original(self.path, os.open(f"/proc/self/fd/{self.descriptor}", os.O_RDONLY | os.O_CLOEXEC)) as own:
                yield own
        except FileNotFoundError:  # no Linux
            with Original(self.path) as own:
                if not os.path.samestat(own._facts, self._facts):
                    raise SafelightError(Code.CHANGED, "The file was exchanged.", file=printable(self.path)) from None
                yield own

    def require_unchanged(self) -> None:
        """Raise SL-CHANGED when the file was written to since it was opened."""
        now = os.fstat(self.descriptor)
        if (now.st_size, now.st_mtime_ns) != (self._facts.st_size, self._facts.st_mtime_ns):
            raise SafelightError(Code.CHANGED, "The file changed while it was read.", file=printable(self.path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        os.close(self.descriptor)


def _opened(path: Path) -> int:
    # O_NONBLOCK: opening a pipe nobody writes to must not hang; it means nothing for a regular file
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    try:
        with contextlib.suppress(PermissionError):  # not our file: its time of last reading may then change
            return os.open(path, flags | getattr(os, "O_NOATIME", 0))
        return os.open(path, flags)
    except (OSError, ValueError) as error:
        raise _refusal(error, path) from error


def _refusal(error: OSError | ValueError, path: Path) -> SafelightError:
    file = printable(path)
    number = error.errno if isinstance(error, OSError) else errno.EINVAL  # ValueError: a zero byte in the name
    if number in (errno.ENOENT, errno.ENOTDIR, errno.EINVAL, errno.ENAMETOOLONG):
        return SafelightError(Code.NOT_FOUND, "There is no such file.", file=file)
    if number in (errno.EACCES, errno.EPERM):
        return SafelightError(Code.NO_PERMISSION, "You may not read this file.", file=file)
    if number in (errno.ENXIO, errno.ENODEV, errno.EISDIR):
        return SafelightError(Code.NOT_A_FILE, "This is not a regular file.", file=file)
    return SafelightError(Code.UNREADABLE, f"It could not be read: {os.strerror(number or errno.EIO)}.", file=file)
