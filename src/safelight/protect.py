"""The main job for one clip: find, hide, account; resumed where it was, published at once or not at all."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from safelight import __version__, models
from safelight.account import Account, FileFacts, Frames, Options, sound_sentence, tracks_of, warnings_of
from safelight.cues import CUES_BY
from safelight.errors import Code, SafelightError
from safelight.inputs import Original, printable
from safelight.outputs import Names, private_folder, publish, writing
from safelight.plan import MAX_PLAN, Decision, Look, Origin, Plan, Sound, SoundAction, SoundDefault
from safelight.workers.messages import FindJob, Found, Hidden, HideJob, SpeakJob
from safelight.workers.parent import left, run


class Observer(Protocol):
    """Is told how one clip is getting on."""

    def stage(self, name: str) -> None:
        """A new stage begins: ``reading``, ``finding``, ``speaking``, ``hiding``."""

    def progress(self, done: int, total: int | None) -> None:
        """So many of so many units (bytes while reading, cues while speaking, frames otherwise) are done."""


@dataclass(frozen=True)
class Outcome:
    """One protected clip: its account, where things lie, and whether all of it was there already."""

    account: Account
    names: Names
    copy: Path
    already: bool


def protect(
    path: Path,
    names: Names,
    options: Options,
    *,
    cues: Sequence[Sound] = (),
    observer: Observer,
    cancel: threading.Event,
) -> Outcome:
    """Make the protected copy of one clip.

    ``names``: where to put the results. ``cues``: what is to be spoken, instead of what subtitles brought before. The
    original is opened read-only and hashed; a finished result for the same bytes, options, version and weights is kept;
    a plan from an interrupted run, or one a person has mended, is used.

    Raises SafelightError with the reason when there can be no copy; Cancelled when ``cancel`` was set.
    """
    started = time.monotonic()
    with _opened(path, observer) as (original, sha256):
        kept = _finished(names, sha256, options)
        if kept is not None:
            return kept
        _require_room(names, sha256)
        with private_folder(names.folder) as work:
            plan = _plan_for(original, sha256, names, options, work, observer, cancel)
            _put_words(plan, cues)
            return _hide(original, sha256, plan, names, options, work, observer, cancel, started)


def find_only(path: Path, names: Names, options: Options, *, observer: Observer, cancel: threading.Event) -> Plan:
    """Make only the plan of one clip, or keep the good one that lies there. Raises like :func:`protect`."""
    with _opened(path, observer) as (original, sha256), private_folder(names.folder) as work:
        return _plan_for(original, sha256, names, options, work, observer, cancel)


def hide_only(
    path: Path,
    plan_file: Path,
    names: Names,
    *,
    look: Look | None,
    curtain: bool,
    sound: SoundDefault | None = None,
    cues: Sequence[Sound] = (),
    subtitles: str | None = None,
    accept_damaged: bool,
    observer: Observer,
    cancel: threading.Event,
) -> Outcome:
    """Carry out a plan as it is, whoever wrote it; ``look`` or ``sound`` None takes the plan's; either may ask for the
    ``curtain``. ``cues`` and ``subtitles`` (their hash): as for :func:`protect`.

    Raises like :func:`protect`, and SL-PLAN-OTHER-CLIP when the plan is for other bytes.
    """
    started = time.monotonic()
    with _opened(path, observer) as (original, sha256):
        plan = Plan.load(plan_file)
        if plan.clip.sha256 != sha256:
            raise SafelightError(Code.PLAN_OTHER_CLIP, f"{printable(plan_file)} was made for another file.")
        options = Options(
            asked=plan.origin.asked,
            look=look or plan.settings.look,
            curtain=curtain or plan.settings.curtain,
            sound=sound or plan.settings.sound,
            subtitles=subtitles,
            accept_damaged=accept_damaged,
        )
        _put_words(plan, cues)
        _require_room(names, sha256)
        with private_folder(names.folder) as work:
            return _hide(original, sha256, plan, names, options, work, observer, cancel, started)


@contextmanager
def _opened(path: Path, observer: Observer) -> Iterator[tuple[Original, str]]:
    """The opened original and its hash; refusals inside are given the file's name."""
    try:
        with Original(path) as original:
            observer.stage("reading")
            yield original, original.sha256(lambda done: observer.progress(done, original.size))
    except SafelightError as error:
        error.file = error.file or printable(path)
        raise


def _plan_for(
    original: Original,
    sha256: str,
    names: Names,
    options: Options,
    work: Path,
    observer: Observer,
    cancel: threading.Event,
) -> Plan:
    """The plan for an original: the one that lies there if it is still good, else a new one, which is kept at once."""
    origin = Origin(safelight=__version__, finders=models.identities("find"), asked=options.asked)
    kept = _kept_plan(names, sha256, origin)
    if kept is not None:
        return kept
    observer.stage("finding")
    job = FindJob(sha256=sha256, asked=options.asked, accept_damaged=options.accept_damaged)
    found = run(job, original.descriptor, work, progress=observer.progress, cancel=cancel)
    assert isinstance(found, Found)
    made = left(work / "plan.json", MAX_PLAN)
    try:
        plan = Plan.load(made)
    except SafelightError as error:
        raise SafelightError(Code.WORKER_LIED, f"The plan found is no plan: {error.detail}") from error
    shown = found.facts.raster.shown_size
    if plan.clip.sha256 != sha256 or (plan.clip.width, plan.clip.height) != shown or plan.origin != origin:
        raise SafelightError(Code.WORKER_LIED, "The plan found is not for this file.")
    publish([(made, names.plan)])
    return plan


