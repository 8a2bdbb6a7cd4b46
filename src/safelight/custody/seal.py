"""Encryption by age (age-encryption.org/v1, through pyrage): small documents at once, originals as streams.

A stream is read once: plain and sealed bytes are hashed in a second thread while they are encrypted. Nothing here keeps
more than a few megabytes, whatever the length of a file.
"""

from __future__ import annotations

import errno
import hashlib
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import blake3
import pyrage
from pyrage.x25519 import Identity, Recipient

from safelight.custody.disk import Sink
from safelight.errors import Code, SafelightError
from safelight.inputs import printable

CHUNK = 1 << 18  # bytes read from an original at once: what waits to be hashed is still near the processor then
WAITING = 8  # pieces that may wait to be hashed


class NotSealed(Exception):  # noqa: N818 - it names what it is
    """What should be sealed to us cannot be opened: another key, or not a byte is to be trusted."""


@dataclass(frozen=True)
class Digests:
    """Of one stream: size and hashes in hex of the plain bytes, sha256 of the sealed ones."""

    size: int
    sha256: str
    blake3: str
    sealed: str


def seal(data: bytes, recipients: list[Recipient]) -> bytes:
    """Encrypt a small document."""
    return bytes(pyrage.encrypt(data, recipients))


def unseal(data: bytes, identity: Identity) -> bytes:
    """Decrypt a small document. Raises NotSealed."""
    try:
        return bytes(pyrage.decrypt(data, [identity]))
    except pyrage.DecryptError as error:
        raise NotSealed(str(error)) from error


def recipient(text: str) -> Recipient:
    """Read a recipient (age1…). Raises SL-RECIPIENT-INVALID."""
    try:
        return Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise SafelightError(Code.RECIPIENT_INVALID, f"{text!r} is no age recipient.") from error


def seal_stream(
    source: int, path: Path, to: list[Recipient], *, name: str, progress: Callable[[int], None] | None = None
) -> Digests:
    """Encrypt an open file into a new one; one pass, flat memory.

    ``source``: readable descriptor; ``name``: of the source, for refusals; ``progress``: is told the bytes read.
    Raises SL-UNREADABLE when the source fails (a card pulled out), OSError when ``path`` cannot be written.
    """
    plain, quick, sealed = hashlib.sha256(), blake3.blake3(), hashlib.sha256()
    with Sink(path) as sink, _Hashing() as hashing:
        reader = _Reader(source, lambda data: hashing.put(data, plain, quick), progress)
        writer = _Writer(sink.write, lambda data: hashing.put(data, sealed))
        try:
            pyrage.encrypt_io(reader, writer, to)
            _require_whole(reader, writer)
        except (OSError, pyrage.EncryptError) as error:
            if isinstance(reader.failed, OSError):
                why = os.strerror(reader.failed.errno or errno.EIO)
                raise SafelightError(Code.UNREADABLE, f"It could not be read: {why}.", file=name) from error
            raise reader.failed or writer.failed or error from error
    return Digests(reader.done, plain.hexdigest(), quick.hexdigest(), sealed.hexdigest())


def unseal_stream(source: int, write: Callable[[bytes], int], identity: Identity) -> tuple[str, str]:
    """Decrypt an open file, handing out pieces as they come; returns the sha256 of the plain and of the sealed bytes.

    The pieces are NOT to be trusted until this returns: a stream that was tampered with gives plain bytes before it
    is noticed. Raises NotSealed; OSError of ``write``.
    """
    plain, sealed = hashlib.sha256(), hashlib.sha256()
    with _Hashing() as hashing:
        reader = _Reader(source, lambda data: hashing.put(data, sealed), None)
        writer = _Writer(write, lambda data: hashing.put(data, plain))
        try:
            pyrage.decrypt_io(reader, writer, [identity])
            _require_whole(reader, writer)
            while reader.read(CHUNK):
                raise NotSealed("there is more in the file than was sealed")
        except (OSError, pyrage.DecryptError) as error:  # which of them says that a stream was cut is not promised
            if reader.failed is not None or writer.failed is not None:
                raise reader.failed or writer.failed or error from error
            raise NotSealed(str(error)) from error
    return plain.hexdigest(), sealed.hexdigest()


