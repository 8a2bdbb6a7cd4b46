"""What the ways of looking cost: `safelight find` as it is, with bodies, with text, both, `--quick` and `--thorough`.

    python -m benchmarks.looking [CLIP...] [--seconds 20] [--runs 1]

Without a CLIP the demonstration film is made at 1280x720 and 1920x1080. Programs' starts are counted. *hidden* is the
mean share of the picture that the plan hides, over every tenth frame.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from examples.clip import write_clip
from rich.console import Console
from rich.table import Table

from benchmarks.film import share
from benchmarks.process import run
from benchmarks.speed import RATE, SIZES
from safelight.plan import Plan

WAYS: dict[str, list[str]] = {
    "as it is": [],
    "--hide bodies": ["--hide", "bodies"],
    "--text": ["--text"],
    "both": ["--hide", "bodies", "--text"],
    "--quick": ["--quick"],
    "--thorough": ["--thorough"],
}


def measure(clip: Path, name: str, runs: int, table: Table) -> None:
    """Add the rows of one clip; the ways take turns."""
    safelight = Path(sys.executable).with_name("safelight")
    with tempfile.TemporaryDirectory() as folder:
        cpu: dict[str, list[float]] = {way: [] for way in WAYS}
        wall: dict[str, list[float]] = {way: [] for way in WAYS}
        plans: dict[str, Plan] = {}
        for turn in range(runs):
            for way, options in WAYS.items():
                out = Path(folder) / f"{way} {turn}"
                done = run([safelight, "find", *options, "-o", out, clip])
                cpu[way].append(done.cpu)
                wall[way].append(done.wall)
                plans[way] = Plan.load(next(out.glob("*.safelight-plan.json")))
        for way, plan in plans.items():
            frames = plan.clip.frames
            table.add_row(
                name,
                way,
                f"{frames / statistics.median(wall[way]):.1f}",
                f"{1000 * statistics.median(cpu[way]) / frames:.1f}",
                f"{statistics.median(c / n for c, n in zip(cpu[way], cpu['as it is'], strict=True)):.2f}",
                f"{100 * statistics.mean(share(plan, frame) for frame in range(0, frames, 10)):.0f} %",
            )


def main() -> None:
    """Print the table."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    ask.add_argument("clips", nargs="*", type=Path, metavar="CLIP")
    ask.add_argument("--seconds", type=float, default=20.0, help="length of the made clips")
    ask.add_argument("--runs", type=int, default=1, help="turns")
    asked = ask.parse_args()
    table = Table(title="safelight find")
    for title in ("clip", "way", "frames/s", "CPU ms/frame", "x as it is", "hidden"):
        table.add_column(title, justify="left" if title in ("clip", "way") else "right")
    for clip in asked.clips:
        measure(clip, clip.name, asked.runs, table)
    for width, height in () if asked.clips else SIZES[1:]:
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "clip.mp4"
            write_clip(made, width, height, asked.seconds, RATE)
            measure(made, f"{width}x{height}", asked.runs, table)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
