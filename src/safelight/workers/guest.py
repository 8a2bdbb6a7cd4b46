"""Somebody else's program, held in like a worker: this process locks itself in, then becomes that program.

Started as ``python -m safelight.workers.guest SOURCE_FD FOLDER BOUNDS PROGRAM WORD...``. As a worker, the program can
reach no network, no other process and no file but its own folder, system libraries, and the source through its
descriptor; it may make folders, and execute nothing but itself. It is not watched for a closed standard input: the
kernel ends it with the program that started it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

from safelight.errors import SafelightError
from safelight.workers.confine import Bounds, lock

REFUSED = 71  # exit status when the process could not be locked in
_PR_SET_PDEATHSIG = 1
_TERMINALS = ("/lib/terminfo", "/usr/share/terminfo", "/etc/terminfo")


def main() -> None:
    """Never returns where all goes well."""
    source, bounds, program = int(sys.argv[1]), Bounds.model_validate_json(sys.argv[3]), Path(sys.argv[4])
    os.chdir(sys.argv[2])
    os.umask(0o077)
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died in between
        sys.exit(REFUSED)
    readable = [Path(place) for place in _TERMINALS]
    opened = Path(f"/proc/self/fd/{source}")
    if opened.readlink().exists():  # memory has no name, and needs no rule
        readable.append(opened)
    os.set_inheritable(source, True)
    try:
        lock(bounds, folder=Path.cwd(), readable=readable, program=program)
    except SafelightError as error:
        print(error.detail, file=sys.stderr)
        sys.exit(REFUSED)
    os.execve(program, [os.fspath(program), *sys.argv[5:]], dict(os.environ))


if __name__ == "__main__":
    main()
