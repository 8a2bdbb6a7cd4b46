"""One clip of many: every way it can end is a result, so that one failure never stops the others."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path

from safelight.account import Options
from safelight.buckets import brought, sent
from safelight.errors import Cancelled, Code, SafelightError
from safelight.inputs import printable
from safelight.observer import Observer
from safelight.outputs import Names
from safelight.protect import Outcome, protect
from safelight.workers.crew import Crew


@dataclass(frozen=True)
class Result:
    """How one clip ended: with an outcome, or with the reason why there is no copy."""

    path: Path
    outcome: Outcome | None
    refusal: SafelightError | None


def attempt(
    path: Path,
    names: Names,
    options: Options,
    observer: Observer,
    cancel: threading.Event,
    crew: Crew | None = None,
) -> Result:
    """Protect one clip. Raises nothing but what ends the whole program; a set ``cancel`` ends it as SL-INTERRUPTED."""
    try:
        if cancel.is_set():
            raise Cancelled
        with brought(path) as clip, sent(names) as here:
            outcome = protect(clip, here, options, observer=observer, cancel=cancel, crew=crew)
        return Result(path, replace(outcome, names=names, copy=names.folder / outcome.copy.name), None)
    except SafelightError as error:
        return Result(path, None, error)
    except Cancelled:
        stopped = SafelightError(Code.INTERRUPTED, "Stopped before it was finished.", file=printable(path))
        return Result(path, None, stopped)
    except Exception as error:  # noqa: BLE001 - the batch goes on; the mistake is reported under its own code
        mistake = f"{type(error).__name__}: {error}"
        return Result(path, None, SafelightError(Code.BUG, mistake, file=printable(path)))
