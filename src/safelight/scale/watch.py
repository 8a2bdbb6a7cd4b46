"""What arrives in a folder: files that the job table knows no end of, as they lie there now and once they are whole."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from safelight.inputs import Item, expand
from safelight.scale.table import JobTable


def arrivals(
    folder: Path, table: JobTable, out: Path, *, seconds: float, cancel: threading.Event
) -> Iterator[list[Item]]:
    """Yield clips that have lain unchanged for ``seconds``; looks every ``seconds``, or when it is asked for the next
    ones, until ``cancel`` is set.

    A file that ended with the same size and time is not yielded again, also not by a later run; one that waits or was
    at work when a run was killed is. Raises SafelightError when the folder cannot be listed.
    """
    before: dict[Path, tuple[int, int]] = {}
    while not cancel.is_set():
        now: dict[Path, tuple[int, int]] = {}
        settled = []
        for item in expand([folder], leave_out=out):
            try:
                facts = item.path.stat()
            except FileNotFoundError:
                continue  # moved away meanwhile
            now[item.path] = (facts.st_size, facts.st_mtime_ns)
            if before.get(item.path) == now[item.path] and not table.settled(item.path, out / item.below):
                settled.append(item)
        before = now
        if settled:
            yield settled
        cancel.wait(seconds)
