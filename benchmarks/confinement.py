"""What confinement costs: the lock itself, a system call under the filter, and `protect` of a whole clip.

``python -m benchmarks.confinement [--clip CLIP]`` — prints processor time, best of several: load disturbs that
less. Nothing but the lock differs between the two columns.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.process import run
from safelight.workers.confine import Bounds

_PROGRAM = """
import os, sys, time
from pathlib import Path
from safelight.workers import child, confine
began = time.process_time()
if {locked}:
    confine.lock(confine.Bounds.for_clip(1 << 20), folder=Path({folder!r}), readable=[])
locked = time.process_time() - began
began = time.process_time()
for _ in range(100000):
    os.stat("/proc/self")
print(locked * 1e3, (time.process_time() - began) * 10)
"""


def measured(locked: bool, folder: Path) -> tuple[float, float]:
    """Processor milliseconds of the lock, and microseconds of one call with a path, in a new process."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", _PROGRAM.format(locked=locked, folder=str(folder))],
        capture_output=True,
        check=True,
        text=True,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    lock, call = done.stdout.split()
    return float(lock), float(call)


def protecting(clip: Path, locked: bool, folder: Path) -> float:
    """Processor seconds of `protect` and all its workers."""
    unlock = "import safelight.workers.confine\nsafelight.workers.confine.lock = lambda *_, **__: None\n"
    (folder / "sitecustomize.py").write_text("" if locked else unlock)  # Python imports it first, in workers too
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "safelight", "protect", "-q", clip, "-o", out]
        return run(
            command,
            env={"PYTHONPATH": os.pathsep.join([str(folder), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])},
        ).cpu


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--clip", type=Path, help="also protect this clip, locked and free in turns")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    times = asked.times
    print(f"bounds of a 10 MB clip: {Bounds.for_clip(10 << 20)}")
    with tempfile.TemporaryDirectory() as folder:
        for locked in (False, True):
            runs = [measured(locked, Path(folder)) for _ in range(times)]
            best = tuple(min(column) for column in zip(*runs, strict=True))
            print(f"{'locked' if locked else 'free  '}: lock {best[0]:.1f} ms, one path call {best[1]:.2f} us")
        if asked.clip is not None:
            spent = [
                [protecting(asked.clip, locked, Path(folder)) for locked in (False, True)] for _ in range(asked.rounds)
            ]
            print(
                "protect, processor seconds, free and locked:", *(f"{free:.1f}/{locked:.1f}" for free, locked in spent)
            )
            free, locked = (min(column) for column in zip(*spent, strict=True))
            print(f"best: free {free:.1f}, locked {locked:.1f}: {locked / free - 1:+.1%}")


if __name__ == "__main__":
    main()
