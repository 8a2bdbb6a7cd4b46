"""`safelight status` and `safelight watch`: how far a large job is, and protecting whatever arrives in a folder."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text as Line

from safelight import models
from safelight.account import Options
from safelight.cli.options import (
    Device,
    Out,
    Table,
    Unconfined,
    choosing,
    job_table,
)
from safelight.cli.protect import INTERRUPTED, ONE_CLIP, Jobs, as_line, cancel_on_signals
from safelight.cli.show import Display
from safelight.inputs import printable
from safelight.scale.run import work_off
from safelight.scale.table import Status
from safelight.scale.watch import arrivals
from safelight.workers import confine
from safelight.workers.device import require as require_device

STATUS_EXAMPLES = """**Examples**

`safelight status -o copies` — how far the job is whose copies go to `copies`

`safelight status --table postgresql+psycopg://desk@db/safelight --price 0.04` — with what it costs
"""
WATCH_EXAMPLE = "**Example**\n\n`safelight watch incoming/ -o copies --jobs 2` — until Ctrl-C"

_MOST_SHOWN = 20


def status(
    out: Out = Path("protected"),
    table: Table = None,
    price: Annotated[float | None, typer.Option(min=0, help="What one hour of one worker costs.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Figures as JSON on standard output.")] = False,
) -> None:
    """Say how far a job is, how fast it goes, what an hour of film costs, what failed and why."""
    with job_table(table, out) as jobs:
        jobs.free_the_dead()
        now = jobs.status()
    if as_json:
        print(json.dumps(_as_dict(now, price), indent=1, ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.print(Line(", ".join(f"{count:,} {state}" for state, count in sorted(now.states.items())) or "no jobs"))
    if now.film:
        console.print(Line(_speed(now, price)))
    for path, worker in now.running[:_MOST_SHOWN]:
        console.print(Line(f"… {printable(path)} ({worker.rsplit(':', 2)[0]})"), soft_wrap=True)
    for code, count in Counter(failed.code for failed in now.failed).most_common():
        console.print(Line(f"✗ {code}: {count:,}", "bold red"))
    for failed in now.failed[:_MOST_SHOWN]:
        console.print(Line(f"  {printable(failed.source)}: {failed.code} {failed.detail}"), soft_wrap=True)
    if len(now.failed) > _MOST_SHOWN:
        console.print(Line(f"  and {len(now.failed) - _MOST_SHOWN:,} more; --json lists all"))


def _hours_of_work(now: Status) -> float:
    """Hours of one worker for one hour of film."""
    return now.spent / now.film


def _speed(now: Status, price: float | None) -> str:
    hours = _hours_of_work(now)
    cost = f", {hours * price:.2f} an hour of film" if price is not None else ""
    return f"{now.film / 3600:.2f} hours of film done; an hour of film takes a worker {hours:.2f} hours{cost}"


def _as_dict(now: Status, price: float | None) -> dict[str, object]:
    hours = _hours_of_work(now) if now.film else None
    return {
        "states": now.states,
        "film_hours": now.film / 3600,
        "frames": now.frames,
        "worker_hours": now.spent / 3600,
        "worker_hours_per_film_hour": hours,
        "cost_per_film_hour": hours * price if hours is not None and price is not None else None,
        "running": [{"source": printable(path), "worker": worker} for path, worker in now.running],
        "failed": [{"source": printable(f.source), "code": f.code, "detail": f.detail} for f in now.failed],
    }


@choosing
def watch(
    folder: Annotated[Path, typer.Argument(help="Folder that clips arrive in.", show_default=False)],
    out: Out = Path("protected"),
    table: Table = None,
    options: Options = Options(),  # noqa: B008 - `choosing` puts its parameters here
    unconfined: Unconfined = False,
    device: Device = None,
    jobs: Jobs = 1,
    settle: Annotated[float, typer.Option(min=0, help="Seconds a file must lie unchanged before it is taken.")] = 10.0,
) -> None:
    """Protect every clip that arrives in a folder, until Ctrl-C. A file that still grows is waited for."""
    if options.cues:
        raise typer.BadParameter(ONE_CLIP)
    models.require("find")
    confine.require()
    require_device()
    models.require("attack")
    console = Console(stderr=True, highlight=False)
    with cancel_on_signals() as cancel, Display(console, quiet=True) as display, job_table(table, out) as held:
        held.free_the_dead()
        display.print(Line(f"Watching {printable(folder)}; copies go to {printable(out)}. Ctrl-C ends."))
        numbers = (
            number
            for items in arrivals(folder, held, out, seconds=settle, cancel=cancel)
            for number in held.add(items, out, options)
        )
        for result in work_off(held, numbers, jobs=jobs, watch=display.watch, cancel=cancel):
            display.print(as_line(result))
    raise typer.Exit(INTERRUPTED)
