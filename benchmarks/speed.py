"""Speed and memory of `safelight protect` beside deface 1.5.0 and beside the floor, same clips, same run.

`make bench`, or `python -m benchmarks.speed [--seconds 20] [--runs 3] [--long [SIZE]]`. Needs no footage: the clips are
made from scikit-image's pictures. deface is installed from a locked list into its own environment, `.bench/deface`.

Every figure is the median of its runs; the runs of the three take turns, so that a machine whose speed drifts slows all
of them. Ratios are taken turn by turn. Faces left exposed are counted against where the face was drawn, see `exposed`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import av
import cv2
import numpy as np
from examples.clip import write_clip
from rich.console import Console
from rich.table import Table

from benchmarks.process import Measured, run
from safelight.geometry import Box

HERE = Path(__file__).parent
BENCH = Path(".bench")
SIZES = ((640, 360), (1280, 720), (1920, 1080))
RATE = 25


def deface() -> Path:
    """The program deface, installed on first use."""
    venv = BENCH / "deface"
    program = venv / "bin" / "deface"
    if not program.exists():
        print("installing deface 1.5.0 into an environment of its own ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        words = ["install", "-q", "--no-deps", "--require-hashes", "-r", HERE / "requirements-deface.txt"]
        subprocess.run([venv / "bin" / "python", "-m", "pip", *words], check=True)
    return program


def exposed(original: Path, copy: Path, faces: list[Box]) -> int:
    """In how many frames the face can still be made out: its high frequencies correlate with the original's above 0.5.

    Frames the copy does not have count as exposed, since nothing shows that they were hidden.
    """
    count = 0
    with av.open(str(original)) as a, av.open(str(copy)) as b:
        pairs = zip(a.decode(video=0), b.decode(video=0), strict=False)
        seen = 0
        for seen, (x, y) in enumerate(pairs, 1):
            luma = [frame.to_ndarray(format="gray").astype(np.float32) for frame in (x, y)]
            box = faces[seen - 1].clipped(x.width, x.height)
            cut = [image[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)] for image in luma]
            fine = [patch - cv2.GaussianBlur(patch, (0, 0), box.height / 12) for patch in cut]
            energy = [float(np.sqrt((patch**2).sum())) for patch in fine]
            count += float((fine[0] * fine[1]).sum()) > 0.5 * energy[0] * max(energy[1], 1.0)
    return count + len(faces) - seen


def measure(width: int, height: int, seconds: float, runs: int, table: Table) -> None:
    """Add the rows of one picture size. *found, hidden*: `protect` without what its attackers took, which deface and
    the floor have nothing to set against.
    """
    frames = round(seconds * RATE)
    with tempfile.TemporaryDirectory() as folder:
        clip, out = Path(folder) / "clip.mp4", Path(folder) / "out"
        faces = write_clip(clip, width, height, seconds, RATE)
        safelight = Path(sys.executable).with_name("safelight")
        turns: dict[str, list[Measured]] = {"floor": [], "found, hidden": [], "safelight": [], "deface": []}
        for turn in range(runs):
            target = Path(folder) / "floor.mp4"
            turns["floor"].append(run([sys.executable, "-m", "benchmarks.floor", clip, target]))
            whole = run([safelight, "protect", "-q", "-o", out / str(turn), clip])
            turns["safelight"].append(whole)
            turns["found, hidden"].append(Measured(whole.wall - _attacking(out / str(turn)), 0.0, 0.0))
            theirs = Path(folder) / f"deface{turn}.mp4"
            quiet = {"ORT_DISABLE_TELEMETRY": "1"}  # its inference engine would otherwise send data home
            turns["deface"].append(run([deface(), "--keep-audio", "-o", theirs, clip], env=quiet))
        still = Path(folder) / "still"  # the same copy with every pixel in its place, to compare place by place
        plan = out / "0" / "clip.safelight-plan.json"
        run([safelight, "hide", clip, "--plan", plan, "--sensor", "off", "-o", still])
        copies = {"safelight": still / "clip.safelight.mp4", "deface": Path(folder) / "deface0.mp4"}
        for name, measured in turns.items():
            ratios = [
                statistics.median(other.wall / one.wall for other, one in zip(turns[peer], measured, strict=True))
                for peer in ("floor", "deface")
            ]
            table.add_row(
                f"{width}x{height}",
                name,
                f"{frames / statistics.median(m.wall for m in measured):.1f}",
                _told(1000 * statistics.median(m.cpu for m in measured) / frames),
                f"{ratios[0]:.2f}",
                f"{ratios[1]:.1f}",
                _told(max(m.memory for m in measured)),
                str(exposed(clip, copies[name], faces)) if name in copies else "",
            )


def _attacking(folder: Path) -> float:
    """Seconds that the attackers took, as the account says."""
    account = json.loads((folder / "clip.safelight.json").read_text(encoding="utf-8"))
    return float(account["stages"]["attacking"])


def _told(figure: float) -> str:
    return f"{figure:.0f}" if figure else ""


def memory(width: int, height: int, table: Table) -> None:
    """Peak memory for 20 seconds and 10 minutes of the same clip."""
    with tempfile.TemporaryDirectory() as folder:
        safelight = Path(sys.executable).with_name("safelight")
        for seconds in (20, 600):
            clip = Path(folder) / f"{seconds}.mp4"
            write_clip(clip, width, height, seconds, RATE)
            done = run([safelight, "protect", "-q", "-o", Path(folder) / "out", clip])
            frames = seconds * RATE
            table.add_row(
                f"{width}x{height}",
                f"safelight, {seconds} s",
                f"{frames / done.wall:.1f}",
                f"{1000 * done.cpu / frames:.0f}",
                "",
                "",
                f"{done.memory:.0f}",
                "",
            )


def main() -> None:
    """Print the table."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    ask.add_argument("--seconds", type=float, default=20.0, help="length of the clips")
    ask.add_argument("--runs", type=int, default=3, help="turns")
    ask.add_argument("--sizes", type=int, nargs="*", default=[0, 1, 2], help="which of 640x360, 1280x720, 1920x1080")
    ask.add_argument("--long", type=int, nargs="?", const=2, metavar="SIZE", help="also the memory of 10 minutes")
    asked = ask.parse_args()
    table = Table(title="safelight protect, deface 1.5.0 and the floor")
    for title in ("size", "program", "frames/s", "CPU ms/frame", "x floor", "x deface", "peak MB", "faces exposed"):
        table.add_column(title, justify="left" if title in ("size", "program") else "right")
    for index in asked.sizes:
        measure(*SIZES[index], asked.seconds, asked.runs, table)
    if asked.long is not None:
        memory(*SIZES[asked.long], table)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
