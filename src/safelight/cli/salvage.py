"""`safelight salvage`: a film again from one that was cut off before its index was written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from safelight.cli.options import Unconfined
from safelight.cli.protect import cancel_on_signals
from safelight.inputs import printable
from safelight.salvage import salvage as salvage_film

EXAMPLES = (
    "**Example**\n\n`safelight salvage MOV_0007.mp4 --like MOV_0006.mp4 -o work` — writes `work/MOV_0007.salvaged.mov`"
)


def salvage(
    film: Annotated[Path, typer.Argument(help="An MP4 or MOV without its index; it is only read.")],
    like: Annotated[
        Path,
        typer.Option(help="A whole clip of the same camera with the same settings.", show_default=False),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the new film.")] = Path("salvaged"),
    unconfined: Unconfined = False,
) -> None:
    """Save pictures (H.264) and sound (AAC) of a film that was cut off; where it has holes, the new one has too."""
    target = out / f"{film.stem}.salvaged.mov"
    with cancel_on_signals() as cancel:
        done = salvage_film(film, like, target, progress=lambda done, total: None, cancel=cancel)
    print(printable(target))
    told = [f"{done.pictures} pictures, {done.sound:.1f} seconds of sound."]
    if done.holes:
        told.append(f"{done.holes} holes ({done.lost} bytes): --accept-damaged is needed from here on.")
    told.append(
        "Times of pictures are made up. Look at it: with a good clip of other settings, colours or shapes are wrong."
    )
    Console(stderr=True, highlight=False).print(" ".join(told))
