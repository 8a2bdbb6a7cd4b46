"""One copy before the attackers: handed to a worker, the verdict checked, the report written beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from safelight.attack.report import MAX_PICTURE, page
from safelight.attack.verdict import Outcome, Verdict
from safelight.crosscheck import require_proposed, require_tried
from safelight.errors import Code, SafelightError
from safelight.inputs import Original
from safelight.outputs import writing
from safelight.plan import Plan, Sensor
from safelight.workers.messages import Attacked, AttackJob
from safelight.workers.parent import left, run
from safelight.workers.png import picture_left

MAX_VERDICT = 8 << 20  # bytes


@dataclass(frozen=True)
class Trial:
    """A verdict with its two documents, still in a private folder: the page for people, the JSON for machines."""

    verdict: Verdict
    page: Path
    document: Path


def tried(
    copy: Original,
    original: Original | None,
    plan: Plan | None,
    work: Path,
    *,
    names: list[list[str]] | None = None,
    file_name: str = "",
    all_frames: bool = False,
    accept_damaged: bool = False,
    sensor_key: str | None = None,
    progress: Callable[[int, int | None], None],
    cancel: threading.Event,
) -> Trial:
    """Have a copy attacked and write its report into the private folder ``work``.

    ``names``: protected people, each with the spellings of the name. ``file_name``: of the copy, to look for protected
    words in; "" when it does not matter. ``accept_damaged``: the original's holes were accepted when the copy was made.
    ``sensor_key``: the lots with which the copy was made, hexadecimal, when they are still known: copy and original can
    then be compared exactly. ``progress``: told (pictures done, pictures expected).

    Raises SafelightError when copy or original cannot be read or do not belong together, SL-WORKER-LIED when the
    verdict is about other bytes than the copy's; Cancelled when ``cancel`` was set. A copy that does not hold is no
    error: look at the verdict.
    """
    sha256 = copy.sha256()
    if plan is not None:
        with writing(work):
            (work / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    job = AttackJob(
        original=original.descriptor if original is not None else None,
        plan=plan is not None,
        names=names or [],
        file_name=file_name.encode("utf-8", "replace").decode(),
        all_frames=all_frames,
        accept_damaged=accept_damaged,
        sensor_key=sensor_key,
    )
    others = (original.descriptor,) if original is not None else ()
    done = run(job, copy.descriptor, work, progress=progress, cancel=cancel, others=others)
    assert isinstance(done, Attacked)
    made = left(work / "verdict.json", MAX_VERDICT)
    try:
        verdict = Verdict.model_validate_json(made.read_bytes())
    except ValidationError as error:
        raise SafelightError(Code.WORKER_LIED, "The verdict could not be understood.") from error
    require_tried(verdict, original=original is not None, plan=plan is not None)
    if (verdict.copy_.sha256, verdict.copy_.size) != (sha256, copy.size) or copy.sha256() != sha256:
        raise SafelightError(Code.WORKER_LIED, "The verdict is about another copy.")
    pictures = {
        moment.picture: picture_left(work / moment.picture, MAX_PICTURE).read_bytes() for moment in verdict.moments
    }
    html = work / "report.html"
    with writing(work):
        html.write_text(page(verdict, pictures), encoding="utf-8")
    return Trial(verdict, html, made)


def mended(plan: Plan, verdict: Verdict) -> Plan | None:
    """The plan with what the attackers propose, or None when that cannot help: faces can be hidden afterwards, and
    against a camera that is found the treatment can become strong, once.

    Raises SL-WORKER-LIED when the proposals do not fit the plan.
    """
    blocking = {finding.attacker: finding.outcome for finding in verdict.findings if finding.outcome.blocks}
    if set(blocking.values()) != {Outcome.BROKEN} or not blocking.keys() <= {"faces", "sensor"}:
        return None
    if "faces" in blocking and not verdict.proposals:
        return None
    if "sensor" in blocking and plan.settings.sensor is not Sensor.DEFAULT:
        return None
    better = proposed(plan, verdict)
    if "sensor" in blocking:
        better.settings.sensor = Sensor.STRONG
    return better


def proposed(plan: Plan, verdict: Verdict) -> Plan:
    """The plan with what the attackers propose. Raises SL-WORKER-LIED when that does not fit the plan."""
    require_proposed(verdict.proposals)
    regions = [*plan.regions, *verdict.proposals]
    try:
        return Plan.model_validate(plan.model_dump() | {"regions": [region.model_dump() for region in regions]})
    except ValidationError as error:
        raise SafelightError(Code.WORKER_LIED, "What the attackers propose does not fit the plan.") from error
