"""`safelight names`: who is protected, and whether any text speaks of them."""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text as Line

from safelight.errors import Code, SafelightError
from safelight.inputs import expand, printable
from safelight.names.consistency import inconsistent
from safelight.names.home import AgeHome, load, save
from safelight.names.match import Level
from safelight.names.people import Fact, Kind, Person, Place, Roster, from_lines
from safelight.names.scan import Finding, Scanner, hidden_marks
from safelight.names.waive import Waivers, waive, waived
from safelight.words import Document, read_all

app = typer.Typer(
    no_args_is_help=True,
    help="Protected people: their names stay sealed, and no text that speaks of them gets out.",
)
PASSPHRASE = "SAFELIGHT_PASSPHRASE"

Sealed = Annotated[Path, typer.Option("--names", help="The sealed list of names (an age file).")]
WaiverFile = Annotated[Path, typer.Option("--waivers", help="Signed waivers, beside the story.")]
_DEFAULT = Path("names.age")
_WAIVERS = Path("waivers.json")


def home_of(path: Path) -> AgeHome:
    """The sealed list; its passphrase comes from SAFELIGHT_PASSPHRASE, or is asked for."""
    passphrase = os.environ.get(PASSPHRASE) or typer.prompt(
        f"Passphrase of {printable(path)}", hide_input=True, confirmation_prompt=not path.exists(), err=True
    )
    return AgeHome(path, passphrase)


def open_roster(path: Path) -> Roster:
    """The roster that must be there. Raises SL-NOT-FOUND and what opening raises."""
    if not path.exists():
        raise SafelightError(Code.NOT_FOUND, "There is no sealed list of names.", file=printable(path))
    return load(home_of(path))


def _fact(text: str) -> Fact:
    kind, _, value = text.partition("=")
    return Fact(kind=Kind(kind), value=value)


@app.command(
    epilog="**Example** — `safelight names add --pseudonym 'Om Mohammad' --name 'خديجة الهاشمي' "
    "--name 'Khadija al-Hashimi' --fact 'street=Mill Street 4' --fact date=1987-03-12`"
)
def add(
    pseudonym: Annotated[str, typer.Option(help="What the person is called in public.")],
    name: Annotated[list[str], typer.Option(help="A real name, spelling or nickname, in any script. Repeat it.")],
    fact: Annotated[
        list[str], typer.Option(help="KIND=VALUE: street, employer, date (YYYY-MM-DD), number, kin, other. Repeat it.")
    ] = [],  # noqa: B006 (Typer reads the default, nobody changes it)
    person: Annotated[str, typer.Option("--id", help="Change the person with this id.")] = "",
    names: Sealed = _DEFAULT,
) -> None:
    """Add a protected person. Enter the name in its own script and in one Latin spelling at least."""
    home = home_of(names)
    roster = load(home)
    try:
        facts = [_fact(text) for text in fact]
        new = Person(id=person or f"p-{secrets.token_hex(4)}", pseudonym=pseudonym, names=name, facts=facts)
    except (ValidationError, ValueError) as error:
        said = error.errors(include_input=False)[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise SafelightError(Code.NAMES_INVALID, f"This person cannot be added: {said}.") from None
    save(home, roster.with_person(new))
    print(new.id)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A person a line; spellings by commas; the pseudonym first.")],
    names: Sealed = _DEFAULT,
) -> None:
    """Take over a plain list; delete it afterwards: it is not sealed."""
    home = home_of(names)
    roster = load(home)
    try:
        rows = from_lines(file.read_text(encoding="utf-8"))
        for pseudonym, *spellings in rows:
            roster = roster.with_person(Person(id=f"p-{secrets.token_hex(4)}", pseudonym=pseudonym, names=spellings))
    except OSError as error:
        raise SafelightError(Code.NOT_FOUND, "The list cannot be read.", file=printable(file)) from error
    except ValueError as error:
        raise SafelightError(Code.NAMES_INVALID, "The list cannot be taken over.", file=printable(file)) from error
    save(home, roster)
    print(f"{len(rows)} people added; now delete {printable(file)}")


@app.command()
def place(
    latitude: Annotated[float, typer.Argument(min=-90, max=90)],
    longitude: Annotated[float, typer.Argument(min=-180, max=180)],
    radius: Annotated[float, typer.Option(help="Metres around it.", min=1, max=100_000)] = 500,
    names: Sealed = _DEFAULT,
) -> None:
    """Protect a place: maps with something near it are warned about."""
    home = home_of(names)
    roster = load(home)
    kept = Place(latitude=latitude, longitude=longitude, radius=radius)
    save(home, roster.model_copy(update={"places": [*roster.places, kept]}))


