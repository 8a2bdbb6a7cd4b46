"""Attack one copy: the copy, and the original if there is one, opened and handed to a worker; its verdict checked."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from safelight.attack.protocol import Verdict
from safelight.attack.report import MAX_PICTURE, page
from safelight.errors import Code, SafelightError
from safelight.inputs import Original, printable
from safelight.outputs import private_folder, publish, writing
from safelight.plan import Plan
from safelight.protect import Observer
from safelight.workers.messages import Attacked, AttackJob
from safelight.workers.parent import left, run
from safelight.workers.png import picture_left

MAX_VERDICT = 8 << 20  # bytes


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
    original: Path | None,
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
        source = stack.enter_context(Original(original)) if original is not None else None
        if plan is not None:
            with writing(work):
                (work / "plan.json").write_text(Plan.load(plan).to_json(), encoding="utf-8")
        job = AttackJob(
            original=source.descriptor if source is not None else None,
            plan=plan is not None,
            names=people,
            file_name=copy.name.encode("utf-8", "replace").decode(),
            all_frames=all_frames,
        )
        observer.stage("attacking")
        others = (source.descriptor,) if source is not None else ()
        try:
            done = run(job, opened.descriptor, work, progress=observer.progress, cancel=cancel, others=others)
        except SafelightError as error:
            error.file = error.file or printable(copy)
            raise
        assert isinstance(done, Attacked)
        return _report(copy, folder, work)


def _report(copy: Path, folder: Path, work: Path) -> Checked:
    made = left(work / "verdict.json", MAX_VERDICT)
    try:
        verdict = Verdict.model_validate_json(made.read_bytes())
    except ValidationError as error:
        raise SafelightError(Code.WORKER_LIED, "The verdict could not be understood.", file=printable(copy)) from error
    pictures = {
        moment.picture: picture_left(work / moment.picture, MAX_PICTURE).read_bytes() for moment in verdict.moments
    }
    html = work / "report.html"
    with writing(work):
        html.write_text(page(verdict, pictures), encoding="utf-8")
    report = folder / f"{copy.stem}.attack.html"
    document = folder / f"{copy.stem}.attack.json"
    publish([(html, report), (made, document)])
    return Checked(verdict, report, document)


def _names(path: Path) -> list[list[str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SafelightError(Code.NOT_FOUND, "The names could not be read.", file=printable(path)) from error
    except UnicodeDecodeError as error:
        raise SafelightError(Code.NAMES_INVALID, "The names are not UTF-8 text.", file=printable(path)) from error
    people = [
        [name.strip() for name in line.replace(";", ",").split(",") if name.strip()] for line in text.splitlines()
    ]
    return [person for person in people if person]
