"""`safelight names`: who is protected, and whether any text speaks of them."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text as Line

from safelight.cli.opening import Identity, open_case
from safelight.errors import Code, SafelightError
from safelight.inputs import expand, printable
from safelight.names.consistency import inconsistent
from safelight.names.home import AgeHome, Home, is_sealed, load, save
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

Sealed = Annotated[
    Path | None,
    typer.Option("--names", help="The sealed list of names (an age file); default: names.age.", show_default=False),
]
InCase = Annotated[
    Path | None,
    typer.Option("--case", metavar="CASE", help="The list that is sealed in this case, instead.", show_default=False),
]
WaiverFile = Annotated[Path, typer.Option("--waivers", help="Signed waivers, beside the story.")]
_DEFAULT = Path("names.age")
_WAIVERS = Path("waivers.json")


def home_of(path: Path) -> AgeHome:
    """The sealed list; its passphrase comes from SAFELIGHT_PASSPHRASE, or is asked for."""
    passphrase = os.environ.get(PASSPHRASE) or typer.prompt(
        f"Passphrase of {printable(path)}", hide_input=True, confirmation_prompt=not path.exists(), err=True
    )
    return AgeHome(path, passphrase)


@dataclass(frozen=True)
class Where:
    """Where the list lies: in a case, which ``identity`` or a passphrase opens, or else in an age file."""

    names: Path | None
    case: Path | None = None
    identity: Path | None = None

    def __post_init__(self) -> None:
        if self.names is not None and self.case is not None:
            raise typer.BadParameter("give either --names or --case: the list lies in one of them")

    @contextmanager
    def home(self) -> Iterator[Home]:
        """The list's home; a case is held meanwhile. Raises what opening raises."""
        if self.case is None:
            yield home_of(self.names or _DEFAULT)
            return
        from safelight.custody.paper import Paper  # late, as in cli/opening.py

        with open_case(self.case, self.identity) as story:
            yield Paper(story)

    def roster(self) -> Roster:
        """The roster that must be there. Raises SL-NOT-FOUND and what opening raises."""
        missing = "There is no sealed list of names."
        if self.case is None and not (path := self.names or _DEFAULT).exists():
            raise SafelightError(Code.NOT_FOUND, missing, file=printable(path))
        with self.home() as home:
            data = home.load()
        if data is None:
            raise SafelightError(Code.NOT_FOUND, missing, file=printable(self.case or _DEFAULT))
        return Roster.from_json(data)

    def change(self, made: Callable[[Roster], Roster]) -> None:
        """Seal what ``made`` makes of the roster, or of an empty one. Raises what opening and ``made`` raise."""
        with self.home() as home:
            save(home, made(load(home)))


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
    names: Sealed = None,
    case: InCase = None,
    identity: Identity = None,
) -> None:
    """Add a protected person. Enter the name in its own script and in one Latin spelling at least."""
    try:
        facts = [_fact(text) for text in fact]
        new = Person(id=person or f"p-{secrets.token_hex(4)}", pseudonym=pseudonym, names=name, facts=facts)
    except (ValidationError, ValueError) as error:
        said = error.errors(include_input=False)[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise SafelightError(Code.NAMES_INVALID, f"This person cannot be added: {said}.") from None
    Where(names, case, identity).change(lambda roster: roster.with_person(new))
    print(new.id)


def spellings_in(path: Path) -> list[list[str]]:
    """Real names of a list, sealed or plain: each person's spellings. Raises what opening raises, SL-NAMES-INVALID."""
    return load(home_of(path)).spellings if _sealed(path) else from_lines(_text(path))


def _sealed(path: Path) -> bool:
    try:
        return is_sealed(path)
    except OSError as error:
        raise SafelightError(Code.NOT_FOUND, "The list cannot be read.", file=printable(path)) from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise SafelightError(Code.NAMES_INVALID, "The names are not UTF-8 text.", file=printable(path)) from None


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="A person a line; spellings by commas; the pseudonym first. Or a sealed list.")
    ],
    names: Sealed = None,
    case: InCase = None,
    identity: Identity = None,
) -> None:
    """Take over a list, plain or sealed by a passphrase; delete it afterwards."""
    try:
        new = load(home_of(file)) if _sealed(file) else Roster(people=_people(_text(file)))
    except ValueError:
        raise SafelightError(Code.NAMES_INVALID, "The list cannot be taken over.", file=printable(file)) from None
    Where(names, case, identity).change(lambda roster: roster.joined(new))
    print(f"{len(new.people)} people added; now delete {printable(file)}")


