"""The main job for one clip: find, hide, attack, account; resumed where it was, published at once or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from safelight import __version__, models
from safelight.account import (
    Account,
    AttackFacts,
    FileFacts,
    Frames,
    Options,
    attack_facts,
    sensor_sentence,
    sound_sentence,
    tracks_of,
    warnings_of,
)
from safelight.attack.verdict import Outcome as Attacked
from safelight.crosscheck import require_agreed, require_found, require_hidden
from safelight.cues import CUES_BY
from safelight.errors import Code, SafelightError
from safelight.inputs import Original, printable
from safelight.kept import Kept
from safelight.names.people import Sought
from safelight.observer import Observer, Stopwatch
from safelight.outputs import COPIES, Names, alone, private_folder, publish, undisturbed, withdraw, writing
from safelight.plan import MAX_PLAN, Decision, Look, Origin, Plan, Sensor, Sound, SoundAction, SoundDefault
from safelight.spread import Spread, is_long
from safelight.trial import Trial, mended, proposed, tried
from safelight.workers.confine import Bounds, support
from safelight.workers.crew import Crew, Hands
from safelight.workers.messages import KEY_BYTES, FindJob, Hidden, HideJob, SpeakJob
from safelight.workers.parent import left, run
from safelight.workers.png import picture_left

NOBODY = Sought()
ROUNDS = 3
"""How often a copy is made and attacked: what the attackers see is hidden too, and all is tried again."""
_BY_LOTS = ("sensor", "timing")  # attackers whose success depends on the lots of the treatment


@dataclass(frozen=True)
class Outcome:
    """One protected clip: its account, where things lie, and whether all of it was there already."""

    account: Account
    names: Names
    copy: Path
    already: bool


def protect(
    path: Path | Original,
    names: Names,
    options: Options,
    *,
    sought: Sought = NOBODY,
    observer: Observer,
    cancel: threading.Event,
    crew: Crew | None = None,
) -> Outcome:
    """Make the protected copy of one clip: a file, or an original that somebody opened.

    ``names``: where to put the results. The original is opened read-only and hashed; a finished result for the same
    bytes, options, version, weights and ``sought`` names is kept; a plan from an interrupted run, or one a person has
    mended, is used. ``sought``: the protected names that the attackers look for.
    The copy gets its name only when every attack on it held; faces that an attacker sees are hidden too, and where he
    finds the camera the treatment becomes strong, in at most ROUNDS rounds. ``crew``: who works on the pieces of a long
    film; without one a single worker at a time.

    Raises SL-LEAK or SL-NOT-ATTACKED when an attack succeeded or could not be carried out: then only the report and the
    plan, with what the attackers propose, are left. Raises SafelightError with the reason when there can be no copy for
    another cause; Cancelled when ``cancel`` was set.
    """
    watch = Stopwatch(observer)
    with _opened(path, watch) as (original, sha256):
        kept = _finished(names, sha256, options, sought)
        if kept is not None:
            return kept
        _require_room(names, sha256)
        with undisturbed(names), private_folder(names.folder) as work:
            spread = Spread(original, crew or Hands(), watch, cancel)
            plan = _plan_for(spread, sha256, names, options, work)
            _put_words(plan, options.cues)
            return _protected(
                spread,
                sha256,
                plan,
                names,
                options,
                work,
                watch,
                sought,
                finished=lambda: _finished(names, sha256, options, sought),
            )


def find_only(
    path: Path | Original, names: Names, options: Options, *, observer: Observer, cancel: threading.Event
) -> Plan:
    """Make only the plan of one clip, or keep the good one that lies there. Raises like :func:`protect`."""
    with _opened(path, observer) as (original, sha256), undisturbed(names), private_folder(names.folder) as work:
        return _plan_for(Spread(original, Hands(), observer, cancel), sha256, names, options, work)


def hide_only(
    path: Path | Original,
    plan_file: Path,
    names: Names,
    *,
    look: Look | None,
    sensor: Sensor | None,
    curtain: bool,
    trim: bool = False,
    sound: SoundDefault | None = None,
    cues: Sequence[Sound] = (),
    accept_damaged: bool,
    observer: Observer,
    cancel: threading.Event,
) -> Outcome:
    """Carry out a plan as it is, whoever wrote it; ``look``, ``sensor`` or ``sound`` None takes the plan's; either may
    ask for the ``curtain`` and to ``trim``. ``cues``: what is to be spoken, instead of what subtitles brought before.

    Raises like :func:`protect`, and SL-PLAN-OTHER-CLIP when the plan is for other bytes.
    """
    watch = Stopwatch(observer)
    with _opened(path, watch) as (original, sha256):
        plan = Plan.load(plan_file)
        if plan.clip.sha256 != sha256:
            raise SafelightError(Code.PLAN_OTHER_CLIP, f"{printable(plan_file)} was made for another file.")
        options = Options(
            asked=plan.origin.asked,
            look=look or plan.settings.look,
            sensor=sensor or plan.settings.sensor,
            curtain=curtain or plan.settings.curtain,
            trim=trim or plan.settings.trim,
            sound=sound or plan.settings.sound,
            cues=tuple(cues),
            accept_damaged=accept_damaged,
        )
        _put_words(plan, cues)
        _require_room(names, sha256)
        with undisturbed(names), private_folder(names.folder) as work:
            spread = Spread(original, Hands(), watch, cancel)
            _set(plan, options)
            done = _hide(spread, plan, options, work, secrets.token_hex(KEY_BYTES))
            source = _source(original, sha256)
            with alone(names.folder):
                return _publish(source, names, options, plan, done, work, watch)


def protect_as_planned(
    path: Path | Original,
    plan: Plan,
    names: Names,
    *,
    sought: Sought = NOBODY,
    accept_damaged: bool,
    observer: Observer,
    cancel: threading.Event,
    kept: Kept | None = None,
) -> Outcome:
    """Carry out a plan as a person left it, attack the copy, and publish it when it held. One round: a person mends.

    ``kept``: pieces of the copy that was made before, for a long film; it gets those of this one. What is attacked is
    always the whole copy. Raises like :func:`protect`, and SL-PLAN-OTHER-CLIP when the plan is for other bytes.
    """
    watch = Stopwatch(observer)
    with _opened(path, watch) as (original, sha256):
        if plan.clip.sha256 != sha256:
            raise SafelightError(Code.PLAN_OTHER_CLIP, "The plan was made for another file.")
        settings = plan.settings
        options = Options(
            asked=plan.origin.asked,
            look=settings.look,
            sensor=settings.sensor,
            curtain=settings.curtain,
            trim=settings.trim,
            sound=settings.sound,
            accept_damaged=accept_damaged,
        )
        _require_room(names, sha256)
        with private_folder(names.folder) as work:
            spread = Spread(original, Hands(), watch, cancel, kept)
            return _protected(spread, sha256, plan, names, options, work, watch, sought, rounds=1)


@contextmanager
def _opened(path: Path | Original, observer: Observer) -> Iterator[tuple[Original, str]]:
    """The opened original and its hash; refusals inside are given the file's name."""
    try:
        with nullcontext(path) if isinstance(path, Original) else Original(path) as original:
            observer.stage("reading")
            yield original, original.sha256(lambda done: observer.progress(done, original.size))
    except SafelightError as error:
        error.file = error.file or printable(path.path if isinstance(path, Original) else path)
        raise


