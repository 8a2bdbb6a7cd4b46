"""Run all attackers on a copy and give the verdict. Runs inside a worker: copy and original are strangers' files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import BinaryIO

from safelight import __version__, models
from safelight.attack.bytes import Bytes
from safelight.attack.faces import Faces
from safelight.attack.fill import Fill
from safelight.attack.hearing import sound_pairs
from safelight.attack.hum import Hum
from safelight.attack.likeness import Likeness
from safelight.attack.moments import Glimpse, named, worst
from safelight.attack.pairs import offset, pairs, picture_count
from safelight.attack.protocol import Attacker, Case, Notes
from safelight.attack.sensor import Sensor
from safelight.attack.sound import Sound
from safelight.attack.straight import Straightener, looks_bent, treated
from safelight.attack.timing import Timing
from safelight.attack.verdict import MAX_PROPOSALS, CopyFacts, Finding, Moment, Outcome, Verdict, headline, overall
from safelight.attack.voices import Voices
from safelight.errors import Code, SafelightError
from safelight.hide.sensor import planned_size
from safelight.media.read import Reader
from safelight.models.device import chosen
from safelight.plan import Plan

ATTACKERS: tuple[type[Attacker], ...] = (Faces, Likeness, Fill, Bytes, Timing, Sound, Voices, Hum, Sensor)
"""The roster: everybody who attacks, in the order of the report. Those who come first see each picture first."""

# Refusals that concern the whole attack and not one attacker's tools.
_FATAL = frozenset({Code.COPY_OTHER_CLIP, Code.PLAN_OTHER_CLIP})


def attack(
    copy: BinaryIO,
    *,
    original: BinaryIO | None = None,
    plan: Plan | None = None,
    names: Sequence[Sequence[str]] = (),
    file_name: str = "",
    all_frames: bool = False,
    accept_damaged: bool = False,
    sensor_key: bytes | None = None,
    moments: Path | None = None,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
    attackers: Sequence[type[Attacker]] = ATTACKERS,
    elsewhere: Sequence[str] = (),
) -> Verdict:
    """Try to undo a copy's protection.

    Args:
        copy: the protected file, open for reading, seekable.
        original: what it was made from. Without it likeness and fidelity cannot be attacked.
        plan: what was to be hidden and what was revealed on purpose.
        names: protected people, each with the spellings of the name.
        file_name: the copy's name, to look for protected words in.
        all_frames: look for faces in every frame of a long clip too, not in a sample.
        accept_damaged: the original's holes were accepted when the copy was made.
        sensor_key: the lots of the treatment against sensor noise, while they are still known.
        moments: a folder for small pictures of the copy's worst moments; None: none are kept.
        progress: is told (pictures done, pictures expected).
        attackers: who attacks.
        elsewhere: names of others who attack this copy in other workers. The verdict is a share then, to be joined with
            theirs, and has all moments that may come into question.

    Raises:
        SafelightError: an unreadable copy or original (as Reader), SL-COPY-OTHER-CLIP when the original shows something
            else, SL-PLAN-OTHER-CLIP when the plan is for another original or for a clip of another shape.
    """
    if plan is not None and original is not None and _sha256(original)[0] != plan.clip.sha256:
        raise SafelightError(Code.PLAN_OTHER_CLIP, "The plan was not made for this original.")
    sha256, size = _sha256(copy)
    notes = Notes()
    findings: list[Finding] = []
    running: list[Attacker] = []
    frames, seconds = 0, 0.0
    cut = plan is not None and plan.ends is not None
    shift = offset(copy, original, accept_damaged=accept_damaged) if original is not None and not cut else 0.0
    bent = treated(plan) if plan is not None else original is not None and looks_bent(copy, original)
    with ExitStack() as stack:
        shown = stack.enter_context(Reader(copy))
        source = stack.enter_context(Reader(original, accept_damaged=accept_damaged)) if original is not None else None
        straightener = Straightener(shown.facts, source.facts if source is not None else None, plan, sensor_key, bent)
        case = Case(
            copy,
            shown.facts,
            original,
            source.facts if source is not None else None,
            plan,
            tuple(tuple(person) for person in names),
            file_name,
            all_frames,
            (*(kind.name for kind in attackers), *elsewhere),
            sensor_key,
            straightener.size if bent else None,
        )
        _check_plan(case)
        for kind in attackers:
            _guarded(lambda kind=kind: running.append(kind(case, notes)), kind, findings)  # type: ignore[misc]
        total = picture_count(shown.facts)
        together = stack.enter_context(closing(pairs(shown, source, notes, straightener, shift, plan)))
        for pair in together:
            frames, seconds = pair.index + 1, pair.seconds
            for attacker in list(running):
                if not _guarded(lambda a=attacker, p=pair: a.watch(p), type(attacker), findings):  # type: ignore[misc]
                    running.remove(attacker)
            progress(frames, total)
            del pair  # the last one and its scaled pictures would stay in memory while recognisers are loaded
    # Only more than before counts as progress: what comes after the last picture goes on counting, to no known end.
    steps = count(frames + 1)
    notes.alive = lambda: progress(next(steps), None)
    _let_hear(case, notes, running, findings)
    # The readers are closed: who wants to read a file again, from its beginning, may.
    while running:
        attacker = running.pop(0)  # let go of one attacker's networks before the next one loads his
        _guarded(lambda a=attacker: findings.append(a.finding()), type(attacker), findings)  # type: ignore[misc]
        del attacker
    findings.sort(key=lambda finding: [kind.name for kind in attackers].index(finding.attacker))
    outcome = overall(findings)
    width, height = case.own_size
    return Verdict(
        safelight=__version__,
        outcome=outcome,
        sentence=headline(outcome),
        copy_=CopyFacts(sha256=sha256, size=size, width=width, height=height, frames=frames, seconds=seconds),
        had_original=original is not None,
        had_plan=plan is not None,
        findings=findings,
        proposals=notes.proposals[:MAX_PROPOSALS],
        moments=_written(notes.moments if elsewhere else worst(notes.moments), moments),
        weights=models.identities("find") | models.identities("attack"),
        device=chosen(),
    )


def _sha256(source: BinaryIO) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    source.seek(0)
    while data := source.read(1 << 20):
        digest.update(data)
        size += len(data)
    source.seek(0)
    return digest.hexdigest(), size


def _let_hear(case: Case, notes: Notes, running: list[Attacker], findings: list[Finding]) -> None:
    """Play the sound, once for each rate that somebody wants; who could not be served to the end leaves ``running``."""
    for rate in sorted({attacker.hears for attacker in running if attacker.hears is not None}):
        listening = [attacker for attacker in running if attacker.hears == rate]
        heard = sound_pairs(case, rate, notes.cut)
        while listening:
            try:
                pair = next(heard, None)
            except SafelightError as error:
                for attacker in listening:
                    findings.append(_could_not(type(attacker), error))
                    running.remove(attacker)
                break
            if pair is None:
                break
            notes.alive()
            for attacker in list(listening):
                if not _guarded(lambda a=attacker, p=pair: a.hear(p), type(attacker), findings):  # type: ignore[misc]
                    listening.remove(attacker)
                    running.remove(attacker)


def _check_plan(case: Case) -> None:
    if case.plan is None:
        return
    width, height = case.own_size
    wanted = planned_size(case.plan)
    if case.original is None and (abs(width - wanted[0]) > 1 or abs(height - wanted[1]) > 1):
        raise SafelightError(Code.PLAN_OTHER_CLIP, "The plan is for a clip of another shape than this copy.")


def _guarded(step: Callable[[], None], kind: type[Attacker], findings: list[Finding]) -> bool:
    """Run one step of an attacker; a refusal becomes its finding *could not run*. Whether the step went well."""
    try:
        step()
    except SafelightError as error:
        if error.code in _FATAL:
            raise
        findings.append(_could_not(kind, error))
        return False
    return True


def _could_not(kind: type[Attacker], error: SafelightError) -> Finding:
    return Finding(
        attacker=kind.name,
        title=kind.title,
        question=kind.question,
        outcome=Outcome.COULD_NOT_RUN,
        sentence=f"{error.code}: {error.detail}"[:500],
        not_tried=list(kind.tries),
    )


def _written(glimpses: list[Glimpse], folder: Path | None) -> list[Moment]:
    """Moments for a verdict; their pictures lie in the folder then. None without a folder."""
    if folder is None:
        return []
    made = named(glimpses)
    for moment, png in made:
        (folder / moment.picture).write_bytes(png)
    return [moment for moment, _ in made]
