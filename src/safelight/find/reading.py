"""What is written in a picture, read so that protected names can be looked for in it. Nothing else uses it.

The network (PP-OCRv6, recogniser) reads a line of Latin, Greek, Chinese or Japanese letters. It gives, for each step
along the line, how likely each character is; as in Graves et al., "Connectionist temporal classification" (2006), the
likeliest of each step are taken, repeats joined and blanks left out. It knows no Arabic and no Cyrillic letters: what
it cannot read goes to :mod:`safelight.find.scripts`, where that is installed, and is told where it is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.find.scripts import installed
from safelight.find.text import SIDE, TextFinder
from safelight.geometry import Box
from safelight.models import engine

LARGEST = 1920  # longest side that is looked at; letters smaller than that shows are not readable on a page either
_OVERLAP = 192  # pixels by which neighbouring pieces of a large picture overlap, so that few words are cut
_HEIGHT = 48  # of a line, as the network wants it
_WIDTHS = (160, 320, 640, 1280, 2560)  # a line is filled up to one of these; each is compiled once
_GREY = 127  # what it is filled up with
_SURE = 0.5  # mean probability from which a line is taken for words
_TALL = 1.5  # height over width from which a word stands on its side
_LEAST = 10  # pixels of height from which a line that nobody could read is told ...
_LONG = 2.0  # if it is that much wider than high: posts, windows and other single things pass for letters
_INSIDE = 0.7  # share of a box in another from which it is the same word


@dataclass(frozen=True)
class Reading:
    """The words in a picture, from above to below, "" for none; and how many lines look like words but are unread."""

    text: str
    unread: int


class TextReader:
    """Finds and reads the lines of one picture after the other."""

    def __init__(self) -> None:
        """Raises SafelightError: as :func:`safelight.models.engine.network`."""
        self._finder = TextFinder()
        self._network = engine.network("letters")
        self._scripts = installed()
        self._letters = ["", *engine.alphabet("letters"), " "]  # the network's own first one is the blank

    def read(self, bgr: NDArray[np.uint8]) -> Reading:
        """What is written in a picture (height, width, 3)."""
        scale = min(LARGEST / max(bgr.shape[:2]), 1.0)
        if scale < 1:
            bgr = np.asarray(cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        lines: list[str] = []
        unread = 0
        for row in _rows(self._boxes(bgr)):
            told = [self._line(bgr, box) for box in row]
            ways = max((len(readings) for readings, _ in told), default=0)
            for way in range(ways):
                words = [readings[min(way, len(readings) - 1)] for readings, _ in told if readings]
                lines += [" ".join(words), *([" ".join(reversed(words))] if ways > 1 and len(words) > 1 else [])]
            unread += sum(not sure and _is_line(box) for (_, sure), box in zip(told, row, strict=True))
        return Reading("\n".join(line for line in lines if line), unread)

    def _boxes(self, bgr: NDArray[np.uint8]) -> list[Box]:
        """Where words are: in the whole picture, made smaller, and in pieces of it as it is."""
        height, width = bgr.shape[:2]
        scale = min(SIDE / max(height, width), 1.0)
        small = np.asarray(cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        found = [_larger(d.box, 1 / scale, 0, 0) for d in self._finder.find(small)]
        if scale < 1:
            for y in _starts(height):
                for x in _starts(width):
                    piece = np.ascontiguousarray(bgr[y : y + SIDE, x : x + SIDE])
                    found += [_larger(d.box, 1.0, x, y) for d in self._finder.find(piece)]
        kept: list[Box] = []
        for box in sorted(found, key=lambda box: -box.area):
            if not any(_share(box, other) > _INSIDE for other in kept):
                kept.append(box)
        return kept

    def _line(self, bgr: NDArray[np.uint8], box: Box) -> tuple[list[str], bool]:
        """What stands in a box, in one reading or several, and whether it is read for sure."""
        whole = box.clipped(bgr.shape[1], bgr.shape[0])
        crop = bgr[int(whole.y1) : int(np.ceil(whole.y2)), int(whole.x1) : int(np.ceil(whole.x2))]
        if min(crop.shape[:2]) < 2:
            return [], True
        if crop.shape[0] > _TALL * crop.shape[1]:
            crop = np.rot90(crop)
        crop = np.ascontiguousarray(crop)
        width = min(max(round(crop.shape[1] * _HEIGHT / crop.shape[0]), 1), _WIDTHS[-1])
        filled = np.full((_HEIGHT, next(w for w in _WIDTHS if w >= width), 3), _GREY, np.uint8)
        filled[:, :width] = cv2.resize(crop, (width, _HEIGHT), interpolation=cv2.INTER_LINEAR)
        text = self.decode(self._network(filled)[0][0])
        if text:
            return [text], True
        return self._scripts.read(crop) if self._scripts is not None else ([], False)

    def decode(self, likely: NDArray[np.float32]) -> str:
        """The text of a line: likelihoods (steps, characters) in, "" where the network is not sure."""
        best = likely.argmax(axis=1)
        fresh = np.append(True, best[1:] != best[:-1]) & (best > 0)
        if not fresh.any() or float(likely.max(axis=1)[fresh].mean()) < _SURE:
            return ""
        text = "".join(self._letters[i] for i in best[fresh]).strip()
        return text if sum(character.isalnum() for character in text) > 1 else ""  # else most likely no word at all


def _is_line(box: Box) -> bool:
    """Whether it has the form of a line of writing."""
    return box.height >= _LEAST and box.x2 - box.x1 >= _LONG * box.height


def _starts(side: int) -> Iterator[int]:
    """Where pieces begin along a side so that they cover it."""
    count = -(-max(side - _OVERLAP, 1) // (SIDE - _OVERLAP))
    last = max(side - SIDE, 0)
    yield from sorted({round(last * i / max(count - 1, 1)) for i in range(count)})


def _larger(box: Box, factor: float, x: float, y: float) -> Box:
    return Box(box.x1 * factor + x, box.y1 * factor + y, box.x2 * factor + x, box.y2 * factor + y)


def _share(box: Box, other: Box) -> float:
    """How much of a box lies in another, 0 to 1."""
    width = min(box.x2, other.x2) - max(box.x1, other.x1)
    height = min(box.y2, other.y2) - max(box.y1, other.y1)
    return max(width, 0.0) * max(height, 0.0) / max(box.area, 1e-9)


def _rows(boxes: list[Box]) -> list[list[Box]]:
    """Boxes that stand beside each other, from left to right; the rows from above to below."""
    rows: list[list[Box]] = []
    for box in sorted(boxes, key=lambda box: box.y1 + box.y2):
        middle = (box.y1 + box.y2) / 2
        if rows and rows[-1][0].y1 < middle < rows[-1][0].y2:
            rows[-1].append(box)
        else:
            rows.append([box])
    return [sorted(row, key=lambda box: box.x1) for row in rows]