def _plan_for(spread: Spread, sha256: str, names: Names, options: Options, work: Path) -> Plan:
    """The plan for an original: the one that lies there if it is still good, else a new one, which is kept at once."""
    origin = Origin(safelight=__version__, finders=models.identities("find"), asked=options.asked)
    kept = _kept_plan(names, sha256, origin)
    if kept is not None:
        return kept
    spread.observer.stage("finding")
    job = FindJob(sha256=sha256, asked=options.asked, accept_damaged=options.accept_damaged)
    found = spread.find(job, work)
    made = left(work / "plan.json", MAX_PLAN)
    try:
        plan = Plan.load(made)
    except SafelightError as error:
        raise SafelightError(Code.WORKER_LIED, f"The plan found is no plan: {error.detail}") from error
    require_found(plan, found.facts, sha256, origin)
    with alone(names.folder):
        theirs = _kept_plan(names, sha256, origin)  # somebody else may have found in this very clip meanwhile
        if theirs is not None:
            return theirs
        publish([(made, names.plan)])
    return plan


def _put_words(plan: Plan, cues: Sequence[Sound]) -> None:
    """Have these cues spoken, instead of those that subtitles brought before."""
    if cues:
        plan.sounds = [sound for sound in plan.sounds if sound.decided_by != CUES_BY] + list(cues)


