"""Copies by other tools and by Safelight, each before every attacker. Prints the table of docs/attacks.md.

    python -m benchmarks.compare VIDEO LABELS.json [--deface PATH] [--first 60] [--frames 60]

Tools that are not installed are left out and named. The excerpt has sound and planted tags; see tests/attack/plant.py.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.attack import plant

from safelight.attack.run import ATTACKERS, attack
from safelight.attack.verdict import Outcome
from safelight.plan import Look

WORDS = {
    Outcome.HELD: "held",
    Outcome.BROKEN: "**broken**",
    Outcome.COULD_NOT_RUN: "could not run",
    Outcome.NOT_ASKED: "–",
}


def commands(original: Path, folder: Path, deface: str | None) -> dict[str, tuple[list[str], Path]]:
    """How each tool is asked for its copy, and where that lies."""
    made: dict[str, tuple[list[str], Path]] = {}
    for style in ("blur", "mosaic", "solid"):
        target = folder / f"deface-{style}.mp4"
        if deface is not None:
            made[f"deface {style}"] = ([deface, str(original), "--replacewith", style, "-o", str(target)], target)
    target = folder / "ffmpeg.mp4"
    strip = ["ffmpeg", "-v", "error", "-i", str(original), "-map_metadata", "-1", "-c", "copy", str(target)]
    made["ffmpeg -map_metadata -1 -c copy"] = (strip, target)
    target = folder / "exiftool.mp4"
    made["exiftool -all="] = (["exiftool", "-q", "-all=", "-o", str(target), str(original)], target)
    lonely = folder / "mat2.mp4"
    shutil.copy(original, lonely)
    made["mat2"] = (["mat2", str(lonely)], folder / "mat2.cleaned.mp4")
    return made


def main() -> int:
    """Print the table; 0 always: it is a finding, not a test."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("video", type=Path)
    ask.add_argument("labels", type=Path)
    ask.add_argument("--deface", default=shutil.which("deface"))
    ask.add_argument("--first", type=int, default=60)
    ask.add_argument("--frames", type=int, default=60)
    wanted = ask.parse_args()
    names = [kind.name for kind in ATTACKERS]
    print("| copy by | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        made = plant.scene(folder, wanted.video, wanted.labels, wanted.first, wanted.frames)
        for tool, (command, target) in commands(made.original, folder, wanted.deface).items():
            if shutil.which(command[0]) is None:
                print(f"{command[0]} is not installed; left out.", file=sys.stderr)
                continue
            subprocess.run(command, check=False, capture_output=True)
            if target.exists():
                _row(tool, target, made, names, planned=False)
        for look in Look:
            own = plant.scene(folder, wanted.video, wanted.labels, wanted.first, wanted.frames, look)
            _row(f"Safelight {look}", plant.copy_of(own, folder / f"own-{look}.mp4"), own, names, planned=True)
    return 0


def _row(tool: str, copy: Path, made: plant.Scene, names: list[str], *, planned: bool) -> None:
    with copy.open("rb") as shown, made.original.open("rb") as original:
        verdict = attack(shown, original=original, plan=made.plan if planned else None, names=[[plant.NAME]])
    found = {finding.attacker: finding for finding in verdict.findings}
    print(f"| {tool} | " + " | ".join(WORDS[found[name].outcome] for name in names) + " |", flush=True)
    for finding in verdict.findings:
        if finding.outcome.blocks:
            print(f"  {tool}, {finding.attacker}: {finding.sentence}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
