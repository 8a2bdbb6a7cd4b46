"""Attack one copy, whoever made it: from files to a report beside it."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from safelight.attack.verdict import Verdict
from safelight.errors import SafelightError
from safelight.inputs import Original, printable
from safelight.observer import Observer
from safelight.outputs import private_folder, publish
from safelight.plan import Plan
from safelight.trial import tried


@dataclass(frozen=True)
class Checked:
    """A verdict and where its report lies."""

    verdict: Verdict
    report: Path
    document: Path


def check(
    copy: Path,
    folder: Path,
    *,
    original: Path | Original | None,
    plan: Path | None,
    names: list[list[str]],
    all_frames: bool,
    observer: Observer,
    cancel: threading.Event,
) -> Checked:
    """Attack a copy and write the report (HTML) and the verdict (JSON) into ``folder``.

    ``names``: the spellings of each protected person.

    Raises SafelightError when copy, original or plan cannot be read or do not belong together; Cancelled when
    ``cancel`` was set. A copy that does not hold is no error: look at the verdict.
    """
    with ExitStack() as stack, private_folder(folder) as work:
        opened = stack.enter_context(Original(copy))
        source = stack.enter_context(Original(original)) if isinstance(original, Path) else original
        planned = Plan.load(plan) if plan is not None else None
        observer.stage("attacking")
        try:
            trial = tried(
                opened,
                source,
                planned,
                work,
                names=names,
                file_name=copy.name,
                all_frames=all_frames,
                progress=observer.progress,
                cancel=cancel,
            )
        except SafelightError as error:
            error.file = error.file or printable(copy)
            raise
        report, document = folder / f"{copy.stem}.attack.html", folder / f"{copy.stem}.attack.json"
        publish([(trial.page, report), (trial.document, document)])
        return Checked(trial.verdict, report, document)
