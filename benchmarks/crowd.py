"""How soon a folder of very many files starts work: ``python -m benchmarks.crowd [--files 100000] [--table]``.

Makes the folder (files without content), then starts ``safelight protect`` on it and stops the clock when the first
file is refused as empty, which is the first one's turn. Prints seconds and the program's memory; status 1 beyond 10 s.
With ``--table`` instead what the job table costs for so many jobs: put in, taken, written down as done, counted.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from safelight.account import Options
from safelight.inputs import Item
from safelight.scale.table import JobTable, Receipt

SECONDS = 10.0
_NOTHING = Receipt("0" * 64, "0" * 64, "0" * 64, film=1.0, frames=25)


def table_costs(files: int) -> None:
    """Print what the table costs: seconds of the processor, and by the clock, which the disk decides."""
    with tempfile.TemporaryDirectory() as folder, JobTable.beside(Path(folder)) as table:
        items = [Item(Path(folder) / f"clip{number:06d}.mp4", Path()) for number in range(files)]
        marks = [(time.process_time(), time.monotonic())]
        numbers = table.add(items, Path(folder), Options())
        marks.append((time.process_time(), time.monotonic()))
        for number in numbers:
            if table.take(number) is None:
                raise RuntimeError("somebody else has it")
            table.done(number, _NOTHING, 1.0)
        marks.append((time.process_time(), time.monotonic()))
        done = table.status().states
        marks.append((time.process_time(), time.monotonic()))
    if done != {"done": files}:
        raise RuntimeError(f"not all are done: {done}")
    for what, (a, b), times in zip(
        ("put in", "taken and written down", "counted"), pairwise(marks), (files, files, 1), strict=True
    ):
        each = [(after - before) / times * 1e3 for before, after in zip(a, b, strict=True)]
        print(f"{files:,} jobs {what}: {b[0] - a[0]:.1f} s, {each[0]:.2f} ms each; by the clock {each[1]:.2f} ms each")


def main() -> int:
    """Make the folder, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--table", action="store_true")
    asked = parser.parse_args()
    if asked.table:
        table_costs(asked.files)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        card = Path(folder) / "card"
        for number in range(asked.files):
            below = card / f"{number // 1000:03d}"
            if number % 1000 == 0:
                below.mkdir(parents=True)
            (below / f"clip{number:06d}.mp4").touch()
        began = time.monotonic()
        words = [sys.executable, "-m", "safelight", "protect", "-q", "-o", str(Path(folder) / "out"), str(card)]
        run = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
        assert run.stderr is not None
        first = run.stderr.readline().strip()
        seconds = time.monotonic() - began
        status = Path(f"/proc/{run.pid}/status").read_text(encoding="utf-8")
        peak = next(line.split(":")[1].strip() for line in status.splitlines() if line.startswith("VmHWM"))
        run.kill()
        run.wait()
    print(f"{asked.files:,} files: first one's turn after {seconds:.1f} s, {peak} of memory; it said: {first[:60]}")
    return 1 if seconds > SECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
