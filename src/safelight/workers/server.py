"""The program's side of the process that starts workers (:mod:`safelight.workers.forkserver`): started once, asked for
each worker, told how each ended.

It can be started before anything else is loaded: nothing is imported here that takes time.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from typing import IO

from safelight.errors import Code, SafelightError, harmless
from safelight.workers.forkserver import MOST_DESCRIPTORS, STATUS

# What a worker's libraries may know of the person's environment; nothing else gets in.
_ENVIRONMENT = (
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "PYTHONHOME",
    "HOME",
    "LANG",
    "LC_ALL",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
)

_PATIENCE = 180.0  # seconds for loading and dividing


def prepare() -> None:
    """Begin to load what workers need, beside whatever the program does before its first one."""
    if divides():
        with _turn:
            _server()


def start(arguments: Sequence[str], own: Mapping[str, str], passed: Sequence[int], errors: IO[bytes]) -> Forked:
    """A new worker, where this machine :func:`divides`; see :meth:`_Forkserver.start`."""
    with _turn:
        return _server().start(arguments, own, passed, errors)


@cache
def divides() -> bool:
    """Whether a process that is not a child of this one can be ended for certain: not on old kernels and in some
    containers.
    """
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return False
    try:
        handle = os.pidfd_open(os.getpid())
        signal.pidfd_send_signal(handle, 0)
    except OSError:
        return False
    os.close(handle)
    return True


def environment() -> dict[str, str]:
    """What workers get of the person's environment, the same for all."""
    return {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ} | {
        "OPENBLAS_NUM_THREADS": "1",  # its threads wait busily for one another
        # glibc keeps a heap for every thread and gives nothing back: a hundred megabytes that nobody uses. But a
        # picture that is mapped anew each time is cleared by the kernel first: a fifth of hiding's work at 1080p.
        "MALLOC_ARENA_MAX": "2",
        "MALLOC_MMAP_THRESHOLD_": str(16 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
        "PYDANTIC_DISABLE_PLUGINS": "__all__",  # to look for some, it reads what every package says of itself
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class Forked:
    """A worker that a server started: the server's child and not ours, so that its end is told over a pipe."""

    def __init__(
        self, server: _Forkserver, pid: int, handle: int, stdin: IO[bytes], stdout: IO[bytes], end: int
    ) -> None:
        self.pid, self.stdin, self.stdout = pid, stdin, stdout
        self._server, self._handle, self._end = server, handle, end
        self._status: int | None = None

    def kill(self) -> None:
        """See :class:`Process`."""
        if self._status is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """See :class:`Process`."""
        if self._status is None:
            if not select.select([self._end], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("safelight.workers", timeout or 0.0)
            told = os.read(self._end, STATUS.size)
            self._status = STATUS.unpack(told)[0] if told else -signal.SIGKILL  # the server is gone, and all it started
            os.close(self._end)
            os.close(self._handle)
            with _turn:
                self._server.workers -= 1
        return self._status


class _Forkserver:
    """The server of this program, seen from here."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.workers = 0  # that have not ended
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the server lives
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(_PATIENCE)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "safelight.workers.forkserver", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                pass_fds=(theirs.fileno(),),
                env=environment,
                process_group=0,
            )

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def start(
        self, arguments: Sequence[str], own: Mapping[str, str], passed: Sequence[int], errors: IO[bytes]
    ) -> Forked:
        """A new worker, given ``passed`` under the numbers they have here.

        Raises SL-BUG when the server has ended, OSError when the system grants no more processes or descriptors.
        """
        hears, stdin = os.pipe()
        stdout, says = os.pipe()
        end, tells = os.pipe()
        request = json.dumps({"arguments": arguments, "environment": own, "numbers": passed}).encode()
        try:
            pid, handle = self._divided(request, [hears, says, errors.fileno(), tells, *passed])
        except BaseException:
            for descriptor in (stdin, stdout, end):
                os.close(descriptor)
            raise
        finally:
            for descriptor in (hears, says, tells):
                os.close(descriptor)
        self.workers += 1
        return Forked(self, pid, handle, os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb"), end)

    def _divided(self, request: bytes, given: Sequence[int]) -> tuple[int, int]:
        """The number of a new process and a handle of it."""
        try:
            socket.send_fds(self._control, [request], given)
            told, handles, _, _ = socket.recv_fds(self._control, 64, MOST_DESCRIPTORS)
            if not told:
                raise BrokenPipeError
        except (BrokenPipeError, ConnectionResetError, TimeoutError) as error:
            self._process.kill()
            self._process.wait()
            self._errors.seek(0)
            words = self._errors.read()[-2000:].decode("utf-8", "replace").strip().splitlines() or ["nothing"]
            detail = f"The process that starts workers ended; its last words: {harmless(words[-1])[:300]}."
            raise SafelightError(Code.BUG, detail) from error
        pid = int(told)
        if pid < 0:
            raise OSError(-pid, os.strerror(-pid))
        return pid, handles[0]

    def close(self) -> None:
        """End it. It may still be loading: nothing that it does is lost."""
        self._control.close()
        self._process.kill()
        self._process.wait()
        self._errors.close()

    def forget(self) -> None:
        """It is another process's."""
        self._control.close()


_servers: list[_Forkserver] = []
_turn = threading.Lock()  # for servers and their counts of workers


def _server() -> _Forkserver:
    """The one that was started in today's environment, if it lives; else a new one. Others end when they are idle.

    Whoever calls it has the turn.
    """
    today = environment()
    for old in list(_servers):
        if not old.alive or (old.environment != today and not old.workers):
            _servers.remove(old)
            old.close()
    fitting = [server for server in _servers if server.environment == today]
    if not fitting:
        fitting.append(_Forkserver(today))
        _servers.append(fitting[0])
    return fitting[0]


@atexit.register
def _close() -> None:
    with _turn:
        while _servers:
            _servers.pop().close()


def _forget() -> None:
    """In a process that this one was divided into, in the middle of somebody's turn perhaps: the server answers only
    its own program.
    """
    global _turn  # nobody is here who could let go of it
    _turn = threading.Lock()
    while _servers:
        _servers.pop().forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
