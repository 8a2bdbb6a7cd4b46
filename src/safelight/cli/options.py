"""Options that several commands have."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from safelight.plan import Asked, Effort, Sensor
from safelight.plan import Hide as HideChoice
from safelight.scale.table import JobTable
from safelight.workers.confine import UNCONFINED

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for copies, accounts and plans.")]
Quick = Annotated[bool, typer.Option("--quick", help="Look less often. For a first impression, not to publish.")]
Thorough = Annotated[bool, typer.Option("--thorough", help="Look at every frame, larger. Slower.")]
Hide = Annotated[
    HideChoice, typer.Option(help="Heads; or whole bodies too: clothes, hands and gait tell who someone is as well.")
]
SensorChoice = Annotated[
    Sensor,
    typer.Option(
        "--sensor", help="Take the camera's own noise out; smaller and slightly bent. Off keeps every pixel in place."
    ),
]
Text = Annotated[bool, typer.Option("--text", help="Hide readable text and lit screens too, not only propose them.")]
Curtain = Annotated[bool, typer.Option("--curtain", help="Hide the whole picture, except what a plan reveals.")]
Damaged = Annotated[
    bool, typer.Option("--accept-damaged", help="Protect what can be read of a damaged file; gaps are listed.")
]


def _allow_unconfined(yes: bool) -> bool:
    """Workers are started in many places, some on other machines; the environment reaches them all."""
    if yes:
        os.environ[UNCONFINED] = "1"
    return yes


Unconfined = Annotated[
    bool,
    typer.Option(
        "--unconfined", callback=_allow_unconfined, help="Go on where workers cannot be confined. For files you trust."
    ),
]
Table = Annotated[
    str | None,
    typer.Option(
        "--table", metavar="URL", help="Job table in a database instead of beside the copies.", show_default=False
    ),
]


def job_table(url: str | None, out: Path) -> JobTable:
    """The job table that was asked for: by URL, or the one beside the copies."""
    return JobTable(url) if url is not None else JobTable.beside(out)


def asked(quick: bool, thorough: bool, hide: HideChoice, text: bool) -> Asked:
    """What `find` is asked for. Raises typer.BadParameter for what excludes each other."""
    if quick and thorough:
        raise typer.BadParameter("--quick and --thorough exclude each other")
    effort = Effort.QUICK if quick else Effort.THOROUGH if thorough else Effort.DEFAULT
    return Asked(effort=effort, hide=hide, text=text)
