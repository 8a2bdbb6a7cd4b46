"""Takes the camera out of the picture: crop, turn, moving bend, smaller size, noise away, fresh grain.

Comes after hiding and developing, so the fill of hidden areas gets the same grain as the rest, and what it works on
holds nothing that was hidden. Each plane is sampled once, through one map; nothing is resampled twice.

What is drawn by lot follows from a key of secret bytes. `hide` draws a key from the system for each copy and forgets
it; only tests hand one in. So two copies of one clip differ, and nobody can work out the bend, this house included.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from statistics import NormalDist

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from safelight.hide.denoise import noise_of, without_sparks
from safelight.hide.warp import KEY_BYTES, Warp, dice
from safelight.media.develop import Developed
from safelight.media.planes import subsampling, view
from safelight.plan import Plan, Sensor

Plane = NDArray[np.uint8]

_MIDDLE = 128  # stands for 0 where a byte holds a difference
_LEAST = 16  # pixels, either side: below, nothing is left to scale down


@dataclass(frozen=True)
class Recipe:
    """``scale``: of either side; ``lines``: shorter side in pixels below which is not scaled down. ``reach``: of the
    bend, pixels of the original. ``luma``, ``chroma``: grey levels taken for noise, finest detail first. ``grain``:
    standard deviation of what is added, grey levels. ``quality``: x264's rate factor. ``sparks``: grey levels by which
    a single spot may stick out; None: spots are left, for a distant lamp is one too.
    """

    scale: float
    lines: int
    reach: float
    luma: tuple[int, ...]
    chroma: tuple[int, ...]
    grain: float
    quality: int
    sparks: int | None = None


RECIPES = {
    Sensor.DEFAULT: Recipe(0.66, 480, 1.6, (4, 2, 1), (3, 2), 1.5, 24),
    Sensor.STRONG: Recipe(0.5, 240, 2.2, (6, 3, 2), (4, 3), 2.0, 26, sparks=6),
}


def copy_size(size: tuple[int, int], recipe: Recipe, *, even: bool) -> tuple[int, int]:
    """(width, height) of the copy of a picture of that size; ``even``: as films need them."""
    shorter = min(size)
    factor = min(max(recipe.scale, recipe.lines / shorter), 1.0)
    unit = 2 if even else 1
    width, height = (max(round(side * factor / unit) * unit, min(_LEAST, side + side % unit)) for side in size)
    return width, height


def planned_size(plan: Plan) -> tuple[int, int]:
    """(width, height) of the copy that a plan asks for; without treatment that of the clip."""
    size = plan.clip.width, plan.clip.height
    if plan.settings.sensor is Sensor.OFF:
        return size
    return copy_size(size, RECIPES[plan.settings.sensor], even=not plan.clip.still)


def draw_key() -> bytes:
    """A key that nobody can guess. Whoever holds it can undo the bend: keep it in memory, and only while needed."""
    return os.urandom(KEY_BYTES)


class Treatment:
    """Treats the developed pictures of one clip. The same pictures and key give the same copy, in any order.

    ``size``: (width, height) of the pictures without padding. ``base``: seconds per tick; times count from ``first``.
    """

    def __init__(
        self, size: tuple[int, int], recipe: Recipe, key: bytes, *, still: bool, base: Fraction, first: int
    ) -> None:
        self.size = copy_size(size, recipe, even=not still)
        self.warp = Warp(size, self.size, recipe.reach, key)
        self._recipe = recipe
        self._key = key
        self._base = base
        self._first = first

    def treat(self, picture: Developed) -> Developed:
        """The picture as the copy shows it; the one given is left alone."""
        bent = self.bend(picture)
        self.calm(bent)
        return bent

    def bend(self, picture: Developed) -> Developed:
        """A new picture: cropped, turned, bent and scaled, every plane sampled once. To be calmed."""
        seconds = self.seconds(picture.pts)
        source = picture.frame
        layout = source.format
        frame = VideoFrame(*self.size, layout.name)
        shared = subsampling(layout)
        maps = {sub: self.warp.maps(seconds, sub) for sub in {(1, 1), shared}}
        for index in range(3):
            sub = shared if index else (1, 1)
            plane = self._without_padding(view(source, index), picture.size, sub)
            if self._recipe.sparks is not None:
                plane = without_sparks(plane, self._recipe.sparks)
            view(frame, index)[:] = cv2.remap(plane, *maps[sub], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        frame.color_range, frame.colorspace = source.color_range, source.colorspace
        frame.color_primaries, frame.color_trc = source.color_primaries, source.color_trc
        frame.pts = picture.pts
        return Developed(frame, picture.pts, picture.colour, self.size)

    def calm(self, picture: Developed) -> None:
        """Take out of a bent picture, in place, what is as weak as noise, and give it fresh grain."""
        for index in range(3):
            plane = np.ascontiguousarray(view(picture.frame, index))
            change = -noise_of(plane, self._recipe.chroma if index else self._recipe.luma)
            if index == 0:
                change += self._grain(plane.shape, picture.pts)
            # OpenCV adds signed bytes to unsigned ones too, but takes twice as long
            above = change.view(np.uint8) ^ _MIDDLE
            view(picture.frame, index)[:] = cv2.addWeighted(plane, 1, above, 1, -float(_MIDDLE))

    def seconds(self, pts: int) -> float:
        """The time of a picture on the warp's clock."""
        return float((pts - self._first) * self._base)

    def _without_padding(self, plane: Plane, size: tuple[int, int], sub: tuple[int, int]) -> Plane:
        return plane[: -(-size[1] // sub[1]), : -(-size[0] // sub[0])]

    def _grain(self, shape: tuple[int, ...], pts: int) -> NDArray[np.int8]:
        """Fresh grain for one picture."""
        count = shape[0] * shape[1]
        lots = dice(self._key, "grain", pts).bit_generator.random_raw(-(-count // 8)).astype("<u8", copy=False)
        return np.asarray(cv2.LUT(lots.view(np.uint8)[:count].reshape(shape), _bell(self._recipe.grain)), np.int8)


@lru_cache(maxsize=4)
def _bell(sigma: float) -> NDArray[np.int8]:
    """Turns even bytes into normally spread ones around 0."""
    bell = NormalDist(0, sigma)
    return np.array([round(bell.inv_cdf((value + 0.5) / 256)) for value in range(256)], np.int8)
