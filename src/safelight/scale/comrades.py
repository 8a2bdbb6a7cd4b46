"""The pieces of a long film on the other workers of a Dask cluster, when one of them is at work on the film.

Whoever has the film cuts it and gives the pieces back to the scheduler; its own thread is free meanwhile. Each attempt
at a piece has a folder of its own, so that a worker which was thought to be dead cannot spoil what another makes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from safelight.errors import Code, SafelightError
from safelight.inputs import Original, printable
from safelight.outputs import writing
from safelight.scale.beat import beating
from safelight.workers.crew import Told, Work, carried_out
from safelight.workers.messages import ANSWER, JOB, Done, Failure, Progress, ViewJob

_FIRST = 10  # priority of pieces over whole clips: what was begun is finished first
SECONDS_BETWEEN_LOOKS = 1.0
_AT_WORK = ("executing", "long-running")  # states of a task, by Dask's names
_MEMBERS = ("running", "paused")  # states of a worker
Named = tuple[str, int, int]
"""A file for another machine: its path, size and time."""
_NAMED: TypeAdapter[Named] = TypeAdapter(Named)


@contextmanager
def unwanted() -> Iterator[threading.Event]:
    """Inside a task: an event that is set when nobody waits for it any more, since who asked is gone, the scheduler has
    forgotten it, or this worker leaves the cluster. Dask itself lets such a task run to its end, beside the one that is
    begun anew elsewhere.
    """
    distributed: Any = import_module("distributed")
    worker = distributed.get_worker()
    key = worker.get_current_task()
    cancel = threading.Event()

    def look() -> None:
        task = worker.state.tasks.get(key)
        if task is None or task.state not in _AT_WORK or worker.status.name not in _MEMBERS:
            cancel.set()

    with beating(SECONDS_BETWEEN_LOOKS, look):
        yield cancel


class Comrades:
    """A crew for a task on a worker of a Dask cluster. All its workers see the film and the folder at the same path."""

    def hands(self) -> int:
        """See :class:`safelight.workers.crew.Crew`: this thread, which is free meanwhile, and those that do nothing."""
        distributed: Any = import_module("distributed")
        with distributed.worker_client(separate_thread=False) as client:
            threads, busy = sum(client.nthreads().values()), sum(map(len, client.processing().values()))
        return max(int(threads) - busy, 0) + 1

    def each(self, clip: Original, works: Sequence[Work], told: Told, cancel: threading.Event) -> list[Done]:
        """See :class:`safelight.workers.crew.Crew`; ``cancel`` is looked at by nobody, Dask ends its workers."""
        distributed: Any = import_module("distributed")
        with distributed.worker_client() as client:
            futures = [
                client.submit(
                    piece_there,
                    _named(clip),
                    _named(work.beside) if work.beside is not None else None,
                    str(work.folder.absolute()),
                    work.job.model_dump_json(),
                    pure=False,
                    priority=_FIRST,
                )
                for work in works
            ]
            try:
                answers = client.gather(futures)
            except distributed.scheduler.KilledWorker as error:
                raise SafelightError(Code.WORKER_DIED, "Workers of the cluster died of a piece of it.") from error
            finally:
                client.cancel(futures)
        return [_taken(answer, work) for answer, work in zip(answers, works, strict=True)]


def piece_there(clip: Named, beside: Named | None, folder: str, job: str) -> tuple[str, str]:
    """What a worker of the cluster does with a piece: the answer as JSON, and the folder in ``folder`` it worked in."""
    asked = JOB.validate_json(job)
    assert not isinstance(asked, ViewJob)
    with writing(Path(folder)):
        room = Path(tempfile.mkdtemp(dir=folder))
        for given in Path(folder).iterdir():
            if given.is_file():
                shutil.copyfile(given, room / given.name)
    try:
        with ExitStack() as stack:
            own = stack.enter_context(_same(clip))
            other = stack.enter_context(_same(beside)) if beside is not None else None
            cancel = stack.enter_context(unwanted())
            done = carried_out(asked, own, other, room, progress=lambda frames, total: None, cancel=cancel)
    except SafelightError as error:
        return Failure(code=error.code, detail=error.detail[:4000]).model_dump_json(), room.name
    return done.model_dump_json(), room.name


def _named(film: Original) -> Named:
    """Its path, size and time, for another machine."""
    facts = os.fstat(film.descriptor)
    return str(film.path.absolute()), facts.st_size, facts.st_mtime_ns


@contextmanager
def _same(named: Named) -> Iterator[Original]:
    """The file of that name, opened. Raises SL-CHANGED when it is another one here."""
    with Original(Path(named[0])) as film:
        if _named(film)[1:] != _NAMED.validate_python(named)[1:]:
            raise SafelightError(Code.CHANGED, "The file is another one on this machine.", file=printable(film.path))
        yield film


def _taken(answer: tuple[str, str], work: Work) -> Done:
    """The answer of a piece, its results moved to where they are expected. Raises what was refused there."""
    told, room = ANSWER.validate_json(answer[0]), work.folder / Path(answer[1]).name
    if isinstance(told, Failure):
        raise SafelightError(told.code, told.detail)
    assert not isinstance(told, Progress)
    with writing(work.folder):
        for made in room.iterdir():
            made.replace(work.folder / made.name)
    return told
