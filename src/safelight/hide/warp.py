"""A secret, slowly changing bend of the picture, too small to see, that keeps a sensor's pattern from adding up.

A camera's sensor leaves the same faint pattern in every frame, at the same place. Averaging frames brings it out. Here
each clip is cropped and turned by a secret amount, and each second bent by two secret smooth fields (one for x, one
for y) that flow into each other. Whoever averages frames averages different places of the sensor. A bend that stands
still is found again by searching block by block; one that keeps moving is not (see docs/sensor.md for figures).

Everything follows from the key and the time of the picture, so that pieces of a clip can be made apart.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.geometry import Box

KEY_BYTES = 32

Map = NDArray[np.float32]

CELL = 96  # pixels of the original between two independent values of a field
_ZOOM = (1.01, 1.02)
_TURN = (0.1, 0.4)  # degrees, either way
_MOST = 3.5  # times the standard deviation that a field may reach
_SMOOTHED = 0.86  # standard deviation of white noise after the smooth enlargement
_STEP = 8  # pixels of the copy between two computed places; between them the map is linear


def dice(key: bytes, what: str, number: int = 0) -> np.random.Generator:
    """A generator of its own for everything that is drawn by lot; the same key and words give the same draws."""
    digest = hashlib.blake2b(f"{what} {number}".encode(), key=key, digest_size=32).digest()
    return np.random.Generator(np.random.PCG64DXSM(int.from_bytes(digest, "big")))


@dataclass(frozen=True)
class _Affine:
    """Where the copy's middle, axes and size come from: turn (radians), zoom, and shift in pixels of the original."""

    turn: float
    zoom: float
    shift: tuple[float, float]


