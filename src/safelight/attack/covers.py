"""Is what should be hidden hidden? A look at every picture that needs no finder.

Each hidden area has two explanations: it shows the fill that the plan asks for, or it shows the original. Whichever is
nearer to the copy, in the mean of squares, explains it. The fill is made anew from the copy's own visible pixels, on a
small luma; an area that seems bare there is judged once more at full size, against the exact fill.

Where fill and original hardly differ (a dark wall under a dark cover) neither explains more than the other: undecided,
and nothing is given away either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.attack.inner import inner_part
from safelight.attack.protocol import View
from safelight.geometry import Box, Raster
from safelight.hide.apply import cover
from safelight.media.planes import Planes
from safelight.plan import Decision, Form, Plan, Shape

Grey = NDArray[np.float32]

_SIDE = 640  # longer side of the small luma, pixels
_INNER = 0.8  # share of an area around its centre that is looked at: its rim mixes with the surroundings
_LEAST = 4  # pixels of the small luma that an area must have
_CONTRAST = 25.0  # squared grey levels, in the mean, by which fill and original must differ
_NEARER = 0.5  # bare: squared error against the original below this share of that against the fill
_CELL, _CELL_CONTRAST, _CELL_NEARER = 8, 64.0, 0.3  # parts of an area: side in pixels; stricter, for they are many
_CELLS = 3  # such parts that make an area bare


@dataclass(frozen=True)
class Area:
    """One hidden area: its region's name (or ``curtain``), outline, and box in pixels of the copy; ``shown``: boxes
    inside that are revealed.
    """

    name: str
    form: Form
    box: Box
    shown: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Bare:
    """An area that the original explains. ``share``: of it, 1 for all, less for some of its parts."""

    area: Area
    share: float

    @property
    def name(self) -> str:
        """Name of the region."""
        return self.area.name

    @property
    def box(self) -> Box:
        """Where, in pixels of the copy."""
        return self.area.box


@dataclass(frozen=True)
class Explained:
    """One picture's areas: how many could be told apart, how many not, and which are bare."""

    decided: int
    undecided: int
    bare: tuple[Area, ...]


def explained(copy: View, original: View, plan: Plan, index: int) -> Explained:
    """Hold every hidden area of picture ``index`` of the plan against fill and original, on a small luma."""
    areas = list(_areas(copy, plan, index))
    if not areas:
        return Explained(0, 0, ())
    width, height = copy.size
    factor = min(_SIDE / max(width, height), 1.0)
    columns, rows = max(round(width * factor), 2), max(round(height * factor), 2)
    shown = copy.luma(columns, rows)
    planes = Planes(shown.copy(), None, None, 1, 1, 8, False)
    cover(planes, plan, index, Raster(columns, rows), (columns / plan.clip.width, rows / plan.clip.height))
    wanted, before = planes.y.astype(np.float32), original.luma(columns, rows).astype(np.float32)
    held = copy.held(columns, rows)
    judge = _Judge(shown.astype(np.float32), wanted, before, held, columns / width, rows / height)
    verdicts = [(area, judge.share(area)) for area in areas]
    decided = [(area, share) for area, share in verdicts if share is not None]
    return Explained(
        len(decided),
        len(verdicts) - len(decided),
        tuple(area for area, share in decided if share is not None and share > 0),
    )


def still_bare(
    areas: tuple[Area, ...], copy: Grey, wanted: Grey, original: Grey, held: NDArray[np.bool_]
) -> list[Bare]:
    """Those areas that are bare at full size too, against the exact fill ``wanted``. All have the copy's size;
    ``held``: pixels that the copy's file really holds.
    """
    judge = _Judge(copy, wanted, original, held, 1.0, 1.0)
    return [Bare(area, share) for area in areas if (share := judge.share(area)) is not None and share > 0]


def _areas(copy: View, plan: Plan, index: int) -> Iterator[Area]:
    sx, sy = copy.size[0] / plan.clip.width, copy.size[1] / plan.clip.height
    if plan.settings.curtain:
        shown = tuple(box.scaled(sx, sy) for _, box in plan.covers(index, Decision.REVEAL))
        # the inner part is all of it: the curtain has no rim where the picture ends
        whole = Box(0.0, 0.0, *map(float, copy.size))
        yield Area("curtain", Shape.BOX, whole.grown(*(_outwards(side) for side in (*copy.size, *copy.size))), shown)
    for region, box in plan.covers(index):
        yield Area(region.id, region.form_at(index), box.scaled(sx, sy))


def _outwards(side: float) -> float:
    """By how much a side grows so that its inner part is the whole again."""
    return side * (1 / _INNER - 1) / 2


class _Judge:
    """Squared differences of three pictures, asked for one area after the other."""

    def __init__(self, copy: Grey, wanted: Grey, original: Grey, held: NDArray[np.bool_], sx: float, sy: float) -> None:
        self._held = held
        self._to_fill = np.square(copy - wanted)
        self._to_original = np.square(copy - original)
        self._contrast = np.square(original - wanted)
        self._scale = sx, sy

    def share(self, area: Area) -> float | None:
        """How much of an area is bare, 0 to 1; None where that cannot be told."""
        height, width = self._contrast.shape
        box = area.box.scaled(*self._scale)
        x, y = box.centre
        half_x, half_y = box.width * _INNER / 2, box.height * _INNER / 2
        inner = Box(x - half_x, y - half_y, x + half_x, y + half_y)
        x1, y1, x2, y2 = inner.clipped(width, height)
        left, top, right, bottom = int(np.floor(x1)), int(np.floor(y1)), int(np.ceil(x2)), int(np.ceil(y2))
        if right <= left or bottom <= top:
            return None
        mask = self._mask(area, inner, left, top, right, bottom) & self._held[top:bottom, left:right]
        count = int(np.count_nonzero(mask))
        if count < _LEAST:
            return None
        where = slice(top, bottom), slice(left, right)
        contrast, to_fill, to_original = (
            part[where] * mask for part in (self._contrast, self._to_fill, self._to_original)
        )
        whole = float(contrast.sum())
        if whole >= _CONTRAST * count and float(to_original.sum()) < _NEARER * float(to_fill.sum()):
            return 1.0
        size = max((right - left) // _CELL, 1), max((bottom - top) // _CELL, 1)
        filled, c, f, o = (
            cv2.resize(part, size, interpolation=cv2.INTER_AREA)
            for part in (mask.astype(np.float32), contrast, to_fill, to_original)
        )
        telling = (filled > 0.5) & (c > _CELL_CONTRAST * filled)
        bare = int(np.count_nonzero(telling & (o < _CELL_NEARER * f)))
        if bare >= _CELLS:
            return bare / max(int(np.count_nonzero(telling)), 1)
        return 0.0 if whole >= _CONTRAST * count or telling.any() else None

    def _mask(self, area: Area, inner: Box, left: int, top: int, right: int, bottom: int) -> NDArray[np.bool_]:
        rows, columns = np.arange(top, bottom)[:, None] + 0.5, np.arange(left, right)[None] + 0.5
        mask = inner_part(area.form, area.box.scaled(*self._scale), inner, (left, top, right, bottom))
        for box in area.shown:
            seen = box.scaled(*self._scale)
            mask &= ~((columns > seen.x1 - 2) & (columns < seen.x2 + 2) & (rows > seen.y1 - 2) & (rows < seen.y2 + 2))
        return mask
