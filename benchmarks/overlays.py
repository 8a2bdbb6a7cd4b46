"""Is text that a camera burns into its picture found and covered, and is nothing else taken for it?

    python -m benchmarks.overlays MEDIA [--each 6] [--seconds 16]

MEDIA: a folder with films in `video/`. Into excerpts of four of them, and into a film cut together from them, two
lines are burnt, one a running clock: several fonts, heights, colours, plain, outlined or on a box; a quarter blink, a
third shake by a pixel; every frame goes through JPEG. *faint* lines are grey, half transparent and one pixel thin. A
line counts as covered when every inked pixel of every frame (every fifth is checked) lies in a region that is hidden.
*as they are*: all films without anything added, where every overlay is a false one, unless the film has one.
"""

from __future__ import annotations

import argparse
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.film import Image, Shown
from safelight.find.cuts import glances
from safelight.find.signs import Signs
from safelight.find.text import TextFinder
from safelight.geometry import Box
from safelight.plan import Decision, Kind, Region

FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_PLAIN, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX)
COLOURS = ((255, 255, 255), (0, 255, 255), (0, 220, 0), (40, 40, 240), (255, 200, 80), (235, 235, 235))
SCENES = ("vtest.avi", "short_hamilton_clip.mp4", "WolfgangLanger_Pexels.mp4", "intel/one-by-one-person-detection.mp4")


@dataclass
class Line:
    """One burnt-in line; ``inked``: frame, and x, y of its pixels there."""

    random: np.random.Generator
    top: bool
    clock: bool
    faint: bool
    inked: list[tuple[int, Image]] = field(default_factory=list)

    def __post_init__(self) -> None:
        chance = self.random
        self.font = int(chance.choice(FONTS))
        self.part = float(chance.uniform(0.022, 0.05))
        self.colour = COLOURS[int(chance.integers(len(COLOURS)))] if not self.faint else (170, 170, 170)
        self.style = "plain" if self.faint else str(chance.choice(["plain", "outlined", "box"]))
        self.blinks, self.shakes = bool(chance.random() < 0.25), bool(chance.random() < 0.33)
        self.left = bool(chance.random() < 0.5)

    def burn(self, picture: Image, frame: int, rate: float) -> None:
        """Write the line into a picture."""
        second = int(frame / rate)
        if self.blinks and second % 2:
            return
        text = f"2026-11-22 23:{second // 60:02}:{second % 60:02}" if self.clock else "CAM 04 EAST GATE"
        height, width = picture.shape[:2]
        tall = max(self.part * height, 8.0)
        thick = 1 if self.faint else max(round(tall / 12), 1)
        scale = tall / cv2.getTextSize(text, self.font, 1.0, 1)[0][1]
        (wide, _), _ = cv2.getTextSize(text, self.font, scale, thick)
        x = 10 if self.left else width - wide - 10
        y = round(10 + tall) if self.top else height - 12
        if self.shakes:
            x, y = x + frame // 5 % 3 - 1, y + frame // 7 % 3 - 1
        ink = np.zeros(picture.shape[:2], np.uint8)
        cv2.putText(ink, text, (x, y), self.font, scale, 255, thick, cv2.LINE_AA)
        if self.style == "box":
            picture[max(round(y - 1.3 * tall), 0) : y + round(0.4 * tall), max(x - 4, 0) : x + wide + 4] = 0
        elif self.style == "outlined":
            cv2.putText(picture, text, (x, y), self.font, scale, (0, 0, 0), thick + 2, cv2.LINE_AA)
        part = (ink / 255.0)[..., None] * (0.5 if self.faint else 1.0)
        picture[:] = (picture * (1 - part) + np.array(self.colour) * part).astype(np.uint8)
        if frame % 5 == 0:
            rows, columns = np.nonzero(ink > 90)
            self.inked.append((frame, np.stack([columns, rows], axis=1).astype(np.int32)))

    def covered(self, regions: list[Region]) -> bool:
        """Whether all of it is hidden in every frame that was noted."""
        for frame, points in self.inked:
            hidden = np.zeros(len(points), bool)
            for region in regions:
                box = region.box_at(frame)
                if box is not None and region.decision is Decision.HIDE:
                    hidden |= ((points >= (box.x1, box.y1)) & (points < (box.x2, box.y2))).all(axis=1)
            if not hidden.all():
                return False
        return True


