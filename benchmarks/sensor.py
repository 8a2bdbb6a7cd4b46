"""Can a camera be told from copies of its films? A known sensor under real pictures, before and after several tools.

    python -m benchmarks.sensor VIDEO... [--frames 48] [--size 1280 720] [--strengths 0.003 0.006] [--deface]

Each film's pictures are brought to one size, get a sensor's pattern (a share of the light) and random noise, and are
coded as a camera codes them. The attacker has the pattern itself, better than any estimate. Copies: the file with its
tags stripped (pixels untouched, as mat2 and exiftool leave them), H.264 again at CRF 23 and 28, deface 1.5.0, and
Safelight at both strengths with nothing to hide. Figures per film:

* all, one: peak to correlation energy over all shifts, of all pictures and of the clearest one (a match: above 45)
* blocks: search block by block, in stretches of 6 and of 24 pictures, the worse of both (a match: z above 4)
* knows: with the bend undone by who knows it (a match: above 60, strong 25); for the others: in place
* SSIM, PSNR: against the camera's file through the same bend; ms: processor time of making the copy, per picture

The last lines of each strength put all films of the camera together.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.speed import deface
from safelight.attack.prnu import Tally, block_z, pce, residual
from safelight.hide.apply import apply
from safelight.hide.sensor import RECIPES
from safelight.hide.warp import KEY_BYTES, Warp
from safelight.media.planes import view
from safelight.media.read import Reader
from safelight.plan import Clip, Origin, Plan, Sensor, Settings

RATE = 25
KEY = bytes(range(KEY_BYTES))
BURSTS = (6, 24)
Luma = NDArray[np.uint8]
Grey = NDArray[np.float32]


@dataclass
class Camera:
    """A sensor's pattern, and what its copies gave away so far, by the way the copies were made."""

    pattern: Grey
    tallies: dict[str, Tally] = field(default_factory=dict)
    known: dict[str, Tally] = field(default_factory=dict)
    bursts: dict[tuple[str, int], list[Grey]] = field(default_factory=dict)


def lumas(path: Path) -> list[Luma]:
    """All pictures' luma as stored."""
    with av.open(str(path)) as film:
        return [np.array(view(frame, 0)) for frame in film.decode(video=0)]


def write(
    path: Path, pictures: list[Luma], options: dict[str, str], *, codec: str = "libx264", rate: int = RATE
) -> Path:
    """Grey pictures as a film, by an encoder with ``options``; returns ``path``."""
    with av.open(str(path), "w") as film:
        track = film.add_stream(codec, rate=rate, options=options)
        track.height, track.width = pictures[0].shape
        track.pix_fmt = "yuv420p"
        for luma in pictures:
            frame = av.VideoFrame(track.width, track.height, "yuv420p")
            for index in range(3):
                view(frame, index)[:] = luma if index == 0 else 128
            film.mux(track.encode(frame))
        film.mux(track.encode(None))
    return path


def exposed(source: Path, target: Path, camera: Camera, frames: int, seed: int) -> None:
    """Real pictures as this camera would have taken them."""
    height, width = camera.pattern.shape
    lot = np.random.default_rng(seed)
    pictures = []
    with av.open(str(source)) as film:
        for frame in film.decode(video=0):
            luma = cv2.resize(np.array(view(frame, 0)), (width, height), interpolation=cv2.INTER_CUBIC)
            light = luma.astype(np.float32) * (1 + camera.pattern)
            light += lot.standard_normal((height, width), dtype=np.float32) * 1.5
            pictures.append(np.clip(np.rint(light), 0, 255).astype(np.uint8))
            if len(pictures) == frames:
                break
    write(target, pictures, {"crf": "16", "preset": "veryfast"})


def safelight(sensor: Sensor) -> Callable[[Path, Path], Path]:
    """Makes copies as `hide` does, with nothing to hide."""

    def make(source: Path, target: Path) -> Path:
        with source.open("rb") as file, Reader(file) as reader:
            times = [picture.pts for picture in reader.pictures()]
            facts = reader.facts
        clip = Clip.of("0" * 64, facts.raster.shown_size, facts.time_base, times)
        plan = Plan(clip=clip, settings=Settings(sensor=sensor), origin=Origin(safelight="benchmark"))
        with source.open("rb") as file, Reader(file) as reader:
            return apply(reader, plan, target.with_suffix(""), key=KEY).copy

    return make


def again(crf: int) -> Callable[[Path, Path], Path]:
    """Codes the pictures again."""

    def make(source: Path, target: Path) -> Path:
        write(target, lumas(source), {"crf": str(crf), "preset": "veryfast"})
        return target

    return make


def stripped(source: Path, target: Path) -> Path:
    """The same pictures in a new file."""
    with av.open(str(source)) as film, av.open(str(target), "w") as out:
        track = out.add_stream_from_template(film.streams.video[0])
        for packet in film.demux(video=0):
            if packet.dts is not None:
                packet.stream = track
                out.mux(packet)
    return target


def defaced(source: Path, target: Path) -> Path:
    """deface 1.5.0 as it is."""
    subprocess.run([deface(), "-o", target, source], check=True, capture_output=True)
    return target


def similarity(a: Grey, b: Grey) -> float:
    """Structural similarity (Wang et al., 2004), mean over the picture."""

    def mean(x: Grey) -> Grey:
        return np.asarray(cv2.GaussianBlur(x, (11, 11), 1.5), np.float32)

    ma, mb = mean(a), mean(b)
    va, vb, both = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    value = ((2 * ma * mb + 6.5025) * (2 * both + 58.5225)) / ((ma**2 + mb**2 + 6.5025) * (va + vb + 58.5225))
    return float(value.mean())


