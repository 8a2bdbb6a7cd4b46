"""A herd of mutants is driven through locked workers, many to a process; whatever is no honest refusal is a finding.

A worker reads each mutant twice (strictly, and accepting damage) and, where it can be read, writes the copy behind the
curtain. Findings: a crash, more time than allowed, an exception nobody foresaw, a copy with other frames than were
read, a copy with something of the source in it.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av

from tests.fuzz.mutate import mutant

MARK = b"of-the-source"  # in the tags of every seed
SECONDS = 60.0  # for one mutant on a busy machine; usual are milliseconds, the slowest was 6 s of processor time
MOST_PICTURES = 500
ROOT = Path(__file__).resolve().parents[2]


def seeds(folder: Path) -> list[bytes]:
    """Small files of the four formats, made here: with and without sound, fragmented, with index and without."""
    from tests.media.build import clip

    tags: dict[str, Any] = {"tags": {"title": MARK.decode(), "comment": MARK.decode()}}
    small: dict[str, Any] = {"frames": 6, "width": 64, "height": 48, **tags}
    made = [
        clip(folder / "plain.mp4", **small),
        clip(folder / "sound.mp4", sound=0.2, **small),
        clip(folder / "fragments.mp4", container={"movflags": "frag_keyframe+empty_moov"}, **small),
        clip(folder / "turned.mov", rotate=90.0, codec="mpeg4", **small),
        clip(folder / "plain.avi", codec="mjpeg", pixels="yuvj420p", **small),
        clip(folder / "sound.avi", codec="mpeg4", sound=0.2, sound_codec="pcm_s16le", **small),
        clip(folder / "plain.mkv", **small),
        clip(folder / "sound.mkv", codec="ffv1", sound=0.2, sound_codec="pcm_s16le", **small),
    ]
    return [path.read_bytes() for path in made] + [_jpeg(False), _jpeg(True)]


def _jpeg(progressive: bool) -> bytes:
    from PIL import Image

    from tests.media.build import scene

    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, MARK.decode()
    Image.fromarray(scene(1, 64, 48)).save(out, "jpeg", progressive=progressive, exif=exif, comment=MARK)
    return out.getvalue()


@dataclass
class Tally:
    """What became of a herd: how often each code, and by number the findings and, from `protect`, the codes."""

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: dict[int, str] = field(default_factory=dict)
    told: dict[int, str] = field(default_factory=dict)
    slowest: float = 0.0

    @property
    def total(self) -> int:
        """Mutants driven."""
        return self.outcomes.total()


def drive(first: int, count: int, *, seconds: float = SECONDS) -> Tally:
    """Drive ``count`` mutants from number ``first`` on."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, seed in enumerate(seeds(folder)):
            (folder / f"{number:02d}.seed").write_bytes(seed)
        number, end = first, first + count
        while number < end:
            number = _one_worker(folder, number, end, tally, seconds)
    return tally


def _one_worker(folder: Path, number: int, end: int, tally: Tally, seconds: float) -> int:
    """Drive from ``number`` until the end or until the worker is gone; returns the next number."""
    with tempfile.TemporaryDirectory() as room:
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.herd", str(folder), room, str(number), str(end)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )
        assert worker.stdout is not None
        assert worker.stderr is not None
        deadline, buffer, why = time.monotonic() + 60, b"", ""
        with selectors.DefaultSelector() as selector:
            selector.register(worker.stdout, selectors.EVENT_READ)
            while not why:
                if not selector.select(max(deadline - time.monotonic(), 0)):
                    why = f"no end after {seconds:.0f} seconds"
                    break
                data = os.read(worker.stdout.fileno(), 1 << 16)
                if not data:
                    break
                *lines, buffer = (buffer + data).split(b"\n")
                for line in lines:
                    told = json.loads(line)
                    tally.outcomes[told["outcome"]] += 1
                    tally.slowest = max(tally.slowest, told["seconds"])
                    if told["finding"]:
                        tally.findings[told["number"]] = told["finding"]
                    number = told["number"] + 1
                deadline = time.monotonic() + seconds
        worker.kill()
        words = worker.stderr.read().decode(errors="replace").strip().splitlines()
        status = worker.wait()
        worker.stdout.close()
        worker.stderr.close()
    if number < end:
        tally.findings[number] = why or f"the worker ended with {status}: {words[-1] if words else 'no word'}"
        tally.outcomes["worker gone"] += 1
        number += 1
    return number


def examine(data: bytes) -> tuple[str, str]:
    """What became of one file, and what is wrong with that (empty: nothing). Runs in a locked worker."""
    from safelight.errors import SafelightError
    from safelight.media.read import Reader

    outcome = ""
    for accept in (False, True):
        times: list[int] = []
        try:
            with Reader(io.BytesIO(data), accept_damaged=accept) as reader:
                for picture in reader.pictures():
                    picture.planes()
                    times.append(picture.pts)
                    if len(times) >= MOST_PICTURES:
                        break
        except SafelightError as error:
            outcome = outcome or error.code.value
        except MemoryError:
            outcome = outcome or "no memory"
        else:
            outcome = outcome or "read"
            if len(times) < MOST_PICTURES and (wrong := _wrong_copy(data, times, accept)):
                return outcome, wrong
            break
    return outcome, ""


def _wrong_copy(data: bytes, times: list[int], accept: bool) -> str:
    """Write the copy behind the curtain and look at it with FFmpeg alone."""
    from safelight.errors import SafelightError
    from safelight.hide.apply import apply
    from safelight.media.read import Reader
    from safelight.plan import Clip, Origin, Plan, Settings

    try:
        with Reader(io.BytesIO(data), accept_damaged=accept) as reader:
            facts = reader.facts
            plan = Plan(
                clip=Clip.of("0" * 64, facts.raster.shown_size, facts.time_base, times, still=facts.still),
                origin=Origin(safelight="fuzz", finders={}),
                settings=Settings(curtain=True),
            )
            done = apply(reader, plan, Path("copy"))
    except SafelightError:
        return ""  # refused late is refused
    made = done.copy.read_bytes()
    done.copy.unlink()
    if MARK in made:
        return "the copy holds something of the source"
    with av.open(io.BytesIO(made)) as copy:
        frames = sum(1 for _ in copy.decode(video=0))
    return "" if frames == len(times) else f"{len(times)} pictures were read, the copy has {frames}"


def main() -> None:
    """The worker: read the seeds, lock, examine mutants, a line of JSON for each."""
    from safelight.errors import SafelightError  # noqa: F401 (loaded before the lock, as everything that is code)
    from safelight.workers.confine import Bounds, lock

    parser = argparse.ArgumentParser()
    for name, kind in (("seeds", Path), ("room", Path), ("first", int), ("end", int)):
        parser.add_argument(name, type=kind)
    asked = parser.parse_args()
    herd = [path.read_bytes() for path in sorted(asked.seeds.glob("*.seed"))]
    os.chdir(asked.room)
    bounds = Bounds(memory=3 << 30, processor=36_000, file=1 << 30, folder=1 << 30, needed=False)
    lock(bounds, folder=asked.room, readable=[])
    for number in range(asked.first, asked.end):
        began, finding = time.monotonic(), ""
        data = mutant(herd, number)
        try:
            outcome, finding = examine(data)
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            outcome, finding = "unforeseen", f"{type(error).__name__}: {error}"
        told = {"number": number, "outcome": outcome, "finding": finding, "seconds": time.monotonic() - began}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
