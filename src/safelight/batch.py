"""Many clips: names given out, a few protected at a time, one failure never stops the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from safelight.account import Options
from safelight.errors import Code, SafelightError
from safelight.inputs import Item, printable
from safelight.outputs import names_for
from safelight.plan import Sound
from safelight.protect import Observer, Outcome, protect
from safelight.workers.parent import Cancelled


@dataclass(frozen=True)
class Result:
    """How one clip ended: with an outcome, or with the reason why there is no copy."""

    path: Path
    outcome: Outcome | None
    refusal: SafelightError | None


def protect_all(
    items: Iterable[Item],
    folder: Path,
    options: Options,
    *,
    cues: Sequence[Sound] = (),
    jobs: int,
    watch: Callable[[Path], Observer],
    cancel: threading.Event,
) -> Iterator[Result]:
    """Protect every item, ``jobs`` at a time, and yield results as they come.

    ``folder``: where copies go; the folders between the one that was named and a clip are kept below it.
    ``cues``: what is to be spoken, see :func:`safelight.protect.protect`. ``watch``: makes the observer for one clip.
    After ``cancel`` was set, what is unfinished ends as SL-INTERRUPTED.
    """
    taken: set[str] = set()

    def one(item: Item) -> Result:
        try:
            if cancel.is_set():
                raise Cancelled
            observer = watch(item.path)
            with lock:
                names = names_for(item.path, folder / item.below, taken)
            done = protect(item.path, names, options, cues=cues, observer=observer, cancel=cancel)
            return Result(item.path, done, None)
        except SafelightError as error:
            return Result(item.path, None, error)
        except Cancelled:
            stopped = SafelightError(Code.INTERRUPTED, "Stopped before it was finished.", file=printable(item.path))
            return Result(item.path, None, stopped)
        except Exception as error:  # noqa: BLE001 - the batch goes on; the mistake is reported under its own code
            mistake = f"{type(error).__name__}: {error}"
            return Result(item.path, None, SafelightError(Code.BUG, mistake, file=printable(item.path)))

    lock = threading.Lock()
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        waiting = [pool.submit(one, item) for item in items]
        try:
            for future in as_completed(waiting):
                yield future.result()
        finally:
            cancel.set()  # left early: end what still runs, then wait for it
