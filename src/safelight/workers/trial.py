"""Try out on this machine whether the lock holds: a locked process tries to get out, in each of a few ways.

What the kernel says it can do and what it does may differ: a container or another security module may stand between.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from safelight.workers.confine import Bounds, lock

_ESCAPED, _HELD = 3, 0


def _read_others() -> None:
    list(Path.home().iterdir())


def _write_elsewhere() -> None:
    descriptor = os.open("..", os.O_WRONLY | os.O_TMPFILE)  # a file without a name: nothing stays if it works
    os.close(descriptor)


def _connect() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()


def _start_program() -> None:
    os.execv(sys.executable, [sys.executable, "-c", f"raise SystemExit({_ESCAPED})"])


def _become_many() -> None:
    if os.fork() == 0:
        os._exit(0)


def _eat_memory() -> None:
    bytearray(64 << 30)


ATTEMPTS: dict[str, Callable[[], None]] = {
    "read other files": _read_others,
    "write elsewhere": _write_elsewhere,
    "reach the network": _connect,
    "start a program": _start_program,
    "start a process": _become_many,
    "take all memory": _eat_memory,
}


def held(name: str) -> bool:
    """Whether a locked process could not do what ``name`` says: it was told no or ended for trying."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-P", "-m", "safelight.workers.trial", name, folder]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    return done.returncode in (_HELD, -signal.SIGSYS)


def main() -> int:
    """Lock this process, then try; the status tells whether it got out. A kernel that ends it has held it, too."""
    attempt, folder = ATTEMPTS[sys.argv[1]], Path(sys.argv[2])
    os.chdir(folder)
    bounds = Bounds(memory=2 << 30, processor=30, file=1 << 20, folder=1 << 20, needed=False)
    lock(bounds, folder=folder, readable=[])
    try:
        attempt()
    except (OSError, MemoryError):
        return _HELD
    return _ESCAPED


if __name__ == "__main__":
    raise SystemExit(main())
