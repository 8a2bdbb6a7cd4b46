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
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from safelight.buckets import in_bucket
from safelight.errors import Code, SafelightError
from safelight.inputs import Original, printable
from safelight.outputs import writing
from safelight.scale.beat import beating
from safelight.workers.crew import Hands, Told, Work
from safelight.workers.messages import ANSWER, JOB, Done, Failure, Progress, ViewJob
from safelight.workers.parent import run

_FIRST = 10  # priority of pieces over whole clips: what was begun is finished first
SECONDS_BETWEEN_LOOKS = 1.0
_AT_WORK = ("executing", "long-running")  # states of a task, by Dask's names
_MEMBERS = ("running", "paused")  # states of a worker
_LOOKS: TypeAdapter[tuple[int, int]] = TypeAdapter(tuple[int, int])  # size and time of the original


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

    def each(self, original: Original, works: Sequence[Work], told: Told, cancel: threading.Event) -> list[Done]:
        """See :class:`safelight.workers.crew.Crew`; ``cancel`` is looked at by nobody, Dask ends its workers."""
        if in_bucket(original.path):  # it was brought to this machine only
            return Hands().each(original, works, told, cancel)
        distributed: Any = import_module("distributed")
        with distributed.worker_client() as client:
            futures = [
                client.submit(
                    piece_there,
                    str(original.path.absolute()),
                    _looks(original),
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


def piece_there(source: str, looks: tuple[int, int], folder: str, job: str) -> tuple[str, str]:
    """What a worker of the cluster does with a piece: the answer as JSON, and the folder in ``folder`` it worked in."""
    asked = JOB.validate_json(job)
    assert not isinstance(asked, ViewJob)
    with writing(Path(folder)):
        room = Path(tempfile.mkdtemp(dir=folder))
        for given in Path(folder).iterdir():
            if given.is_file():
                shutil.copyfile(given, room / given.name)
    try:
        with Original(Path(source)) as original:
            if _looks(original) != _LOOKS.validate_python(looks):
                raise SafelightError(
                    Code.CHANGED, "The file is another one on this machine.", file=printable(original.path)
                )
            with unwanted() as cancel:
                done = run(asked, original.descriptor, room, progress=lambda frames, total: None, cancel=cancel)
    except SafelightError as error:
        return Failure(code=error.code, detail=error.detail[:4000]).model_dump_json(), room.name
    return done.model_dump_json(), room.name


def _looks(original: Original) -> tuple[int, int]:
    facts = os.fstat(original.descriptor)
    return facts.st_size, facts.st_mtime_ns


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
