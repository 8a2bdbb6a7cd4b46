"""Several workers on one clip: so many hands for all clips together, idle ones help whoever has pieces to give away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from safelight.errors import Cancelled
from safelight.inputs import Original
from safelight.workers.messages import AttackJob, Done, Job
from safelight.workers.parent import run

Told = Callable[[int, int], None]  # number of a work, units of it that are done


@dataclass(frozen=True)
class Work:
    """One worker's job on a clip and the folder for it. ``beside``: the original, where a copy of it is attacked."""

    job: Job
    folder: Path
    beside: Original | None = None


class Crew(Protocol):
    """Whoever carries out the pieces of one clip."""

    def hands(self) -> int:
        """How many could work on a clip at this moment, the caller's own hand among them; at least one."""
        ...

    def each(self, clip: Original, works: Sequence[Work], told: Told, cancel: threading.Event) -> list[Done]:
        """Carry out all works; their answers in order. The results lie in the works' folders then.

        Raises what the first that failed raised; the others are ended then. Cancelled when ``cancel`` was set.
        """
        ...


class Hands:
    """Processes of this machine, at most ``most`` at a time for all clips that hold one; who holds none has one
    more.
    """

    def __init__(self, most: int = 1) -> None:
        self._free = most
        self._turn = threading.Condition()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """One hand, for as long as one clip is at work; waits for it. :meth:`each` borrows more while there are any."""
        with self._turn:
            self._turn.wait_for(lambda: self._free > 0)
            self._free -= 1
        try:
            yield
        finally:
            self._let_go()

    def hands(self) -> int:
        """See :class:`Crew`."""
        with self._turn:
            return self._free + 1

    def each(self, clip: Original, works: Sequence[Work], told: Told, cancel: threading.Event) -> list[Done]:
        """See :class:`Crew`. The caller's own hand works too."""
        answers: dict[int, Done] = {}
        waiting = iter(enumerate(works))
        lock = threading.Lock()
        ended = _Either(cancel)

        def next_work() -> tuple[int, Work] | None:
            with lock:
                return None if ended.is_set() else next(waiting, None)

        def go_on(*, borrowed: bool) -> None:
            try:
                while (item := next_work()) is not None:
                    if not borrowed:
                        borrow()
                    number, work = item
                    with ExitStack() as stack:
                        own = stack.enter_context(clip.again())  # whose place in the file nobody else moves
                        beside = stack.enter_context(work.beside.again()) if work.beside is not None else None
                        answers[number] = carried_out(
                            work.job,
                            own,
                            beside,
                            work.folder,
                            progress=lambda done, _, n=number: told(n, done),  # type: ignore[misc]
                            cancel=ended,
                        )
            except BaseException:
                ended.set()
                raise
            finally:
                if borrowed:
                    self._let_go()

        with ThreadPoolExecutor(max_workers=max(len(works), 1)) as pool:
            helpers: list[Future[None]] = []

            def borrow() -> None:
                while len(helpers) + 1 < len(works) and self._borrow():
                    helpers.append(pool.submit(go_on, borrowed=True))

            mistakes: list[BaseException] = []
            try:
                go_on(borrowed=False)
            except BaseException as error:  # noqa: BLE001 - raised below, when all have ended
                mistakes.append(error)
            mistakes += [mistake for helper in helpers if (mistake := helper.exception()) is not None]
        if mistakes:
            raise min(mistakes, key=lambda mistake: isinstance(mistake, Cancelled))  # what began it, not who followed
        return [answers[number] for number in range(len(works))]

    def _borrow(self) -> bool:
        with self._turn:
            taken = self._free > 0
            self._free -= taken
        return taken

    def _let_go(self) -> None:
        with self._turn:
            self._free += 1
            self._turn.notify()


def carried_out(
    job: Job,
    clip: Original,
    beside: Original | None,
    folder: Path,
    *,
    progress: Callable[[int, int | None], None],
    cancel: threading.Event,
) -> Done:
    """Run a work's job on this machine; raises like :func:`run`. ``beside``: see :class:`Work`."""
    if beside is None:
        return run(job, clip.descriptor, folder, progress=progress, cancel=cancel)
    assert isinstance(job, AttackJob)
    job = job.model_copy(update={"original": beside.descriptor})
    return run(job, clip.descriptor, folder, progress=progress, cancel=cancel, others=(beside.descriptor,))


class _Either(threading.Event):
    """Set when it was set, or another one was."""

    def __init__(self, other: threading.Event) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        return super().is_set() or self._other.is_set()
