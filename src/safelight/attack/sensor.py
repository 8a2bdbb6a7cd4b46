"""The camera's own noise: could whoever has the camera tell that it took this film?

From one clip nobody can tell sensor noise from the scene's own fine detail. So the attacker brings a camera he knows:
he lays a strong sensor pattern over pictures of the original, has them hidden, treated (with the very lots of the copy,
while these are known) and coded like the copy, and tries to find his pattern again: over all pictures, in one, block
by block, and straightened by someone who knows the bend. That is the copy's treatment, on the copy's pictures,
against the best-informed attacker there can be.

That the copy itself was treated so is looked at on the copy: its calm places must not hold the fine detail of the
original's, and with the lots known its pictures must be the treated ones.
"""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.attack.pairs import picture_count
from safelight.attack.prnu import Tally, block_z, pce, residual
from safelight.attack.protocol import Attacker, Case, Notes, Pair
from safelight.attack.verdict import Evidence, Figure, Finding, Outcome
from safelight.hide.apply import cover
from safelight.hide.sensor import RECIPES, Treatment, draw_key, planned_size
from safelight.hide.warp import KEY_BYTES, dice
from safelight.media.coding import coded
from safelight.media.develop import Developed, Developer
from safelight.media.planes import view
from safelight.plan import Plan
from safelight.plan import Sensor as Strength

Grey = NDArray[np.float32]

_BURSTS, _BURST = 8, 6  # stretches of pictures looked at, spread evenly, and pictures in each
_SENSOR = 0.003  # standard deviation of the known camera's pattern, share of the light: a strong one, for film
_PCE, _Z = 45.0, 4.0  # a match: over all shifts; block by block
_MIDDLE = 1280 * 720  # pixels of the original on which who knows the bend compares
_KNOWN = {Strength.DEFAULT: 60.0, Strength.STRONG: 25.0}  # for who knows the bend
_CALM = 6.0  # variance of fine detail below which a place is calm
_LEFT = 0.35  # share of the original's detail that a treated copy's calm places may show
_CALM_LEAST = 2000  # calm pixels needed for a judgement
_NEAR = 0.75  # from other lots' picture (0) to the one these lots make (1): where the copy's must at least lie
_BLUR = 2.0  # pixels
_TELLING = 1.0  # squared grey levels by which those two must differ, in the mean


