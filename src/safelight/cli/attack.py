"""`safelight attack`: try to undo the protection of a copy, whoever made it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text as Line

from safelight import models
from safelight.attack.verdict import Outcome
from safelight.check import check
from safelight.cli.names import spellings_in
from safelight.cli.opening import Identity, InCase, placed
from safelight.cli.options import Out, Unconfined
from safelight.cli.protect import cancel_on_signals
from safelight.cli.show import Display
from safelight.outputs import publish

EXAMPLES = """**Examples**

`safelight attack protected/clip.safelight.mp4 --original clip.mp4 --plan protected/clip.safelight-plan.json`

`safelight attack blurred.mp4 --original clip.mp4` — a copy made by another tool
"""
_LOOKS = {
    Outcome.HELD: "bold green",
    Outcome.BROKEN: "bold red",
    Outcome.COULD_NOT_RUN: "bold yellow",
    Outcome.NOT_ASKED: "dim",
}


def attack(
    copy: Annotated[Path, typer.Argument(help="The copy to attack.", show_default=False)],
    original: Annotated[Path | None, typer.Option(help="What the copy was made from.", show_default=False)] = None,
    plan: Annotated[Path | None, typer.Option(help="The plan of the copy.", show_default=False)] = None,
    names: Annotated[
        Path | None,
        typer.Option(help="List of protected names, sealed or plain: a person a line, spellings by commas."),
    ] = None,
    all_frames: Annotated[bool, typer.Option("--all", help="Look at every frame of a long clip too.")] = False,
    out: Out = Path("protected"),
    unconfined: Unconfined = False,
    case: InCase = None,
    identity: Identity = None,
    as_json: Annotated[bool, typer.Option("--json", help="The verdict as JSON on standard output.")] = False,
) -> None:
    """Try to undo a copy's protection; write a report a lawyer can read. Status 0 only when everything held.

    In a case, the names that are sealed in it are looked for, unless --names gives others.
    """
    models.require("find")
    models.require("attack")
    console = Console(stderr=True, highlight=False)
    if case is not None and original is None:
        raise typer.BadParameter("with --case, name the clip that the copy was made from with --original")
    given = spellings_in(names) if names is not None else None
    with (
        cancel_on_signals() as cancel,
        Display(console, quiet=False) as display,
        placed(original or copy, out, case, identity, "attack") as place,
    ):
        sealed_plan = place.names.plan if place.sealed and place.names.plan.exists() else None
        checked = check(
            copy,
            place.names.folder,
            original=place.source if original is not None else None,
            plan=plan or sealed_plan,
            names=given if given is not None else [list(person) for person in place.people().spellings],
            all_frames=all_frames,
            observer=display.watch(copy),
            cancel=cancel,
        )
        report = place.shown(checked.report)
        if place.sealed:
            publish([(checked.report, place.names.report), (checked.document, place.names.verdict)])
    verdict = checked.verdict
    for finding in verdict.findings:
        console.print(Line.assemble((f"{finding.outcome.value:14}", _LOOKS[finding.outcome]), f"{finding.sentence}"))
    console.print(Line(verdict.sentence, style=_LOOKS[verdict.outcome]))
    print(verdict.to_json() if as_json else report)
    if verdict.outcome is not Outcome.HELD:
        raise typer.Exit(1)
