"""`safelight story` and `safelight words`: the public page, and what is said in its films."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text as Line

from safelight.cli.names import InCase, Where, home_of
from safelight.cli.opening import Identity, open_case
from safelight.errors import Code, SafelightError
from safelight.inputs import printable
from safelight.names.people import Roster
from safelight.plan import Plan
from safelight.story.copies import Copies
from safelight.story.credentials import load_key, make_key
from safelight.story.gate import Report, examine
from safelight.story.listen import draft as machine_draft
from safelight.story.site import build as build_site
from safelight.story.source import read_story
from safelight.story.subtitles import FORMATS, followed, lines_of, read_cues, translation_of, written
from safelight.story.transcript import State, Transcript

story = typer.Typer(
    no_args_is_help=True, help="The story: checked by the gate, built as a site that asks nobody for anything."
)
words = typer.Typer(no_args_is_help=True, help="What is said in a clip, and its translations.")

Folder = Annotated[Path, typer.Argument(help="The story's folder.", show_default=False)]
NamesFile = Annotated[
    Path | None,
    typer.Option("--names", help="The sealed list of names; default: names.age in the folder.", show_default=False),
]
NoNames = Annotated[bool, typer.Option("--no-names", help="There are no protected people in this story.")]
AsJson = Annotated[bool, typer.Option("--json", help="The result as JSON on standard output.")]


def _roster(folder: Path, names: Path | None, case: Path | None, identity: Path | None, no_names: bool) -> Roster:
    if no_names:
        return Roster()
    beside = folder / "names.age" if case is None else None
    return Where(names or beside, case, identity).roster()


def _tell(report: Report) -> None:
    console = Console(stderr=True, highlight=False)
    for refusal in report.refusals:
        console.print(Line.assemble(("refused ", "bold red"), str(refusal)), soft_wrap=True)
    for finding in report.looks:
        told = f"{finding.where}: near a protected {finding.kind}; look, then change it or waive it"
        console.print(Line.assemble(("look    ", "bold yellow"), told), soft_wrap=True)
    for hint in report.hints:
        console.print(Line.assemble(("hint    ", "cyan"), f"{hint.where}: {hint.text}"), soft_wrap=True)


def _json(report: Report, extra: dict[str, object]) -> None:
    value = {
        "passed": report.passed,
        "refusals": [{"code": r.code, "file": r.file, "detail": r.detail} for r in report.refusals],
        "looks": [{"file": f.file, "line": f.line, "kind": f.kind} for f in report.looks],
        "hints": [{"file": h.file, "line": h.line, "text": h.text} for h in report.hints],
    }
    json.dump(value | extra, sys.stdout, ensure_ascii=False, indent=1)
    print()


@story.command(epilog="Exit status: 0 it may go out; 1 the gate refuses it, or near names wait for a person.")
def check(
    folder: Folder,
    names: NamesFile = None,
    case: InCase = None,
    identity: Identity = None,
    no_names: NoNames = False,
    as_json: AsJson = False,
) -> None:
    """Run the publication gate over a story and list what an editor should look at twice."""
    roster = _roster(folder, names, case, identity, no_names)
    told = read_story(folder)
    report = examine(told, roster, Copies(told))
    _tell(report)
    if as_json:
        _json(report, {})
    else:
        print(f"{report.documents} files: {len(report.refusals)} refused, {len(report.looks)} to look at, "
              f"{len(report.hints)} hints")  # fmt: skip
    if not report.passed:
        raise typer.Exit(1)


@story.command(epilog="**Example** — `safelight story build closed-city -o site --sign desk-key.age`")
def build(
    folder: Folder,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the site.")] = Path("site"),
    names: NamesFile = None,
    case: InCase = None,
    identity: Identity = None,
    no_names: NoNames = False,
    draft: Annotated[
        bool, typer.Option("--draft", help="Build in spite of the gate; every page says that it is a draft.")
    ] = False,
    sign: Annotated[
        Path | None, typer.Option(help="The desk's sealed key: films and pictures get content credentials.")
    ] = None,
    desk: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of results at the desk, which is told what of it went out.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Build the site: static pages, no script, no cookie, no request to anywhere. Nothing is built past the gate."""
    roster = _roster(folder, names, case, identity, no_names)
    key = load_key(home_of(sign), printable(sign)) if sign is not None else None
    built = build_site(folder, out, roster, draft=draft, key=key)
    _tell(built.report)
    if built.folder is not None and not draft:
        _tell_desks(folder, desk or [], case, identity)
    where = printable(built.folder / "index.html") if built.folder else None
    if as_json:
        _json(built.report, {"site": where, "bytes": built.pages})
    elif where:
        print(where)
    if built.folder is None:
        raise typer.Exit(1)


