"""Options of every command that can work inside a case, and how a case is opened from the command line."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text as Line

from safelight.errors import SafelightError
from safelight.inputs import printable
from safelight.outputs import names_for

if TYPE_CHECKING:  # a case brings a database along, which other work does without
    from safelight.cli.show import Display
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


class Bench:
    """Where a command works on clips, one after the other: files with their results in ``out``, or clips of a case."""

    def __init__(self, story: Case | None, out: Path, why: str) -> None:
        self.story = story
        self._out = out
        self._why = why
        self._taken: set[str] = set()

    def clips(self, words: list[Path] | None) -> list[Path]:
        """What is to be worked on: what was named; all clips of the case when nothing was."""
        if words or self.story is None:
            return list(words or [])
        return [Path(clip.name) for clip in self.story.catalogue.clips()]

    @contextmanager
    def place(self, clip: Path) -> Iterator[Place]:
        """Where to work on one. Raises like :func:`safelight.sealed.room`."""
        from safelight.sealed import Place, room

        if self.story is None:
            yield Place(clip, names_for(clip, self._out, self._taken))
            return
        with room(self.story, self.story.clip(str(clip)), self._out, self._why) as place:
            yield place

    def each(self, clips: list[Path], display: Display, work: Callable[[Path], None]) -> int:
        """Work on clips; a refusal is printed and the next one is gone on with. Returns how many were refused."""
        refused = 0
        for clip in clips:
            try:
                work(clip)
            except SafelightError as error:
                refused += 1
                error.file = error.file or printable(clip)
                display.print(Line(str(error), style="bold red"))
        return refused


@contextmanager
def bench(out: Path, case: Path | None, identity: Path | None, why: str) -> Iterator[Bench]:
    """A place to work at, with the case opened once if there is one. ``why``: the command, for the log."""
    if case is None:
        yield Bench(None, out, why)
        return
    with open_case(case, identity) as story:
        yield Bench(story, out, why)
