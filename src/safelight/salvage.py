"""Salvage of one damaged film: a worker makes a new film of it; the damaged one is only read and stays the original."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from safelight.errors import Code, SafelightError
from safelight.inputs import Original, printable
from safelight.outputs import private_folder, publish
from safelight.workers.messages import Salvaged, SalvageJob
from safelight.workers.parent import left, run

SALVAGED = "salvaged.mov"


def salvage(
    damaged: Path,
    like: Path,
    target: Path,
    *,
    progress: Callable[[int, int | None], None],
    cancel: threading.Event,
) -> Salvaged:
    """Write a film from what ``damaged`` holds, with the settings of the good clip ``like``; whole or not at all.

    It gets the name ``target`` with the ending of what it is: see :func:`named`.

    Raises SafelightError: SL-IN-THE-WAY when something has the name ``target``, what opening the two raises, what
    :func:`safelight.media.salvage.salvage` and :func:`safelight.workers.parent.run` raise, SL-CHANGED, SL-DISK-FULL,
    SL-NOT-WRITABLE; Cancelled.
    """
    for taken in target, target.with_suffix(".avi"):
        if os.path.lexists(taken):
            raise SafelightError(Code.IN_THE_WAY, "Something lies there already.", file=printable(taken))
    with Original(damaged) as source, Original(like) as good, private_folder(target.parent) as folder:
        done = made(source, good, folder, progress=progress, cancel=cancel)
        publish([(left(folder / SALVAGED), named(target, done))])
        return done


def named(target: Path, done: Salvaged) -> Path:
    """What a new film is called."""
    return target.with_suffix(f".{done.form}")


def made(
    source: Original,
    good: Original,
    folder: Path,
    *,
    progress: Callable[[int, int | None], None],
    cancel: threading.Event,
) -> Salvaged:
    """Leave the new film in a private folder."""
    try:
        done = run(
            SalvageJob(like=good.descriptor),
            source.descriptor,
            folder,
            progress=progress,
            cancel=cancel,
            others=(good.descriptor,),
        )
    except SafelightError as error:
        error.file = printable((good if error.code is Code.SALVAGE_LIKE else source).path)
        raise
    assert isinstance(done, Salvaged)
    source.require_unchanged()
    return done