class Sensor(Attacker):
    """Lays a known camera's pattern under the treatment and looks for it; and looks whether the copy was treated."""

    name = "sensor"
    title = "Sensor noise"
    question = "Could whoever has the camera tell that it took this film?"
    tries = (
        "Gave the original the noise pattern of a known, strong sensor, had it hidden, treated and coded like the "
        "copy, and searched it for the pattern: all pictures together, the clearest single one, block by block.",
        "Straightened those pictures as somebody would who knows the secret bend, and searched again.",
        "Looked in calm places of the copy for the original's own fine detail.",
        "With the lots still known: compared the copy with the treated original.",
    )

    def __init__(self, case: Case, notes: Notes) -> None:
        super().__init__(case, notes)
        self._treatment: Treatment | None = None
        self._control: Treatment
        self._pattern: Grey | None = None
        plan = case.plan
        if plan is not None and plan.settings.sensor is not Strength.OFF and case.original_facts is not None:
            self._prepare(plan)
        count = picture_count(case.facts) or _BURSTS * _BURST
        self._every = max(count // _BURSTS, _BURST)
        self._waiting: list[tuple[Developed, Grey]] = []
        self._all, self._straight = Tally(), Tally()
        self._bursts: list[Grey] = []
        self._single = self._clear = 0.0
        self._pictures = self._compared = 0
        self._shared = self._detail = 0.0
        self._calm = 0
        self._nearest = 1.0
        self._evidence: list[Evidence] = []

    def watch(self, pair: Pair) -> None:
        """Look at short stretches of pictures."""
        if self._treatment is None or pair.original is None:
            return
        place = pair.index % self._every
        if place < _BURST:
            self._take(pair)
        if place == 0:
            self._compare_calm(pair)
        if place == _BURST - 1:
            self._try_burst()

    def finding(self) -> Finding:
        """Held when neither the known camera nor the original's detail is found."""
        plan = self.case.plan
        if plan is None or plan.settings.sensor is Strength.OFF:
            return self.answer(
                Outcome.NOT_ASKED,
                "The copy was not treated against sensor noise: whoever has the camera can match the copy to it."
                if plan is not None
                else "Without the plan nobody knows whether the copy was treated against sensor noise.",
                not_tried=["Matching the copy to a camera by its sensor noise, hot pixels or dust."],
            )
        self._try_burst()
        if self._treatment is None or self._pattern is None or not self._pictures:
            return self.answer(
                Outcome.NOT_ASKED,
                "Without the original the treatment against sensor noise cannot be tried.",
                not_tried=["Sensor noise: that needs the original."],
            )
        width, height = self._treatment.size
        small = np.asarray(cv2.resize(self._pattern, (width, height), interpolation=cv2.INTER_AREA), np.float32)
        every = pce(small, self._all.pattern(), anywhere=True)
        blocks, count = block_z(small, self._bursts)
        known = pce(_middle(self._pattern), self._straight.pattern(), anywhere=False)
        left = self._shared / self._detail if self._calm >= _CALM_LEAST and self._detail > 0 else 0.0
        limit = _KNOWN[plan.settings.sensor]
        for value, most, words in (
            (every, _PCE, "A known camera is found over all pictures"),
            (self._single, _PCE, "A known camera is found in a single picture"),
            (blocks, _Z, "A known camera is found block by block"),
            (known, limit, "A known camera is found by who knows the bend"),
        ):
            if value > most:
                self._evidence.append(Evidence(what=f"{words}: {value:.1f}, more than {most:.0f}.", score=value))
        if left > _LEFT:
            self._evidence.append(
                Evidence(what=f"Calm places show {left:.0%} of the original's fine detail.", score=left)
            )
        figures = [
            Figure(name="pictures tried", value=self._pictures),
            Figure(name="match over all pictures", value=every, unit="PCE", meaning=_about(_PCE)),
            Figure(name="best match of a single picture", value=self._single, unit="PCE", meaning=_about(_PCE)),
            Figure(name=f"match of {count} blocks", value=blocks, unit="z", meaning=_about(_Z)),
            Figure(
                name="match for who knows the bend, middle of the picture",
                value=known,
                unit="PCE",
                meaning=_about(limit) + " More pictures and more pixels give more.",
            ),
            Figure(name="the original's fine detail left in calm places", value=left * 100, unit="%"),
        ]
        if self._compared:
            figures.append(
                Figure(
                    name="likeness to the treated original, worst picture",
                    value=self._nearest,
                    meaning="1: treated with these very lots; about 0.5: with others, or not at all.",
                )
            )
        not_tried = [
            "The camera itself: its other films were not at hand. Dust on the lens and vignetting are not treated.",
            f"Pictures other than {self._pictures} of them, in short stretches spread over the film.",
        ]
        if self.case.key is None:
            not_tried.append("The copy's own bend: its lots were not kept. Other lots of the same strength were tried.")
        if self._evidence:
            hint = " A stronger treatment may hold." if plan.settings.sensor is Strength.DEFAULT else ""
            told = self._evidence[0].what + hint
            return self.answer(Outcome.BROKEN, told, figures=figures, evidence=self._evidence, not_tried=not_tried)
        return self.answer(
            Outcome.HELD,
            "A camera with a strong, known sensor could not be recognised through the treatment of this copy.",
            figures=figures,
            not_tried=not_tried,
        )

    # ----------------------------------------------------------------------------------------------------------------

    def _prepare(self, plan: Plan) -> None:
        facts = self.case.original_facts
        assert facts is not None
        lots = self.case.key or draw_key()
        self._treatment, self._control = (
            Treatment(
                facts.raster.shown_size,
                RECIPES[plan.settings.sensor],
                key,
                still=facts.still,
                base=facts.base,
                first=plan.clip.first_pts,
            )
            for key in (lots, hashlib.sha256(b"other lots" + lots).digest()[:KEY_BYTES])
        )
        width, height = facts.raster.shown_size
        # any camera will do, as long as it is the same in every picture
        white = dice(bytes(32), "camera").standard_normal((height, width)).astype(np.float32)
        spread = cv2.GaussianBlur(white, (3, 3), 0.5)  # colour filters share their neighbours
        self._pattern = np.asarray(spread * (_SENSOR / float(spread.std())), np.float32)

    def _take(self, pair: Pair) -> None:
        """Hide one picture again; keep it, with the known camera's pattern, until its stretch is complete."""
        plan, facts = self.case.plan, self.case.original_facts
        assert plan is not None
        assert facts is not None
        assert pair.original is not None
        assert self._pattern is not None
        assert self._treatment is not None
        planes = pair.original.picture.planes()
        cover(planes, plan, pair.original_index, facts.raster)
        developer = Developer(facts)
        picture = (developer.develop(planes, pair.original.picture.pts) + developer.finish())[0]
        if self.case.key is not None and pair.index % self._every == 0:
            self._compare_copy(pair, self._treatment.treat(picture), self._control.treat(picture))
        luma = view(picture.frame, 0)
        height, width = self._pattern.shape
        light = luma[:height, :width].astype(np.float32)
        luma[:height, :width] = np.clip(np.rint(light * (1 + self._pattern)), 0, 255).astype(np.uint8)
        self._waiting.append((self._treatment.treat(picture), light))

    def _try_burst(self) -> None:
        """Code the stretch that is waiting, and add up what noise it holds."""
        waiting, self._waiting = self._waiting, []
        plan, treatment = self.case.plan, self._treatment
        if not waiting or treatment is None or self._pattern is None or plan is None:
            return
        times = [treatment.seconds(picture.pts) for picture, _ in waiting]
        if plan.clip.still:
            seen = [np.array(view(picture.frame, 0)) for picture, _ in waiting]
        else:
            seen = coded([picture for picture, _ in waiting], RECIPES[plan.settings.sensor].quality)
        burst = Tally()
        height, width = self._pattern.shape
        for luma, seconds, (_, light) in zip(seen, times, waiting, strict=True):
            self._pictures += 1
            noise, own = residual(luma), luma.astype(np.float32)
            self._all.add(noise, own)
            burst.add(noise, own)
            x, y = treatment.warp.back(seconds, width, height, treatment.size)
            self._straight.add(np.asarray(cv2.remap(noise, x, y, cv2.INTER_LINEAR), np.float32), light)
        self._bursts.append(burst.pattern().astype(np.float32))
        single = Tally()
        single.add(residual(seen[0]), seen[0].astype(np.float32))
        small = np.asarray(cv2.resize(self._pattern, treatment.size, interpolation=cv2.INTER_AREA), np.float32)
        self._single = max(self._single, pce(small, single.pattern(), anywhere=True))

    def _compare_copy(self, pair: Pair, treated: Developed, other: Developed) -> None:
        """With the lots known: is this the picture they make, and not one that ``other`` lots or none would make?"""
        luma = pair.copy.picture.luma(*self.case.own_size)
        if luma.shape != view(treated.frame, 0).shape:
            return  # another shape: for the attacker of timing and fidelity
        # Blurred: of the grain, which is different too, coding leaves more or less; of the bend it leaves everything.
        own, wanted, unlike = (
            cv2.GaussianBlur(np.asarray(plane, np.float32), (0, 0), _BLUR)
            for plane in (luma, view(treated.frame, 0), view(other.frame, 0))
        )
        way = wanted - unlike
        length = float(np.square(way).sum())
        if length < _TELLING * way.size:
            return  # a bare wall looks the same however it is bent
        near = float(((own - unlike) * way).sum()) / length
        self._compared += 1
        self._nearest = min(self._nearest, near)
        if near < _NEAR:
            self._evidence.append(
                Evidence(
                    what="This picture was not treated with the lots of this copy.",
                    frame=pair.index,
                    seconds=pair.seconds,
                    score=near,
                )
            )

    def _compare_calm(self, pair: Pair) -> None:
        """How much of the original's fine detail calm, visible places of the copy show."""
        plan = self.case.plan
        assert plan is not None
        assert pair.original is not None
        width, height = planned_size(plan)
        copy, original = (v.luma(width, height).astype(np.float32) for v in (pair.copy, pair.original))
        fine = [picture - cv2.GaussianBlur(picture, (0, 0), 1.5) for picture in (copy, original)]
        calm = cv2.blur(fine[1] * fine[1], (9, 9)) < _CALM
        sx, sy = width / plan.clip.width, height / plan.clip.height
        for _, box in plan.covers(pair.original_index):
            x1, y1, x2, y2 = box.scaled(sx, sy).grown(12, 12, 12, 12).clipped(width, height)
            calm[int(y1) : int(np.ceil(y2)), int(x1) : int(np.ceil(x2))] = False
        if plan.settings.curtain:
            calm[:] = False
        self._calm += int(np.count_nonzero(calm))
        self._shared += float((fine[0] * fine[1])[calm].sum())
        self._detail += float(np.square(fine[1])[calm].sum())


def _middle(pattern: Grey) -> Grey:
    """The pattern in the middle of the picture and nothing around: the figure would grow with the picture's size."""
    height, width = pattern.shape
    share = min((_MIDDLE / (height * width)) ** 0.5, 1.0)
    top, left = round(height * (1 - share) / 2), round(width * (1 - share) / 2)
    middle = np.zeros_like(pattern)
    inner = np.s_[top : height - top, left : width - left]
    middle[inner] = pattern[inner]
    return middle


def _about(most: float) -> str:
    return f"Above {most:.0f} counts as recognised; chance alone stays well below."
