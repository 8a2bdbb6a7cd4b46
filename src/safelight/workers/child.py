"""Inside a worker: read one job from standard input, do it, answer in JSON lines.

Run as ``python -m safelight.workers SOURCE_FD FOLDER BOUNDS``, or in a process divided off one that has loaded all of
this (``forkserver.py``). The clip comes as an inherited descriptor, so its
name never gets in here; all that may be written lies in FOLDER, which is also the working directory. Before anything
else the worker locks itself in (``confine.py``).
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from safelight.errors import Code, SafelightError
from safelight.media.facts import MOST_FRAMES
from safelight.models import store
from safelight.models.device import CPU, chosen
from safelight.workers.confine import Bounds, lock
from safelight.workers.messages import (
    JOB,
    MAX_LINE,
    Done,
    Failure,
    FindJob,
    HideJob,
    Job,
    JoinJob,
    ListenJob,
    Message,
    Progress,
    ProxyJob,
    SalvageJob,
    SpeakJob,
    StillsJob,
    SurveyJob,
    TraceJob,
    ViewJob,
    WaveJob,
    WordsJob,
)

SECONDS_BETWEEN_REPORTS = 0.2
_CODES = {errno.ENOSPC: Code.DISK_FULL, errno.EDQUOT: Code.DISK_FULL, errno.EFBIG: Code.WORKER_GREW}


class Speaker:
    """Writes messages to the program; the only thing that writes to its descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._out = os.fdopen(descriptor, "wb", buffering=0)
        self._last = 0.0

    def say(self, message: Message) -> None:
        """Send one message."""
        self._out.write(message.model_dump_json().encode() + b"\n")

    def progress(self, done: int, total: int | None) -> None:
        """Report progress, at most a few times a second. A total that no film has is as good as none."""
        total = total if total is not None and total <= MOST_FRAMES else None
        now = time.monotonic()
        if now - self._last >= SECONDS_BETWEEN_REPORTS:
            self._last = now
            self.say(Progress(done=done, total=total))


def _leave_when_orphaned() -> None:
    """End this process when the program is gone: its end of standard input closes, however it died."""

    def watch() -> None:
        while os.read(0, 4096):  # not sys.stdin: a thread in there when Python ends makes it abort
            pass
        os._exit(70)

    threading.Thread(target=watch, daemon=True).start()


def do(job: Job, source: int, progress: Callable[[int, int | None], None]) -> Done:
    """Carry out a job; ``source`` is closed then."""
    from safelight.workers import jobs  # here, so that a broken installation is reported as a message

    with os.fdopen(source, "rb") as clip:
        if isinstance(job, FindJob):
            return jobs.find(job, clip, progress)
        if isinstance(job, HideJob):
            return jobs.hide(job, clip, progress)
        if isinstance(job, SurveyJob):
            return jobs.survey(job, clip)
        if isinstance(job, JoinJob):
            return jobs.join(job, clip, progress)
        if isinstance(job, WordsJob):
            return jobs.words(job, clip, progress)
        if isinstance(job, StillsJob):
            return jobs.stills(job, clip, progress)
        if isinstance(job, ListenJob):
            return jobs.listen(clip, progress)
        if isinstance(job, SpeakJob):
            return jobs.speak(progress)
        if isinstance(job, ProxyJob):
            return jobs.proxy(job, clip, progress)
        if isinstance(job, SalvageJob):
            return jobs.salvage(job, clip, progress)
        if isinstance(job, TraceJob):
            return jobs.trace(clip, progress)
        if isinstance(job, WaveJob):
            return jobs.wave(job, clip, progress)
        return jobs.attack(job, clip, progress)


@contextmanager
def refusals(speaker: Speaker) -> Iterator[None]:
    """Tell the program why there is no answer. An exception that nobody foresaw goes through."""
    try:
        yield
    except SafelightError as error:
        speaker.say(Failure(code=error.code, detail=error.detail[:4000]))
    except OSError as error:
        code = _CODES.get(error.errno or errno.EIO, Code.UNREADABLE)
        speaker.say(Failure(code=code, detail=f"{os.strerror(error.errno or errno.EIO)}."))
    except MemoryError:
        speaker.say(Failure(code=Code.WORKER_GREW, detail="The worker ran out of memory."))


def main() -> int:
    """Run one job; returns the exit status of the worker (0 when an answer was given, also a refusal)."""
    speaker = Speaker(os.dup(1))
    os.dup2(2, 1)  # whatever a library prints goes to standard error, never between our messages
    source, bounds = int(sys.argv[1]), Bounds.model_validate_json(sys.argv[3])
    os.chdir(sys.argv[2])
    os.umask(0o077)
    with refusals(speaker):
        lock(bounds, folder=Path.cwd(), readable=[store.folder()], graphics=chosen() != CPU)
        job = JOB.validate_json(sys.stdin.buffer.readline(MAX_LINE))
        if isinstance(job, ViewJob):
            from safelight.workers import viewing

            viewing.serve(source, sys.stdin.buffer, os.fdopen(os.dup(speaker.descriptor), "wb"))
        _leave_when_orphaned()
        speaker.say(do(job, source, speaker.progress))
    return 0
