"""The store: a folder of weight files that is believed only as far as their hashes go.

The folder is ``$SAFELIGHT_WEIGHTS`` if that is set, else ``$XDG_CACHE_HOME/safelight/weights``, else
``~/.cache/safelight/weights``. Whoever may write to it can make Safelight refuse to work and nothing more: the bytes
that are hashed are the very bytes that are used, and a file appears under its name only when it is whole.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from safelight.errors import Code, SafelightError
from safelight.models.manifest import Group, Weight, weights

_PIECE = 1 << 20  # bytes


class State(StrEnum):
    """How a weight stands in the store."""

    READY = "ready"
    MISSING = "missing"
    CHANGED = "changed"
    UNREADABLE = "unreadable"


_STATES = {Code.WEIGHTS_MISSING: State.MISSING, Code.WEIGHTS_CHANGED: State.CHANGED}


def folder() -> Path:
    """Where weight files are kept; it need not exist yet."""
    if chosen := os.environ.get("SAFELIGHT_WEIGHTS"):
        return Path(chosen).expanduser().absolute()
    cache = os.environ.get("XDG_CACHE_HOME", "")  # the XDG rules: a relative path there is to be ignored
    base = Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache"
    return base / "safelight" / "weights"


def path_of(weight: Weight) -> Path:
    """Where that weight is kept, whether or not it is there."""
    return folder() / weight.file


def read_exactly(path: Path, size: int, sha256: str) -> bytes:
    """The bytes of a regular file, if it has that size and hash; never reads more than ``size`` + 1 bytes.

    Raises:
        FileNotFoundError: there is no such file.
        SafelightError: WEIGHTS_CHANGED for other bytes or no regular file, NO_PERMISSION or UNREADABLE.
    """
    with _open(path) as file:
        data = file.read(size + 1)
    return exactly(data, size, sha256, str(path))


def check_exactly(path: Path, size: int, sha256: str) -> None:
    """See that a file has that size and hash, piece by piece: it may be large. Otherwise as :func:`read_exactly`."""
    digest, left = hashlib.sha256(), size + 1
    with _open(path) as file:
        while piece := file.read(min(left, _PIECE)):
            digest.update(piece)
            left -= len(piece)
    if digest.hexdigest() != sha256:
        raise _changed(sha256, str(path))


def exactly(data: bytes, size: int, sha256: str, file: str) -> bytes:
    """``data``, if it has that size and hash. Raises SafelightError WEIGHTS_CHANGED, naming ``file``, otherwise."""
    if len(data) != size or hashlib.sha256(data).hexdigest() != sha256:
        raise _changed(sha256, file)
    return data


def _changed(sha256: str, file: str) -> SafelightError:
    return SafelightError(Code.WEIGHTS_CHANGED, f"Its sha256 is not {sha256}.", file=file)


@contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    """A regular file, open for reading; a pipe that lies there under the right name must not hang the program.

    What goes wrong with it, while it is read too, is raised as :func:`read_exactly` says.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise SafelightError(Code.WEIGHTS_CHANGED, "This is not a regular file.", file=str(path))
        with os.fdopen(descriptor, "rb") as file:
            yield file
    except FileNotFoundError:
        raise
    except NotADirectoryError as error:
        raise FileNotFoundError(*error.args) from error
    except PermissionError as error:
        raise SafelightError(Code.NO_PERMISSION, "The file may not be read.", file=str(path)) from error
    except OSError as error:
        raise SafelightError(Code.UNREADABLE, f"{error.strerror}.", file=str(path)) from error


def load(weight: Weight) -> bytes:
    """The bytes of a weight, hashed on the way.

    Raises:
        SafelightError: WEIGHTS_MISSING, WEIGHTS_CHANGED, NO_PERMISSION or UNREADABLE, naming the file.
    """
    with _there(weight) as path:
        return read_exactly(path, weight.size, weight.sha256)


def check(weight: Weight) -> None:
    """See that a weight is there and unchanged. Raises as :func:`load` does."""
    with _there(weight) as path:
        check_exactly(path, weight.size, weight.sha256)


@contextmanager
def _there(weight: Weight) -> Iterator[Path]:
    """Where a weight is kept; that it is not there is a refusal."""
    path = path_of(weight)
    try:
        yield path
    except FileNotFoundError as error:
        raise SafelightError(
            Code.WEIGHTS_MISSING, f"The weights for {weight.purpose} are not here.", file=str(path)
        ) from error


def inspect(weight: Weight) -> tuple[State, SafelightError | None]:
    """Read and hash a weight: how it stands, and what :func:`load` would raise."""
    try:
        check(weight)
    except SafelightError as error:
        return _STATES.get(error.code, State.UNREADABLE), error
    return State.READY, None


def require(group: str) -> None:
    """See that all weights of a group are there and unchanged, before any work begins.

    Raises:
        SafelightError: as :func:`load`, for the first weight that is not.
    """
    for weight in weights(Group(group)):
        check(weight)


def save(weight: Weight, data: bytes) -> Path:
    """Put a weight into the store: written beside its place, flushed to the disk, then renamed.

    Raises:
        SafelightError: WEIGHTS_CHANGED if these are not the weight's bytes; NOT_WRITABLE or DISK_FULL.
    """
    path = path_of(weight)
    exactly(data, weight.size, weight.sha256, weight.member)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(prefix=".part-", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                os.fchmod(descriptor, 0o644)  # public data: who may enter the folder may read it
                file.flush()
                os.fsync(file.fileno())
            Path(part).replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(part).unlink()
            raise
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise SafelightError(
            Code.DISK_FULL if full else Code.NOT_WRITABLE, f"{error.strerror}.", file=str(path)
        ) from error
    return path