class Warp:
    """Where each pixel of a copy comes from in the picture it was made from.

    ``original``, ``copy``: (width, height) before and after. ``reach``: standard deviation of the bend, pixels of the
    original. ``key``: KEY_BYTES secret bytes.
    """

    def __init__(self, original: tuple[int, int], copy: tuple[int, int], reach: float, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self.original, self.copy = original, copy
        self._reach = reach
        self._key = key
        self._affine = self._drawn()
        self._fields: dict[int, tuple[Map, Map]] = {}
        self._still = self._places()

    @property
    def bound(self) -> float:
        """No pixel is farther than this from where plain scaling would take it, in pixels of the original."""
        width, height = self.original
        diagonal = math.hypot(width, height) / 2
        return diagonal * (_ZOOM[1] - 1) * 2 + diagonal * math.radians(_TURN[1]) + 2 * _MOST * self._reach

    def maps(self, seconds: float, sub: tuple[int, int] = (1, 1)) -> tuple[Map, Map]:
        """Columns and rows of the original for every sample of the copy at a time, each (rows, columns).

        ``sub``: how many luma columns and rows of both pictures share one sample of the plane asked for.
        """
        width, height = -(-self.copy[0] // sub[0]), -(-self.copy[1] // sub[1])
        made: list[Map] = []
        for coarse, share in zip(self._coarse(seconds), sub, strict=True):
            shared = coarse if share == 1 else (coarse - np.float32((share - 1) / 2)) / np.float32(share)
            fine = cv2.resize(
                shared,
                (shared.shape[1] * (_STEP // sub[0]), shared.shape[0] * (_STEP // sub[1])),
                interpolation=cv2.INTER_LINEAR,
            )
            top, left = _STEP // sub[1], _STEP // sub[0]
            made.append(np.asarray(fine[top : top + height, left : left + width], np.float32))
        return made[0], made[1]

    def back(self, seconds: float, width: int, height: int, into: tuple[int, int] | None = None) -> tuple[Map, Map]:
        """The other way round: columns and rows of the copy, scaled to ``into``, for every pixel of the original,
        scaled to (``width``, ``height``); both are scaled alike when ``into`` is not given. By fixed point iteration on
        a coarse grid; right to a twentieth of a pixel on average.
        """
        columns, rows = -(-width // _STEP) + 2, -(-height // _STEP) + 2
        x = ((np.arange(columns, dtype=np.float32) - 0.5) * _STEP) * (self.original[0] / width) - 0.5
        y = ((np.arange(rows, dtype=np.float32) - 0.5) * _STEP) * (self.original[1] / height) - 0.5
        wanted = np.meshgrid(x, y)
        at = [w.copy() for w in wanted]  # copy coordinates in the original's scale
        forward = self._coarse(seconds)
        for _ in range(5):
            across, down = (
                ((place + 0.5) * (whole / full) / _STEP + 0.5).astype(np.float32)
                for place, whole, full in zip(at, self.copy, self.original, strict=True)
            )
            seen = [cv2.remap(f, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for f in forward]
            at = [np.asarray(a + w - s, np.float32) for a, w, s in zip(at, wanted, seen, strict=True)]
        made: list[Map] = []
        for place, whole, full in zip(at, into or (width, height), self.original, strict=True):
            scaled = ((place + 0.5) * (whole / full) - 0.5).astype(np.float32)
            fine = cv2.resize(scaled, (columns * _STEP, rows * _STEP), interpolation=cv2.INTER_LINEAR)
            made.append(np.asarray(fine[_STEP : _STEP + height, _STEP : _STEP + width], np.float32))
        return made[0], made[1]

    def box(self, seconds: float, box: Box) -> Box:
        """The box around where a box of the original lies in the copy, in pixels of the copy."""
        width, height = self.copy
        x, y = self.back(seconds, width, height)
        x1, y1, x2, y2 = box.scaled(width / self.original[0], height / self.original[1]).clipped(width, height)
        where = slice(int(y1), max(math.ceil(y2), int(y1) + 1)), slice(int(x1), max(math.ceil(x2), int(x1) + 1))
        if not x[where].size:
            return Box(x1, y1, x2, y2)
        return Box(float(x[where].min()), float(y[where].min()), float(x[where].max()) + 1, float(y[where].max()) + 1)

    # ------------------------------------------------------------------------------------------------------------

    def _drawn(self) -> _Affine:
        lot = dice(self._key, "frame")
        zoom = lot.uniform(*_ZOOM)
        turn = math.radians(lot.uniform(*_TURN)) * lot.choice([-1.0, 1.0])
        spare = 0.6 * (1 - 1 / zoom) / 2  # the rest is room for the turn and the bend
        x, y = (float(lot.uniform(-spare, spare)) * side for side in self.original)
        return _Affine(float(turn), float(zoom), (x, y))

    def _places(self) -> tuple[Map, Map]:
        """Crop, zoom and turn on the coarse grid, whose first column and row lie half a step outside the copy."""
        (width, height), (full_x, full_y) = self.copy, self.original
        columns, rows = -(-width // _STEP) + 2, -(-height // _STEP) + 2
        x = ((np.arange(columns) - 0.5) * _STEP) * (full_x / width) - full_x / 2
        y = ((np.arange(rows) - 0.5) * _STEP) * (full_y / height) - full_y / 2
        across, down = np.meshgrid(x / self._affine.zoom, y / self._affine.zoom)
        cos, sin = math.cos(self._affine.turn), math.sin(self._affine.turn)
        dx, dy = self._affine.shift
        return (
            (across * cos - down * sin + full_x / 2 + dx - 0.5).astype(np.float32),
            (across * sin + down * cos + full_y / 2 + dy - 0.5).astype(np.float32),
        )

    def _field(self, second: int) -> tuple[Map, Map]:
        """The two fields of one second on the coarse grid."""
        if second not in self._fields:
            for old in [s for s in self._fields if abs(s - second) > 1]:
                del self._fields[old]
            lot = dice(self._key, "field", second)
            rows, columns = self._still[0].shape
            cells = max(round(self.original[1] / CELL), 2), max(round(self.original[0] / CELL), 2)
            made = []
            for _ in range(2):
                values = lot.standard_normal(cells).astype(np.float32)
                smooth = cv2.resize(values, (columns, rows), interpolation=cv2.INTER_CUBIC) / _SMOOTHED
                made.append(np.asarray(np.clip(smooth, -_MOST, _MOST) * np.float32(self._reach), np.float32))
            self._fields[second] = (made[0], made[1])
        return self._fields[second]

    def _coarse(self, seconds: float) -> tuple[Map, Map]:
        second = math.floor(seconds)
        part = (seconds - second) * math.pi / 2
        here, there = self._field(second), self._field(second + 1)
        # cosine and sine: however far between two seconds, the bend is equally strong
        x, y = (
            np.asarray(still + np.float32(math.cos(part)) * a + np.float32(math.sin(part)) * b, np.float32)
            for still, a, b in zip(self._still, here, there, strict=True)
        )
        return x, y
