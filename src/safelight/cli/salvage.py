"""`safelight salvage`: films again from ones that were cut off before their index was written."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text as Line

from safelight.cli.opening import Identity, InCase, open_case
from safelight.cli.options import Unconfined
from safelight.cli.protect import INTERRUPTED, cancel_on_signals
from safelight.cli.show import Display
from safelight.errors import Cancelled, Code, SafelightError
from safelight.inputs import Item, expand, printable
from safelight.salvage import named
from safelight.salvage import salvage as salvage_film
from safelight.workers.messages import Salvaged

EXAMPLES = (
    "**Examples**\n\n`safelight salvage MOV_0007.mp4 --like MOV_0006.mp4 -o work` — "
    "writes `work/MOV_0007.salvaged.mov`\n\n"
    "`safelight salvage card/ --like MOV_0006.mp4 -o work` — all films on a card that lost their index\n\n"
    "`safelight salvage --case story clip-0007 --like clip-0006` — inside a case; nothing leaves it"
)


def salvage(
    films: Annotated[
        list[Path],
        typer.Argument(
            help="MP4 or MOV without index, AVI without head, or folders of them; only read.", show_default=False
        ),
    ],
    like: Annotated[
        Path,
        typer.Option(help="A whole clip of the same camera with the same settings.", show_default=False),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the new films.")] = Path("salvaged"),
    unconfined: Unconfined = False,
    case: InCase = None,
    identity: Identity = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only results.")] = False,
) -> None:
    """Save pictures (H.264) and sound (AAC) of films that were cut off; where one has holes, the new one has too.

    An AVI that lost its beginning is saved with the head of a good AVI.

    A new film is marked as doubtful from end to end, unless it carries its settings itself: protect it with
    --accept-damaged after somebody has looked at it. In a folder, films that have their index are passed over. With
    --case, the film and the good one are clips of it, and the new film becomes a clip too; the log says of which.
    """
    console = Console(stderr=True, highlight=False)
    refused = 0
    with ExitStack() as stack, cancel_on_signals() as cancel, Display(console, quiet=quiet) as display:
        story = stack.enter_context(open_case(case, identity)) if case is not None else None
        for item in expand(films, leave_out=out) if story is None else [Item(film, Path()) for film in films]:
            watch = display.watch(item.path)
            try:
                if cancel.is_set():
                    raise Cancelled
                watch.stage("salvaging")
                if story is not None:
                    from safelight.sealed import salvage_sealed

                    damaged, good = story.clip(str(item.path)), story.clip(str(like))
                    done, made = salvage_sealed(story, damaged, good, progress=watch.progress, cancel=cancel)
                else:
                    target = out / item.below / f"{item.path.stem}.salvaged.mov"
                    done = salvage_film(item.path, like, target, progress=watch.progress, cancel=cancel)
                    made = printable(named(target, done))
            except SafelightError as error:
                if error.code is Code.SALVAGE_KIND and item.path not in films:
                    continue
                refused += 1
                display.print(Line.assemble(("✗ ", "bold red"), str(error)))
                continue
            except Cancelled:
                raise typer.Exit(INTERRUPTED) from None
            finally:
                watch.done()
            print(made)
            display.print(Line.assemble(("✓ ", "bold green"), f"{printable(item.path)}: {as_text(done)}"))
    if refused:
        raise typer.Exit(1)


def as_text(done: Salvaged) -> str:
    """What came of one film, in words."""
    told = [f"{done.pictures} pictures, {done.sound:.1f} seconds of sound."]
    if done.holes:
        told.append(f"{done.holes} holes ({done.lost} bytes).")
    if not done.proven:
        told.append("Nothing shows that the good clip's settings are this film's: look whether colours are right.")
    if done.holes or not done.proven:
        told.append("--accept-damaged is needed from here on.")
    if done.form == "mov":
        told.append("Times of pictures are made up.")
    return " ".join(told)
