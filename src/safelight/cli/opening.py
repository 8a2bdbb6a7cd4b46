"""Options of every command that can work inside a case, and how a case is opened from the command line."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from safelight.custody.case import Case, opened
from safelight.custody.catalogue import IN_MEMORY
from safelight.outputs import names_for
from safelight.sealed import Place, room

InCase = Annotated[
    Path | None,
    typer.Option(
        "--case",
        metavar="CASE",
        help="Work in this case: clips are named as in `case status`, results are sealed, only copies go to -o.",
        show_default=False,
    ),
]
Identity = Annotated[
    Path | None,
    typer.Option(
        "--identity", help="age key file of a member of the case, instead of a passphrase.", show_default=False
    ),
]
Database = Annotated[
    str, typer.Option("--catalogue", envvar="SAFELIGHT_CATALOGUE", help="Database for the catalogue; default: memory.")
]


def ask(what: str) -> str | None:
    """Ask the person in front of the screen; None when there is none."""
    return getpass.getpass(f"{what}: ") if sys.stdin.isatty() else None


def open_case(path: Path, identity: Path | None, catalogue: str = IN_MEMORY) -> AbstractContextManager[Case]:
    """Open a case as every command does. Raises what :func:`safelight.custody.case.opened` raises."""
    return opened(path, identity=identity, ask=ask, catalogue=catalogue)


@contextmanager
def placed(clip: Path, out: Path, case: Path | None, identity: Path | None, why: str) -> Iterator[Place]:
    """Where to work on ``clip``: a file with its results in ``out``, or a clip of a case. Raises like :func:`room`."""
    if case is None:
        yield Place(clip, names_for(clip, out, set()))
        return
    with open_case(case, identity) as story, room(story, story.clip(str(clip)), out, why) as place:
        yield place
