"""The process that starts workers, by dividing itself: what all of them load is loaded once and shared.

Started by the program (:mod:`safelight.workers.server`) as ``python -m safelight.workers.forkserver SOCKET_FD``. It
never sees a job or a byte of a clip: descriptors come over the socket, go to the new worker and are forgotten, and each
worker locks itself in before it reads anything. Workers of one program share the layout of its memory; see
``docs/confinement.md``. When the program is gone the socket closes, this process ends, and the kernel ends its workers.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import struct
import sys
import traceback
from typing import Any, NoReturn

MOST_BYTES, MOST_DESCRIPTORS = 1 << 16, 32  # of one request
STATUS = struct.Struct("<i")
"""How a worker ended, on the pipe that its request brought: exit status, or minus the number of a signal."""
_PR_SET_PDEATHSIG = 1
_ASIDE = 128  # descriptors are put there while those of the new worker get their numbers
# While nobody asks for a worker, in this order; one that is wanted sooner loads itself what is missing. What only
# hiding and attacking need is loaded by these: 13 MB less while a clip is searched, when memory is at its fullest.
_LOADED = (
    "safelight.workers.jobs",
    "safelight.models.library",
    "safelight.find.faces",
    "safelight.find.people",
    "safelight.find.text",
)


def main() -> int:
    """Divide once for each request until the socket closes, and load meanwhile."""
    control = socket.socket(fileno=int(sys.argv[1]))
    gc.disable()  # looking for garbage would write to every page that is shared
    missing = list(reversed(_LOADED))
    noticed, notice = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(notice)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    ends: dict[int, int] = {}  # where to tell how a worker ended
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(noticed, selectors.EVENT_READ)
        while True:
            asked = selector.select(0 if missing else None)
            if missing and not asked:
                __import__(missing.pop())
            for key, _ in asked:
                if key.fileobj is control:
                    request, given, _, _ = socket.recv_fds(control, MOST_BYTES, MOST_DESCRIPTORS)
                    if not request:
                        return 0
                    _start(control, json.loads(request), given, ends)
                else:
                    os.read(noticed, 4096)
                    _tell(ends)


def _start(control: socket.socket, request: dict[str, Any], given: list[int], ends: dict[int, int]) -> None:
    """One new worker. ``given``: its three standard streams, where its end is told, and what it is given to read."""
    program = os.getpid()
    pid = 0
    try:
        pid = os.fork()
        if pid == 0:
            _be_worker(request, given, program)
        ends[pid] = os.dup(given[3])
        handle = os.pidfd_open(pid)  # it is not reaped yet, so this is it
        told, handles = pid, [handle]
    except OSError as error:  # too many processes or descriptors: the program's other workers go on
        if pid:
            os.kill(pid, signal.SIGKILL)
        told, handles = -(error.errno or errno.EAGAIN), []
    for descriptor in given:
        os.close(descriptor)
    with contextlib.suppress(BrokenPipeError):
        socket.send_fds(control, [str(told).encode()], handles)
    for descriptor in handles:
        os.close(descriptor)


def _tell(ends: dict[int, int]) -> None:
    """Reap who has ended."""
    while ends:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        if pid in ends:
            with contextlib.suppress(BrokenPipeError):
                os.write(ends[pid], STATUS.pack(os.waitstatus_to_exitcode(status)))
            os.close(ends.pop(pid))


def _be_worker(request: dict[str, Any], given: list[int], program: int) -> NoReturn:
    """The rest of this process's life: exactly that of ``python -m safelight.workers ARGUMENT...``."""
    status: object = 1
    try:
        gc.freeze()
        gc.enable()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setpgid(0, 0)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != program:  # it died in between
            raise SystemExit(1)
        _take([0, 1, 2, *request["numbers"]], [*given[:3], *given[4:]])
        os.environ.update(request["environment"])
        sys.argv = ["safelight.workers", *request["arguments"]]
        runpy.run_module("safelight.workers", run_name="__main__")
        status = 0
    except SystemExit as ended:
        status = ended.code or 0
        if not isinstance(status, int):
            print(status, file=sys.stderr)
    except BaseException:  # noqa: BLE001 - the interpreter's own last words, which it would say here
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status if isinstance(status, int) else 1)


def _take(numbers: list[int], given: list[int]) -> None:
    """Have these descriptors under these numbers, and no others."""
    first = max(_ASIDE, *numbers, *given) + 1
    aside = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, first) for descriptor in given]
    os.closerange(3, first)
    for number, descriptor in zip(numbers, aside, strict=True):
        os.dup2(descriptor, number)
        os.close(descriptor)


if __name__ == "__main__":
    raise SystemExit(main())
