"""`safelight attack`: try to undo the protection of a copy, whoever made it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text as Line

from safelight import models
from safelight.attack.verdict import Outcome, Verdict
from safelight.check import check
from safelight.cli.names import spellings_in
from safelight.cli.opening import Bench, Identity, InCase, bench
from safelight.cli.options import Device, Out, Unconfined
from safelight.cli.protect import cancel_on_signals
from safelight.cli.show import Display
from safelight.errors import Code, SafelightError
from safelight.inputs import printable
from safelight.outputs import COPIES, Names, publish
from safelight.workers.device import require as require_device

EXAMPLES = """**Examples**

`safelight attack protected/clip.safelight.mp4 --original clip.mp4 --plan protected/clip.safelight-plan.json`

`safelight attack blurred.mp4 --original clip.mp4` — a copy made by another tool

`safelight attack --case story clip-0001 clip-0002 -o copies` — the copies of these clips that lie in `copies`
"""
_LOOKS = {
    Outcome.HELD: "bold green",
    Outcome.BROKEN: "bold red",
    Outcome.COULD_NOT_RUN: "bold yellow",
    Outcome.NOT_ASKED: "dim",
}


def attack(
    copies: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="COPY...",
            help="Copies to attack; with --case and without --original clips, whose copies lie in -o (default: all).",
            show_default=False,
        ),
    ] = None,
    original: Annotated[Path | None, typer.Option(help="What the copy was made from.", show_default=False)] = None,
    plan: Annotated[Path | None, typer.Option(help="The plan of the copy.", show_default=False)] = None,
    names: Annotated[
        Path | None,
        typer.Option(help="List of protected names, sealed or plain: a person a line, spellings by commas."),
    ] = None,
    all_frames: Annotated[bool, typer.Option("--all", help="Look at every frame of a long clip too.")] = False,
    out: Out = Path("protected"),
    unconfined: Unconfined = False,
    device: Device = None,
    case: InCase = None,
    identity: Identity = None,
    as_json: Annotated[bool, typer.Option("--json", help="The verdict as JSON on standard output.")] = False,
) -> None:
    """Try to undo a copy's protection; write a report a lawyer can read. Status 0 only when everything held.

    In a case, the names that are sealed in it are looked for, unless --names gives others.
    """
    if not copies and (case is None or original is not None):
        raise typer.BadParameter("name a copy")
    if len(copies or []) != 1 and (original is not None or plan is not None):
        raise typer.BadParameter("an original or a plan is for one copy: name that one")
    models.require("find")
    models.require("attack")
    require_device()
    given = spellings_in(names) if names is not None else None
    told: list[tuple[str, Verdict]] = []
    with (
        cancel_on_signals() as cancel,
        Display(Console(stderr=True, highlight=False), quiet=False) as display,
        bench(out, case, identity, "attack") as work,
    ):

        def one(named: Path) -> None:
            copy, source = (
                (named, original) if case is None or original is not None else (_copy_of(work, named, out), named)
            )
            with work.place(source or copy) as place:
                sealed_plan = place.names.plan if place.sealed and place.names.plan.exists() else None
                checked = check(
                    copy,
                    place.names.folder,
                    original=place.source if source is not None else None,
                    plan=plan or sealed_plan,
                    names=given if given is not None else [list(person) for person in place.people().spellings],
                    all_frames=all_frames,
                    observer=display.watch(copy),
                    cancel=cancel,
                )
                report = place.shown(checked.report)
                if place.sealed:
                    publish([(checked.report, place.names.report), (checked.document, place.names.verdict)])
            told.append((printable(named), checked.verdict))
            _show(display, checked.verdict)
            if not as_json:
                print(report)

        refused = work.each(_chosen(work, copies, out), display, one)
    if as_json and len(copies or []) == 1 and told:
        print(told[0][1].to_json())
    elif as_json:
        results = [{"name": name, "verdict": json.loads(verdict.to_json())} for name, verdict in told]
        print(json.dumps({"results": results}, indent=1, ensure_ascii=False))
    if refused or any(verdict.outcome is not Outcome.HELD for _, verdict in told):
        raise typer.Exit(1)


def _chosen(work: Bench, copies: list[Path] | None, out: Path) -> list[Path]:
    """What was named, or all clips of the case that have a copy. Raises SL-NOT-FOUND when none has."""
    if copies:
        return copies
    found = [clip for clip in work.clips(None) if any(path.exists() for path in _copies(clip.name, out))]
    if not found:
        raise SafelightError(Code.NOT_FOUND, "No clip of the case has a copy there.", file=printable(out))
    return found


def _copy_of(work: Bench, clip: Path, out: Path) -> Path:
    """The copy of a clip of the case. Raises SL-NOT-FOUND, SL-CASE-NO-CLIP."""
    assert work.story is not None
    name = work.story.clip(str(clip)).name
    for path in _copies(name, out):
        if path.exists():
            return path
    raise SafelightError(Code.NOT_FOUND, f"There is no copy of {name}.", file=printable(out))


def _copies(name: str, out: Path) -> list[Path]:
    return [Names(out, name).copy(extension) for extension in COPIES]


def _show(display: Display, verdict: Verdict) -> None:
    for finding in verdict.findings:
        display.print(Line.assemble((f"{finding.outcome.value:14}", _LOOKS[finding.outcome]), f"{finding.sentence}"))
    display.print(Line(verdict.sentence, style=_LOOKS[verdict.outcome]))
