"""Commands that are loaded when they are called: the program starts without libraries that only some of them need.

Typer's own copy of Click has no public name, so its contexts are passed through here as they come.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from safelight.workers.server import prepare


@dataclass(frozen=True)
class Place:
    """Where a command is written. ``attribute``: its function or Typer app; ``examples``: name of its examples there.

    ``told``: the line about it in the list of commands, which is the first sentence of its own help. ``works``: it
    starts workers at once, so what they need is loaded beside the command itself; not with the option ``elsewhere``.
    """

    module: str
    attribute: str
    told: str
    examples: str | None = None
    works: bool = False
    elsewhere: str | None = None

    def load(self, name: str) -> Any:
        """The command itself."""
        module = import_module(f"safelight.cli.{self.module}")
        found = getattr(module, self.attribute)
        around = typer.Typer(rich_markup_mode="markdown", add_completion=False)
        around.callback()(_nothing)  # without one, Typer takes a single command for the whole program
        if isinstance(found, typer.Typer):
            around.add_typer(found, name=name)
        else:
            around.command(name=name, epilog=getattr(module, self.examples) if self.examples else None)(found)
        group: Any = get_command(around)
        return group.commands[name]


class Late(TyperCommand):
    """Stands in the list for a command, and becomes it when it is called."""

    def __init__(self, name: str, place: Place) -> None:
        super().__init__(name, help=place.told, rich_markup_mode="markdown")
        self.place = place

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Of the command itself: what is done with the context is then done with that."""
        idle = {"-h", "--help", self.place.elsewhere} & {word.partition("=")[0] for word in args}
        if self.place.works and not idle and not extra.get("resilient_parsing"):
            prepare()
        return self.place.load(self.name or "").make_context(info_name, args, parent, **extra)


def group_of(places: dict[str, Place]) -> type[TyperGroup]:
    """A group of these commands, in this order."""

    class Commands(TyperGroup):
        """The group."""

        def list_commands(self, ctx: Any) -> list[str]:
            return list(places)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            return Late(cmd_name, places[cmd_name]) if cmd_name in places else None

    return Commands


def _nothing() -> None:
    pass
