"""`safelight protect`: the main job from the command line."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text as Line

from safelight import models
from safelight.account import Account, Options
from safelight.batch import Result
from safelight.buckets import expand_all
from safelight.cli.opening import Identity, InCase, open_case
from safelight.cli.options import (
    Device,
    Out,
    Table,
    Unconfined,
    choosing,
    job_table,
)
from safelight.cli.show import Display
from safelight.errors import Code
from safelight.inputs import printable
from safelight.media.ahead import ahead
from safelight.models.device import DEVICE
from safelight.workers import confine
from safelight.workers.device import require as require_device

EXAMPLES = """**Examples**

`safelight protect clip.mp4` — one clip; results go to the folder `protected`

`safelight protect card/ -o copies` — everything on a card, into `copies`

`safelight protect --look solid --thorough clip.MTS` — grey instead of a veil, and look harder

`safelight protect clip.mp4 --subtitles clip.srt --language ar` — the confirmed words, spoken by a synthetic voice

`safelight protect -o out --json *.mov > report.json` — for a script

`safelight protect --case story clip-0003 -o copies` — a clip of a case; only the copy leaves it

`safelight protect -o out -- -strange-name.mp4` — a name that begins with a dash
"""

INTERRUPTED = 130
ONE_CLIP = "--subtitles belong to one clip; name exactly one"
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, max=256, help="Clips worked on at once.")]


@choosing
def protect(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Films, pictures, folders of them, s3:// buckets; with --case clips, default all.", show_default=False
        ),
    ] = None,
    out: Out = Path("protected"),
    options: Options = Options(),  # noqa: B008 - `choosing` puts its parameters here
    unconfined: Unconfined = False,
    device: Device = None,
    jobs: Jobs = 1,
    table: Table = None,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Work on the Dask cluster with this scheduler.", show_default=False),
    ] = None,
    case: InCase = None,
    identity: Identity = None,
    as_json: Annotated[bool, typer.Option("--json", help="Results as JSON on standard output.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only results.")] = False,
) -> None:
    """Make copies that show nobody: faces and heads hidden, sound silenced or spoken anew, nothing of the past kept.

    Each copy is attacked before it gets its name; one that does not hold is thrown away, and only the report says why.

    Beside each copy lie its account (what was done), its plan (what is hidden where), a contact sheet and the report of
    the attackers. Only the copy is meant to leave the desk. What is finished is skipped on a second run; what was
    interrupted goes on.
    """
    if not paths and case is None:
        raise typer.BadParameter("name a film, a picture or a folder")
    if cluster is not None and device is not None:
        raise typer.BadParameter(f"--device is for this machine; set {DEVICE} where the workers of the cluster start")
    _require_all(sealed=case is not None)
    if cluster is None:
        require_device()
    console = Console(stderr=True, highlight=False)
    results: list[Result] = []
    with ExitStack() as stack, cancel_on_signals() as cancel, Display(console, quiet=quiet) as display:
        if case is not None:
            from safelight.sealed import protect_sealed

            story = stack.enter_context(open_case(case, identity))
            clips = [str(path) for path in paths or []]
            if options.cues and len(clips) != 1:
                raise typer.BadParameter(ONE_CLIP)
            ended = protect_sealed(story, clips, out, options, watch=display.watch, cancel=cancel)
        else:
            held = stack.enter_context(job_table(table, out))
            held.free_the_dead()
            items = expand_all(paths or [], leave_out=out)
            if options.cues:
                items = iter(listed := list(items))
                if len(listed) != 1:
                    raise typer.BadParameter(ONE_CLIP)
            numbers = stack.enter_context(ahead(held.adding(items, out, options), 0))
            if cluster is not None:
                from safelight.scale.cluster import work_on_cluster

                ended = work_on_cluster(held, list(numbers), cluster, cancel=cancel)
            else:
                from safelight.scale.run import work_off

                ended = work_off(held, numbers, jobs=jobs, watch=display.watch, cancel=cancel)
        for result in ended:
            results.append(result)
            if not as_json:
                display.print(as_line(result))
    if as_json:
        print(json.dumps({"results": [as_dict(result) for result in results]}, indent=1, ensure_ascii=False))
    if not results:
        console.print(Line("There is no file in what was named; nothing was done."))
    interrupted = any(r.refusal is not None and r.refusal.code is Code.INTERRUPTED for r in results)
    if interrupted or not results or any(r.refusal is not None for r in results):
        raise typer.Exit(INTERRUPTED if interrupted else 1)


def _require_all(*, sealed: bool) -> None:
    """See that nothing is missing before work begins: weights, confinement. Raises what these raise.

    Hashing the weights takes a tenth of a second in which the interpreter is free: something is loaded meanwhile.
    """
    with ThreadPoolExecutor(1) as pool:
        weights = [pool.submit(models.require, group) for group in ("find", "attack")]
        confine.require()
        if not sealed:
            import_module("safelight.scale.run")
        for checked in weights:
            checked.result()


@contextmanager
def cancel_on_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C or a polite kill sets; the work then ends in order. A second Ctrl-C ends at once."""
    cancel = threading.Event()

    def stop(number: int, _: object) -> None:
        if cancel.is_set():
            os._exit(INTERRUPTED)
        cancel.set()
        print("stopping …", file=sys.stderr)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def as_line(result: Result) -> Line:
    """How one clip ended, for a terminal."""
    name = printable(result.path)
    if result.refusal is not None:
        return Line.assemble((f"✗ {result.refusal.code} ", "bold red"), Line(_without_code(result)))
    assert result.outcome is not None
    account, copy = result.outcome.account, result.outcome.copy
    told = "already done" if result.outcome.already else f"{account.seconds:.1f} s"
    return Line.assemble(
        ("✓ ", "bold green"), f"{name} → {printable(copy)}  ", (f"({told}: {_figures(account)})", "dim")
    )


def _without_code(result: Result) -> str:
    assert result.refusal is not None
    return str(result.refusal).removeprefix(f"{result.refusal.code}: ")


def _figures(account: Account) -> str:
    frames, tracks = account.frames, account.tracks
    return (
        f"{frames.written} frames, {tracks.hidden} tracks hidden in {frames.hidden} frames, "
        f"{account.share_hidden_mean:.1%} of the picture"
    )


def as_dict(result: Result) -> dict[str, Any]:
    """One result for ``--json``: paths, status and account, or code and reason."""
    if result.refusal is not None:
        error = result.refusal
        return {
            "source": printable(result.path),
            "status": "refused",
            "code": error.code.value,
            "detail": error.detail,
            "next_step": error.next_step,
        }
    assert result.outcome is not None
    outcome = result.outcome
    return {
        "source": printable(result.path),
        "status": "already done" if outcome.already else "protected",
        "copy": printable(outcome.copy),
        "account": printable(outcome.names.account),
        "plan": printable(outcome.names.plan),
        "report": printable(outcome.names.report),
        "sheet": printable(outcome.names.sheet) if outcome.account.sheet else None,
        "figures": outcome.account.model_dump(mode="json", by_alias=True),
    }
