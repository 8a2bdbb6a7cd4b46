"""Films of a camera that wanders over a photograph: each second another picture, at any size and rate.

The photographs are scikit-image's: coffee (CC0 by Rachel Michetti), astronaut (NASA, public domain).
"""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import cv2
from skimage import data

from tests.media.build import Image, clip

PHOTOGRAPHS = {1: data.coffee, 2: data.astronaut}


def picture(seed: int, seconds: float, width: int, height: int) -> Image:
    """What film number ``seed`` shows at a moment."""
    whole = PHOTOGRAPHS[seed]()
    across = 240 + 40 * math.sin(0.5 * seconds)
    down = across * 9 / 16
    x = (whole.shape[1] - across) * (0.5 + 0.5 * math.sin(0.25 * seconds + seed))
    y = (whole.shape[0] - down) * (0.5 + 0.5 * math.sin(0.4 * seconds))
    seen = whole[int(y) : int(y + down), int(x) : int(x + across)]
    return cv2.resize(seen, (width, height), interpolation=cv2.INTER_AREA).astype("uint8")


def film(
    path: Path,
    seed: int,
    *,
    begin: float = 0.0,
    seconds: float = 5.0,
    size: tuple[int, int] = (320, 180),
    rate: int = 25,
    clock: str = "",
    **more: object,
) -> Path:
    """Write seconds of a film. ``clock``: burnt in, with {} for the seconds since the file's beginning."""

    def frame(index: int, width: int, height: int) -> Image:
        made = picture(seed, begin + index / rate, width, height)
        if clock:
            text = clock.format(f"{index // rate:02}")
            cv2.rectangle(made, (8, height - 44), (width - 8, height - 8), (0, 0, 0), -1)
            cv2.putText(made, text, (16, height - 18), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (255, 255, 255), 2, cv2.LINE_AA)
        return made

    width, height = size
    return clip(
        path, frames=round(seconds * rate), rate=Fraction(rate), width=width, height=height, picture=frame, **more
    )
