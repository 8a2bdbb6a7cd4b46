"""Something that is done again and again beside the work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def beating(seconds: float, work: Callable[[], object]) -> Iterator[None]:
    """Call ``work`` every so many seconds in a thread of its own. On leaving, the thread has ended."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(seconds):
            work()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