def pictures(path: Path, seconds: float) -> Iterator[tuple[Image, float]]:
    """The first frames of a film, and its rate."""
    with av.open(str(path)) as clip:
        rate = float(clip.streams.video[0].average_rate or 25)
        for number, frame in enumerate(clip.decode(video=0)):
            if number >= seconds * rate:
                return
            yield frame.to_ndarray(format="bgr24"), rate


def scene(media: Path, number: int, seconds: float) -> Iterator[tuple[Image, float]]:
    """One of the four films, or five shots of them."""
    names = [media / "video" / name for name in SCENES]
    if number < len(names):
        yield from pictures(names[number], seconds)
        return
    for place in (0, 1, 3, 2, 0):
        for picture, _ in pictures(names[place], seconds / 5):
            yield np.asarray(cv2.resize(picture, (640, 360), interpolation=cv2.INTER_AREA), np.uint8), 25.0


def searched(words: TextFinder, shown: Iterator[tuple[Image, float]], lines: list[Line], quality: int) -> list[Region]:
    """What finding writing makes of a film into which lines are burnt."""
    first, rate = next(shown)
    height, width = first.shape[:2]

    def burnt() -> Iterator[Shown]:
        for frame, picture in enumerate((first, *(p for p, _ in shown))):
            copy = picture.copy()
            for line in lines:
                line.burn(copy, frame, rate)
            _, data = cv2.imencode(".jpg", copy, [cv2.IMWRITE_JPEG_QUALITY, quality])
            yield Shown(frame, frame, np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8))

    signs = Signs(width, height, rate, words)
    cuts, count = [], 0
    for glance in glances(burnt(), width, height):
        count += 1
        if glance.cut:
            cuts.append(glance.picture.index)
        signs.step(signs.note(glance))
    found = signs.regions(cuts, array("q", range(count)), round(0.3 * rate))
    return [region for region in found if region.kind is Kind.OVERLAY]


def elsewhere(regions: list[Region], lines: list[Line]) -> int:
    """Overlays that touch no line."""
    spans = [Box(*points.min(axis=0), *points.max(axis=0)) for line in lines for _, points in line.inked[:1]]
    boxes = [region.keyframes[0].box for region in regions]
    return sum(all(box.intersection(span).area <= 0 for span in spans) for box in boxes)


def main() -> None:
    """Print the table."""
    ask = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    ask.add_argument("media", type=Path)
    ask.add_argument("--each", type=int, default=6, help="films made of each scene; a third as many faint ones")
    ask.add_argument("--seconds", type=float, default=16.0)
    asked = ask.parse_args()
    words, table = TextFinder(), Table(title="burnt-in overlays")
    for title in ("", "films", "lines", "covered", "overlays elsewhere"):
        table.add_column(title)
    for faint in (False, True):
        films = covered = wrong = count = 0
        for number in range(len(SCENES) + 1):
            for turn in range(max(asked.each // 3, 1) if faint else asked.each):
                chance = np.random.default_rng([number, turn, faint])
                lines = [Line(chance, top, clock=top != bool(turn % 2), faint=faint) for top in (True, False)]
                quality = int(chance.integers(60, 90))
                regions = searched(words, scene(asked.media, number, asked.seconds), lines, quality)
                films, count = films + 1, count + len(lines)
                covered += sum(line.covered(regions) for line in lines)
                wrong += elsewhere(regions, lines)
        table.add_row("faint" if faint else "ordinary", str(films), str(count), str(covered), str(wrong))
    whole = sorted(p for p in (asked.media / "video").rglob("*") if p.suffix in {".mp4", ".avi", ".gif"})
    wrong = 0
    for path in whole:
        wrong += len(searched(words, pictures(path, 1e6), [], 95))
    table.add_row("as they are", str(len(whole)), "", "", str(wrong))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
