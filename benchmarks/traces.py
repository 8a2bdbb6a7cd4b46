"""What the lens, the lamps and the first codec leave in a picture, and how much of it is still in the copy.

    python -m benchmarks.traces VIDEO... [--frames 130] [--size 640 360] [--flicker FILM...]

Nothing is hidden; each copy is made as `hide` makes it, without the treatment against sensor noise and with it at both
strengths. Figures:

* vignette: how much darker the corners are than without it, in % (20 were put in). dirt: contrast of six soft spots on
  the lens, in % (4 were put in), averaged over all pictures, each spot looked for within a few pixels of its place
* lamps: brightness that swings by 3 % at 10 Hz (100 Hz seen 30 times a second), its phase drifting with the grid;
  correlation of the drift in the copy with the original's (as it is; 1 is all of it)
* grid: how far the block grid of the first codec stands out of chance, in spreads, at the size it has in the copy
* pulse: how far the period of the first codec's key pictures (13) stands out in the sharpness over time, in the power
  of its surroundings; the column of the uncoded pictures tells what the pictures and the copy's own coding make of it

With --flicker films are asked, as they are, whether lamps flicker in them: power of the brightness at the frequency
where 100 and 120 Hz would be seen, in power of its surroundings; above 10 is a flicker.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from benchmarks.sensor import Grey, Luma, lumas, safelight, write
from safelight.media.planes import view
from safelight.plan import Sensor

RATE, PERIOD = 30, 13
SWING, SEEN = 0.03, 10.0
DARKER, SPOT = 0.2, 0.04
CODINGS = {
    "uncoded": ("ffv1", {}),
    "MPEG-4, q 8": ("mpeg4", {"flags": "+qscale", "global_quality": str(8 * 118)}),
    "MPEG-2, q 8": ("mpeg2video", {"flags": "+qscale", "global_quality": str(8 * 118)}),
    "H.264, CRF 28": ("libx264", {"crf": "28", "preset": "veryfast", "x264-params": "scenecut=0"}),
}


def filmed(path: Path, pictures: list[Luma], codec: str, options: dict[str, str]) -> Path:
    """Grey pictures in a first coding, a key picture every PERIOD."""
    return write(path, pictures, options | {"g": str(PERIOD), "bf": "0"}, codec=codec, rate=RATE)


def real(video: Path, frames: int, size: tuple[int, int]) -> list[Luma]:
    """Its first pictures at one size."""
    found: list[Luma] = []
    with av.open(str(video)) as film:
        for frame in film.decode(video=0):
            found.append(np.asarray(cv2.resize(np.array(view(frame, 0)), size, interpolation=cv2.INTER_AREA), np.uint8))
            if len(found) == frames:
                break
    return found


def spots(size: tuple[int, int]) -> list[tuple[float, float, float]]:
    """Place and radius of the dirt, in shares of width, height and width."""
    dice = np.random.default_rng(3)
    return [(float(dice.uniform(0.15, 0.85)), float(dice.uniform(0.15, 0.85)), 9 / size[0]) for _ in range(6)]


def through_lens(pictures: list[Luma]) -> list[Luma]:
    """The pictures through a lens with a vignette and dirt."""
    height, width = pictures[0].shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    away = np.hypot((x - width / 2) / (width / 2), (y - height / 2) / (height / 2)) / np.sqrt(2)
    shade = 1 - DARKER * away**2
    for across, down, radius in spots((width, height)):
        shade *= 1 - SPOT * np.exp(-((x - across * width) ** 2 + (y - down * height) ** 2) / (radius * width) ** 2)
    return [np.clip(np.rint(luma * shade), 0, 255).astype(np.uint8) for luma in pictures]


def mean(pictures: list[Luma]) -> Grey:
    return np.asarray(np.mean(pictures, axis=0, dtype=np.float64), np.float32) + 1


def lens(with_it: list[Luma], without: list[Luma]) -> tuple[float, float]:
    """How dark the corners are, and the mean contrast of the spots, both in %."""
    ratio = mean(with_it) / mean(without)
    height, width = ratio.shape
    edge, middle = height // 8, ratio[3 * height // 8 : 5 * height // 8, 3 * width // 8 : 5 * width // 8]
    corners = [ratio[a, b].mean() for a in (slice(edge), slice(-edge, None)) for b in (slice(edge), slice(-edge, None))]
    detail = ratio / cv2.GaussianBlur(ratio, (0, 0), 30 * width / 640)
    found = []
    for across, down, radius in spots((width, height)):
        at_x, at_y, reach = round(across * width), round(down * height), round(2 * radius * width)
        soft = cv2.GaussianBlur(detail, (0, 0), radius * width / 3)
        found.append(1 - soft[at_y - reach : at_y + reach, at_x - reach : at_x + reach].min())
    return 100 * (1 - float(np.mean(corners)) / float(middle.mean())), 100 * float(np.mean(found))


def lit(pictures: list[Luma]) -> tuple[list[Luma], NDArray[np.float64]]:
    """The pictures under a lamp on a grid whose frequency wanders, and the lamp's phase in each."""
    dice = np.random.default_rng(5)
    wander = np.cumsum(dice.normal(0, 0.15, len(pictures)))
    phase = 2 * np.pi * SEEN / RATE * np.arange(len(pictures)) + wander
    swung = [
        np.clip(luma * (1 + SWING * np.sin(at)), 0, 255).astype(np.uint8)
        for luma, at in zip(pictures, phase, strict=True)
    ]
    return swung, wander


def drift(pictures: list[Luma]) -> NDArray[np.float64]:
    """The phase of the lamp in each picture, less what an even swing would have."""
    light = np.array([luma.mean() for luma in pictures])
    light = light / median_filter(light, 9) - 1
    turning = light * np.exp(-2j * np.pi * SEEN / RATE * np.arange(len(light)))
    window = np.hanning(17)
    return np.unwrap(np.angle(np.convolve(turning, window, "valid")))


