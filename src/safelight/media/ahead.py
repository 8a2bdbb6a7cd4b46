"""Reading ahead: the next pictures are decoded while the present one is worked on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable, Iterator
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
    waiting: queue.Queue[T | _End] = queue.Queue(depth)
    stop = threading.Event()

    def put(item: T | _End) -> bool:
        while not stop.is_set():
            try:
                waiting.put(item, timeout=_SECONDS_BETWEEN_LOOKS)
            except queue.Full:
                continue
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
