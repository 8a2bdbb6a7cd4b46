"""Starting worker processes and ending them for certain.

On Linux a server divides itself for each worker (:mod:`safelight.workers.forkserver`), so that what all load is loaded
once; elsewhere each is a program of its own.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

from safelight.models import store
from safelight.models.device import CPU, DEVICE
from safelight.workers import server
from safelight.workers.confine import Bounds


class Process(Protocol):
    """A running worker."""

    pid: int

    @property
    def stdin(self) -> IO[bytes] | None:
        """What it hears."""

    @property
    def stdout(self) -> IO[bytes] | None:
        """What it says."""

    def kill(self) -> None:
        """End it, whatever it does; no harm when it is gone."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, or minus the number of the signal that ended it.

        Raises subprocess.TimeoutExpired after ``timeout`` seconds.
        """


@contextlib.contextmanager
def started(
    source: int, others: tuple[int, ...], folder: Path, errors: IO[bytes], bounds: Bounds, device: str = CPU
) -> Iterator[Process]:
    """A worker process that is certainly gone afterwards.

    Raises SL-BUG when none can be started.
    """
    arguments = [str(source), os.fspath(folder), bounds.model_dump_json()]
    own = {
        DEVICE: device,
        "TMPDIR": os.fspath(folder.absolute()),
        "SAFELIGHT_WEIGHTS": os.fspath(store.folder()),
    }
    process: Process
    if server.divides():
        process = server.start(arguments, own, (source, *others), errors)
    else:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "safelight.workers", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            pass_fds=(source, *others),
            env=server.environment() | own,
            process_group=0,  # Ctrl-C reaches the program, which ends its workers in order
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
