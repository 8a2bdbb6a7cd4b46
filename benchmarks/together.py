"""One long film, one worker against several: ``python -m benchmarks.together [--seconds 40] [--piece 9] [--hands 2]``.

The demonstration's scene, found, hidden and attacked by the whole of ``protect``, in pieces of about ``--piece``
seconds. One worker has one processor, so many workers have as many. Prints seconds by the clock of every stage, of the
whole, and the ratio; the program's start and the film's hashing are in neither. Of ``--runs`` the best counts. The last
row is processor time, of the program and all its workers, start and hashing too: a busy machine hardly changes that.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from examples.clip import write_clip

from safelight import spread
from safelight.account import Options
from safelight.outputs import Names
from safelight.protect import protect
from safelight.workers.crew import Hands


class _Clock:
    """An observer that takes the time of each stage."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = {}
        self._at, self._since = "", time.monotonic()

    def stage(self, name: str) -> None:
        now = time.monotonic()
        if self._at:
            self.stages[self._at] = self.stages.get(self._at, 0.0) + now - self._since
        self._at, self._since = name, now

    def progress(self, done: int, total: int | None) -> None: ...


def once(film: Path, piece: float, hands: int) -> dict[str, float]:
    """Protect the film once in this process; seconds by stage."""
    spread.SECONDS_A_PIECE, spread.LEAST_BYTES = piece, 1
    clock, crew = _Clock(), Hands(hands)
    with tempfile.TemporaryDirectory() as out, crew.hold():
        protect(film, Names(Path(out), "film"), Options(), observer=clock, cancel=threading.Event(), crew=crew)
        clock.stage("")
    return {name: seconds for name, seconds in clock.stages.items() if name != "reading"}


def main() -> None:
    """See above."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seconds", type=float, default=40.0)
    ask.add_argument("--size", default="320x180")
    ask.add_argument("--piece", type=float, default=9.0)
    ask.add_argument("--hands", type=int, default=2)
    ask.add_argument("--runs", type=int, default=1)
    ask.add_argument("--film", type=Path, help=argparse.SUPPRESS)
    asked = ask.parse_args()
    if asked.film is not None:
        print(json.dumps(once(asked.film, asked.piece, asked.hands)))
        return
    best: dict[int, Took] = {}
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        width, height = map(int, asked.size.split("x"))
        write_clip(film, width, height, asked.seconds, keys=50)
        for _ in range(asked.runs):
            for hands in (1, asked.hands):
                took = _apart(film, hands, asked.piece)
                if hands not in best or sum(took.stages.values()) < sum(best[hands].stages.values()):
                    best[hands] = took
    one, many = best[1].stages, best[asked.hands].stages
    print(f"| stage | one worker, s | {asked.hands} workers, s | ratio |\n|---|---|---|---|")
    for stage in one:
        print(f"| {stage} | {one[stage]:.1f} | {many[stage]:.1f} | {one[stage] / many[stage]:.2f} |")
    whole = [sum(took.values()) for took in (one, many)]
    print(f"| all | {whole[0]:.1f} | {whole[1]:.1f} | {whole[0] / whole[1]:.2f} |")
    print(f"| processor seconds | {best[1].processor:.1f} | {best[asked.hands].processor:.1f} | |")


@dataclass(frozen=True)
class Took:
    """``stages``: seconds by the clock of each; ``processor``: seconds."""

    stages: dict[str, float]
    processor: float


def _apart(film: Path, hands: int, piece: float) -> Took:
    """Protect the film once in a process of its own, which has so many processors."""
    mine = sorted(os.sched_getaffinity(0))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = ["--film", str(film), "--hands", str(hands), "--piece", str(piece)]
    os.sched_setaffinity(0, mine[:hands])
    try:
        done = subprocess.run([sys.executable, "-m", "benchmarks.together", *words], check=True, capture_output=True)
    finally:
        os.sched_setaffinity(0, mine)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took({str(name): float(seconds) for name, seconds in json.loads(done.stdout).items()}, spent)


if __name__ == "__main__":
    main()