def _people(text: str) -> list[Person]:
    rows = from_lines(text)
    return [Person(id=f"p-{secrets.token_hex(4)}", pseudonym=row[0], names=row[1:]) for row in rows]


@app.command()
def place(
    latitude: Annotated[float, typer.Argument(min=-90, max=90)],
    longitude: Annotated[float, typer.Argument(min=-180, max=180)],
    radius: Annotated[float, typer.Option(help="Metres around it.", min=1, max=100_000)] = 500,
    names: Sealed = None,
    case: InCase = None,
    identity: Identity = None,
) -> None:
    """Protect a place: maps with something near it are warned about."""
    kept = Place(latitude=latitude, longitude=longitude, radius=radius)
    Where(names, case, identity).change(lambda roster: roster.joined(Roster(places=[kept])))


@app.command()
def remove(
    person: Annotated[str, typer.Argument(help="The id, as `names list` shows it.")],
    names: Sealed = None,
    case: InCase = None,
    identity: Identity = None,
) -> None:
    """Take a person off the list."""
    Where(names, case, identity).change(lambda roster: roster.without(person))


@app.command("list")
def list_(
    names: Sealed = None,
    case: InCase = None,
    identity: Identity = None,
    real: Annotated[bool, typer.Option("--real", help="Show the real names on the screen too.")] = False,
) -> None:
    """Show who is protected: pseudonyms and counts; real names only when asked."""
    table = Table("id", "pseudonym", "spellings", "facts", *(["names"] if real else []))
    for person in Where(names, case, identity).roster().people:
        shown = [", ".join(person.names)] if real else []
        table.add_row(person.id, Line(person.pseudonym), str(len(person.names)), str(len(person.facts)), *shown)
    Console().print(table)


@app.command(epilog="Exit status: 0 nothing found or all waived; 1 a name was found, or near names wait for a person.")
def scan(
    files: Annotated[list[Path], typer.Argument(help="Files and folders.", show_default=False)],
    names: Sealed = None,
    case: InCase = None,
    identity: Identity = None,
    waivers: WaiverFile = _WAIVERS,
    show: Annotated[bool, typer.Option("--show", help="Print the words that were found too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Findings as JSON on standard output.")] = False,
) -> None:
    """Search text, subtitles, DOCX, ODT, PDF, HTML, JSON, pictures, tags and file names for protected names."""
    roster = Where(names, case, identity).roster()
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
        if document.unread:
            told = f" {document.name}: writing in the picture could not be read; a person must look for names in it"
            console.print(Line.assemble(("look ", "yellow"), told), soft_wrap=True)
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
    names: Sealed = None,
    case: InCase = None,
    identity: Identity = None,
    waivers: WaiverFile = _WAIVERS,
) -> None:
    """Sign that near matches on a line may stay. What is certainly a name is never waived."""
    roster = Where(names, case, identity).roster()
    kept = Waivers.load(waivers)
    documents = read_all([(file, printable(file))])
    found = [f for f in open_findings(roster, kept, documents) if f.line == line]
    if not found:
        raise SafelightError(Code.NOT_FOUND, f"Nothing waits to be looked at on line {line}.", file=printable(file))
    signed = [waive(roster, finding, reason, who) for finding in found]
    kept.model_copy(update={"waivers": (*kept.waivers, *signed)}).save(waivers)
    print(f"{len(signed)} waived")
