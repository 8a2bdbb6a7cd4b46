"""The fill: does what was put over a face know anything of what it covers?

This is the strongest same-obscured attack there is when the plan is at hand. The attacker hides the original himself,
exactly as the plan asks, and compares: whatever of the hidden picture shines through is then all that is left of the
difference, and it must correlate with the hidden picture. He also hides it with the covered areas emptied first: if the
result differs by a single sample, the fill reads what it covers. As long as both come out the same, whichever face is
put under the cover, no recogniser can tell one from another: there is nothing to compare.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.attack.faces import drawn
from safelight.attack.pairs import picture_count
from safelight.attack.protocol import Attacker, Case, Evidence, Figure, Finding, Notes, Outcome, Pair, rounded
from safelight.geometry import Box
from safelight.hide.picture import hide_areas
from safelight.media.develop import Developer
from safelight.media.planes import Planes, unpack
from safelight.plan import Look, Region, Shape

_LOOKS = 120  # pictures examined, spread evenly over the clip
_EMPTIED_EVERY = 4  # of these, how often the areas are emptied first
_EDGE = 4.0  # pixels inside an area's edge that the encoder and the scaling mix with the surroundings
_BLOCK = 16  # pixels: blocks that the encoder codes by themselves, taken for independent
_SHINE = 0.015  # share of the hidden picture that may seem to shine through
_SIGMAS = 6.0  # and by how many standard errors it must be proven
_OFF = 4.0  # grey levels by which the fill may differ, smoothed, from the one the plan asks for
_TEXTURE = 4.0  # grey levels of spread the hidden picture must have for a judgement

Grey = NDArray[np.float32]


@dataclass
class _Sums:
    """Residue times hidden picture: over all pixels, squared over blocks; and the hidden picture squared."""

    product: float = 0.0
    blocks: float = 0.0
    hidden: float = 0.0

    def add(self, other: _Sums) -> None:
        self.product += other.product
        self.blocks += other.blocks
        self.hidden += other.hidden

    @property
    def share(self) -> float:
        """Share of the hidden picture in the copy, by least squares; 0.05 means a twentieth shines through."""
        return self.product / self.hidden if self.hidden > 0 else 0.0

    @property
    def sigmas(self) -> float:
        """That share in standard errors."""
        return self.product / self.blocks**0.5 if self.blocks > 0 else 0.0

    @property
    def leaks(self) -> bool:
        return self.share > _SHINE and self.sigmas > _SIGMAS


class Fill(Attacker):
    """Compares what covers a face with what should cover it, and with the face."""

    name = "fill"
    title = "Fill"
    question = "Does what was put over a face know anything of what it covers?"
    tries = (
        "Hid the original once more as the plan asks and searched the difference to the copy for the hidden picture, "
        "for each area and over all of them together.",
        "Emptied the areas before hiding: the result must be the same to the last sample, whoever was there.",
        "Checked that every area is covered with what the plan asks for and nothing else.",
    )

    def __init__(self, case: Case, notes: Notes) -> None:
        super().__init__(case, notes)
        self._step = max((picture_count(case.facts) or _LOOKS) // _LOOKS, 1)
        self._all = _Sums()
        self._regions: dict[str, _Sums] = {}
        self._evidence: list[Evidence] = []
        self._pictures = self._emptied = 0
        self._residue = 0.0

    def watch(self, pair: Pair) -> None:
        """Examine every so many pictures."""
        plan = self.case.plan
        if plan is None or pair.original is None or pair.index % self._step:
            return
        covers = list(plan.covers(pair.original_index))
        if not covers:
            return
        facts = self.case.original_facts
        assert facts is not None
        areas = [(region.shape, box) for region, box in covers]
        index = pair.original_index
        filled = pair.original.picture.planes()
        hide_areas(filled, areas, facts.raster, plan.settings.look, index)
        if self._pictures % _EMPTIED_EVERY == 0:
            self._emptied += 1
            emptied = pair.original.picture.planes()
            hide_areas(emptied, areas, facts.raster, Look.SOLID, index)
            hide_areas(emptied, areas, facts.raster, plan.settings.look, index)
            if not _equal(filled, emptied):
                self._note("The fill reads what it covers: emptied areas give another fill.", pair, None)
        self._pictures += 1
        copy = pair.copy.picture.planes()
        wanted, original = self._developed(filled, pair), self._developed(pair.original.picture.planes(), pair)
        if wanted is None or original is None:
            return
        for region, box in covers:
            self._compare(pair, region, box, _luma(copy), wanted, original)

    def finding(self) -> Finding:
        """Held when nothing of the hidden pictures is in the copy."""
        if self.case.plan is None or self.case.original is None:
            return self.answer(
                Outcome.NOT_ASKED,
                "Without the original and the plan nobody can say what should be there.",
                not_tried=["Comparing the fill with the one the plan asks for: that needs the original and the plan."],
            )
        for name, sums in self._regions.items():
            if sums.leaks:
                self._evidence.append(
                    Evidence(what=f"{sums.share:.1%} of what area {name} hides shines through.", score=sums.sigmas)
                )
        if self._all.leaks:
            self._evidence.append(
                Evidence(what=f"{self._all.share:.1%} of the hidden picture shines through.", score=self._all.sigmas)
            )
        figures = [
            Figure(name="pictures examined", value=self._pictures),
            Figure(name="pictures with emptied areas", value=self._emptied),
            Figure(
                name="share of the hidden picture found in the copy",
                value=self._all.share * 100,
                unit="%",
                meaning="By least squares; the encoder's own errors make it a little more or less than 0.",
            ),
            Figure(
                name="largest smoothed difference to the fill that should be there",
                value=self._residue,
                unit="grey levels",
                meaning=f"The encoder alone stays under {_OFF:.0f} of 255.",
            ),
        ]
        not_tried = [f"Only every {self._step}th picture was examined."] if self._step > 1 else []
        if self._evidence:
            return self.answer(
                Outcome.BROKEN,
                f"What covers the hidden areas is not what it should be. {self._evidence[-1].what}",
                figures=figures,
                evidence=self._evidence,
                not_tried=not_tried,
            )
        if not self._pictures:
            return self.answer(Outcome.HELD, "The plan hides nothing, so there is no fill.", figures=figures)
        return self.answer(
            Outcome.HELD,
            "Nothing of the hidden pictures is in the copy; whoever was there, the copy would be the same.",
            figures=figures,
            not_tried=not_tried,
        )

    # ----------------------------------------------------------------------------------------------------------------

    def _developed(self, planes: Planes, pair: Pair) -> Grey | None:
        facts = self.case.original_facts
        assert facts is not None
        assert pair.original is not None
        developer = Developer(facts)
        done = developer.develop(planes, pair.original.picture.pts) + developer.finish()
        return _luma(unpack(done[0].frame)) if done else None

    def _compare(self, pair: Pair, region: Region, box: Box, copy: Grey, wanted: Grey, original: Grey) -> None:
        width, height = pair.copy.size
        assert self.case.plan is not None
        scaled = box.scaled(width / self.case.plan.clip.width, height / self.case.plan.clip.height)
        inner = scaled.grown(-_EDGE, -_EDGE, -_EDGE, -_EDGE)
        x1, y1, x2, y2 = (int(v) for v in inner.clipped(width, height))
        if x2 - x1 < 2 or y2 - y1 < 2:
            return
        where = slice(y1, y2), slice(x1, x2)
        if copy.shape != wanted.shape:
            return  # another shape: for the attacker of timing and fidelity
        mask = _mask(region.shape, inner, x1, y1, x2, y2)
        if not mask.any():
            return
        residue = (copy[where] - wanted[where]) * mask
        hidden = (original[where] - wanted[where]) * mask
        weight = cv2.blur(mask.astype(np.float32), (8, 8))
        smooth = np.abs(cv2.blur(residue, (8, 8)))[(weight > 0.95) & mask]
        off = float(np.percentile(smooth, 90)) if smooth.size else 0.0
        self._residue = max(self._residue, off)
        if off > _OFF:
            self._note(f"Area {region.id} is covered with something else than the plan asks for.", pair, scaled)
        if float(hidden[mask].std()) < _TEXTURE:
            return
        product = residue * hidden
        sums = _Sums(float(product.sum()), float(np.square(_blocks(product)).sum()), float(np.square(hidden).sum()))
        self._all.add(sums)
        self._regions.setdefault(region.id, _Sums()).add(sums)

    def _note(self, what: str, pair: Pair, box: Box | None) -> None:
        self._evidence.append(
            Evidence(what=what, frame=pair.index, seconds=pair.seconds, box=None if box is None else rounded(box))
        )
        if self.notes.wants(90):
            self.notes.moment(90, self.name, pair, what, drawn(pair.copy, box))


def _equal(a: Planes, b: Planes) -> bool:
    return all(
        (p is None and q is None) or (p is not None and q is not None and np.array_equal(p, q))
        for p, q in ((a.y, b.y), (a.u, b.u), (a.v, b.v))
    )


def _luma(planes: Planes) -> Grey:
    """Luma of a picture of a copy, in the grey levels of limited range, whichever way it is stored."""
    y = planes.y.astype(np.float32) / (1 << (planes.depth - 8))
    return np.asarray(y * (219 / 255) + 16 if planes.full_range else y, np.float32)


def _mask(shape: Shape, inner: Box, x1: int, y1: int, x2: int, y2: int) -> NDArray[np.bool_]:
    rows, columns = np.arange(y1, y2)[:, None] + 0.5, np.arange(x1, x2)[None] + 0.5
    if shape is Shape.BOX:
        return np.ones((y2 - y1, x2 - x1), np.bool_)
    x, y = inner.centre
    return np.asarray(((columns - x) / (inner.width / 2)) ** 2 + ((rows - y) / (inner.height / 2)) ** 2 < 1.0, np.bool_)


def _blocks(values: Grey) -> Grey:
    """Sums over blocks of _BLOCK x _BLOCK pixels; the last ones may be smaller."""
    rows = np.add.reduceat(values, np.arange(0, values.shape[0], _BLOCK), axis=0)
    return np.asarray(np.add.reduceat(rows, np.arange(0, values.shape[1], _BLOCK), axis=1), np.float32)
