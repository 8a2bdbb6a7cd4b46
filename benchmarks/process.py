"""Running a command and measuring it: wall time, processor time, and peak memory of its whole family of processes."""

from __future__ import annotations

import os
import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
SECONDS_BETWEEN_LOOKS = 0.25


@dataclass(frozen=True)
class Measured:
    """``wall`` and ``cpu`` in seconds, ``memory``: largest sum of the family's proportional set sizes, in MB."""

    wall: float
    cpu: float
    memory: float


def run(words: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Measured:
    """Run a command to its end. Raises RuntimeError with its last words when it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    peak = 0.0
    with subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **(env or {})}, cwd=cwd
    ) as process:
        assert process.stderr is not None
        said: list[bytes] = []
        reader = threading.Thread(target=lambda: said.append(process.stderr.read()))  # type: ignore[union-attr]
        reader.start()
        while process.poll() is None:
            peak = max(peak, _family(process.pid))
            time.sleep(SECONDS_BETWEEN_LOOKS)
        reader.join()
        wall = time.monotonic() - began
    if process.returncode:
        raise RuntimeError(f"{words[0]} ended with {process.returncode}: {said[0][-600:].decode(errors='replace')}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(wall, cpu, peak)


def _family(pid: int) -> float:
    """Memory of a process and all below it: proportional set size, in MB (Linux)."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue  # it has just ended
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    family = {pid}
    while grown := {child for child, parent in parents.items() if parent in family} - family:
        family |= grown
    total = 0.0
    for member in family:
        try:
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return total