def _put_words(plan: Plan, cues: Sequence[Sound]) -> None:
    """Have these cues spoken, instead of those that subtitles brought before."""
    if cues:
        plan.sounds = [sound for sound in plan.sounds if sound.decided_by != CUES_BY] + list(cues)


def _hide(
    original: Original,
    sha256: str,
    plan: Plan,
    names: Names,
    options: Options,
    work: Path,
    observer: Observer,
    cancel: threading.Event,
    started: float,
) -> Outcome:
    """Carry out a plan with the look that was asked for and publish everything at once."""
    plan.settings.look, plan.settings.curtain = options.look, options.curtain
    plan.settings.sound = options.sound
    spoken = any(s.action is SoundAction.REVOICE and s.decision is Decision.HIDE for s in plan.sounds)
    if options.sound is SoundDefault.REVOICE and not spoken:
        raise SafelightError(Code.NO_WORDS, "There are no words to be spoken.")
    with writing(work):
        (work / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    if spoken:
        observer.stage("speaking")
        with Path(os.devnull).open("rb") as nothing:
            run(SpeakJob(), nothing.fileno(), work, progress=observer.progress, cancel=cancel)
    observer.stage("hiding")
    job = HideJob(accept_damaged=options.accept_damaged, speech=spoken)
    done = run(job, original.descriptor, work, progress=observer.progress, cancel=cancel)
    assert isinstance(done, Hidden)
    if not done.frames_written == done.frames_read == plan.clip.frames:
        raise SafelightError(
            Code.COPY_DIFFERS,
            f"{plan.clip.frames} frames were planned, {done.frames_read} read, {done.frames_written} written.",
        )
    original.require_unchanged()
    source = FileFacts(name=printable(Path(original.path.name)), sha256=sha256, size=original.size)
    return _publish(source, names, options, plan, done, work, started)


def _finished(names: Names, sha256: str, options: Options) -> Outcome | None:
    """What an earlier run finished, if it is exactly what is asked for and nothing of it was touched since."""
    account = Account.load(names.account)
    if account is None or account.source.sha256 != sha256 or account.options != options:
        return None
    if account.safelight != __version__ or account.weights != models.identities("find"):
        return None
    copy = names.copy(Path(account.copy_.name).suffix)
    for path, facts in ((copy, account.copy_), (names.plan, account.plan)):
        if not path.is_file() or FileFacts.of(path) != facts:
            return None
    return Outcome(account, names, copy, already=True)


def _require_room(names: Names, sha256: str) -> None:
    """Refuse to write over what an earlier run did not make from this very original.

    An account or a plan beside the copy shows that it did; the plan lies there first, also when a run was killed.
    """
    account = Account.load(names.account)
    if account is not None and account.source.sha256 != sha256:
        raise SafelightError(Code.IN_THE_WAY, f"{printable(names.account)} is the account of another original.")
    ours = account is not None or (names.plan.exists() and Plan.load(names.plan).clip.sha256 == sha256)
    for extension in (".mp4", ".png", ".jpg"):
        copy = names.copy(extension)
        if os.path.lexists(copy) and not ours:
            raise SafelightError(Code.IN_THE_WAY, f"{printable(copy)} was not made by Safelight from this file.")


def _kept_plan(names: Names, sha256: str, origin: Origin) -> Plan | None:
    """A plan that already lies in its place: used when it is for these bytes and a person's or of this version.

    Raises SafelightError when it is broken, or was mended by a person for other bytes or an older version: a person's
    work is never overwritten.
    """
    if not os.path.lexists(names.plan):
        return None
    plan = Plan.load(names.plan)
    if plan.clip.sha256 == sha256 and plan.origin == origin:
        return plan
    mended = any(region.decided_by != "find" for region in plan.regions)
    if mended or any(sound.decided_by not in ("find", CUES_BY) for sound in plan.sounds):
        raise SafelightError(
            Code.IN_THE_WAY,
            f"{printable(names.plan)} was mended by a person for another file, version or manner of search; "
            "use it with `safelight hide --plan`, or move it away.",
        )
    return None


def _publish(
    source: FileFacts, names: Names, options: Options, plan: Plan, done: Hidden, work: Path, started: float
) -> Outcome:
    copy = left(work / done.copy_name)
    final = names.copy(copy.suffix)
    facts, plan_file, sheet = done.facts, work / "plan.json", work / "sheet.png"
    has_sheet = sheet.exists()
    account = Account(
        options=options,
        source=source,
        copy_=FileFacts.of(copy, final),
        plan=FileFacts.of(plan_file, names.plan),
        sheet=printable(Path(names.sheet.name)) if has_sheet else None,
        container=facts.container,
        codec=facts.codec,
        width=plan.clip.width,
        height=plan.clip.height,
        duration=facts.duration,
        frames=Frames(
            read=done.frames_read,
            written=done.frames_written,
            hidden=done.frames_hidden,
            missing=done.missing,
        ),
        tracks=tracks_of(plan),
        share_hidden_mean=done.share_mean,
        share_hidden_max=done.share_max,
        sound=sound_sentence(plan, done),
        dropped=facts.dropped,
        weights=plan.origin.finders,
        warnings=warnings_of(plan, done),
        seconds=round(time.monotonic() - started, 1),
    )
    document = work / "account.json"
    with writing(work):
        document.write_text(account.to_json(), encoding="utf-8")
    sheets = [(left(sheet), names.sheet)] if has_sheet else []
    publish([*sheets, (plan_file, names.plan), (copy, final), (document, names.account)])
    return Outcome(account, names, final, already=False)