def _protected(
    spread: Spread,
    sha256: str,
    plan: Plan,
    names: Names,
    options: Options,
    work: Path,
    watch: Stopwatch,
    sought: Sought,
    rounds: int | None = None,
    finished: Callable[[], Outcome | None] = lambda: None,
) -> Outcome:
    """Hide, attack, and mend what the attackers saw, until all holds; then publish everything at once, or take what
    somebody else has ``finished`` meanwhile.
    """
    planned = len(plan.regions)
    rounds = rounds or ROUNDS
    _set(plan, options)
    for number in range(1, rounds + 1):
        key = secrets.token_hex(KEY_BYTES) if spread.kept is None else spread.kept.key
        done = _hide(spread, plan, options, work, key)
        trial = _attack(spread, plan, options, work / done.copy_name, key, sought)
        verdict = trial.verdict
        require_agreed(done, verdict)
        if verdict.outcome is Attacked.HELD:
            report, document = FileFacts.of(trial.page, names.report), FileFacts.of(trial.document, names.verdict)
            facts = attack_facts(
                verdict,
                report,
                document,
                rounds=number,
                rounds_most=rounds,
                regions_added=len(plan.regions) - planned,
                names=sought.version,
            )
            source = _source(spread.original, sha256)
            with alone(names.folder):
                theirs = finished()
                return theirs or _publish(source, names, options, plan, done, work, watch, trial, facts)
        if spread.kept is not None and any(f.attacker in _BY_LOTS and f.outcome.blocks for f in verdict.findings):
            spread.kept.renew()  # with other lots it may hold
        better = mended(plan, verdict) if number < rounds else None
        if better is None:
            raise _refused(names, proposed(plan, verdict), trial, work, number)
        plan = better
    raise AssertionError("the last round either publishes or refuses")


def _set(plan: Plan, options: Options) -> None:
    """Have the plan ask for what a person asks for."""
    plan.settings.look, plan.settings.curtain = options.look, options.curtain
    plan.settings.sensor, plan.settings.trim = options.sensor, options.trim
    plan.settings.sound = options.sound


def _hide(spread: Spread, plan: Plan, options: Options, work: Path, key: str) -> Hidden:
    """Carry out a plan; the copy lies in ``work`` then.

    ``key``: the lots of the treatment against sensor noise. It lives in the memory of this program and of the workers
    that hide and attack, and is never written.
    """
    spoken = any(s.action is SoundAction.REVOICE and s.decision is Decision.HIDE for s in plan.sounds)
    if options.sound is SoundDefault.REVOICE and not spoken:
        raise SafelightError(Code.NO_WORDS, "There are no words to be spoken.")
    with writing(work):
        (work / "plan.json").write_text(plan.to_json(), encoding="utf-8")
        for earlier in (*work.glob("copy.*"), *work.glob("speech.*"), work / "sheet.png"):  # of the round before
            earlier.unlink(missing_ok=True)
    if spoken:
        spread.observer.stage("speaking")
        with Path(os.devnull).open("rb") as nothing:
            run(SpeakJob(), nothing.fileno(), work, progress=spread.observer.progress, cancel=spread.cancel)
    spread.observer.stage("hiding")
    job = HideJob(accept_damaged=options.accept_damaged, speech=spoken, sensor_key=key)
    done = spread.hide(job, plan, work)
    whole = done.frames_written == done.frames_read or (options.trim and 0 < done.frames_written < done.frames_read)
    if not whole or done.frames_read != plan.clip.frames:
        raise SafelightError(
            Code.COPY_DIFFERS,
            f"{plan.clip.frames} frames were planned, {done.frames_read} read, {done.frames_written} written.",
        )
    require_hidden(done, plan)
    spread.original.require_unchanged()
    return done


