"""Intake beside `sha256sum` and `age` on the same file: `python -m benchmarks.intake [--megabytes 1000] [--runs 3]`.

All write below `--folder`, to the same disk. `age` returns when the system has the bytes, intake when the disk has
them; so `age` is also measured with a `sync` of its file. Every run is told, since other work on the machine makes any
of them slower and none faster. Memory is the peak of the process (resident set), at the full size and at a tenth of it:
flat means that they are about the same. With `--opening` the clip is also lent as for work, in memory.
"""

from __future__ import annotations

import argparse
import os
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from pyrage.x25519 import Identity

from benchmarks.killing import Quiet, write_case
from safelight.custody.case import opened
from safelight.custody.intake import Came, intake
from safelight.custody.lend import lent

DURABLE = "age and sync"


def take_in(case: Path, key: Path, clip: Path) -> None:
    """One intake; prints nothing."""
    with opened(case, identity=key, ask=lambda _: None) as story:
        arrived = list(intake(story, [clip], "S1", known={}, watch=lambda _: Quiet()))
    assert [one.came for one in arrived] == [Came.SEALED]


def open_again(case: Path, key: Path) -> float:
    """Seconds for an original to be decrypted into memory, checked and lent."""
    with opened(case, identity=key, ask=lambda _: None) as story:
        began = time.monotonic()
        with lent(story, story.clip("1"), "measured"):
            return time.monotonic() - began


def seconds(words: Sequence[str | Path]) -> tuple[float, float]:
    """Wall and processor time of a command."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def child(folder: Path, clip: Path, opening: bool) -> tuple[float, float, float, float]:
    """An intake in a process of its own: wall and processor time of it, seconds of opening, and peak memory in MB."""
    case, key = write_case(folder)
    words = [sys.executable, "-m", "benchmarks.intake", "--child", str(case), str(key), str(clip)]
    words += ["--opening"] if opening else []
    told = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    shutil.rmtree(case)
    return float(told[0]), float(told[1]), float(told[2]), float(told[3])


def write(path: Path, megabytes: int) -> Path:
    """A file of random bytes, without holes."""
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1_000_000))
        os.fsync(file.fileno())
    return path


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to work (default: the temporary folder)")
    parser.add_argument("--opening", action="store_true", help="measure opening the clip for work too")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        began, before = time.monotonic(), time.process_time()
        take_in(*map(Path, options.child))
        took, cpu = time.monotonic() - began, time.process_time() - before
        opening = open_again(*map(Path, options.child[:2])) if options.opening else 0.0
        print(took, cpu, opening, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return
    age = shutil.which("age")
    to = str(Identity.generate().to_public())
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        clip, out = write(folder / "clip", options.megabytes), folder / "out"
        small = write(folder / "small", max(options.megabytes // 10, 1))
        sealed = f"age -r {to} -o {shlex.quote(str(out))} {shlex.quote(str(clip))}"
        floors = {"sha256sum": ["sha256sum", clip]}
        if age:
            floors |= {"age": ["sh", "-c", sealed], DURABLE: ["sh", "-c", f"{sealed} && sync {shlex.quote(str(out))}"]}
        times: dict[str, list[tuple[float, float]]] = {what: [] for what in (*floors, "intake")}
        for _ in range(options.runs):
            for what, words in floors.items():
                times[what].append(seconds(words))
                out.unlink(missing_ok=True)
            wall, cpu, opening, memory = child(folder, clip, options.opening)
            times["intake"].append((wall, cpu))
        *_, memory_small = child(folder, small, options.opening)
    rates = {}
    for what, pairs in times.items():
        each = [options.megabytes / wall for wall, _ in pairs]
        rates[what] = statistics.median(each)
        cpu = statistics.median(cpu for _, cpu in pairs)
        print(f"{what:14} {rates[what]:6.0f} MB/s  {cpu:6.2f} s of processor  ({', '.join(f'{r:.0f}' for r in each)})")
    without = "" if age else " (age is not on this machine: sha256sum alone)"
    slower = min(rate for what, rate in rates.items() if what not in ("intake", DURABLE))
    print(f"intake is {rates['intake'] / slower:.2f} of the slower{without}; the goal is 0.80")
    if age:
        print(f"and {rates['intake'] / min(slower, rates[DURABLE]):.2f} where age's file is on the disk too")
    if options.opening:
        print(f"opening for work: {options.megabytes / opening:.0f} MB/s (the last run)")
    print(f"peak memory {memory:.0f} MB at {options.megabytes} MB, {memory_small:.0f} MB at a tenth of that")


if __name__ == "__main__":
    main()
