"""What a worker can do: the bridge from a job to the rooms `find` and `hide`.

Rooms are imported by the job that needs them: a worker that hides loads no inference engine.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from safelight.errors import Code, SafelightError
from safelight.media.read import Reader
from safelight.plan import Plan
from safelight.workers.messages import FindJob, Found, Hidden, HideJob

PLAN = Path("plan.json")
SHEET = Path("sheet.png")
MAX_PLAN = 256 << 20  # bytes

Report = Callable[[int, int | None], None]


def find(job: FindJob, clip: BinaryIO, report: Report) -> Found:
    """Write ``plan.json`` for the clip."""
    from safelight import models
    from safelight.find import find as find_regions
    from safelight.find.faces import CenterFace, YuNet

    with Reader(clip, accept_damaged=job.accept_damaged) as reader:
        plan = find_regions(
            reader,
            sha256=job.sha256,
            light=YuNet(threshold=0.3),
            strong=CenterFace(threshold=0.2),
            versions=models.identities("find"),
            effort=job.effort,
            progress=lambda done: report(done, reader.facts.frames_expected),
        )
        PLAN.write_text(plan.to_json(), encoding="utf-8")
        return Found(facts=reader.facts, frames=plan.clip.frames)


def hide(job: HideJob, clip: BinaryIO, report: Report) -> Hidden:
    """Write the copy ``plan.json`` asks for, and the contact sheet."""
    from safelight.hide.apply import apply

    if PLAN.stat().st_size > MAX_PLAN:
        raise SafelightError(Code.PLAN_INVALID, "The plan is larger than any plan can be.")
    plan = Plan.load(PLAN)
    with Reader(clip, accept_damaged=job.accept_damaged) as reader:
        done = apply(reader, plan, Path("copy"), sheet=SHEET, progress=report)
        return Hidden(
            facts=reader.facts,
            copy_name=done.copy_name,
            frames_read=done.frames_read,
            frames_written=done.frames_written,
            frames_hidden=done.frames_hidden,
            share_mean=done.share_mean,
            share_max=done.share_max,
            missing=reader.missing,
        )