def grid(pictures: list[Luma], size: float) -> float:
    """How far a grid of about ``size`` pixels stands out among the steps between columns, in spreads of chance."""
    steps = np.mean([np.abs(np.diff(luma.astype(np.float32), axis=1)).mean(axis=0) for luma in pictures[::4]], axis=0)
    steps = steps - median_filter(steps, 9)
    power = np.abs(np.fft.rfft(steps * np.hanning(len(steps)), 4 * len(steps)))
    where = np.fft.rfftfreq(4 * len(steps))
    here = np.abs(where * size - 1) < 0.04
    around = (np.abs(where * size - 1) < 0.3) & ~here
    return float(
        (power[here].max() - np.median(power[around]))
        / (1.4826 * np.median(np.abs(power[around] - np.median(power[around]))))
    )


def pulse(pictures: list[Luma]) -> float:
    """Power of sharpness over time at the period of key pictures and its multiples, in that of all other periods."""
    sharp = np.array([np.abs(cv2.Laplacian(luma.astype(np.float32), cv2.CV_32F)).mean() for luma in pictures])
    sharp = sharp / median_filter(sharp, 7) - 1
    length = len(sharp) // PERIOD * PERIOD
    power = np.square(np.abs(np.fft.rfft(sharp[:length])))
    beats = np.arange(1, PERIOD // 2) * (length // PERIOD)
    others = np.delete(power, [0, *beats])
    return float(power[beats].mean() / max(np.median(others), 1e-12))


def flicker(video: Path) -> list[str]:
    """A row about a film as it is: its rate, and how far lamps on 50 and 60 Hz stand out in brightness over time."""
    with av.open(str(video)) as film:
        rate = float(film.streams.video[0].average_rate or 25)
        rows = []
        for number, frame in enumerate(film.decode(video=0)):
            rows.append(np.array(view(frame, 0), np.float32).mean(axis=1))
            if number == 600:
                break
    profile = np.array(rows)
    waves = np.fft.rfft(profile, axis=1)[:, :4]  # the whole, and up to three bars from rolling shutters
    told = [video.stem[:24], f"{rate:.2f}", str(len(rows))]
    for lamp in (100.0, 120.0):
        seen = abs(lamp - round(lamp / rate) * rate)
        if seen < 0.3:
            told.append("stands still")
            continue
        best = 0.0
        for wave in waves.T:
            course = wave - median_filter(wave.real, 9) - 1j * median_filter(wave.imag, 9)
            power = np.square(np.abs(np.fft.fft(course * np.hanning(len(course)))))
            where = np.abs(np.fft.fftfreq(len(course), 1 / rate))
            here, around = np.abs(where - seen) < 0.15, (np.abs(where - seen) > 0.3) & (np.abs(where - seen) < 2)
            if here.any() and around.any():
                best = max(best, float(power[here].max() / np.median(power[around])))
        told.append(f"{best:.1f} (at {seen:.2f} Hz)")
    return told


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("videos", type=Path, nargs="+")
    ask.add_argument("--frames", type=int, default=130)
    ask.add_argument("--size", type=int, nargs=2, default=(640, 360), metavar=("WIDTH", "HEIGHT"))
    ask.add_argument("--flicker", type=Path, nargs="*", default=[], help="films to look at for lamps, as they are")
    asked = ask.parse_args()
    print("| film | copy | vignette % | dirt % | lamps |" + "".join(f" grid, {c} | pulse |" for c in CODINGS))
    print("|---|---|---|---|---|" + "---|---|" * len(CODINGS))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for video in asked.videos:
            plain = real(video, asked.frames, tuple(asked.size))
            swung, _ = lit(plain)
            sources = {
                "plain": filmed(folder / f"{video.stem}-plain.mkv", plain, "ffv1", {}),
                "lens": filmed(folder / f"{video.stem}-lens.mkv", through_lens(plain), "ffv1", {}),
                "lit": filmed(folder / f"{video.stem}-lit.mkv", swung, "ffv1", {}),
            }
            for number, (coding, (codec, options)) in enumerate(CODINGS.items()):
                suffix = "mp4" if codec == "libx264" else "mkv"
                sources[coding] = filmed(folder / f"{video.stem}-{number}.{suffix}", plain, codec, options)
            truth = drift(swung)
            for kind in (None, Sensor.OFF, Sensor.DEFAULT, Sensor.STRONG):
                made = {}
                for which, source in sources.items():
                    target = folder / f"{source.stem}-{kind}.mp4"
                    made[which] = lumas(source if kind is None else safelight(kind)(source, target))
                dark, dirt = lens(made["lens"], made["plain"])
                seen = drift(made["lit"])
                cells = [
                    f"{dark:.1f}",
                    f"{dirt:.1f}",
                    f"{np.corrcoef(seen - seen.mean(), truth - truth.mean())[0, 1]:.2f}",
                ]
                zoom = 1.0 if kind in (None, Sensor.OFF) else 1.015
                size = 8 * made["plain"][0].shape[1] / asked.size[0] * zoom
                for coding in CODINGS:
                    cells += [f"{grid(made[coding], size):.1f}", f"{pulse(made[coding]):.1f}"]
                print(
                    f"| {video.stem[:20]} | {'source' if kind is None else kind.value} | {' | '.join(cells)} |",
                    flush=True,
                )
    if asked.flicker:
        print("\n| film | pictures a second | pictures | 100 Hz | 120 Hz |\n|---|---|---|---|---|")
    for video in asked.flicker:
        print(f"| {' | '.join(flicker(video))} |", flush=True)


if __name__ == "__main__":
    main()