def attacked(name: str, camera: Camera, copy: list[Luma], original: list[Luma], warp: Warp | None) -> list[str]:
    """The figures of one copy; what it gives away is added to the camera's."""
    height, width = copy[0].shape
    small = scaled(camera.pattern, width, height)
    every, known = Tally(), Tally()
    together = camera.tallies.setdefault(name, Tally())
    together_known = camera.known.setdefault(name, Tally())
    single, likeness, quality = 0.0, [], []
    bursts = {length: [Tally()] for length in BURSTS}
    for index, luma in enumerate(copy):
        noise, light = residual(luma), luma.astype(np.float32)
        every.add(noise, light)
        together.add(noise, light)
        for length, tallies in bursts.items():
            if index and index % length == 0:
                tallies.append(Tally())
            tallies[-1].add(noise, light)
        straight, source = noise, original[index].astype(np.float32)
        through = source
        if warp is not None:
            x, y = warp.back(index / RATE, *warp.original, warp.copy)
            straight = np.asarray(cv2.remap(noise, x, y, cv2.INTER_LINEAR), np.float32)
            through = cv2.remap(source, *warp.maps(index / RATE), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        known.add(straight, source)
        together_known.add(straight, source)
        if index % 8 == 0:
            one = Tally()
            one.add(noise, light)
            single = max(single, pce(small, one.pattern(), anywhere=True))
            likeness.append(similarity(light, np.asarray(through, np.float32)))
            quality.append(10 * np.log10(255**2 / max(float(np.square(light - through).mean()), 0.01)))
    blocks = -9.0
    for length, tallies in bursts.items():
        found = [tally.pattern() for tally in tallies]
        camera.bursts.setdefault((name, length), []).extend(found)
        blocks = max(blocks, block_z(small, found)[0])
    return [
        f"{pce(small, every.pattern(), anywhere=True):,.0f}",
        f"{single:,.0f}",
        f"{blocks:,.1f}",
        f"{pce(camera.pattern, known.pattern(), anywhere=False):,.0f}",
        f"{np.mean(likeness):.3f}",
        f"{np.mean(quality):.1f}",
    ]


def scaled(pattern: Grey, width: int, height: int) -> Grey:
    """The pattern as a copy of that size would have it."""
    return np.asarray(cv2.resize(pattern, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def main() -> None:
    """Print one table a strength."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("videos", type=Path, nargs="+")
    ask.add_argument("--frames", type=int, default=48, help="pictures of each film")
    ask.add_argument("--size", type=int, nargs=2, default=(1280, 720), metavar=("WIDTH", "HEIGHT"))
    ask.add_argument("--strengths", type=float, nargs="+", default=[0.003, 0.006], help="of the sensor's pattern")
    ask.add_argument("--deface", action="store_true", help="deface 1.5.0 too (is installed on first use; slow)")
    asked = ask.parse_args()
    ways: dict[str, Callable[[Path, Path], Path]] = {
        "tags stripped": stripped,
        "H.264 CRF 23": again(23),
        "H.264 CRF 28": again(28),
        **({"deface 1.5.0": defaced} if asked.deface else {}),
        "safelight off": safelight(Sensor.OFF),
        "safelight default": safelight(Sensor.DEFAULT),
        "safelight strong": safelight(Sensor.STRONG),
    }
    width, height = asked.size
    console = Console(width=120)
    for strength in asked.strengths:
        white = np.random.default_rng(7).standard_normal((height, width)).astype(np.float32)
        shared = cv2.GaussianBlur(white, (3, 3), 0.5)  # colour filters share their neighbours
        camera = Camera(np.asarray(shared * (strength / shared.std()), np.float32))
        table = Table(title=f"a sensor of {strength:.1%}, {asked.frames} pictures of {width} x {height} a film")
        for title in ("film", "copy", "all", "one", "blocks", "knows", "SSIM", "PSNR", "ms"):
            table.add_column(title, justify="left" if title in ("film", "copy") else "right")
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for number, video in enumerate(asked.videos):
                source = folder / f"camera{number}.mp4"
                exposed(video, source, camera, asked.frames, number)
                original = lumas(source)
                for way, make in ways.items():
                    began = time.process_time()
                    made = make(source, folder / f"{number}-{way.replace(' ', '-')}.mp4")
                    spent = 1000 * (time.process_time() - began) / len(original)
                    copy = lumas(made)
                    sensor = next((s for s in RECIPES if way == f"safelight {s.value}"), None)
                    warp = None
                    if sensor is not None:
                        size = copy[0].shape[1], copy[0].shape[0]
                        warp = Warp((width, height), size, RECIPES[sensor].reach, KEY)
                    figures = attacked(way, camera, copy, original, warp)
                    table.add_row(video.stem[:24], way, *figures, f"{spent:.0f}" if "deface" not in way else "")
                    print(".", end="", file=sys.stderr, flush=True)
        for way, tally in camera.tallies.items():
            found = tally.pattern()
            small = scaled(camera.pattern, found.shape[1], found.shape[0])
            blocks = max(block_z(small, camera.bursts[way, length])[0] for length in BURSTS)
            known = pce(camera.pattern, camera.known[way].pattern(), anywhere=False)
            table.add_row(
                "all together",
                way,
                f"{pce(small, found, anywhere=True):,.0f}",
                "",
                f"{blocks:,.1f}",
                f"{known:,.0f}",
                style="bold",
            )
        print(file=sys.stderr)
        console.print(table)


if __name__ == "__main__":
    main()
