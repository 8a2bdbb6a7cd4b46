"""`safelight known`, `case compare` and `case timeline`: what shows the same, and what was filmed when."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text as Line

from safelight.cli.opening import Identity, open_case
from safelight.cli.protect import cancel_on_signals
from safelight.cli.show import Display
from safelight.custody.known import Known, read_known
from safelight.custody.near import clock
from safelight.custody.timeline import Moment, line, span
from safelight.inputs import printable
from safelight.near_duplicates import Compared, Traces, compare, known_lines
from safelight.outputs import writing

Name = Annotated[Path, typer.Argument(metavar="NAME", help="Folder of the case.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
KnownList = Annotated[
    Path | None,
    typer.Option(
        "--known", help="List of published material: hash and label a line (sha256sum's format, or `safelight known`)."
    ),
]
COMPARE_EXAMPLES = (
    "**Examples**\n\n`safelight case compare story`\n\n"
    "`safelight case compare story clip-0003 --known theirs.txt` — is it one of their published clips?"
)
TIMELINE_EXAMPLE = "**Example**\n\n`safelight case timeline story --json`"
KNOWN_EXAMPLE = (
    "**Example**\n\n`safelight known theirs/*.mp4 -o theirs.txt` — then: "
    "`safelight intake card --case story --source S1 --known theirs.txt`"
)


def known(
    films: Annotated[list[Path], typer.Argument(help="Clips that are no secret; only read.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", help="The list; lines are added to one that is there.")],
    label: Annotated[
        str | None, typer.Option(help="What the clips are to be called; default: their file names.", show_default=False)
    ] = None,
) -> None:
    """Make a list of known (published) material for `--known`: exact hashes, and hashes of what is seen.

    The list is not sealed, and what is seen can be guessed from it: never put a clip on it that is not public.
    """
    with cancel_on_signals() as cancel, Display(Console(stderr=True, highlight=False), quiet=False) as display:
        lines = list(known_lines(films, label, watch=display.watch, cancel=cancel))
    with writing(out.parent), out.open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))
    print(printable(out))


def compare_clips(
    name: Name,
    clips: Annotated[list[str] | None, typer.Argument(help="Clips; default: all.", show_default=False)] = None,
    listed: KnownList = None,
    identity: Identity = None,
    as_json: AsJson = False,
) -> None:
    """Say which clips show the same, and in which stretch; look first at clips that were not looked at yet."""
    told = read_known(listed) if listed else Known()
    console = Console(stderr=True, highlight=False)
    with cancel_on_signals() as cancel, Display(console, quiet=False) as display, open_case(name, identity) as case:
        chosen = [case.clip(word) for word in clips or []] or case.catalogue.clips()
        results = show(compare(case, chosen, told, watch=display.watch, cancel=cancel), display, quiet=as_json)
    if as_json:
        print(json.dumps({"clips": as_dicts(results)}, indent=1, ensure_ascii=False))
    elif not any(result.near for result in results):
        console.print(Line("No clip shows the same as another."))
    if any(result.refusal for result in results):
        raise typer.Exit(1)


def show(compared: Iterable[Compared], display: Display, *, quiet: bool) -> list[Compared]:
    """All results, each printed as it comes unless ``quiet``."""
    results = []
    for result in compared:
        results.append(result)
        if quiet:
            continue
        if result.refusal is not None:
            display.print(
                Line.assemble((f"? {result.clip.name} ", "bold yellow"), f"was not compared: {result.refusal}")
            )
        for near in result.near:
            display.print(Line.assemble((f"≈ {result.clip.name} ", "bold yellow"), f"{near}"))
    return results


def as_dicts(results: list[Compared]) -> list[dict[str, Any]]:
    """Results for ``--json``."""
    return [
        {
            "clip": result.clip.name,
            "near": [asdict(near) for near in result.near],
            **({"code": result.refusal.code.value, "detail": result.refusal.detail} if result.refusal else {}),
        }
        for result in results
    ]


def timeline(name: Name, identity: Identity = None, as_json: AsJson = False) -> None:
    """Put the clips of each source on one line of time, with gaps, overlaps and every doubt about their clocks.

    `intake` and `case compare` read lengths and clocks; without them only the files' own times are known.
    """
    with open_case(name, identity) as case:
        traces = Traces(case)
        by_number = {clip.number: clip for clip in case.catalogue.clips()}
        lines = {}
        for source in case.catalogue.sources():
            arrived = [(arrival, by_number[arrival.clip]) for arrival in case.catalogue.arrivals(source)]
            lines[source] = line((arrival, clip, traces.of(clip)) for arrival, clip in arrived)
    if as_json:
        told = [{"source": source, "clips": list(map(_moment, moments))} for source, moments in lines.items()]
        print(json.dumps({"sources": told}, indent=1, ensure_ascii=False))
        return
    console = Console(highlight=False)
    for source, moments in lines.items():
        console.print(_table(source, moments))
        for moment in moments:
            for doubt in moment.doubts:
                console.print(Line.assemble((f"? {moment.clip} ", "bold yellow"), printable(Path(doubt))))


def _moment(moment: Moment) -> dict[str, Any]:
    return {
        key: value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else value
        for key, value in asdict(moment).items()
    }


def _gap(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{'-' if seconds < 0 else '+'}{span(timedelta(seconds=seconds))}"


def _table(source: str, moments: list[Moment]) -> Table:
    titles = ("clip", "file", "begins", "by", "length", "after", "doubts")
    table = Table(title=f"Source {source}", title_justify="left", box=None, header_style="bold", pad_edge=False)
    for title in titles:
        right = title in ("length", "after", "doubts")
        table.add_column(title, no_wrap=title != "file", justify="right" if right else "left", overflow="fold")
    for moment in moments:
        row = (
            moment.clip,
            moment.path,
            f"{moment.begin:%Y-%m-%d %H:%M:%S}",
            moment.basis,
            clock(moment.seconds) if moment.seconds is not None else "?",
            _gap(moment.gap),
            str(len(moment.doubts) or ""),
        )
        table.add_row(*map(Line, row))
    return table
