"""A film held in memory in which the place of every head is known, and what a plan covers of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.geometry import Box
from safelight.media.facts import ClipFacts
from safelight.plan import Plan, Shape

Image = NDArray[np.uint8]
Points = NDArray[np.float64]  # (n, 2): x, y

COVERED = 0.95  # part of what must not be seen from which it counts as hidden


@dataclass
class Shown:
    """A picture as the media room gives it."""

    index: int
    pts: int
    frame: Image

    def bgr(self, width: int, height: int) -> Image:
        """The picture (height, width, 3) at that size."""
        if self.frame.shape[1::-1] == (width, height):
            return self.frame.copy()
        return np.asarray(cv2.resize(self.frame, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def luma(self, width: int, height: int) -> Image:
        """How light it is (height, width), at that size."""
        return np.asarray(cv2.cvtColor(self.bgr(width, height), cv2.COLOR_BGR2GRAY), np.uint8)


@dataclass
class Film:
    """Frames of one size, and for each the places that must not be seen, as points spread over them.

    Stands for a :class:`safelight.media.read.Reader`.
    """

    name: str
    rate: float = 25.0
    frames: list[Image] = field(default_factory=list)
    places: list[list[Points]] = field(default_factory=list)

    def add(self, frame: Image, places: list[Points], least: float = 0.6) -> None:
        """One more frame; of a place only what lies inside the picture counts, if that is the part ``least`` of it."""
        height, width = frame.shape[:2]
        kept = []
        for points in places:
            inside = (points >= 0).all(axis=1) & (points < (width, height)).all(axis=1)
            if inside.mean() >= least:
                kept.append(points[inside])
        self.frames.append(frame)
        self.places.append(kept)

    @property
    def facts(self) -> ClipFacts:
        """What probing would say."""
        height, width = self.frames[0].shape[:2]
        return ClipFacts(
            container="none", codec="none", pixel_format="none", still=False, stored_width=width,
            stored_height=height, pixel_aspect=1.0, turn=0, interlaced=False, hdr=False, time_base=(1, 1000),
            frames_expected=None, rate=self.rate, duration=None, picture_start=0.0, sound=None, dropped=[],
        )  # fmt: skip

    def pictures(self) -> Iterator[Shown]:
        """All pictures in order."""
        for index, frame in enumerate(self.frames):
            yield Shown(index, round(1000 * index / self.rate), frame)


def inside(plan: Plan, frame: int, points: Points) -> NDArray[np.bool_]:
    """Which points (n, 2) the plan hides in a frame."""
    hidden = np.zeros(len(points), bool)
    for region, box in plan.covers(frame):
        away = (points - box.centre) / (box.width / 2, box.height / 2)
        hidden |= (np.abs(away) <= 1).all(axis=1) if region.shape is Shape.BOX else (away**2).sum(axis=1) <= 1
    return hidden


def share(plan: Plan, frame: int) -> float:
    """Part of the picture that the plan hides in a frame, 0 to 1, on a grid of 96 points a side."""
    grid = (np.arange(96) + 0.5) / 96
    x, y = np.meshgrid(grid * plan.clip.width, grid * plan.clip.height)
    return float(inside(plan, frame, np.stack([x.ravel(), y.ravel()], axis=1)).mean())


@dataclass(frozen=True)
class Count:
    """``places``: how often something that must not be seen shows in a frame, ``covered``: how often it is hidden;
    ``shares``: of the picture hidden, in every third frame."""

    places: int = 0
    covered: int = 0
    shares: tuple[float, ...] = ()

    def __add__(self, other: Count) -> Count:
        return Count(self.places + other.places, self.covered + other.covered, self.shares + other.shares)


def judged(film: Film, plan: Plan) -> Count:
    """What a plan made of a film covers."""
    parts = [inside(plan, number, points).mean() for number, there in enumerate(film.places) for points in there]
    shares = tuple(share(plan, number) for number in range(0, len(film.frames), 3))
    return Count(len(parts), sum(part >= COVERED for part in parts), shares)


def grid(box: Box) -> Points:
    """Points spread over a box."""
    x, y = np.meshgrid(np.linspace(box.x1, box.x2, 12), np.linspace(box.y1, box.y2, 6))
    return np.stack([x.ravel(), y.ravel()], axis=1)


def oval(box: Box) -> Points:
    """Points spread over the face in its box."""
    points = grid(box)
    return points[(((points - box.centre) / (box.width / 2, box.height / 2)) ** 2).sum(axis=1) <= 1]


class Hand:
    """A telephone in a hand: where it looks at from frame to frame, how it turns, zooms, blurs and meters the light."""

    def __init__(self, random: np.random.Generator, size: tuple[int, int]) -> None:
        self._size = size
        self._phases = random.uniform(0, 2 * math.pi, 10)
        self._tempo = random.uniform(0.6, 1.4, 10)
        self._random = random

    def _wave(self, place: int, frame: int, period: float) -> float:
        return math.sin(2 * math.pi * frame * self._tempo[place] / period + self._phases[place])

    def move(self, frame: int, x: float, y: float, scale: float, shake: float = 9.0) -> NDArray[np.float64]:
        """The transformation (2, 3) that brings the scene's point (x, y) to the middle at about that scale."""
        zoom = scale * (1 + 0.04 * self._wave(0, frame, 60))
        turn = math.radians(2.0 * self._wave(1, frame, 45))
        dx = shake * (self._wave(2, frame, 26) + 0.5 * self._wave(3, frame, 9))
        dy = shake * (self._wave(4, frame, 31) + 0.5 * self._wave(5, frame, 11))
        a, b = zoom * math.cos(turn), zoom * math.sin(turn)
        width, height = self._size
        return np.array([[a, -b, width / 2 + dx - a * x + b * y], [b, a, height / 2 + dy - b * x - a * y]])

    def taken(self, frame: int, scene: Image, move: NDArray[np.float64], light: float = 1.0) -> Image:
        """The picture it takes of a scene, as sharp and as bright as it happens to be. ``light``: 1 is day."""
        picture = cv2.warpAffine(scene, move, self._size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        blur = 0.4 + 1.2 * max(self._wave(6, frame, 17), 0.0)
        picture = cv2.GaussianBlur(picture, (0, 0), blur)
        bright = picture.astype(np.float32) * light * (1 + 0.12 * self._wave(7, frame, 37))
        bright += self._random.normal(0, 2.0 + 3.0 * (1 - light), bright.shape).astype(np.float32)
        return np.clip(bright, 0, 255).astype(np.uint8)


def moved(points: Points, move: NDArray[np.float64]) -> Points:
    """Points (n, 2) after a transformation (2, 3)."""
    return points @ move[:, :2].T + move[:, 2]