@app.command()
def remove(
    person: Annotated[str, typer.Argument(help="The id, as `names list` shows it.")], names: Sealed = _DEFAULT
) -> None:
    """Take a person off the list."""
    home = home_of(names)
    roster = load(home)
    left = [known for known in roster.people if known.id != person]
    if len(left) == len(roster.people):
        raise SafelightError(Code.NAMES_INVALID, f"Nobody on the list has the id {person}.")
    save(home, roster.model_copy(update={"people": left}))


@app.command("list")
def list_(
    names: Sealed = _DEFAULT,
    real: Annotated[bool, typer.Option("--real", help="Show the real names on the screen too.")] = False,
) -> None:
    """Show who is protected: pseudonyms and counts; real names only when asked."""
    table = Table("id", "pseudonym", "spellings", "facts", *(["names"] if real else []))
    for person in open_roster(names).people:
        shown = [", ".join(person.names)] if real else []
        table.add_row(person.id, Line(person.pseudonym), str(len(person.names)), str(len(person.facts)), *shown)
    Console().print(table)


@app.command(epilog="Exit status: 0 nothing found or all waived; 1 a name was found, or near names wait for a person.")
def scan(
    files: Annotated[list[Path], typer.Argument(help="Files and folders.", show_default=False)],
    names: Sealed = _DEFAULT,
    waivers: WaiverFile = _WAIVERS,
    show: Annotated[bool, typer.Option("--show", help="Print the words that were found too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Findings as JSON on standard output.")] = False,
) -> None:
    """Search text, subtitles, DOCX, ODT, PDF, HTML, JSON, tags of pictures and file names for protected names."""
    roster = open_roster(names)
    documents = read_all([(item.path, printable(item.path)) for item in expand(files)])
    findings = open_findings(roster, Waivers.load(waivers), documents)
    console = Console(stderr=True, highlight=False)
    pseudonyms = {person.id: person.pseudonym for person in roster.people}
    for finding in findings:
        word = "BLOCK" if finding.level is Level.BLOCK else "look "
        words = f" “{finding.found}”" if show else ""
        style = "bold red" if finding.level is Level.BLOCK else "yellow"
        told = f" {finding.where}: {finding.kind} of {pseudonyms[finding.person]}{words}"
        console.print(Line.assemble((word, style), told), soft_wrap=True)
    for document in documents:
        for line, where in hidden_marks(document.passages):
            console.print(Line(f"{Code.INVISIBLE} {document.name}:{line} ({where}): an invisible character"))
    for spelled in inconsistent(roster, [(document.name, document.passages) for document in documents]):
        places = "; ".join(
            f"{spelling} ({', '.join(f'{file}:{line}' for file, line in where[:5])})"
            for spelling, where in spelled.spellings.items()
        )
        console.print(Line(f"note  one pseudonym, several spellings: {places}"), soft_wrap=True)
    if as_json:
        rows = [_row(finding, show) for finding in findings]
        json.dump({"findings": rows, "files": len(documents)}, sys.stdout, ensure_ascii=False, indent=1)
        print()
    else:
        blocks = sum(finding.level is Level.BLOCK for finding in findings)
        print(f"{len(documents)} files: {blocks} names found, {len(findings) - blocks} to be looked at")
    if findings:
        raise typer.Exit(1)


def open_findings(roster: Roster, waivers: Waivers, documents: list[Document]) -> list[Finding]:
    """What was found in the documents and is not waived."""
    scanner = Scanner(roster)
    found = [f for document in documents for f in scanner.findings(document.name, document.passages)]
    return [finding for finding in found if not waived(roster, waivers, finding)]


def _row(finding: Finding, show: bool) -> dict[str, object]:
    row: dict[str, object] = {
        "file": finding.file,
        "line": finding.line,
        "place": finding.place,
        "level": finding.level.name.lower(),
        "kind": finding.kind,
        "person": finding.person,
    }
    return row | ({"found": finding.found} if show else {})


@app.command("waive")
def waive_(
    file: Annotated[Path, typer.Argument(help="The file with the findings, named as in the scan.")],
    line: Annotated[int, typer.Argument(help="The line of the finding; 0 where it has none.")],
    reason: Annotated[str, typer.Option(help="Why these words name nobody who is protected.")],
    who: Annotated[str, typer.Option(help="Your pseudonym at the desk.")],
    names: Sealed = _DEFAULT,
    waivers: WaiverFile = _WAIVERS,
) -> None:
    """Sign that near matches on a line may stay. What is certainly a name is never waived."""
    roster = open_roster(names)
    kept = Waivers.load(waivers)
    documents = read_all([(file, printable(file))])
    found = [f for f in open_findings(roster, kept, documents) if f.line == line]
    if not found:
        raise SafelightError(Code.NOT_FOUND, f"Nothing waits to be looked at on line {line}.", file=printable(file))
    signed = [waive(roster, finding, reason, who) for finding in found]
    kept.model_copy(update={"waivers": (*kept.waivers, *signed)}).save(waivers)
    print(f"{len(signed)} waived")
