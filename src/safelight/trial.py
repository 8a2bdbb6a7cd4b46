"""One copy before the attackers: handed to a worker or several, the verdict checked, the report written beside it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from safelight.attack.report import MAX_PICTURE, page
from safelight.attack.shares import Share, groups, joined
from safelight.attack.verdict import NAMES, Outcome, Verdict
from safelight.crosscheck import require_alike, require_proposed, require_tried
from safelight.errors import Code, SafelightError
from safelight.inputs import Original
from safelight.outputs import private_rooms, writing
from safelight.plan import Plan, Sensor
from safelight.workers.crew import Crew, Work, carried_out
from safelight.workers.messages import AttackJob
from safelight.workers.parent import left
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
    crew: Crew | None = None,
    progress: Callable[[int, int | None], None],
    cancel: threading.Event,
) -> Trial:
    """Have a copy attacked and write its report into the private folder ``work``.

    ``names``: protected people, each with the spellings of the name. ``file_name``: of the copy, to look for protected
    words in; "" when it does not matter. ``accept_damaged``: the original's holes were accepted when the copy was made.
    ``sensor_key``: the lots with which the copy was made, hexadecimal, when they are still known: copy and original can
    then be compared exactly. ``crew``: who attacks together, each with some of the roster, where there is a plan and
    more than one hand; the verdict is the same. ``progress``: told (pictures done, pictures expected).

    Raises SafelightError when copy or original cannot be read or do not belong together, SL-WORKER-LIED when the
    verdict is about other bytes than the copy's; Cancelled when ``cancel`` was set. A copy that does not hold is no
    error: look at the verdict.
    """
    sha256 = copy.sha256()
    if plan is not None:
        with writing(work):
            (work / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    job = AttackJob(
        plan=plan is not None,
        names=names or [],
        file_name=file_name.encode("utf-8", "replace").decode(),
        all_frames=all_frames,
        accept_damaged=accept_damaged,
        sensor_key=sensor_key,
    )
    trying = _Trying(copy, original, job, sha256)
    if crew is not None and plan is not None and len(split := groups(plan, crew.hands())) > 1:
        shares = trying.in_groups(split, crew, work, plan.clip.frames, progress, cancel)
    else:
        carried_out(job, copy, original, work, progress=progress, cancel=cancel)
        shares = [trying.share(NAMES, work)]
    share = joined(shares)
    if copy.sha256() != sha256:
        raise SafelightError(Code.WORKER_LIED, "The verdict is about another copy.")
    html, document = work / "report.html", work / "verdict.json"
    with writing(work):
        document.unlink(missing_ok=True)  # a worker's: what is published is written here
        document.write_text(share.verdict.to_json(), encoding="utf-8")
        html.write_text(page(share.verdict, share.pictures), encoding="utf-8")
    return Trial(share.verdict, html, document)


@dataclass(frozen=True)
class _Trying:
    """What all attackers are asked, of what. ``sha256``: of the copy, before anybody saw it."""

    copy: Original
    original: Original | None
    job: AttackJob
    sha256: str

    def in_groups(
        self,
        split: Sequence[tuple[str, ...]],
        crew: Crew,
        work: Path,
        frames: int,
        progress: Callable[[int, int | None], None],
        cancel: threading.Event,
    ) -> list[Share]:
        """The verdicts of all groups, each of which attacks in a worker and a folder of its own."""
        done = [0] * len(split)

        def told(number: int, pictures: int) -> None:
            done[number] = min(pictures, frames)  # an attacker who works on after the last picture goes on counting
            progress(sum(done) // len(done), frames)

        with private_rooms(work, len(split)) as rooms:
            works = []
            for group, room in zip(split, rooms, strict=True):
                with writing(room):
                    shutil.copyfile(work / "plan.json", room / "plan.json")
                works.append(Work(self.job.model_copy(update={"attackers": group}), room, self.original))
            crew.each(self.copy, works, told, cancel)
            shares = [self.share(group, room) for group, room in zip(split, rooms, strict=True)]
        require_alike([share.verdict for share in shares])
        return shares

    def share(self, attackers: Sequence[str], room: Path) -> Share:
        """What a worker that was to have these attack left in ``room``. Raises SL-WORKER-LIED when it is not that."""
        made = left(room / "verdict.json", MAX_VERDICT)
        try:
            verdict = Verdict.model_validate_json(made.read_bytes())
        except ValidationError as error:
            raise SafelightError(Code.WORKER_LIED, "The verdict could not be understood.") from error
        require_tried(verdict, original=self.original is not None, plan=self.job.plan, attackers=attackers)
        if (verdict.copy_.sha256, verdict.copy_.size) != (self.sha256, self.copy.size):
            raise SafelightError(Code.WORKER_LIED, "The verdict is about another copy.")
        pictures = {m.picture: picture_left(room / m.picture, MAX_PICTURE).read_bytes() for m in verdict.moments}
        return Share(verdict, pictures)


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
