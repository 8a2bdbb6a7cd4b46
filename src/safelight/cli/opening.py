"""Options of every command that can work inside a case, and how a case is opened from the command line."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from safelight.outputs import names_for

if TYPE_CHECKING:  # a case brings a database along, which other work does without
    from safelight.custody.case import Case
    from safelight.sealed import Place

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


def open_case(path: Path, identity: Path | None, catalogue: str | None = None) -> AbstractContextManager[Case]:
    """Open a case as every command does. Raises what :func:`safelight.custody.case.opened` raises."""
    from safelight.custody.case import opened
    from safelight.custody.catalogue import IN_MEMORY

    return opened(path, identity=identity, ask=ask, catalogue=catalogue or IN_MEMORY)


@contextmanager
def placed(clip: Path, out: Path, case: Path | None, identity: Path | None, why: str) -> Iterator[Place]:
    """Where to work on ``clip``: a file with its results in ``out``, or a clip of a case. Raises like :func:`room`."""
    from safelight.sealed import Place, room

    if case is None:
        yield Place(clip, names_for(clip, out, set()))
        return
    with open_case(case, identity) as story, room(story, story.clip(str(clip)), out, why) as place:
        yield place