def reseal_stream(source: int, path: Path, identity: Identity, to: list[Recipient], *, name: str) -> Digests:
    """Decrypt an open file and encrypt it to somebody else, through a pipe: the plain bytes touch no disk.

    Raises NotSealed, and then what lies at ``path`` is worth nothing; otherwise like :func:`seal_stream`.
    """
    outlet, inlet = os.pipe()
    failed: list[Exception] = []

    def feed() -> None:
        try:
            with os.fdopen(inlet, "wb", buffering=0) as pipe:
                unseal_stream(source, lambda data: _all(pipe.fileno(), data), identity)
        except (NotSealed, OSError) as error:
            failed.append(error)

    feeding = threading.Thread(target=feed)
    feeding.start()
    try:
        digests = seal_stream(outlet, path, to, name=name)
    finally:
        os.close(outlet)  # ends a feed that still writes
        feeding.join()
    if failed:
        raise failed[0]
    return digests


def _require_whole(reader: _Reader, writer: _Writer) -> None:
    """Raise what failed in the streams: the cipher swallows the error of the last write and says that all went well."""
    if reader.failed is not None or writer.failed is not None:
        raise OSError(errno.EIO, "a stream failed") from (reader.failed or writer.failed)


def _all(descriptor: int, data: bytes) -> int:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    return len(data)


class _Reader:
    """Hands a descriptor's bytes to the cipher in the small pieces it asks for, read in large ones."""

    def __init__(self, descriptor: int, seen: Callable[[bytes], None], progress: Callable[[int], None] | None) -> None:
        self.done = 0
        self.failed: Exception | None = None
        self._descriptor = descriptor
        self._seen = seen
        self._progress = progress
        self._piece = b""
        self._at = 0

    def read(self, length: int) -> bytes:
        if self._at == len(self._piece):
            try:
                self._next()
            except Exception as error:
                self.failed = error  # the cipher forgets it
                raise
        piece = self._piece[self._at : self._at + length]
        self._at += len(piece)
        return piece

    def _next(self) -> None:
        self._piece, self._at = os.read(self._descriptor, CHUNK), 0
        self.done += len(self._piece)
        self._seen(self._piece)
        if self._progress is not None:
            self._progress(self.done)  # may raise: the work was called off


class _Writer:
    """Takes what the cipher gives and remembers why that failed."""

    def __init__(self, write: Callable[[bytes], int], seen: Callable[[bytes], None]) -> None:
        self.failed: OSError | None = None
        self._write = write
        self._seen = seen

    def write(self, data: bytes) -> int:
        self._seen(data)
        try:
            return self._write(data)
        except OSError as error:
            self.failed = error
            raise

    def flush(self) -> None:
        pass


class _Hashing:
    """A thread that hashes pieces in the order they come. Context manager; afterwards the digests are final."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[tuple[bytes, tuple[Any, ...]] | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def put(self, data: bytes, *digests: Any) -> None:
        """Have a piece hashed."""
        self._waiting.put((data, digests))

    def _run(self) -> None:
        while (piece := self._waiting.get()) is not None:
            for digest in piece[1]:
                digest.update(piece[0])

    def __enter__(self) -> _Hashing:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.put(None)
        self._thread.join()


def read_identity(path: Path) -> Identity:
    """The first secret key of an age identity file. Raises SL-NOT-FOUND, SL-CASE-WRONG-KEY."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SafelightError(Code.NOT_FOUND, "The key could not be read.", file=printable(path)) from error
    try:
        return Identity.from_str(next(line.strip() for line in lines if line.startswith("AGE-SECRET-KEY-")))
    except (StopIteration, pyrage.IdentityError) as error:
        raise SafelightError(Code.CASE_WRONG_KEY, "This file holds no age key.", file=printable(path)) from error
