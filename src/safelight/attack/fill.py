"""The fill: is everything covered, and does what was put over a face know anything of what it covers?

In every picture each hidden area is held against two explanations, the fill and the original (``covers.py``); nobody
has to find a face for that. In some pictures the attacker looks closer, and this is the strongest same-obscured attack
there is when the plan is at hand. He hides the original himself, exactly as the plan asks, and compares: whatever of
the hidden picture shines through is then all that is left of the difference, and it must correlate with the hidden
picture. He also hides it with the covered areas emptied first: if the result differs by a single sample, the fill
reads what it covers. As long as both come out the same, whichever face is put under the cover, no recogniser can tell
one from another: there is nothing to compare.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.attack.covers import explained, still_bare
from safelight.attack.faces import drawn
from safelight.attack.inner import inner_part
from safelight.attack.pairs import picture_count
from safelight.attack.protocol import Attacker, Case, Notes, Pair, rounded
from safelight.attack.verdict import Evidence, Figure, Finding, Outcome
from safelight.geometry import Box, Raster
from safelight.hide.apply import cover
from safelight.media.develop import Developer
from safelight.media.planes import Planes, unpack
from safelight.plan import Look, Plan, Region, Sensor

_LOOKS, _LOOKS_ALL = 24, 120  # pictures examined closely, spread evenly over the clip; with --all
_EMPTIED_EVERY = 4  # of these, how often the areas are emptied first
_EDGE = 4.0  # pixels inside an area's edge that the encoder and the scaling mix with the surroundings
_BLOCK = 16  # pixels: blocks that the encoder codes by themselves, taken for independent
_SHINE = 0.015  # share of the hidden picture that may seem to shine through
_SIGMAS = 6.0  # and by how many standard errors it must be proven
_OFF = 4.0  # grey levels by which the fill may differ, smoothed, from the one the plan asks for, over many pictures
_OFF_ONCE = 3.0  # times as much as that in one picture, where grain and encoder make a small area look odd by chance
_TEXTURE = 4.0  # grey levels of spread the hidden picture must have for a judgement
_OTHER = "Area {} is covered with something else than the plan asks for."

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
    question = "Is everything covered, and does what was put over a face know anything of what it covers?"
    tries = (
        "Compared every hidden area of every picture with the fill the plan asks for and with the original: it must be "
        "the former.",
        "Hid the original once more as the plan asks and searched the difference to the copy for the hidden picture, "
        "for each area and over all of them together.",
        "Emptied the areas before hiding: the result must be the same to the last sample, whoever was there.",
        "Checked that every area is covered with what the plan asks for and nothing else.",
    )

    def __init__(self, case: Case, notes: Notes) -> None:
        super().__init__(case, notes)
        looks = _LOOKS_ALL if case.all_frames else _LOOKS
        self._step = max((picture_count(case.facts) or looks) // looks, 1)
        # straightened copies are softer, and a little out of place when the bend had to be estimated
        treated = case.plan is not None and case.plan.settings.sensor is not Sensor.OFF
        self._edge = 2 * _EDGE if treated else _EDGE
        self._off = 2 * _OFF if treated and case.key is None else _OFF
        self._areas = self._same = 0
        self._bare: set[int] = set()
        self._all = _Sums()
        self._regions: dict[str, _Sums] = {}
        self._offs: dict[str, list[float]] = {}  # per region and picture: smoothed difference, grey levels
        self._evidence: list[Evidence] = []
        self._pictures = self._emptied = 0
        self._residue = 0.0

    def watch(self, pair: Pair) -> None:
        """Look at every hidden area, and closely at every so many pictures and where something seems to be bare."""
        plan = self.case.plan
        if plan is None or pair.original is None:
            return
        seen = explained(pair.copy, pair.original, plan, pair.original_index)
        self._areas += seen.decided
        self._same += seen.undecided
        due = pair.index % self._step == 0 and seen.decided + seen.undecided > 0
        if not due and not seen.bare:
            return
        facts = self.case.original_facts
        assert facts is not None
        filled = pair.original.picture.planes()
        cover(filled, plan, pair.original_index, facts.raster)
        if due and self._pictures % _EMPTIED_EVERY == 0:
            self._empty(pair, plan, filled, facts.raster)
        copy, held = pair.copy.full_luma().astype(np.float32), pair.copy.held(*pair.copy.size)
        wanted, original = self._developed(filled, pair), self._developed(pair.original.picture.planes(), pair)
        if wanted is None or original is None or not copy.shape == wanted.shape == original.shape:
            return  # another shape: for the attacker of timing and fidelity
        for bare in still_bare(seen.bare, copy, wanted, original, held):
            self._bare.add(pair.index)
            self._note(f"Area {bare.name} is not hidden.", pair, bare.box, 200.0 + min(bare.share, 1.0))
        if due:
            self._pictures += 1
            for region, box in plan.covers(pair.original_index):
                self._compare(pair, region, box, copy, wanted, original, held)

    def finding(self) -> Finding:
        """Held when nothing of the hidden pictures is in the copy."""
        if self.case.plan is None or self.case.original is None:
            return self.answer(
                Outcome.NOT_ASKED,
                "Without the original and the plan nobody can say what should be there.",
                not_tried=["Comparing the fill with the one the plan asks for: that needs the original and the plan."],
            )
        for name, offs in self._offs.items():
            # The median of many pictures scatters less than one picture: from thrice the limit down to the limit.
            if float(np.median(offs)) > self._off * (1 + (_OFF_ONCE - 1) / len(offs)):
                self._evidence.append(Evidence(what=_OTHER.format(name)))
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
            Figure(name="hidden areas compared", value=self._areas, meaning="Every area of every picture counts once."),
            Figure(
                name="hidden areas that look like their fill",
                value=self._same,
                meaning="Dark or plain: what is under the cover hardly differs from the cover, so neither tells.",
            ),
            Figure(name="pictures with an area that is not hidden", value=len(self._bare)),
            Figure(name="pictures examined closely", value=self._pictures),
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
                meaning=f"Of 255. Encoder and grain: under {self._off:.0f} in the median, once under thrice that.",
            ),
        ]
        not_tried = (
            [f"A fill that lets less than half through, in pictures other than every {self._step}th."]
            if self._step > 1
            else []
        )
        if self._evidence:
            return self.answer(
                Outcome.BROKEN,
                f"Something is bare in {len(self._bare)} picture(s) that should be hidden."
                if self._bare
                else f"What covers the hidden areas is not what it should be. {self._evidence[-1].what}",
                figures=figures,
                evidence=self._evidence,
                not_tried=not_tried,
            )
        if not self._areas + self._same:
            return self.answer(Outcome.HELD, "The plan hides nothing, so there is no fill.", figures=figures)
        return self.answer(
            Outcome.HELD,
            "Nothing of the hidden pictures is in the copy; whoever was there, the copy would be the same.",
            figures=figures,
            not_tried=not_tried,
        )

    # ----------------------------------------------------------------------------------------------------------------

    def _empty(self, pair: Pair, plan: Plan, filled: Planes, raster: Raster) -> None:
        """Hide once more what was hidden already: the result must be the same, whatever was under it."""
        self._emptied += 1
        assert pair.original is not None
        emptied = pair.original.picture.planes()
        greyed = plan.settings.model_copy(update={"look": Look.SOLID})
        cover(emptied, plan.model_copy(update={"settings": greyed}), pair.original_index, raster)
        cover(emptied, plan, pair.original_index, raster)
        if not _equal(filled, emptied):
            self._note("The fill reads what it covers: emptied areas give another fill.", pair, None)

    def _developed(self, planes: Planes, pair: Pair) -> Grey | None:
        facts = self.case.original_facts
        assert facts is not None
        assert pair.original is not None
        developer = Developer(facts)
        done = developer.develop(planes, pair.original.picture.pts) + developer.finish()
        return _luma(unpack(done[0].frame)) if done else None

    def _compare(
        self, pair: Pair, region: Region, box: Box, copy: Grey, wanted: Grey, original: Grey, held: NDArray[np.bool_]
    ) -> None:
        width, height = pair.copy.size
        assert self.case.plan is not None
        scaled = box.scaled(width / self.case.plan.clip.width, height / self.case.plan.clip.height)
        inner = scaled.grown(-self._edge, -self._edge, -self._edge, -self._edge)
        x1, y1, x2, y2 = (int(v) for v in inner.clipped(width, height))
        if x2 - x1 < 2 or y2 - y1 < 2:
            return
        where = slice(y1, y2), slice(x1, x2)
        mask = inner_part(region.form_at(pair.original_index), scaled, inner, (x1, y1, x2, y2)) & held[where]
        if not mask.any():
            return
        residue = (copy[where] - wanted[where]) * mask
        hidden = (original[where] - wanted[where]) * mask
        weight = cv2.blur(mask.astype(np.float32), (8, 8))
        smooth = np.abs(cv2.blur(residue, (8, 8)))[(weight > 0.95) & mask]
        off = float(np.percentile(smooth, 90)) if smooth.size else 0.0
        self._residue = max(self._residue, off)
        self._offs.setdefault(region.id, []).append(off)
        if off > _OFF_ONCE * self._off:
            self._note(_OTHER.format(region.id), pair, scaled)
        if float(hidden[mask].std()) < _TEXTURE:
            return
        product = residue * hidden
        sums = _Sums(float(product.sum()), float(np.square(_blocks(product)).sum()), float(np.square(hidden).sum()))
        self._all.add(sums)
        self._regions.setdefault(region.id, _Sums()).add(sums)

    def _note(self, what: str, pair: Pair, box: Box | None, weight: float = 90.0) -> None:
        self._evidence.append(
            Evidence(what=what, frame=pair.index, seconds=pair.seconds, box=None if box is None else rounded(box))
        )
        if self.notes.wants(weight):
            self.notes.moment(weight, self.name, pair, what, drawn(pair.copy, box))


def _equal(a: Planes, b: Planes) -> bool:
    return all(
        (p is None and q is None) or (p is not None and q is not None and np.array_equal(p, q))
        for p, q in ((a.y, b.y), (a.u, b.u), (a.v, b.v))
    )


def _luma(planes: Planes) -> Grey:
    """Luma of a picture of a copy, in the grey levels of limited range, whichever way it is stored."""
    y = planes.y.astype(np.float32) / (1 << (planes.depth - 8))
    return np.asarray(y * (219 / 255) + 16 if planes.full_range else y, np.float32)


def _blocks(values: Grey) -> Grey:
    """Sums over blocks of _BLOCK x _BLOCK pixels; the last ones may be smaller."""
    rows = np.add.reduceat(values, np.arange(0, values.shape[0], _BLOCK), axis=0)
    return np.asarray(np.add.reduceat(rows, np.arange(0, values.shape[1], _BLOCK), axis=1), np.float32)
