"""The program `safelight`: its commands, and how refusals end it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from safelight import __version__
from safelight.cli.late import Place, group_of
from safelight.errors import Cancelled, SafelightError

COMMANDS = {
    "protect": Place(
        "protect",
        "protect",
        "Make copies that show nobody: faces and heads hidden, sound silenced or spoken anew, "
        "nothing of the past kept.",
        "EXAMPLES",
        works=True,
        elsewhere="--cluster",
    ),
    "find": Place(
        "stages",
        "find",
        "Find what must be hidden and write the plan; no picture is changed. A person may then mend the plan.",
        "FIND_EXAMPLES",
        works=True,
    ),
    "hide": Place(
        "stages",
        "hide",
        "Carry out a plan: write the copy, its contact sheet and its account.",
        "HIDE_EXAMPLES",
        works=True,
    ),
    "attack": Place(
        "attack",
        "attack",
        "Try to undo a copy's protection; write a report a lawyer can read. Status 0 only when everything held.",
        "EXAMPLES",
        works=True,
    ),
    "salvage": Place(
        "salvage",
        "salvage",
        "Save pictures (H.264) and sound (AAC) of films that were cut off; where one has holes, the new one has too.",
        "EXAMPLES",
    ),
    "carve": Place(
        "carve",
        "carve",
        "Find deleted films in the image of a card with PhotoRec, held in like a worker.",
        "EXAMPLES",
    ),
    "status": Place(
        "scale",
        "status",
        "Say how far a job is, how fast it goes, what an hour of film costs, what failed and why.",
        "STATUS_EXAMPLES",
    ),
    "watch": Place(
        "scale",
        "watch",
        "Protect every clip that arrives in a folder, until Ctrl-C. A file that still grows is waited for.",
        "WATCH_EXAMPLE",
    ),
    "desk": Place(
        "desk",
        "desk",
        "Review clips in the browser: what is hidden, what is doubtful; mend it frame by frame, and sign the copy.",
        "EXAMPLES",
    ),
    "doctor": Place(
        "doctor",
        "doctor",
        "Say what works on this machine: how strangers' files are held in, and whether the weights are here.",
        "EXAMPLE",
    ),
    "intake": Place(
        "case",
        "intake",
        "Seal originals in a case: hashed and encrypted in one pass, what is there already recognised.",
        "INTAKE_EXAMPLES",
    ),
    "known": Place(
        "compare",
        "known",
        "Make a list of known (published) material for `--known`: exact hashes, and hashes of what is seen.",
        "KNOWN_EXAMPLE",
    ),
    "case": Place(
        "case",
        "app",
        "A story's sealed home: originals encrypted, every act in a log that cannot be rewritten unseen.",
    ),
    "models": Place("models", "app", "The weights that people are found with: list, fetch, verify."),
    "names": Place(
        "names", "app", "Protected people: their names stay sealed, and no text that speaks of them gets out."
    ),
    "story": Place("story", "story", "The story: checked by the gate, built as a site that asks nobody for anything."),
    "words": Place("story", "words", "What is said in a clip, and its translations."),
}

app = typer.Typer(
    name="safelight",
    cls=group_of(COMMANDS),
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    help="Develop footage without exposing anyone.\n\n"
    "`safelight protect CLIP` makes a copy in which nobody is shown, beside an account of what was done.",
    epilog="Exit status: 0 all went well; 1 something was refused and has no copy; 2 wrong use; 130 interrupted.",
)


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
        from safelight.cli.protect import INTERRUPTED

        sys.exit(INTERRUPTED)
