"""Attack one copy, whoever made it: from files to a report beside it."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from safelight.attack.verdict import Verdict
from safelight.errors import Code, SafelightError
from safelight.inputs import Original, printable
from safelight.names.people import from_lines
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
    names: Path | None,
    all_frames: bool,
    observer: Observer,
    cancel: threading.Event,
) -> Checked:
    """Attack a copy and write the report (HTML) and the verdict (JSON) into ``folder``.

    ``names``: a text file, one protected person a line, spellings separated by commas or semicolons.

    Raises SafelightError when copy, original, plan or names cannot be read or do not belong together; Cancelled when
    ``cancel`` was set. A copy that does not hold is no error: look at the verdict.
    """
    people = _names(names) if names is not None else []
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
                names=people,
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


def _names(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SafelightError(Code.NOT_FOUND, "The names could not be read.", file=printable(path)) from error
    except UnicodeDecodeError as error:
        raise SafelightError(Code.NAMES_INVALID, "The names are not UTF-8 text.", file=printable(path)) from error
    return from_lines(text)
