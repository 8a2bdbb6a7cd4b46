"""`safelight case` and `safelight intake`: a story's sealed home."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as Line

from safelight import near_duplicates
from safelight.cli import compare
from safelight.cli.opening import Database, Identity, ask, open_case
from safelight.cli.protect import cancel_on_signals
from safelight.cli.show import ClipWatch, Display
from safelight.custody import export as package
from safelight.custody import timestamp as stamps
from safelight.custody.case import create
from safelight.custody.catalogue import IN_MEMORY
from safelight.custody.entry import Act
from safelight.custody.export import is_package
from safelight.custody.intake import Arrived, Came
from safelight.custody.intake import intake as take_in
from safelight.custody.keys import NEW_PASSPHRASE, PASSPHRASE
from safelight.custody.known import Known, read_known
from safelight.custody.seal import read_identity
from safelight.custody.verify import examine
from safelight.errors import Cancelled, Code, SafelightError
from safelight.inputs import printable
from safelight.near_duplicates import Compared
from safelight.outputs import writing
from safelight.plan import Plan

app = typer.Typer(
    no_args_is_help=True,
    help="A story's sealed home: originals encrypted, every act in a log that cannot be rewritten unseen.\n\n"
    "The passphrase is asked for, or taken from SAFELIGHT_PASSPHRASE.",
)
Name = Annotated[Path, typer.Argument(metavar="NAME", help="Folder of the case.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Recipient = Annotated[
    str | None, typer.Option("--recipient", help="age recipient (age1…) of the member, instead of a passphrase.")
]


@app.command(
    epilog="**Examples**\n\n`safelight case new story --member anna`\n\n"
    "`safelight case new story --member anna --recipient age1…` — for who has an age key"
)
def new(
    name: Name,
    member: Annotated[str, typer.Option(help="Pseudonym of its first member; the log calls you so.")] = "desk",
    recipient: Recipient = None,
) -> None:
    """Make a case."""
    passphrase = None if recipient else os.environ.get(PASSPHRASE) or _twice("Passphrase for the case")
    create(name, member, recipient=recipient, passphrase=passphrase)
    print(printable(name))


@app.command(epilog="**Example**\n\n`safelight case member story boris --recipient age1…`")
def member(
    name: Name,
    pseudonym: Annotated[str, typer.Argument(help="What the log will call the new member.", show_default=False)],
    recipient: Recipient = None,
    identity: Identity = None,
) -> None:
    """Let one more person open the case, with a passphrase (or key) of their own."""
    with open_case(name, identity) as case:
        chosen = None if recipient else os.environ.get(NEW_PASSPHRASE) or _twice(f"Passphrase for {pseudonym}")
        case.add_member(pseudonym, recipient=recipient, passphrase=chosen)


@app.command(epilog="**Example**\n\n`safelight case status story --json`")
def status(
    name: Name,
    log: Annotated[bool, typer.Option("--log", help="Show every act too.")] = False,
    identity: Identity = None,
    catalogue: Database = IN_MEMORY,
    as_json: AsJson = False,
) -> None:
    """Show what is in a case, and its newest checkpoint for somebody outside to keep."""
    with open_case(name, identity, catalogue) as case:
        clips, acts = case.catalogue.clips(), case.catalogue.acts()
        documents = {clip.number: sorted(_kinds(acts, clip.number)) for clip in clips}
        if as_json:
            told = [{"name": clip.name, **clip.__dict__, "documents": documents[clip.number]} for clip in clips]
            named = case.catalogue.papers() is not None
            _print_json({"clips": told, "names": named, "acts": acts, "checkpoint": case.signed_checkpoint})
            return
        table = Table(box=None, header_style="bold", pad_edge=False)
        for title in ("clip", "file", "source", "MB", "sealed", "documents", "known as"):
            table.add_column(title, justify="right" if title == "MB" else "left", overflow="fold")  # nothing is cut off
        for clip in clips:
            row = (clip.name, clip.path, clip.source, f"{clip.size / 1e6:.1f}", clip.sealed)
            table.add_row(*map(Line, (*row, " ".join(documents[clip.number]), ", ".join(clip.known))))
        console = Console(highlight=False)
        console.print(table)
        for act in acts if log else []:
            where = f"clip {act['clip']}" if act["clip"] else ""
            said = str(act["note"]).replace("\n", " · ")
            console.print(Line(f"{act['place']:>5}  {act['time']}  {act['who']}: {act['act']} {where} {said}"))
        console.print(Line(case.signed_checkpoint), soft_wrap=True)


@app.command(epilog="**Examples**\n\n`safelight case verify story`\n\n`safelight case verify story --older kept.txt`")
def verify(
    name: Name,
    older: Annotated[
        list[Path] | None, typer.Option(help="Checkpoint that somebody kept; the log must have grown out of it.")
    ] = None,
    without_key: Annotated[bool, typer.Option("--without-key", help="Only what anybody can check.")] = False,
    log_key: Annotated[
        str | None, typer.Option(help="For a package: key of its log, as the other desk told it.", show_default=False)
    ] = None,
    identity: Identity = None,
    as_json: AsJson = False,
) -> None:
    """Check everything again and say in one line whether the case is whole; else what is wrong, and since when.

    A package that `case export` made is checked in the same way, with the key of whom it was made for (--identity).
    """
    if is_package(name):
        _verify_package(name, identity, log_key, as_json)
        return
    kept = [_text(path) for path in older or []]
    report = examine(name, identity=identity, ask=ask, older=kept, without_key=without_key)
    if as_json:
        problems = [problem.__dict__ for problem in report.problems]
        _print_json({"whole": report.whole, "sentence": report.sentence, "problems": problems, "times": report.stamps})
    else:
        print(report.sentence)
        for line in [*map(str, report.problems[1:]), *report.stamps]:
            print(line)
    if not report.whole:
        raise typer.Exit(1)


def _verify_package(folder: Path, identity: Path | None, log_key: str | None, as_json: bool) -> None:
    checked = package.check(folder, read_identity(identity) if identity else None, key=log_key)
    how = "" if checked.opened else " as far as can be seen without a key"
    told = f"{checked.originals} originals, {checked.entries} acts proven by the log {checked.key}"
    whole = f"The package is whole{how}: {told}."
    sentence = f"The package is NOT whole: {checked.problems[0]}." if checked.problems else whole
    if as_json:
        told_all = {"problems": checked.problems, "times": checked.times}
        _print_json({"whole": not checked.problems, "sentence": sentence, **told_all})
    else:
        print(sentence)
        for line in [*checked.problems[1:], *checked.times]:
            print(printable(Path(line)))
    if checked.problems:
        raise typer.Exit(1)


@app.command(
    epilog="**Example**\n\n`safelight case export story clip-0003 clip-0004 --to for-the-lawyer --recipient age1…`"
)
def export(
    name: Name,
    clips: Annotated[list[str] | None, typer.Argument(help="Clips; default: all.", show_default=False)] = None,
    to: Annotated[Path, typer.Option(help="Folder to make.")] = Path("package"),
    recipient: Annotated[
        list[str] | None, typer.Option(help="Who may open it: an age recipient (age1…). May be repeated.")
    ] = None,
    names: Annotated[bool, typer.Option("--names", help="The list of protected names goes along.")] = False,
    identity: Identity = None,
) -> None:
    """Make a BagIt package of clips for another desk: encrypted to it, with proofs out of the log for just these."""
    with open_case(name, identity) as case:
        chosen = [case.clip(word) for word in clips or []] or case.catalogue.clips()
        package.export(case, chosen, to, recipient or [], names=names)
    print(printable(to))


app.command("compare", epilog=compare.COMPARE_EXAMPLES)(compare.compare_clips)
app.command("timeline", epilog=compare.TIMELINE_EXAMPLE)(compare.timeline)

Kind = Annotated[
    str, typer.Argument(help="plan, account, sheet, report, verdict, timeline or trace.", show_default=False)
]
ClipName = Annotated[str, typer.Argument(metavar="CLIP", help="As `case status` names it.", show_default=False)]


@app.command(epilog="**Example**\n\n`safelight case get story clip-0003 sheet -o sheet.png`")
def get(
    name: Name,
    clip: ClipName,
    kind: Kind,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write; it is no longer sealed.")],
    identity: Identity = None,
) -> None:
    """Take a document of a clip out of the case, to look at or to mend."""
    with open_case(name, identity) as case:
        found = case.clip(clip)
        data = case.document(found, kind)
        if data is None:
            raise SafelightError(Code.NOT_FOUND, f"There is no {kind} of {found.name}.")
        case.note(Act.OPENED, found, kind)
        with writing(out.parent):
            out.write_bytes(data)
        print(printable(out))


class Said(StrEnum):
    """What a person can say of a clip."""

    APPROVED = Act.APPROVED.value
    PUBLISHED = Act.PUBLISHED.value


@app.command(epilog="**Example**\n\n`safelight case record story clip-0003 approved --note 'seen twice'`")
def record(
    name: Name,
    clip: ClipName,
    act: Annotated[Said, typer.Argument(show_default=False)],
    note: Annotated[str, typer.Option(help="In a few words: why, where.")] = "",
    identity: Identity = None,
) -> None:
    """Write into the log what happened outside: that a person approved a copy, that it was published."""
    with open_case(name, identity) as case:
        case.note(Act(act.value), case.clip(clip), note)


@app.command(epilog="**Example**\n\n`safelight case put story clip-0003 mended-plan.json`")
def put(
    name: Name,
    clip: ClipName,
    plan: Annotated[Path, typer.Argument(help="The plan that a person mended.", show_default=False)],
    identity: Identity = None,
) -> None:
    """Seal a mended plan in the case; `hide` and `protect` then use it."""
    with open_case(name, identity) as case:
        found = case.clip(clip)
        mended = Plan.load(plan)
        if mended.clip.sha256 != found.sha256:
            raise SafelightError(Code.PLAN_OTHER_CLIP, "The plan was made for another file.", file=printable(plan))
        case.seal_documents(found, {"plan": _bytes(plan)}, Act.PLAN)
        print(found.name)


@app.command(
    epilog="**Examples**\n\n`safelight case timestamp story --request story.tsq` — to be taken to a service\n\n"
    "`safelight case timestamp story --reply story.tsr --trust service.pem`"
)
def timestamp(
    name: Name,
    request: Annotated[Path | None, typer.Option(help="Where to write the request.", show_default=False)] = None,
    reply: Annotated[Path | None, typer.Option(help="The service's reply, to be kept.", show_default=False)] = None,
    trust: Annotated[Path | None, typer.Option(help="Certificates of the service (PEM).", show_default=False)] = None,
    identity: Identity = None,
) -> None:
    """Prove with a trusted clock (RFC 3161) that the log was what it is. Nothing is sent: files go out and come in."""
    if (request is None) == (reply is None) or (reply is None) != (trust is None):
        raise typer.BadParameter("give either --request FILE, or --reply FILE with --trust FILE")
    with open_case(name, identity) as case:
        if request is not None:
            with writing(request.parent):
                request.write_bytes(stamps.request(case))
            print(printable(request))
        elif reply is not None and trust is not None:
            print(f"The checkpoint existed on {stamps.keep(case, _bytes(reply), _bytes(trust))}.")


INTAKE_EXAMPLES = """**Examples**

