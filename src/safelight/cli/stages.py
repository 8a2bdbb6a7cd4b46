"""`safelight find` and `safelight hide`: the main job stage by stage, on plan files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text as Line

from safelight import models
from safelight.account import Options
from safelight.cli.opening import Identity, InCase, bench
from safelight.cli.options import (
    Curtain,
    Damaged,
    Device,
    Hide,
    Language,
    Out,
    Quick,
    Sound,
    Subtitles,
    Text,
    Thorough,
    Trim,
    Unconfined,
    asked,
    words,
)
from safelight.cli.protect import ONE_CLIP, cancel_on_signals
from safelight.cli.show import Display
from safelight.inputs import printable
from safelight.outputs import writing
from safelight.plan import Hide as HideChoice
from safelight.plan import Look, Sensor
from safelight.protect import find_only, hide_only
from safelight.workers.device import require as require_device

FIND_EXAMPLES = (
    "**Examples**\n\n`safelight find clip.mp4 -o work` — writes `work/clip.safelight-plan.json`\n\n"
    "`safelight find --explain clip.mp4` — and draws what was seen when\n\n"
    "`safelight find --case story clip-0001 clip-0002` — plans are sealed in the case"
)
HIDE_EXAMPLES = (
    "**Example**\n\n`safelight hide clip.mp4 --plan work/clip.safelight-plan.json -o work` — writes the copy"
)

Clips = Annotated[
    list[Path] | None,
    typer.Argument(metavar="CLIP...", help="Films or pictures; with --case clips, default all.", show_default=False),
]


def find(
    clips: Clips = None,
    out: Out = Path("protected"),
    hide: Hide = HideChoice.HEADS,
    text: Text = False,
    quick: Quick = False,
    thorough: Thorough = False,
    accept_damaged: Damaged = False,
    unconfined: Unconfined = False,
    device: Device = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also draw a timeline (PNG): what was seen when, by which finder.")
    ] = False,
    case: InCase = None,
    identity: Identity = None,
) -> None:
    """Find what must be hidden and write the plan; no picture is changed. A person may then mend the plan."""
    _require_clips(clips, case)
    options = Options(asked=asked(quick, thorough, hide, text), accept_damaged=accept_damaged)
    models.require("find")
    require_device()
    console = Console(stderr=True, highlight=False)
    with (
        cancel_on_signals() as cancel,
        Display(console, quiet=False) as display,
        bench(out, case, identity, "find") as work,
    ):

        def one(clip: Path) -> None:
            with work.place(clip) as place:
                names = place.names
                plan = find_only(place.source, names, options, observer=display.watch(clip), cancel=cancel)
                if explain:
                    from safelight.find import explain as timeline  # here: it draws, and what draws is slow to load

                    with writing(names.folder):
                        timeline.save(plan, names.timeline)
            print(place.shown(names.plan))
            if explain:
                print(place.shown(names.timeline))
            display.print(Line(f"{len(plan.regions)} regions in {plan.clip.frames} frames"))

        refused = work.each(work.clips(clips), display, one)
    if refused:
        raise typer.Exit(1)


def hide(
    clips: Clips = None,
    plan: Annotated[
        Path | None,
        typer.Option("--plan", help="The plan made for exactly this file; with --case the sealed one if not given."),
    ] = None,
    out: Out = Path("protected"),
    look: Annotated[
        Look | None,
        typer.Option(help="Veil or solid; what the plan says if not given.", show_default=False),
    ] = None,
    sensor: Annotated[
        Sensor | None,
        typer.Option(help="How thoroughly the camera's own noise is taken out; what the plan says if not given."),
    ] = None,
    curtain: Curtain = False,
    trim: Trim = False,
    sound: Sound = None,
    subtitles: Subtitles = None,
    language: Language = None,
    accept_damaged: Damaged = False,
    unconfined: Unconfined = False,
    case: InCase = None,
    identity: Identity = None,
) -> None:
    """Carry out a plan: write the copy, its contact sheet and its account."""
    _require_clips(clips, case)
    if plan is None and case is None:
        raise typer.BadParameter("--plan is missing")
    default, cues = words(sound, subtitles, language)
    console = Console(stderr=True, highlight=False)
    with (
        cancel_on_signals() as cancel,
        Display(console, quiet=False) as display,
        bench(out, case, identity, "hide") as work,
    ):
        chosen = work.clips(clips)
        if len(chosen) != 1 and (plan is not None or cues):
            raise typer.BadParameter(ONE_CLIP if cues else "a plan is for one clip: name that one")

        def one(clip: Path) -> None:
            with work.place(clip) as place:
                outcome = hide_only(
                    place.source,
                    plan or place.names.plan,
                    place.names,
                    look=look,
                    sensor=sensor,
                    curtain=curtain,
                    trim=trim,
                    sound=default,
                    cues=cues,
                    accept_damaged=accept_damaged,
                    observer=display.watch(clip),
                    cancel=cancel,
                )
            print(printable(out / outcome.copy.name))

        refused = work.each(chosen, display, one)
    if refused:
        raise typer.Exit(1)


def _require_clips(clips: list[Path] | None, case: Path | None) -> None:
    if not clips and case is None:
        raise typer.BadParameter("name a film or a picture")
