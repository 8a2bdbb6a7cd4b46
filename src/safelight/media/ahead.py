"""Reading ahead: the next pictures are decoded while the present one is worked on; and work that is done aside."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

_SECONDS_BETWEEN_LOOKS = 0.1  # how soon a thread notices that nobody wants its pictures any more


class _End:
    """Marks the end of the items, or carries what ended them."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


@contextmanager
def ahead(items: Iterable[T], depth: int = 4) -> Iterator[Iterator[T]]:
    """The same items in the same order, made in a thread of their own, at most ``depth`` (0: any number) waiting.

    What making them raises is raised where they are used. On leaving, the thread has ended: whatever ``items`` reads
    from may be closed. The work must release the interpreter's lock to gain anything, as FFmpeg and OpenCV do.
    """
    # Two queues of C's instead of one of Python's, which takes the interpreter's lock for longer.
    waiting: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
    room: queue.SimpleQueue[None] = queue.SimpleQueue()
    for _ in range(depth):
        room.put(None)
    stop = threading.Event()

    def put(item: T | _End) -> bool:
        while not stop.is_set():
            if depth:
                try:
                    room.get(timeout=_SECONDS_BETWEEN_LOOKS)
                except queue.Empty:
                    continue
            waiting.put(item)
            return True
        return False

    def make() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                if not put(item):
                    return
        except BaseException as raised:  # noqa: BLE001 - handed on, see `take`
            error = raised
        finally:
            if isinstance(items, Generator):
                items.close()  # what it holds open, a thread like this one perhaps, ends here and not some time later
        put(_End(error))

    def take() -> Iterator[T]:
        while True:
            item = waiting.get()
            if depth:
                room.put(None)
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item

    thread = threading.Thread(target=make, name="reading ahead", daemon=True)
    thread.start()
    try:
        yield take()
    finally:
        stop.set()
        thread.join()


@contextmanager
def aside(take: Callable[[T], object], depth: int) -> Iterator[Callable[[T], None]]:
    """A function that has ``take`` work on items in a thread of its own, in order, at most ``depth`` unfinished.

    What ``take`` raises is raised where one of the next items is given, or on leaving. On leaving without an error all
    items were taken; with one, those that still waited are dropped. Either way the thread has ended.
    """
    waiting: deque[Future[object]] = deque()

    def give(item: T) -> None:
        while waiting and (len(waiting) >= depth or waiting[0].done()):
            waiting.popleft().result()
        waiting.append(thread.submit(take, item))

    with ThreadPoolExecutor(1, thread_name_prefix="aside") as thread:
        try:
            yield give
            while waiting:
                waiting.popleft().result()
        finally:
            thread.shutdown(wait=False, cancel_futures=True)