def _attack(spread: Spread, plan: Plan, options: Options, copy: Path, key: str, sought: Sought) -> Trial:
    """Have the copy attacked, in a folder of its own: who attacks may not write where the copy lies."""
    spread.observer.stage("attacking")
    folder = copy.parent / "attack"
    with writing(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    with Original(left(copy)) as opened:
        # the copy's name is made from the original's: that is said elsewhere, and no reason to block
        return tried(
            opened,
            spread.original,
            plan,
            folder,
            names=[list(person) for person in sought.spellings],
            accept_damaged=options.accept_damaged,
            sensor_key=key,
            crew=spread.crew if is_long(plan) else None,
            progress=spread.observer.progress,
            cancel=spread.cancel,
        )


def _refused(names: Names, plan: Plan, trial: Trial, work: Path, rounds: int) -> SafelightError:
    """Leave report and plan where the copy would have been, and say why there is none.

    A copy of an earlier run, of the same original, is withdrawn: beside this report it would be taken for the one that
    was tried.
    """
    with writing(work):
        (work / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    with alone(names.folder):
        withdraw(names)
        publish([(work / "plan.json", names.plan), (trial.document, names.verdict), (trial.page, names.report)])
    verdict = trial.verdict
    why = next(f for f in verdict.findings if f.outcome is verdict.outcome)
    code = Code.LEAK if verdict.outcome is Attacked.BROKEN else Code.NOT_ATTACKED
    tries = f" after {rounds} rounds" if rounds > 1 else ""
    told = f"{why.title or why.attacker} {why.outcome}{tries}: {why.sentence} See {printable(names.report)}."
    return SafelightError(code, told)


def _source(original: Original, sha256: str) -> FileFacts:
    return FileFacts(name=printable(Path(original.path.name)), sha256=sha256, size=original.size)


def _finished(names: Names, sha256: str, options: Options, sought: Sought) -> Outcome | None:
    """What an earlier run finished, if it is exactly what is asked for and nothing of it was touched since."""
    account = Account.load(names.account)
    if account is None or account.source.sha256 != sha256 or account.options != options:
        return None
    if account.safelight != __version__ or account.weights != models.identities("find"):
        return None
    attack = account.attack
    if attack is None or attack.weights != models.identities("find") | models.identities("attack"):
        return None
    if attack.names != sought.version:
        return None
    copy = names.copy(Path(account.copy_.name).suffix)
    beside = ((names.plan, account.plan), (names.report, attack.report), (names.verdict, attack.verdict))
    for path, facts in ((copy, account.copy_), *beside):
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
    for extension in COPIES:
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
    if plan.clip.sha256 == sha256 and plan.origin.alike(origin):
        return plan
    by_hand = any(region.decided_by not in ("find", "attack") for region in plan.regions)
    if by_hand or any(sound.decided_by not in ("find", CUES_BY) for sound in plan.sounds):
        raise SafelightError(
            Code.IN_THE_WAY,
            f"{printable(names.plan)} was mended by a person for another file, version or manner of search; "
            "use it with `safelight hide --plan`, or move it away.",
        )
    return None


def _publish(
    source: FileFacts,
    names: Names,
    options: Options,
    plan: Plan,
    done: Hidden,
    work: Path,
    watch: Stopwatch,
    trial: Trial | None = None,
    attack: AttackFacts | None = None,
) -> Outcome:
    """Give everything its name, the account last; one that lay there is gone first, since it speaks of other files.

    The caller is :func:`alone` in the folder. Without a ``trial`` nobody attacked the copy, and that is said.
    """
    copy = left(work / done.copy_name, Bounds.for_clip(source.size).file)
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
        width=done.copy_width,
        height=done.copy_height,
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
        sensor=sensor_sentence(options.sensor, plan.settings.sensor, done),
        dropped=facts.dropped,
        weights=plan.origin.finders,
        device=plan.origin.device,
        warnings=[*warnings_of(plan, done, attack), *support().warnings],
        workers=support().sentence,
        attack=attack,
        stages=watch.stages,
        seconds=watch.seconds,
    )
    document = work / "account.json"
    with writing(work):
        document.write_text(account.to_json(), encoding="utf-8")
    sheets = [(picture_left(sheet), names.sheet)] if has_sheet else []
    reports = [(trial.document, names.verdict), (trial.page, names.report)] if trial is not None else []
    with writing(names.folder):
        names.account.unlink(missing_ok=True)
    publish([*sheets, (plan_file, names.plan), *reports, (copy, final), (document, names.account)])
    return Outcome(account, names, final, already=False)
