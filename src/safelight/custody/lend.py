"""An original opened for work: decrypted into memory that has no name, checked, made unchangeable, then lent.

It is never a file on a disk. FFmpeg must be able to seek, so a pipe does not do; a film needs as much memory as it is
long in bytes while it is worked on, and that memory may be swapped out (see the threat model).
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyrage.x25519 import Identity

from safelight.custody.case import ORIGINAL, Case
from safelight.custody.catalogue import Clip
from safelight.custody.entry import Act
from safelight.custody.seal import NotSealed, unseal_stream
from safelight.errors import Code, SafelightError
from safelight.inputs import Original, printable

_UNCHANGEABLE = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
_SPARE = 256 << 20  # bytes of memory left to everything else


@contextmanager
def lent(case: Case, clip: Clip, why: str) -> Iterator[Original]:
    """An original as an open file without a name; the log says who opened it and ``why``, before anybody has it.

    Raises SL-CASE-BROKEN when it is not what was sealed, SL-CASE-MEMORY when it does not fit into memory; then the log
    does not speak of it either.
    """
    with Original(Path(clip.path), in_memory(case, clip)) as original:
        case.note(Act.OPENED, clip, why)
        yield original


def in_memory(case: Case, clip: Clip) -> int:
    """The descriptor of a checked original in nameless memory; the caller closes it. Raises like :func:`lent`."""
    return unsealed(sealed_original(case, clip), clip, case.keys.case)


def sealed_original(case: Case, clip: Clip) -> Path:
    """Where an original lies, sealed; it stays there and never changes. Raises SL-CASE-BROKEN."""
    place, inventory = case.object(clip)
    return place / (inventory.path(ORIGINAL) or "")


def unsealed(path: Path, clip: Clip, key: Identity) -> int:
    """Like :func:`in_memory`, from where :func:`sealed_original` said; the case need not be locked."""
    require_memory(clip.size, clip)
    memory = os.memfd_create("original", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with path.open("rb", buffering=0) as sealed:
            digest, _ = unseal_stream(sealed.fileno(), lambda data: _write(memory, data), key)
        if digest != clip.sha256:
            raise NotSealed("another file")
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, _UNCHANGEABLE)
    except (NotSealed, OSError) as error:
        os.close(memory)
        if isinstance(error, OSError) and error.errno in (errno.ENOMEM, errno.ENOSPC):
            raise SafelightError(Code.CASE_MEMORY, f"{clip.size >> 20} MiB are needed.", file=clip.name) from error
        raise SafelightError(Code.CASE_BROKEN, "It is not what was sealed.", file=printable(path)) from error
    os.lseek(memory, 0, os.SEEK_SET)
    return memory


def require_memory(size: int, clip: Clip) -> None:
    """Refuse work on a clip that takes ``size`` bytes of memory where they are not to be had: SL-CASE-MEMORY."""
    if size + _SPARE > _available():
        raise SafelightError(Code.CASE_MEMORY, f"{size >> 20} MiB are needed.", file=clip.name)


def _write(memory: int, data: bytes) -> int:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(memory, rest) :]
    return len(data)


def _available() -> int:
    """Bytes of memory that can be had without swapping (Linux)."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0
