"""Encryption by age (age-encryption.org/v1, through pyrage): small documents at once, originals as streams.

A stream is read once, in a thread that also hashes what it reads; meanwhile the first one encrypts and writes, and a
third hashes what is written. Nothing here keeps more than a few megabytes, whatever the length of a file.
"""

from __future__ import annotations

import errno
import hashlib
import io
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

PIECE = 1 << 20  # bytes read at once
AHEAD = 4  # pieces that may be read and not yet worked on
CUT = 1 << 17  # bytes of a piece that are copied at once


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
    with Sink(path) as sink, _Hashing(sealed) as hashing, _Reader(source, [plain, quick], progress) as reader:
        writer = _Writer(sink.write, hashing.put)
        try:
            pyrage.encrypt_io(io.BufferedReader(reader, CUT), writer, to)
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
    with _Reader(source, [sealed]) as reader:
        writer = _Writer(write, plain.update)  # pieces are so small that another thread would cost more than it saves
        try:
            stream = io.BufferedReader(reader, CUT)
            pyrage.decrypt_io(stream, writer, [identity])
            _require_whole(reader, writer)
            if stream.read(1):
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


class _Reader(io.RawIOBase):
    """Reads a descriptor ahead of the cipher, in a thread that also hashes. Context manager.

    The cipher asks for 8 KiB at a time and keeps the interpreter's lock while it works: so pieces are large, their
    buffers are used again (fresh ones cost as much as the reading), and a buffered reader cuts them up without Python.
    At the end of the stream everything is hashed.
    """

    def __init__(self, descriptor: int, digests: list[Any], progress: Callable[[int], None] | None = None) -> None:
        self.done = 0
        self.failed: Exception | None = None
        self._descriptor = descriptor
        self._digests = digests
        self._progress = progress
        self._free: queue.SimpleQueue[memoryview | None] = queue.SimpleQueue()
        self._full: queue.SimpleQueue[tuple[memoryview, int] | Exception] = queue.SimpleQueue()
        self._piece, self._length, self._at = memoryview(b""), 0, 0
        self._ended = False
        self._thread = threading.Thread(target=self._ahead, daemon=True)
        for _ in range(AHEAD):
            self._free.put(memoryview(bytearray(PIECE)))

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        """What the cipher reads next. What goes wrong is kept in ``failed``, since the cipher forgets it."""
        if self.failed is not None:
            raise self.failed
        try:
            if self._at == self._length and not self._ended:
                self._next()
        except Exception as error:
            self.failed = error
            raise
        count = min(len(into), self._length - self._at)
        into[:count] = self._piece[self._at : self._at + count]
        self._at += count
        return count

    def _next(self) -> None:
        if self._length:
            self._free.put(self._piece)
        self._length = self._at = 0
        came = self._full.get()
        if isinstance(came, Exception):
            raise came
        self._piece, self._length = came
        self._ended = self._length == 0
        self.done += self._length
        if self._progress is not None:
            self._progress(self.done)  # may raise: the work was called off

    def _ahead(self) -> None:
        try:
            while (piece := self._free.get()) is not None and not self._ended:
                length = os.readv(self._descriptor, [piece])
                for digest in self._digests:
                    digest.update(piece[:length])
                self._full.put((piece, length))
                if length == 0:
                    return
        except Exception as error:  # noqa: BLE001 - told where it is waited for, or that would be for ever
            self._full.put(error)

    def __enter__(self) -> _Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._free.put(None)
        self._thread.join()


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
    """A thread that hashes what is put, in its order. Context manager; afterwards the digest is final."""

    def __init__(self, digest: Any) -> None:
        self._digest = digest
        self._free: queue.SimpleQueue[memoryview] = queue.SimpleQueue()
        self._full: queue.SimpleQueue[memoryview | None] = queue.SimpleQueue()
        for _ in range(AHEAD):
            self._free.put(memoryview(bytearray(PIECE)))
        self._piece, self._filled = self._free.get(), 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def put(self, data: bytes) -> None:
        """Have a piece hashed; at most PIECE bytes."""
        if self._filled + len(data) > PIECE:
            self._full.put(self._piece[: self._filled])
            self._piece, self._filled = self._free.get(), 0
        self._piece[self._filled : self._filled + len(data)] = data
        self._filled += len(data)

    def _run(self) -> None:
        while (piece := self._full.get()) is not None:
            self._digest.update(piece)
            self._free.put(memoryview(piece.obj))

    def __enter__(self) -> _Hashing:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._full.put(self._piece[: self._filled])
        self._full.put(None)
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
