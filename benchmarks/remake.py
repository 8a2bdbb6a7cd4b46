"""How long the desk takes to make a copy the second time, after one edit: `python -m benchmarks.remake [--minutes 6]`.

The demonstration's clip at 640x360, its face hidden where it was drawn. Prints seconds by stage, both times.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from examples.clip import write_clip

from safelight.account import Account, FileFacts
from safelight.desk.edits import Draw, Place
from safelight.desk.folder import Folder
from safelight.desk.work import Work
from safelight.geometry import Box
from safelight.media.read import Reader
from safelight.plan import Clip, How, Keyframe, Kind, Origin, Plan, Region, Stretch


def main() -> None:
    """See above."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=6.0)
    minutes = asked.parse_args().minutes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film = folder / "clip.mp4"
        plan = plan_of(film, write_clip(film, 640, 360, 60 * minutes, keys=50))
        (folder / "clip.safelight-plan.json").write_text(plan.to_json(), encoding="utf-8")
        store = Folder(folder)
        work = Work(store, store.entries()[0].id)
        work.hold("measure", "measure")
        print(f"{minutes:g} min, {film.stat().st_size >> 20} MiB, {plan.clip.frames} pictures")
        for turn in ("first", "after one edit"):
            print(f"{turn}: {made(work, folder)}", flush=True)
            place = Place(frame=plan.clip.frames // 10, x=20, y=20, width=60, height=60)
            work.edit("measure", work.version, Draw(keys=[place]))
        work.close()


def plan_of(film: Path, boxes: list[Box]) -> Plan:
    """One track over the face, from the first picture to the last."""
    with film.open("rb") as file, Reader(file) as reader:
        times = [picture.pts for picture in reader.pictures()]
        facts = reader.facts
    last = len(times) - 1
    heads = [box.grown(box.width / 2, box.height / 2, box.width / 2, box.height / 2) for box in boxes]
    keys = [Keyframe.of(frame, times[frame], heads[frame]) for frame in sorted({*range(0, last, 3), last})]
    told = [Stretch(first=0, last=last, how=How.FOUND, finder="drawn", score=1.0)]
    clip = Clip.of(FileFacts.of(film).sha256, facts.raster.shown_size, facts.time_base, times)
    region = Region(id="head-1", kind=Kind.HEAD, score=1.0, keyframes=keys, stretches=told)
    return Plan(clip=clip, origin=Origin(safelight="0"), regions=[region])


def made(work: Work, folder: Path) -> dict[str, Any]:
    """Make the copy; seconds by stage."""
    began = time.monotonic()
    making = work.make("measure")
    while not making.finished:
        work.hold("measure", "measure")
        time.sleep(0.5)
    account = Account.load(folder / "clip.safelight.json")
    stages = {stage: round(seconds, 1) for stage, seconds in account.stages.items()} if account else {}
    return {"failed": making.failed, "whole": round(time.monotonic() - began, 1), **stages}


if __name__ == "__main__":
    main()
