"""A confined worker that stays: many inputs go through the whole of `protect` without a new process for each.

Only :func:`safelight.workers.parent.started` is replaced; what the program says to a worker, how it listens to it, ends
it and checks what it left is the real thing, and so is all the worker does. Different from a real one: it is locked in
once, has one folder for all its jobs, keeps the networks it has loaded, and its limits of memory and processor time
hold for all its jobs together.
"""

from __future__ import annotations

import functools
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from safelight.errors import Cancelled, Code, SafelightError
from safelight.models.device import CPU
from safelight.workers import parent
from safelight.workers.confine import Bounds

ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_START = SECONDS_TO_END = 600.0  # on a machine that does other things as well
_GIVEN_UP = (Code.WORKER_TIMEOUT, Code.WORKER_GREW, Code.WORKER_LIED)
_BOUNDS = Bounds(memory=6 << 30, processor=100_000, file=1 << 30, folder=1 << 30)


class Standing:
    """One worker at a time, started anew when it is gone. A context manager; inside, all workers are this one."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        home = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="safelight-standing-"))
        self._room = Path(home) / "room"
        self._inputs = [self._file(), self._file()]
        self._errors = self._file()
        self._worker: subprocess.Popen[bytes] | None = None
        self._ready = -1
        self.starts = 0

    def __enter__(self) -> Standing:
        self._real = parent.started
        parent.started = self._started
        return self

    def __exit__(self, *_: object) -> None:
        parent.started = self._real
        self._end()
        self._stack.close()

    def spent(self) -> float:
        """Processor seconds of the worker that stands now."""
        if self._worker is None:
            return 0.0
        fields = Path(f"/proc/{self._worker.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _file(self) -> IO[bytes]:
        return self._stack.enter_context(tempfile.TemporaryFile())

    @contextmanager
    def _started(
        self, source: int, others: tuple[int, ...], folder: Path, errors: IO[bytes], bounds: Bounds, device: str = CPU
    ) -> Iterator[subprocess.Popen[bytes]]:
        """In the place of the real one: lend the standing worker for a job."""
        del bounds, device
        worker = self._standing()
        for given, lent in zip((source, *others), self._inputs, strict=False):
            lent.seek(0)
            lent.truncate()
            with os.fdopen(os.dup(given), "rb") as file:
                file.seek(0)
                shutil.copyfileobj(file, lent)
                file.seek(0)
            lent.flush()
        _carried(folder, self._room)
        self._errors.seek(0)
        self._errors.truncate()
        os.dup2(self._errors.fileno(), errors.fileno())  # the last words of a worker are asked for before it is gone
        try:
            yield worker
        except (SafelightError, Cancelled) as error:
            if isinstance(error, Cancelled) or error.code in _GIVEN_UP:
                worker.kill()  # or what it says later would be taken for the answer to the next job
                worker.wait()
            raise
        finally:
            if worker.poll() is None and not self._is_ready(SECONDS_TO_END):
                worker.kill()
                worker.wait()
            if worker.poll() is not None:
                self._end()
            _carried(self._room, folder)

    def _standing(self) -> subprocess.Popen[bytes]:
        if self._worker is None:
            shutil.rmtree(self._room, ignore_errors=True)
            self._room.mkdir()
            self._ready, tell = os.pipe()
            inputs = [file.fileno() for file in self._inputs]
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.standing", self._room, str(tell), *map(str, inputs)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                pass_fds=(tell, *inputs),
                cwd=ROOT,
                env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
            )
            os.close(tell)
            self.starts += 1
            assert self._is_ready(SECONDS_TO_START), "the worker did not start"
        return self._worker

    def _is_ready(self, seconds: float) -> bool:
        """Whether the worker says that it waits for a job."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._ready, selectors.EVENT_READ)
            return bool(selector.select(seconds)) and os.read(self._ready, 1) == b"."

    def _end(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker.wait()
            for stream in (self._worker.stdin, self._worker.stdout):
                assert stream is not None
                stream.close()
            os.close(self._ready)
            self._worker = None


def _carried(source: Path, target: Path) -> None:
    """Move the files of one folder into another, which may be on another disk."""
    for file in source.iterdir():
        if not file.is_dir() or file.is_symlink():
            shutil.move(file, target / file.name)


def main() -> None:
    """The worker: locked in, then one job after the other."""
    from safelight import models
    from safelight.models import engine, store
    from safelight.workers import child
    from safelight.workers.confine import lock
    from safelight.workers.messages import JOB, MAX_LINE, AttackJob, ViewJob

    room, ready, clip, original = Path(sys.argv[1]), *map(int, sys.argv[2:])
    speaker = child.Speaker(os.dup(1))
    os.dup2(2, 1)
    os.chdir(room)
    os.umask(0o077)
    os.environ["TMPDIR"] = str(room)
    lock(_BOUNDS, folder=room, readable=[store.folder()])
    engine.network = functools.cache(engine.network)
    engine.plain = functools.cache(engine.plain)
    models.require = functools.cache(models.require)
    os.write(ready, b".")
    while line := sys.stdin.buffer.readline(MAX_LINE):
        job = JOB.validate_json(line)
        assert not isinstance(job, ViewJob)
        if isinstance(job, AttackJob) and job.original is not None:
            job = job.model_copy(update={"original": os.dup(original)})
        for descriptor in (clip, original):
            os.lseek(descriptor, 0, os.SEEK_SET)
        with child.refusals(speaker):
            speaker.say(child.do(job, os.dup(clip), speaker.progress))
        os.write(ready, b".")


if __name__ == "__main__":
    main()