`safelight intake /media/card --case story --source S1` — a whole card; the same command goes on after an interruption

`safelight intake clip.mp4 --case story --source S2 --known published.txt`
"""


def intake(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders; they are only read.", show_default=False)],
    case: Annotated[Path, typer.Option("--case", help="Folder of the case.", show_default=False)],
    source: Annotated[str, typer.Option(help="Pseudonym of who or what it came from.", show_default=False)],
    listed: compare.KnownList = None,
    later: Annotated[
        bool, typer.Option("--later", help="Only seal; `case compare` looks for near duplicates another time.")
    ] = False,
    identity: Identity = None,
    catalogue: Database = IN_MEMORY,
    as_json: AsJson = False,
) -> None:
    """Seal originals in a case: hashed and encrypted in one pass, what is there already recognised.

    When all is sealed and the card can be taken out, each new clip is looked at in a worker: the stretches that it has
    in common with others, re-encoded or trimmed, are told, and what it says of its time is kept for `case timeline`.
    """
    known = read_known(listed) if listed else Known()
    console = Console(stderr=True, highlight=False)
    results: list[Arrived] = []
    compared: list[Compared] = []
    with cancel_on_signals() as cancel, Display(console, quiet=False) as display:

        def watch(path: Path) -> _Cancellable:
            return _Cancellable(display.watch(path), cancel)

        with open_case(case, identity, catalogue) as story:
            for arrived in take_in(story, paths, source, known=known.hashes, watch=watch):
                results.append(arrived)
                if not as_json:
                    display.print(_line(arrived))
            if not later:
                numbers = {arrived.clip for arrived in results}
                clips = [clip for clip in story.catalogue.clips() if clip.number in numbers]
                looked = near_duplicates.compare(story, clips, known, watch=watch, cancel=cancel)
                compared = compare.show(looked, display, quiet=as_json)
    if as_json:
        _print_json({"results": [_as_dict(arrived) for arrived in results], "clips": compare.as_dicts(compared)})
    counted = Counter(arrived.came.value for arrived in results)
    console.print(Line(", ".join(f"{count} {what}" for what, count in counted.items()) or "There is no file there."))
    if not results or counted[Came.REFUSED.value]:
        raise typer.Exit(1)


class _Cancellable:
    """Tells a display how a file is getting on, and ends the work when somebody wants to stop."""

    def __init__(self, watch: ClipWatch, cancel: threading.Event) -> None:
        self._watch = watch
        self._cancel = cancel

    def stage(self, name: str) -> None:
        self._watch.stage(name)

    def progress(self, done: int, total: int | None) -> None:
        if self._cancel.is_set():
            raise Cancelled
        self._watch.progress(done, total)
        if done == total:
            self._watch.done()


def _line(arrived: Arrived) -> Line:
    name = printable(arrived.path)
    if arrived.refusal is not None:
        return Line.assemble((f"✗ {arrived.refusal.code} ", "bold red"), str(arrived.refusal).partition(": ")[2])
    known = (f"  published before: {', '.join(arrived.known)}", "bold yellow") if arrived.known else ""
    return Line.assemble(("✓ ", "bold green"), f"{name} → {arrived.name}  ", (f"({arrived.came.value})", "dim"), known)


def _as_dict(arrived: Arrived) -> dict[str, Any]:
    told: dict[str, Any] = {"file": printable(arrived.path), "status": arrived.came.value}
    if arrived.refusal is not None:
        return told | {"code": arrived.refusal.code.value, "detail": arrived.refusal.detail}
    return told | {"clip": arrived.name, "known": list(arrived.known)}


def _kinds(acts: list[dict[str, Any]], clip: int) -> set[str]:
    return {kind for act in acts if act["clip"] == clip for kind in act["kinds"].split(",") if kind}


def _twice(what: str) -> str | None:
    first = ask(what)
    if first is not None and ask("The same once more") != first:
        raise SafelightError(Code.CASE_NO_KEY, "The two are not the same.")
    return first


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SafelightError(Code.NOT_FOUND, "It could not be read.", file=printable(path)) from error


def _text(path: Path) -> str:
    return _bytes(path).decode("utf-8", "replace")


def _print_json(what: object) -> None:
    print(json.dumps(what, indent=1, ensure_ascii=False))
