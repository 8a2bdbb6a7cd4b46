"""What an archive costs, from measured figures: ``python -m benchmarks.archive [--sizes 640x360 ...] [--price P]``.

Makes a film of the demonstration's scene in each size, protects it (find, hide, attack; workers locked) and counts the
processor time of the program and all its workers, and the bytes of the copy. Prints that, and then what ``--hours`` of
such film cost: processor hours, days on so many processors, room for copies, money at a price for a processor hour.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from examples.clip import write_clip

from benchmarks.process import run
from safelight.account import Account
from safelight.outputs import Names

PROCESSORS = (10, 100, 1000)


@dataclass(frozen=True)
class Cost:
    """Of protecting one film. ``processor``: seconds for one second of film; ``wall``: seconds by the clock, likewise;
    ``stages``: seconds by the clock of finding, hiding, attacking; ``copy``: bytes of the copy for one second.
    """

    size: str
    processor: float
    wall: float
    stages: tuple[float, ...]
    copy: float
    memory: float


def measured(size: str, seconds: float, folder: Path) -> Cost:
    """Make and protect a film of that size (such as ``640x360``)."""
    width, height = map(int, size.split("x"))
    clip = folder / f"film{size}.mp4"
    if not clip.exists():
        write_clip(clip, width, height, seconds)
    with tempfile.TemporaryDirectory() as out:
        spent = run([sys.executable, "-m", "safelight", "protect", "-q", clip, "-o", out])
        account = Account.load(Names(Path(out), clip.stem).account)
    assert account is not None
    length = account.frames.written / 25
    stages = tuple(account.stages.get(name, 0.0) for name in ("finding", "hiding", "attacking"))
    return Cost(size, spent.cpu / length, spent.wall / length, stages, account.copy_.size / length, spent.memory)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=["640x360", "1280x720", "1920x1080"])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--hours", type=float, default=10_000.0)
    parser.add_argument("--price", type=float, help="of one processor for one hour, in any money")
    parser.add_argument("--films", type=Path, help="folder that films are kept in, and taken from")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        costs = [measured(size, asked.seconds, asked.films or Path(folder)) for size in asked.sizes]
    print(
        "| film | processor s a second of film | s by the clock | of which find, hide, attack | copy, MB an hour | MB |"
    )
    print("|---|---|---|---|---|---|")
    for cost in costs:
        stages = ", ".join(f"{seconds / asked.seconds:.2f}" for seconds in cost.stages)
        megabytes = cost.copy * 3600 / 1e6
        figures = f"{cost.processor:.2f} | {cost.wall:.2f} | {stages} | {megabytes:,.0f} | {cost.memory:,.0f}"
        print(f"| {cost.size} | {figures} |")
    money = "" if asked.price is None else " money |"
    days = " | ".join(f"days on {count:,}" for count in PROCESSORS)
    print(f"\n| {asked.hours:,.0f} hours of | processor hours | {days} | copies, TB |{money}")
    print("|---" * (2 + len(PROCESSORS) + 1 + bool(money)) + "|")
    for cost in costs:
        hours = asked.hours * cost.processor
        on = " | ".join(f"{hours / count / 24:,.1f}" for count in PROCESSORS)
        price = "" if asked.price is None else f" {hours * asked.price:,.0f} |"
        print(f"| {cost.size} | {hours:,.0f} | {on} | {asked.hours * 3600 * cost.copy / 1e12:.1f} |{price}")


if __name__ == "__main__":
    main()
