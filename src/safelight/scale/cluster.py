"""The same jobs on a Dask cluster: this process owns the table, the cluster's workers protect, one clip a task; who
has a long one gives its pieces to the others (``comrades.py``).

Workers must see clips and copies under the same paths as this process, and have Safelight with its weights. What they
return is small: the account, or a code. A task whose worker died is given to another; when the scheduler is gone this
process waits for it and begins again. All that is safe, since `protect` is: private folder, rename, the account last.

Dask neither encrypts nor asks who you are unless it is told to: use it on a network of your own, or with its TLS.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from safelight.account import Account, Options
from safelight.batch import Result, attempt
from safelight.buckets import in_bucket
from safelight.errors import Code, SafelightError
from safelight.inputs import printable
from safelight.outputs import Names
from safelight.protect import Outcome
from safelight.scale.comrades import Comrades, unwanted
from safelight.scale.run import receipt_of, renewed
from safelight.scale.table import Job, JobTable
from safelight.workers.crew import Hands

SECONDS_TO_CONNECT = 30
SECONDS_OF_PATIENCE = 600.0  # with a scheduler that does not answer
MOST_DEATHS = 3  # workers that may die of one clip before it is given up
_AHEAD = 2  # tasks waiting for each thread of the cluster


class _Silent:
    """An observer for a machine nobody looks at."""

    def stage(self, name: str) -> None:
        """Nobody is told."""

    def progress(self, done: int, total: int | None) -> None:
        """Nobody is told."""


def protect_there(source: str, folder: str, stem: str, options: str) -> dict[str, str]:
    """What a worker of the cluster does: protect one clip; returns its account as JSON, or code and detail."""
    names, chosen = Names(Path(folder), stem), Options.model_validate_json(options)
    clip = Path(source)
    # what is brought out of a bucket, and what is made to be sent to one, lies on this machine only
    crew = Hands() if in_bucket(clip) or in_bucket(names.folder) else Comrades()
    with unwanted() as cancel:
        result = attempt(clip, names, chosen, _Silent(), cancel, crew)
    if result.outcome is not None:
        return {"account": result.outcome.account.to_json(), "copy": result.outcome.copy.name}
    assert result.refusal is not None
    return {"code": result.refusal.code.value, "detail": result.refusal.detail}


def work_on_cluster(table: JobTable, numbers: list[int], address: str, *, cancel: threading.Event) -> Iterator[Result]:
    """Protect the clips of these rows on the cluster at ``address`` and yield results as they come.

    Raises SL-CLUSTER when Dask is not installed, or the scheduler does not answer for ten minutes; SL-TABLE.
    """
    try:
        distributed: Any = import_module("distributed")  # an extra
    except ImportError as error:
        raise SafelightError(Code.CLUSTER, "The package `distributed` is not installed.") from error
    waiting = list(reversed(numbers))
    deaths: dict[int, int] = {}
    deadline = time.monotonic() + SECONDS_OF_PATIENCE
    with renewed(table) as held:
        while waiting and not cancel.is_set():
            taken: dict[Any, Job] = {}
            try:
                with distributed.Client(address, timeout=SECONDS_TO_CONNECT) as client:
                    for result in _one_connection(
                        client, distributed.wait, table, waiting, taken, deaths, held, cancel
                    ):
                        deadline = time.monotonic() + SECONDS_OF_PATIENCE
                        yield result
            except OSError as error:  # also Dask's own errors of connection
                if time.monotonic() > deadline:
                    raise SafelightError(Code.CLUSTER, f"No answer from {address}: {error}.") from error
                cancel.wait(1)
            finally:
                for job in taken.values():  # whatever is still out is taken anew by the next round or the next run
                    table.put_back(job.number)
                    held.discard(job.number)
                    waiting.append(job.number)


def _one_connection(
    client: Any,
    wait: Callable[..., Any],
    table: JobTable,
    waiting: list[int],
    taken: dict[Any, Job],
    deaths: dict[int, int],
    held: set[int],
    cancel: threading.Event,
) -> Iterator[Result]:
    """Keep the cluster busy until all is done, ``cancel`` is set, or the connection is lost (OSError)."""
    while (waiting or taken) and not cancel.is_set():
        room = _AHEAD * max(sum(client.nthreads().values()), 1)
        while waiting and len(taken) < room:
            job = table.take(waiting.pop())
            if job is None:
                continue
            held.add(job.number)
            future = client.submit(
                protect_there,
                str(job.source),
                str(job.names.folder),
                job.names.stem,
                job.options.model_dump_json(),
                pure=False,
                retries=0,
            )
            taken[future] = job
        if not taken:
            return
        try:
            ready = wait(list(taken), timeout=1, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            continue
        for future in ready:
            job = taken.pop(future)
            held.discard(job.number)
            result = _ended(future, job)
            if result is None:  # its worker died, or the scheduler forgot it
                deaths[job.number] = deaths.get(job.number, 0) + (future.status == "error")
                table.put_back(job.number)
                if deaths[job.number] < MOST_DEATHS:
                    waiting.append(job.number)
                    if future.status in ("cancelled", "lost"):
                        raise ConnectionError("the scheduler has forgotten its tasks")
                    continue
                result = _given_up(job)
            if result.outcome is not None:
                table.done(job.number, receipt_of(result.outcome), result.outcome.account.seconds)
            elif result.refusal is not None:
                table.failed(job.number, result.refusal)
            yield result


def _ended(future: Any, job: Job) -> Result | None:
    """The result of a task; None when it has none because of the cluster, not the clip."""
    if future.status != "finished":
        return None
    told = future.result()
    if told.get("code") == Code.INTERRUPTED.value:  # its worker thought that nobody wanted it any more
        return None
    if "code" in told:
        return Result(job.source, None, SafelightError(Code(told["code"]), told["detail"], file=printable(job.source)))
    account = Account.model_validate_json(told["account"])
    copy = job.names.folder / told["copy"]
    return Result(job.source, Outcome(account, job.names, copy, already=False), None)


def _given_up(job: Job) -> Result:
    died = f"{MOST_DEATHS} workers of the cluster died of it."
    return Result(job.source, None, SafelightError(Code.WORKER_DIED, died, file=printable(job.source)))
