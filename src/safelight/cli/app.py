"""The program `safelight`: its commands, and how refusals end it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from safelight import __version__
from safelight.cli import attack, desk, doctor, protect, salvage, scale, stages
from safelight.cli import case as cases
from safelight.cli.models import app as models
from safelight.cli.names import app as names
from safelight.cli.story import story, words
from safelight.errors import SafelightError
from safelight.workers.parent import Cancelled

app = typer.Typer(
    name="safelight",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    help="Develop footage without exposing anyone.\n\n"
    "`safelight protect CLIP` makes a copy in which nobody is shown, beside an account of what was done.",
    epilog="Exit status: 0 all went well; 1 something was refused and has no copy; 2 wrong use; 130 interrupted.",
)
app.command(name="protect", epilog=protect.EXAMPLES)(protect.protect)
app.command(name="find", epilog=stages.FIND_EXAMPLES)(stages.find)
app.command(name="hide", epilog=stages.HIDE_EXAMPLES)(stages.hide)
app.command(name="attack", epilog=attack.EXAMPLES)(attack.attack)
app.command(name="salvage", epilog=salvage.EXAMPLES)(salvage.salvage)
app.command(name="status", epilog=scale.STATUS_EXAMPLES)(scale.status)
app.command(name="watch", epilog=scale.WATCH_EXAMPLE)(scale.watch)
app.command(name="desk", epilog=desk.EXAMPLES)(desk.desk)
app.command(name="doctor", epilog=doctor.EXAMPLE)(doctor.doctor)
app.command(name="intake", epilog=cases.INTAKE_EXAMPLES)(cases.intake)
app.add_typer(cases.app, name="case")
app.add_typer(models, name="models")
app.add_typer(names, name="names")
app.add_typer(story, name="story")
app.add_typer(words, name="words")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"safelight {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the program and exit; a refusal that concerns the whole command is printed and ends it with status 1."""
    try:
        app()
    except SafelightError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except Cancelled:
        sys.exit(protect.INTERRUPTED)
