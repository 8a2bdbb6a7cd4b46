"""`safelight doctor`: what works on this machine and what does not."""

from __future__ import annotations

import json
import os
import platform
import shutil
from dataclasses import asdict, dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from safelight import __version__
from safelight.carve import PROGRAM
from safelight.models import engine, store
from safelight.models.device import CPU, DEVICE, chosen
from safelight.models.manifest import Group, weights
from safelight.workers.confine import Support, support
from safelight.workers.device import hindrance
from safelight.workers.trial import ATTEMPTS, held

EXAMPLE = "**Example**\n\n`safelight doctor --json`"


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``needed``: `protect` refuses to work without it."""

    what: str
    works: bool
    needed: bool
    told: str


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Findings as JSON on standard output.")] = False,
) -> None:
    """Say what works on this machine: how strangers' files are held in, and whether the weights are here.

    A locked worker really tries to get out, in six ways. Status 1 when `protect` would refuse to work.
    """
    findings = examine()
    well = all(finding.works for finding in findings if finding.needed)
    if as_json:
        print(json.dumps({"well": well, "findings": [asdict(f) for f in findings]}, indent=1, ensure_ascii=False))
    else:
        console = Console(highlight=False)
        for finding in findings:
            sign, style = ("✓", "green") if finding.works else ("✗", "bold red") if finding.needed else ("–", "yellow")
            line = Text.assemble((f"{sign} ", style), f"{finding.what}: {finding.told}")
            console.print(line, soft_wrap=True)
        if not well:
            console.print(
                Text("On this machine `safelight protect` refuses to work; see docs/confinement.md.", "bold red")
            )
    if not well:
        raise typer.Exit(1)


def examine() -> list[Finding]:
    """Look at everything; takes a few seconds."""
    able = support()
    system = f"{platform.system()} {platform.release()}, {platform.machine()}, Python {platform.python_version()}"
    return [
        Finding("safelight", True, False, f"{__version__} on {system}, {os.cpu_count()} processors"),
        *_confinement(able),
        *(Finding(f"a locked worker cannot {name}", held(name), True, "tried it out") for name in _testable(able)),
        *(_weight(group) for group in Group),
        *_devices(engine.devices()),
        _photorec(),
    ]


def _devices(there: dict[str, str]) -> list[Finding]:
    """What there is, and whether a locked worker can use it. That the chosen one can, is needed."""
    listed = "; ".join(f"{name} ({maker})" for name, maker in there.items())
    told = f"{listed}; used: {chosen()}. Choose with --device NAME or {DEVICE}=NAME"
    usable = [
        Finding(f"a locked worker can use {name}", not why, name == chosen(), why or "tried it out")
        for name in sorted({*there, chosen()} - {CPU})
        for why in (hindrance(name),)
    ]
    return [Finding("devices of the inference engine", CPU in there, True, told), *usable]


def _photorec() -> Finding:
    found = shutil.which(PROGRAM)
    return Finding(
        "PhotoRec (deleted films)", found is not None, False, found or "not installed; only `carve` needs it"
    )


def _confinement(able: Support) -> list[Finding]:
    files = f"version {able.landlock} of its interface" if able.landlock else "this kernel has none (Linux 5.13 has)"
    calls = "filters work" if able.seccomp else "no filters here (Linux 4.14 on x86-64 or 64-bit ARM has them)"
    return [
        Finding("Landlock (no other files)", able.landlock > 0, True, files),
        Finding("seccomp (no network, no programs)", able.seccomp, True, calls),
    ]


def _testable(able: Support) -> list[str]:
    """Where something is missing it is said already; an attempt would only say it twice."""
    return list(ATTEMPTS) if able.full else []


def _weight(group: Group) -> Finding:
    missing = [weight.name for weight in weights(group) if store.inspect(weight)[0] is not store.State.READY]
    told = f"{', '.join(missing)} not ready; run `safelight models fetch --all`" if missing else "here and unchanged"
    return Finding(f"weights to {group.value}", not missing, group.value == "find", told)
