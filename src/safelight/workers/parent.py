"""The program's side of a worker: start it, feed it, listen with suspicion, end it."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from safelight.errors import Cancelled, Code, SafelightError
from safelight.models.device import CPU, chosen
from safelight.workers.confine import Bounds, require
from safelight.workers.device import require as require_device
from safelight.workers.messages import (
    ANSWER,
    DONE,
    MAX_LINE,
    AttackJob,
    Done,
    Failure,
    FindJob,
    Job,
    Progress,
    TraceJob,
    WordsJob,
)
from safelight.workers.process import Process, started

SECONDS_WITHOUT_PROGRESS = 180.0
SECONDS_BETWEEN_LOOKS = 0.2
MAX_LAST_WORDS = 1 << 20  # bytes on a worker's standard error
_LOOKING = (FindJob, AttackJob, WordsJob, TraceJob)  # jobs that run networks; no others are told of a device

_SIGNALS: dict[int, str] = {
    signal.SIGSYS: "by the kernel, since it tried what no worker does (a forbidden system call)",
    signal.SIGKILL: "by signal 9 (somebody, or the system when memory ran out)",
}


def run(
    job: Job,
    source: int,
    folder: Path,
    *,
    progress: Callable[[int, int | None], None],
    cancel: threading.Event,
    others: tuple[int, ...] = (),
    patience: float = SECONDS_WITHOUT_PROGRESS,
    bounds: Bounds | None = None,
) -> Done:
    """Run one job in a new, confined worker process and return its checked answer.

    ``source``: readable descriptor of the clip; its offset is reset. ``folder``: private folder the worker
    may write to. ``progress``: called with (frames done, frames expected or None). ``others``: more descriptors
    that the job speaks of. ``patience``: seconds without progress. ``bounds``: None for what fits the clip's size.

    Raises SafelightError with the worker's own refusal, or SL-WORKER-DIED, SL-WORKER-TIMEOUT, SL-WORKER-LIED,
    SL-WORKER-GREW; SL-UNCONFINED when this machine cannot confine a worker, SL-DEVICE when such a worker cannot use the
    device that was chosen; Cancelled when ``cancel`` was set.
    """
    require()
    device = chosen() if isinstance(job, _LOOKING) else CPU
    if device != CPU:
        require_device()
    bounds = bounds or Bounds.for_clip(os.fstat(source).st_size)
    os.lseek(source, 0, os.SEEK_SET)
    with tempfile.TemporaryFile() as errors, started(source, others, folder, errors, bounds, device) as process:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended, and may have said why
            process.stdin.write(job.model_dump_json().encode() + b"\n")
            process.stdin.flush()  # and stays open: the worker ends itself when it closes
        watch = _Watch(folder, errors, bounds, patience)
        for line in _lines(process, cancel, watch):
            try:
                answer = ANSWER.validate_json(line)
            except ValidationError as error:
                raise SafelightError(Code.WORKER_LIED, "The worker's answer could not be understood.") from error
            if isinstance(answer, Progress):
                watch.progress(answer.done)
                progress(answer.done, answer.total)
            elif isinstance(answer, Failure):
                raise SafelightError(answer.code, answer.detail)
            elif not isinstance(answer, DONE[type(job)]):
                raise SafelightError(Code.WORKER_LIED, "The worker answered another question than it was asked.")
            else:
                return answer
        raise died(process, errors)


class _Watch:
    """Ends a worker that makes no progress, or fills the disk."""

    def __init__(self, folder: Path, errors: IO[bytes], bounds: Bounds, patience: float) -> None:
        self._folder, self._errors, self._bounds, self._patience = folder, errors, bounds, patience
        self._most = -1
        self._deadline = time.monotonic() + patience
        self._next_look = 0.0

    def progress(self, done: int) -> None:
        """Only more than before is progress: a worker that says the same again and again is one that hangs."""
        if done > self._most:
            self._most = done
            self._deadline = time.monotonic() + self._patience

    def look(self) -> None:
        """Raise SL-WORKER-TIMEOUT or SL-WORKER-GREW. Looks at the disk about once a second."""
        now = time.monotonic()
        if now > self._deadline:
            raise SafelightError(Code.WORKER_TIMEOUT, f"No progress for {self._patience:.0f} seconds.")
        if now < self._next_look:
            return
        self._next_look = now + 1
        if os.fstat(self._errors.fileno()).st_size > MAX_LAST_WORDS:
            raise SafelightError(Code.WORKER_GREW, "The worker printed without end.")
        size = 0
        for entry in os.scandir(self._folder):
            with contextlib.suppress(FileNotFoundError):  # renamed or removed meanwhile
                size += entry.stat(follow_symlinks=False).st_size
        if size > self._bounds.folder:
            raise SafelightError(Code.WORKER_GREW, "The worker wrote more than a copy can need.")


def _lines(process: Process, cancel: threading.Event, watch: _Watch) -> Iterator[bytes]:
    """The worker's messages, until it closes its end. Bounded in length, by ``watch`` and by ``cancel``."""
    assert process.stdout is not None
    out = process.stdout.fileno()
    buffer = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(out, selectors.EVENT_READ)
        while True:
            if cancel.is_set():
                raise Cancelled
            watch.look()
            if not selector.select(SECONDS_BETWEEN_LOOKS):
                continue
            data = os.read(out, 1 << 16)
            if not data:
                return
            buffer += data
            if len(buffer) > MAX_LINE:
                raise SafelightError(Code.WORKER_LIED, "The worker answered without end.")
            *lines, rest = bytes(buffer).split(b"\n")
            buffer[:] = rest
            yield from lines


def died(process: Process, errors: IO[bytes]) -> SafelightError:
    """What to say about a worker that ended without an answer: by which signal or status, and its last words."""
    try:
        status = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return SafelightError(Code.WORKER_DIED, "The worker stopped answering.")
    if -status == signal.SIGXCPU:
        return SafelightError(Code.WORKER_TIMEOUT, "The worker used up its processor time.")
    how = _SIGNALS.get(-status, f"by signal {-status}") if status < 0 else f"with status {status}"
    errors.seek(max(errors.seek(0, os.SEEK_END) - 2000, 0))
    words = errors.read().decode("ascii", "replace").strip().splitlines()
    last = "".join(c if c.isprintable() else "?" for c in words[-1])[:300] if words else "nothing"
    code = Code.BUG if status == 1 else Code.WORKER_DIED  # 1: a Python exception nobody foresaw
    return SafelightError(code, f"The worker ended {how}; its last words: {last}.")


def left(path: Path, limit: int | None = None) -> Path:
    """A file that a worker left: ``path``, if it is a regular file (no link it laid) of at most ``limit`` bytes.

    Raises SL-WORKER-LIED otherwise.
    """
    try:
        facts = path.lstat()
    except OSError as error:
        raise SafelightError(Code.WORKER_LIED, f"{path.name} is missing.") from error
    if not stat.S_ISREG(facts.st_mode) or (limit is not None and facts.st_size > limit):
        raise SafelightError(Code.WORKER_LIED, f"{path.name} is no regular file of a sensible size.")
    return path
