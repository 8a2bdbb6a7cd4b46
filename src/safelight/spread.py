"""Long films in pieces: found, stitched, hidden and joined by as many workers as there are hands.

Whether a film is cut, and where, follows from the film alone, never from how many work on it: one worker takes the
pieces one after the other and makes the same plan and the same copy. A film whose pieces turn out not to be what
was promised is worked on whole.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from safelight.errors import Code, SafelightError
from safelight.inputs import Original
from safelight.kept import Kept
from safelight.media.pieces import Part, Piece
from safelight.observer import Observer
from safelight.outputs import private_rooms, writing
from safelight.plan import MAX_PLAN, Decision, Plan, Settings
from safelight.workers.confine import Bounds
from safelight.workers.crew import Crew, Work
from safelight.workers.messages import (
    Done,
    FindJob,
    Found,
    Hidden,
    HideJob,
    Joined,
    JoinJob,
    Surveyed,
    SurveyJob,
    piece_names,
)
from safelight.workers.parent import left, run

SECONDS_A_PIECE = 120.0  # at least; a film shorter than two of them stays whole
SECONDS_AROUND = 10.0  # seen on either side of a piece while finding: as long as a head is followed unseen
LEAST_BYTES = 4 << 20  # a smaller file is not asked whether it is long
_MAX_TILES = 64 << 20  # bytes of a piece's pictures for the contact sheet
# What a piece may be refused for although the whole film is in order: its key frame is none, its times are others.
_NOT_IN_PIECES = (Code.DAMAGED, Code.PLAN_OTHER_CLIP, Code.COPY_DIFFERS, Code.UNSUPPORTED, Code.NO_FRAMES)


@dataclass
class Spread:
    """Finds and hides in one opened original; in pieces where it is long."""

    original: Original
    crew: Crew
    observer: Observer
    cancel: threading.Event
    kept: Kept | None = None  # pieces of an earlier copy, used again where they are the same
    _told: list[Piece] | None = field(default=None, init=False)

    def find(self, job: FindJob, work: Path) -> Found:
        """Carry out the job; ``plan.json`` lies in ``work`` then. Raises like :func:`run`."""
        if pieces := self._pieces(job, work):
            try:
                return self._find_pieces(job, pieces, work)
            except SafelightError as error:
                self._stay_whole(error)
        found = self._run_whole(job, work)
        assert isinstance(found, Found)
        return found

    def hide(self, job: HideJob, plan: Plan, work: Path) -> Hidden:
        """Carry out the plan, which lies in ``work`` too; copy and sheet lie there then. Raises like :func:`run`."""
        # Ends that are cut off may take a whole piece with them: such a film is hidden as one.
        pieces = [] if plan.settings.trim else self._pieces(job, work)
        if pieces and pieces[-1].own.stop == plan.clip.frames:
            try:
                return self._hide_pieces(job, plan, pieces, work)
            except SafelightError as error:
                self._stay_whole(error)
        done = self._run_whole(job, work)
        assert isinstance(done, Hidden)
        return done

    # ------------------------------------------------------------------------------------------------------------

    def _run_whole(self, job: FindJob | HideJob, work: Path) -> Done:
        return run(job, self.original.descriptor, work, progress=self.observer.progress, cancel=self.cancel)

    def _pieces(self, job: FindJob | HideJob, work: Path) -> list[Piece]:
        """Where the film is cut; empty when it stays whole. Asked once."""
        if job.accept_damaged or self.original.size < LEAST_BYTES:
            return []
        if self._told is None:
            with private_rooms(work, 1) as (folder,):
                survey = SurveyJob(seconds=SECONDS_A_PIECE, overlap=SECONDS_AROUND)
                told = run(survey, self.original.descriptor, folder, progress=_nobody, cancel=self.cancel)
            assert isinstance(told, Surveyed)
            self._told = told.pieces
        return self._told

    def _stay_whole(self, error: SafelightError) -> None:
        """Go on with the film as one, which tells for sure what is wrong with it; raises all that is another matter."""
        if error.code not in _NOT_IN_PIECES:
            raise error
        self._told = []

    def _find_pieces(self, job: FindJob, pieces: list[Piece], work: Path) -> Found:
        parts = [piece.wide for piece in pieces]
        with private_rooms(work, len(parts)) as folders:
            works = [
                Work(job.model_copy(update={"part": part, "sound": number == 0}), folder)
                for number, (part, folder) in enumerate(zip(parts, folders, strict=True))
            ]
            answers = self._each(works, parts)
            plans = [_plan_of(folder, part, job.sha256) for part, folder in zip(parts, folders, strict=True)]
        try:
            from safelight.find.stitch import stitched  # late: most films are in one piece, and it brings NumPy along

            plan = stitched(plans, pieces)
        except ValueError as error:  # pydantic's too
            raise SafelightError(Code.WORKER_LIED, f"The plans of the pieces do not fit: {error}.") from error
        with writing(work):
            (work / "plan.json").write_text(plan.to_json(), encoding="utf-8")
        first = answers[0]
        assert isinstance(first, Found)
        return first.model_copy(update={"frames": plan.clip.frames})

    def _hide_pieces(self, job: HideJob, plan: Plan, pieces: list[Piece], work: Path) -> Hidden:
        parts = [piece.own for piece in pieces]
        jobs = [job.model_copy(update={"part": part, "speech": False}) for part in parts]
        plans = [narrowed(plan, part).to_json() for part in parts]
        names = [Kept.name(*each) for each in zip(jobs, plans, strict=True)]
        files = [(work / copy, work / tiles) for copy, tiles in map(piece_names, range(len(parts)))]
        missing = [n for n, name in enumerate(names) if self.kept is None or not self.kept.has(name)]
        answers: dict[int, Done] = {}
        with private_rooms(work, len(missing)) as folders:
            for number, folder in zip(missing, folders, strict=True):
                with writing(folder):
                    (folder / "plan.json").write_text(plans[number], encoding="utf-8")
            works = [Work(jobs[number], folder) for number, folder in zip(missing, folders, strict=True)]
            answers.update(zip(missing, self._each(works, [parts[number] for number in missing]), strict=True))
            with writing(work):
                for number, folder in zip(missing, folders, strict=True):
                    copy, tiles = files[number]
                    left(folder / "copy.mp4", Bounds.for_clip(self.original.size).file).replace(copy)
                    left(folder / "tiles.npz", _MAX_TILES).replace(tiles)
        if self.kept is not None:
            answers.update((n, self.kept.take(names[n], *files[n])) for n in range(len(parts)) if n not in answers)
        self.observer.stage("joining")
        joining = JoinJob(parts=parts, speech=job.speech)
        joined = run(joining, self.original.descriptor, work, progress=self.observer.progress, cancel=self.cancel)
        assert isinstance(joined, Joined)
        ordered = [answers[number] for number in range(len(parts))]
        done = _summed(ordered, parts, joined.frames)
        if self.kept is not None:
            hidden = [answer for answer in ordered if isinstance(answer, Hidden)]
            self.kept.put(dict(zip(names, zip(hidden, files, strict=True), strict=True)))
        else:
            for path in (path for pair in files for path in pair):
                path.unlink()
        return done

    def _each(self, works: Sequence[Work], parts: Sequence[Part]) -> list[Done]:
        done = [0] * len(works)
        total = sum(part.frames for part in parts)

        def told(number: int, frames: int) -> None:
            done[number] = frames
            self.observer.progress(sum(done), total)

        return self.crew.each(self.original, works, told, self.cancel)


def is_long(plan: Plan) -> bool:
    """Whether a film is as long as two pieces, however it is made: several workers gain something on it."""
    clip = plan.clip
    return (clip.last_pts - clip.first_pts) * clip.time_base[0] / clip.time_base[1] >= 2 * SECONDS_A_PIECE


def narrowed(plan: Plan, part: Part) -> Plan:
    """What of a plan the pictures of a part follow from: it asks for the same pictures there as the whole plan."""
    shown = (Decision.HIDE, Decision.REVEAL) if plan.settings.curtain else (Decision.HIDE,)
    regions = [r for r in plan.regions if r.decision in shown and r.first < part.stop and r.last >= part.first]
    settings = plan.settings.model_copy(update={"sound": Settings().sound})
    return plan.model_copy(update={"regions": regions, "sounds": [], "settings": settings})


def _plan_of(folder: Path, part: Part, sha256: str) -> Plan:
    """The plan that a worker left for a part. Raises SL-WORKER-LIED when it is none, or for something else."""
    try:
        plan = Plan.load(left(folder / "plan.json", MAX_PLAN))
    except SafelightError as error:
        raise SafelightError(Code.WORKER_LIED, f"The plan of a piece is no plan: {error.detail}") from error
    if (plan.clip.sha256, plan.clip.frames, plan.clip.first_pts) != (sha256, part.frames, part.pts):
        raise SafelightError(Code.WORKER_LIED, "The plan of a piece is for something else.")
    return plan


def _summed(answers: Sequence[Done], parts: Sequence[Part], joined: int) -> Hidden:
    """What was done to all pieces together. Raises SL-COPY-DIFFERS when pictures are missing."""
    hidden = [answer for answer in answers if isinstance(answer, Hidden)]
    frames = [part.frames for part in parts]
    if [done.frames_read for done in hidden] != frames or [done.frames_written for done in hidden] != frames:
        raise SafelightError(Code.COPY_DIFFERS, "A piece of the copy has not the pictures it should have.")
    total = sum(frames)
    return hidden[0].model_copy(
        update={
            "frames_read": total,
            "frames_written": joined,
            "frames_hidden": sum(done.frames_hidden for done in hidden),
            "share_mean": sum(done.share_mean * count for done, count in zip(hidden, frames, strict=True)) / total,
            "share_max": max(done.share_max for done in hidden),
        }
    )


def _nobody(done: int, total: int | None) -> None:
    """Is told what takes a moment only."""
