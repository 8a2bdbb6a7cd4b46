"""Undoing the bend of a treated copy, so that copy and original can be laid over each other.

Copies treated against sensor noise are cropped, turned, bent and scaled (``hide/warp.py``). Whoever compares them with
the original, place by place, sees the copy through :class:`Straight`: brought back into the original's raster. While a
copy is being made the lots it was made with are still in memory, and the way back is exact. Later nobody has them; then
each picture is registered with the original's: optical flow outside hidden areas, smoothed as the bend is smooth.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.attack.protocol import View
from safelight.geometry import Raster
from safelight.hide.apply import cover
from safelight.hide.sensor import RECIPES
from safelight.hide.warp import Warp
from safelight.media.facts import ClipFacts
from safelight.media.planes import Planes
from safelight.media.read import Picture, Reader
from safelight.plan import Plan, Sensor

Map = NDArray[np.float32]
Back = Callable[[tuple[int, int], tuple[int, int]], tuple[Map, Map]]
"""From (size asked for, size of the copy's picture that is sampled) to its columns and rows for every pixel."""

_SIDE = 480  # longer side of the pictures that are registered
_CELL = 12  # pixels of these: side of the cells in which the flow is averaged
_REACH = 1.5  # cells over which the flow is smoothed
_ODD = 625.0  # fourth power of the grey levels by which a place that was found again may differ
_BEND = 2.2  # pixels of the original: standard deviation of the strongest bend
_TEXTURE = 4.0  # squared gradient that counts as much as all the noise of a flat place
_FIRST = 5  # pictures by which that is judged
_BENT = 1.0  # pixels of the small picture: mean displacement from which a copy without a plan counts as bent


class Straight(View):
    """A picture of the copy in the original's raster. What was cropped away repeats the rim."""

    def __init__(self, picture: Picture, size: tuple[int, int], own: tuple[int, int], back: Back) -> None:
        super().__init__(picture, size)
        self._own = own
        self._back = back
        self._straight: dict[tuple[str, int, int], NDArray[np.uint8]] = {}
        self._held: dict[tuple[int, int], NDArray[np.bool_]] = {}

    def luma(self, width: int, height: int) -> NDArray[np.uint8]:
        """See :meth:`View.luma`."""
        return self._kept("luma", super().luma, width, height)

    def bgr(self, width: int, height: int) -> NDArray[np.uint8]:
        """See :meth:`View.bgr`."""
        return self._kept("bgr", super().bgr, width, height)

    def held(self, width: int, height: int) -> NDArray[np.bool_]:
        """See :meth:`View.held`; what lies next to the rim counts as cropped away too."""
        self.luma(width, height)
        return self._held[width, height]

    def _kept(
        self, what: str, bent: Callable[[int, int], NDArray[np.uint8]], width: int, height: int
    ) -> NDArray[np.uint8]:
        if (what, width, height) not in self._straight:
            into = min(width, self._own[0]), min(height, self._own[1])
            x, y = self._back((width, height), into)
            self._held[width, height] = (x > 1) & (y > 1) & (x < into[0] - 2) & (y < into[1] - 2)
            moved = cv2.remap(bent(*into), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            self._straight[what, width, height] = np.asarray(moved, np.uint8)
        return self._straight[what, width, height]


class Straightener:
    """Makes the views of a copy's pictures.

    ``key``: the lots the copy was made with, when they are still known. ``bent``: whether it needs straightening.
    """

    def __init__(
        self, copy: ClipFacts, original: ClipFacts | None, plan: Plan | None, key: bytes | None, bent: bool
    ) -> None:
        self._own = copy.raster.shown_size
        self._plan = plan
        self._bent = bent
        self._base = (original or copy).base
        self.size = self._own
        """(width, height) of the views: the original's where copies are straightened, else the copy's."""
        if bent and original is not None:
            self.size = original.raster.shown_size
        elif bent and plan is not None:
            self.size = plan.clip.width, plan.clip.height
        self._warp: Warp | None = None
        if bent and plan is not None and key is not None and treated(plan):
            self._warp = Warp(self.size, self._own, RECIPES[plan.settings.sensor].reach, key)

    def view(self, picture: Picture, original: View | None) -> View:
        """The copy's picture as attackers see it beside that picture of the original."""
        if not self._bent:
            return View(picture, self._own)
        back = _plain if original is None else self._back(picture, original)
        return Straight(picture, self.size, self._own, back)

    def bend(self, picture: Picture, original: View) -> float:
        """By how many pixels of a small picture the copy's picture is displaced, in the mean."""
        dx, dy = self._registered(View(picture, self._own), original)
        return float(np.hypot(dx, dy).mean())

    # ------------------------------------------------------------------------------------------------------------

    def _back(self, picture: Picture, original: View) -> Back:
        warp = self._warp
        if warp is not None and self._plan is not None:
            seconds = float((original.picture.pts - self._plan.clip.first_pts) * self._base)
            return lambda size, into: warp.back(seconds, *size, into)
        found: list[tuple[Map, Map]] = []

        def back(size: tuple[int, int], into: tuple[int, int]) -> tuple[Map, Map]:
            if not found:
                found.append(self._registered(View(picture, self._own), original))
            factor = max(_small(original.size)) / max(original.size)
            x, y = _plain(size, into)
            dx, dy = (cv2.resize(part, size, interpolation=cv2.INTER_LINEAR) for part in found[0])
            scale = into[0] / (original.size[0] * factor), into[1] / (original.size[1] * factor)
            return np.asarray(x + dx * scale[0], np.float32), np.asarray(y + dy * scale[1], np.float32)

        return back

    def _registered(self, copy: View, original: View) -> tuple[Map, Map]:
        """How far right and down of its place in the original each cell lies in the copy, pixels of the small one."""
        width, height = _small(original.size)
        before = self._as_hidden(original, width, height)
        after = np.asarray(cv2.resize(copy.full_luma(), (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(before, after, np.zeros((0,)))
        x, y = _plain((width, height), (width, height))
        moved = cv2.remap(after, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        wrong = np.square(cv2.blur(cv2.absdiff(moved, before), (5, 5)).astype(np.float32))
        smooth = cv2.GaussianBlur(before, (0, 0), 1.0).astype(np.float32)
        texture = np.square(cv2.Sobel(smooth, cv2.CV_32F, 1, 0)) + np.square(cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
        weight = np.asarray(texture / (texture + _TEXTURE) * _ODD / (_ODD + wrong**2) + 1e-4, np.float32)
        cells = max(width // _CELL, 2), max(height // _CELL, 2)
        share = np.asarray(cv2.resize(weight, cells, interpolation=cv2.INTER_AREA), np.float32)
        parts = [cv2.resize(flow[..., i] * weight, cells, interpolation=cv2.INTER_AREA) / share for i in (0, 1)]
        most = 3 * _BEND * width / original.size[0]
        dx, dy = (_smoothed(np.asarray(part, np.float32), share, most) for part in parts)
        return dx, dy

    def _as_hidden(self, original: View, width: int, height: int) -> NDArray[np.uint8]:
        """The original's luma with the areas hidden that the plan hides: their outlines help to find the bend."""
        luma = original.luma(width, height)
        if self._plan is None:
            return luma
        planes = Planes(luma.copy(), None, None, 1, 1, 8, False)
        clip = self._plan.clip
        cover(
            planes,
            self._plan,
            original.picture.index,
            Raster(width, height),
            (width / clip.width, height / clip.height),
        )
        return np.asarray(planes.y, np.uint8)


def treated(plan: Plan) -> bool:
    """Whether a plan asks for the treatment against sensor noise."""
    return plan.settings.sensor is not Sensor.OFF


def looks_bent(copy: BinaryIO, original: BinaryIO) -> bool:
    """Whether a copy of which there is no plan is cropped, turned or bent; judged by its first pictures.

    Raises what reading raises.
    """
    with Reader(copy) as shown, Reader(original, accept_damaged=True) as source:
        straightener = Straightener(shown.facts, source.facts, None, None, False)
        size = source.facts.raster.shown_size
        pairs = islice(zip(shown.pictures(), source.pictures(), strict=False), _FIRST)
        bends = [straightener.bend(picture, View(other, size)) for picture, other in pairs]
    return bool(bends) and float(np.median(bends)) > _BENT


def _small(size: tuple[int, int]) -> tuple[int, int]:
    factor = min(_SIDE / max(size), 1.0)
    width, height = (max(round(side * factor), 16) for side in size)
    return width, height


def _plain(size: tuple[int, int], into: tuple[int, int]) -> tuple[Map, Map]:
    """Scaling and nothing else."""
    x = (np.arange(size[0], dtype=np.float32) + 0.5) * (into[0] / size[0]) - 0.5
    y = (np.arange(size[1], dtype=np.float32) + 0.5) * (into[1] / size[1]) - 0.5
    across, down = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    return across, down


def _smoothed(values: Map, weight: Map, most: float) -> Map:
    """A plane through all cells, and what is left of them (``most`` and less) smoothed over neighbours.

    Cells of little weight follow the others. The plane is fitted twice, the second time without what is far from it.
    """
    rows, columns = np.mgrid[0 : values.shape[0], 0 : values.shape[1]]
    terms = np.stack([np.ones(values.size), rows.ravel(), columns.ravel()], axis=1)
    rest = np.zeros_like(values)
    plane = rest
    for _ in range(3):
        kept = np.where(np.abs(rest) < most, weight, np.float32(1e-6))
        root = np.sqrt(kept.ravel())[:, None]
        fit = terms @ np.linalg.lstsq(terms * root, values.ravel() * root[:, 0], rcond=None)[0]
        plane = np.asarray(fit.reshape(values.shape), np.float32)
        rest = values - plane
    weight = np.where(np.abs(rest) < most, weight, np.float32(1e-6))
    total = cv2.GaussianBlur(weight, (0, 0), _REACH)
    near = cv2.GaussianBlur(np.asarray(rest * weight, np.float32), (0, 0), _REACH) / (total + 0.01)
    return np.asarray(plane + near, np.float32)
