"""Working off the job table on one machine: so many clips at once, leases renewed, every end written down."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from safelight.batch import Result, attempt
from safelight.errors import Code, SafelightError
from safelight.observer import Observer
from safelight.protect import Outcome
from safelight.scale.beat import beating
from safelight.scale.table import SECONDS_OF_LEASE, JobTable, Receipt
from safelight.workers.crew import Crew, Hands


def work_off(
    table: JobTable, numbers: Iterable[int], *, jobs: int, watch: Callable[[Path], Observer], cancel: threading.Event
) -> Iterator[Result]:
    """Protect the clips of these rows, ``jobs`` at a time, and yield results as they come. Where there are fewer clips
    than that, the pieces of long ones are worked on side by side.

    Rows that another process has taken are left to it. After ``cancel`` was set, what is unfinished ends as
    SL-INTERRUPTED and goes back into the table. Raises SL-TABLE when the table cannot be used.
    """
    waiting = iter(numbers)
    lock = threading.Lock()
    hands = Hands(jobs)
    ended: queue.Queue[Result | BaseException | None] = queue.Queue()

    def work(held: set[int]) -> None:
        try:
            while True:
                with lock:
                    number = next(waiting, None)  # may take long, where clips arrive; no hand is held meanwhile
                if number is None:
                    break
                with hands.hold():
                    result = protect_row(table, number, watch=watch, cancel=cancel, held=held, crew=hands)
                if result is not None:
                    ended.put(result)
        except BaseException as error:  # noqa: BLE001 - handed to the one who waits
            ended.put(error)
        ended.put(None)

    with ThreadPoolExecutor(max_workers=jobs) as pool, renewed(table) as held:
        try:
            busy = jobs
            for _ in range(jobs):
                pool.submit(work, held)
            while busy:
                what = ended.get()
                if isinstance(what, BaseException):
                    raise what
                if what is None:
                    busy -= 1
                else:
                    yield what
        except BaseException:
            cancel.set()  # left early: end what still runs, then wait for it
            raise


def protect_row(
    table: JobTable,
    number: int,
    *,
    watch: Callable[[Path], Observer],
    cancel: threading.Event,
    held: set[int],
    crew: Crew,
) -> Result | None:
    """Take one row, protect its clip, write down how it ended; None when another process has it."""
    job = table.take(number)
    if job is None:
        return None
    held.add(number)
    try:
        result = attempt(job.source, job.names, job.options, watch(job.source), cancel, crew)
    finally:
        held.discard(number)
    if result.outcome is not None:
        table.done(number, receipt_of(result.outcome), result.outcome.account.seconds)
    elif result.refusal is not None and result.refusal.code is Code.INTERRUPTED:
        table.put_back(number)
    elif result.refusal is not None:
        table.failed(number, result.refusal)
    return result


def receipt_of(outcome: Outcome) -> Receipt:
    """What the table keeps of an outcome."""
    account = outcome.account
    return Receipt(
        source=account.source.sha256,
        copy=account.copy_.sha256,
        plan=account.plan.sha256,
        film=account.duration,
        frames=account.frames.written,
    )


@contextmanager
def renewed(table: JobTable) -> Iterator[set[int]]:
    """A set of row numbers whose leases are renewed as long as they are in it."""
    held: set[int] = set()

    def renew() -> None:
        with suppress(SafelightError):  # the next time it may be there again; whoever needs it now will say so
            table.keep(sorted(held))

    with beating(SECONDS_OF_LEASE / 4, renew):
        yield held