def _tell_desks(folder: Path, desks: list[Path], case: Path | None, identity: Path | None) -> None:
    """Where the story's copies came from learns that they went out: folders of the desk, the case's log."""
    if not desks and case is None:
        return
    from safelight.published import tell_case, tell_folder

    told = read_story(folder)
    copies = [folder / clip.file for clip in told.book.clips.values()]
    for place in desks:
        if not tell_folder(place, copies, told.book.story):
            Console(stderr=True, highlight=False).print(
                Line(f"no approved copy of this story lies in {printable(place)}"), soft_wrap=True
            )
    if case is not None:
        with open_case(case, identity) as opened:
            tell_case(opened, copies, told.book.story)


@story.command("key")
def key_(
    desk: Annotated[str, typer.Argument(help="The desk's name, as readers see it; never a person's.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The sealed key.")] = Path("desk-key.age"),
) -> None:
    """Make the key that signs content credentials; it is sealed by a passphrase."""
    if out.exists():
        raise SafelightError(Code.IN_THE_WAY, "There is a key already.", file=printable(out))
    made = make_key(desk)
    home_of(out).save(made.model_dump_json().encode())
    print(made.fingerprint)


@words.command("import")
def import_(
    subtitles: Annotated[Path, typer.Argument(help="SRT, WebVTT or ASS, with times of the copy, or see --plan.")],
    document: Annotated[Path, typer.Argument(help="The clip's words (JSON).")],
    language: Annotated[str, typer.Option(help="Language of these subtitles: ar, en, sv, ...")],
    translator: Annotated[str, typer.Option(help="Who translated, as credited; for translations.")] = "",
    plan: Annotated[
        Path | None,
        typer.Option(help="The copy's plan: times are the original's, and are moved as its ends were cut."),
    ] = None,
) -> None:
    """Take subtitles over: as the words spoken, or, with --translator, as a translation of them."""
    cues = read_cues(subtitles)
    if plan is not None:
        cues = followed(cues, Plan.load(plan), printable(subtitles))
    if translator:
        known = Transcript.load(document)
        made = known.with_translation(language, translation_of(known, cues, translator, printable(subtitles)))
    else:
        lines = lines_of(cues, printable(subtitles))
        known = Transcript.load(document) if document.exists() else Transcript.of(language, [])
        made = known.respoken(language, lines)
    made.save(document)
    _status(made)


@words.command("export")
def export(
    document: Annotated[Path, typer.Argument(help="The clip's words (JSON).")],
    out: Annotated[Path, typer.Argument(help="NAME.srt, NAME.vtt or NAME.ass.")],
    language: Annotated[str, typer.Option(help="Which language.")],
) -> None:
    """Write subtitles; lines that are stale or not confirmed say so."""
    form = out.suffix.removeprefix(".").lower()
    if form not in FORMATS:
        raise typer.BadParameter("the file's name must end in .srt, .vtt or .ass")
    text = written(Transcript.load(document), language, form)
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SafelightError(Code.NOT_WRITABLE, "The subtitles could not be saved.", file=printable(out)) from error


@words.command()
def confirm(
    document: Annotated[Path, typer.Argument(help="The clip's words (JSON).")],
    language: Annotated[str, typer.Option(help="Which language you have read, heard and compared.")],
    who: Annotated[str, typer.Option(help="Your pseudonym at the desk.")],
) -> None:
    """Say that a person stands for the words in a language; stale and missing lines stay so."""
    made = Transcript.load(document).confirmed(language, who)
    made.save(document)
    _status(made)


@words.command()
def draft(
    copy: Annotated[Path, typer.Argument(help="The copy, with audible sound.")],
    document: Annotated[Path, typer.Argument(help="Where the words go (JSON); must not exist.")],
    model: Annotated[Path, typer.Option(help="Folder of a Whisper model for faster-whisper.")],
    language: Annotated[str | None, typer.Option(help="Language spoken; heard if not given.")] = None,
) -> None:
    """A machine's first draft, where faster-whisper is installed; marked as machine-made until confirmed."""
    if document.exists():
        raise SafelightError(Code.IN_THE_WAY, "There are words already.", file=printable(document))
    made = machine_draft(copy, model, language)
    made.save(document)
    _status(made)


@words.command()
def status(document: Annotated[Path, typer.Argument(help="The clip's words (JSON).")]) -> None:
    """What is ready, missing, stale or not confirmed, by language."""
    _status(Transcript.load(document))


def _status(transcript: Transcript) -> None:
    for language in transcript.languages:
        said = list(transcript.said(language))
        counts = ", ".join(f"{n} {state.value}" for state in State if (n := sum(s.state is state for s in said)))
        print(f"{language}: {counts}")
