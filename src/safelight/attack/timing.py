"""Timing and fidelity: is the copy the whole original, at the right moments, wherever nothing is hidden?

A copy that lost, froze or moved a picture is no good as evidence, and a tool that loses pictures may lose hidden ones'
covers as well. Pictures are compared as small grey images outside the hidden areas.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.attack.protocol import Attacker, Case, Notes, Pair
from safelight.attack.verdict import Evidence, Figure, Finding, Outcome
from safelight.errors import Code, SafelightError
from safelight.hide.sensor import planned_size
from safelight.plan import Decision, Plan, Shape

_SIDE = 320  # longer side of the pictures compared, pixels
_GROWN = 3  # pixels of that size around a hidden area that the encoder may have smeared into
_RIM = 0.03  # share of the width at each edge that a copy treated against sensor noise may lack
_FINE = 0.5  # reduced to more than this share of either side, a picture holds detail that the treatment takes out
_MOVED = 10.0  # grey levels by which a pixel must change from one picture to the next to tell them apart
_MOVED_LEAST = 40  # such pixels needed for a judgement
_SOFT = 2.0  # pixels of blur before that: an encoder leaves movement of a part of a pixel out, which nobody sees
_NEARER = 0.5  # a neighbour whose squared error is below this share of the right picture's: displaced
_VISIBLE_LEAST = 0.02  # share of the picture that must be visible for a judgement
_REGISTERED_LEAST = 0.4  # ... if the lots of a bent copy are not known: less is too little to find the bend by
_ASTRAY = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5)  # pixels by which a bend may be found wrongly: the most it bends
_FAITHFUL = 24.0  # decibels: below, the visible picture is not the original's
_STRANGER = 0.3  # correlation below which picture after picture shows something else altogether
_STRANGER_AFTER = 24
_TOLERANCE = 0.003  # seconds a picture may move: containers round to a millisecond
_SYNC = 0.03  # seconds between the sound's beginnings or ends: one AAC frame of 1024 samples at 48 kHz, and rounding

Grey = NDArray[np.float32]


@dataclass
class _Moment:
    index: int
    seconds: float
    original_index: int
    copy: Grey
    original: Grey
    visible: NDArray[np.bool_]
    fine: bool  # holds detail that the treatment against sensor noise takes out

    @cached_property
    def soft(self) -> tuple[Grey, Grey]:
        """Copy and original, blurred."""
        copy, original = (cv2.GaussianBlur(grey, (0, 0), _SOFT) for grey in (self.copy, self.original))
        return np.asarray(copy, np.float32), np.asarray(original, np.float32)

    @cached_property
    def inner(self) -> NDArray[np.bool_]:
        """What is visible and not blurred together with what is hidden."""
        side = 2 * round(2 * _SOFT) + 1
        return cv2.erode(self.visible.astype(np.uint8), np.ones((side, side), np.uint8)) > 0


class Timing(Attacker):
    """Counts, times, shape and the visible picture itself, against the original or at least against the plan."""

    name = "timing"
    title = "Timing and fidelity"
    question = "Is the copy the whole original, at the right moments, wherever nothing is hidden?"
    tries = (
        "Counted the pictures and compared every presentation time with the original's.",
        "Compared size and shape, and that the sound begins and ends with the picture.",
        "Compared every visible area with the original's same, previous and next picture: lost, frozen, repeated or "
        "exchanged pictures look more like a neighbour.",
    )

    def __init__(self, case: Case, notes: Notes) -> None:
        super().__init__(case, notes)
        self._evidence: list[Evidence] = []
        self._count = 0
        self._lost = 0
        self._repeated = 0
        self._originals = 0
        self._largest = 0.0
        self._seconds = 0.0
        self._steps = float("inf"), 0.0  # seconds between two pictures, the least and the most
        self._quality = array("f")
        self._likeness = array("f")
        self._displaced = 0
        self._before: _Moment | None = None
        self._now: _Moment | None = None
        self._vague = case.plan is None and case.seen is not None
        self._registered = case.key is None and case.seen is not None
        self._too_little = 0

    def watch(self, pair: Pair) -> None:
        """Compare one moment; judged when the next one is known."""
        self._count += 1
        if self._count > 1:
            step = pair.seconds - self._seconds
            self._steps = min(self._steps[0], step), max(self._steps[1], step)
        self._seconds = pair.seconds
        if pair.original is None:
            return
        self._originals = pair.original_index + 1
        self._largest = max(self._largest, abs(pair.shift))
        if pair.skipped:
            self._lost += pair.skipped
            self._note(
                f"{pair.skipped} picture(s) of the original are missing before this one.", pair.index, pair.seconds
            )
        if pair.repeated:
            self._repeated += 1
            self._note("The original's picture is shown a second time.", pair.index, pair.seconds)
        elif abs(pair.shift) > _TOLERANCE:
            self._note(f"Shown {pair.shift * 1000:+.1f} ms from its time.", pair.index, pair.seconds)
        factor = min(_SIDE / max(pair.original.size), 1.0)
        width, height = (max(round(side * factor), 2) for side in pair.original.size)
        # What was decoded after damage, and accepted, decodes differently each time: nothing can be held against it.
        moment = _Moment(
            pair.index,
            pair.seconds,
            pair.original_index,
            pair.copy.luma(width, height).astype(np.float32),
            pair.original.luma(width, height).astype(np.float32),
            self._visible(pair.original_index, width, height) & (not pair.original.picture.doubtful),
            self.case.seen is not None and factor > _FINE,
        )
        if self._now is not None:
            self._judge(self._before, self._now, moment)
        self._before, self._now = self._now, moment

    def finding(self) -> Finding:
        """Held when every picture is there, at its time, and shows what the original shows."""
        if self._now is not None:
            self._judge(self._before, self._now, None)
        self._check_shape()
        self._check_length()
        figures = self._figures()
        if self.case.original is None and self.case.plan is None:
            return self.answer(
                Outcome.NOT_ASKED,
                "Neither the original nor its plan was given, so nothing can be said about lost pictures.",
                not_tried=["Timing and fidelity: they need the original."],
            )
        skipped = [] if self.case.original is not None else ["The visible picture was not compared: no original given."]
        if self._vague:
            skipped.append("The visible picture was not compared: the copy is bent, and only its plan tells where.")
        if self._too_little:
            skipped.append(
                f"{self._too_little} picture(s) were not compared: too little is visible to tell how they were bent."
            )
        if self._evidence:
            return self.answer(
                Outcome.BROKEN,
                f"The copy is not the original, picture for picture: {self._evidence[0].what}",
                figures=figures,
                evidence=self._evidence,
                not_tried=skipped,
            )
        return self.answer(
            Outcome.HELD,
            f"All {self._count} pictures are there, each at its time, in shape and in sync.",
            figures=figures,
            not_tried=skipped,
        )

    # ----------------------------------------------------------------------------------------------------------------

    def _note(self, what: str, index: int | None = None, seconds: float | None = None) -> None:
        self._evidence.append(Evidence(what=what, frame=index, seconds=seconds))

    def _visible(self, index: int, width: int, height: int) -> NDArray[np.bool_]:
        plan = self.case.plan
        visible = np.ones((height, width), np.bool_)
        if plan is not None and plan.settings.curtain:
            visible = _shown(plan, index, width, height)
        if self.case.seen is not None:  # the treatment against sensor noise cuts the rim off
            rim = int(np.ceil(_RIM * width))
            visible[:rim], visible[-rim:], visible[:, :rim], visible[:, -rim:] = False, False, False, False
        if plan is not None:
            sx, sy = width / plan.clip.width, height / plan.clip.height
            for _, box in plan.covers(index):
                x1, y1, x2, y2 = box.scaled(sx, sy).grown(_GROWN, _GROWN, _GROWN, _GROWN).clipped(width, height)
                visible[int(y1) : int(np.ceil(y2)), int(x1) : int(np.ceil(x2))] = False
        return visible

    def _judge(self, before: _Moment | None, now: _Moment, after: _Moment | None) -> None:
        visible = now.visible
        if visible.mean() < _VISIBLE_LEAST:
            return
        self._likeness.append(_correlation(now.copy[visible], now.original[visible]))
        if len(self._likeness) == _STRANGER_AFTER and float(np.median(self._likeness)) < _STRANGER:
            raise _stranger()
        if self._vague:
            return
        if self._registered and visible.mean() < _REGISTERED_LEAST:
            self._too_little += 1
            return
        shown, meant = now.soft if now.fine else (now.copy, now.original)
        error = np.square(shown - meant)
        certain = now.inner if now.fine and now.inner.any() else visible
        # Of a copy without a plan nobody knows what is hidden: the calmer half of its pixels speaks for the rest.
        wrong = float(
            error[certain].mean() if self.case.plan is not None else np.sort(error, axis=None)[: error.size // 2].mean()
        )
        quality = 10 * np.log10(255**2 / max(wrong, 0.01))
        self._quality.append(float(quality))
        if quality < _FAITHFUL:
            self._note(f"The visible picture is not the original's ({quality:.0f} dB).", now.index, now.seconds)
        for other, words in ((before, "previous"), (after, "next")):
            if other is None or other.original_index == now.original_index:
                continue
            (copy, own), (_, neighbour) = now.soft, other.soft
            moved = (np.abs(neighbour - own) > _MOVED) & now.inner & other.inner
            if np.count_nonzero(moved) < _MOVED_LEAST:
                continue
            mine = float(np.square(copy - own)[moved].mean())
            theirs = float(np.square(copy - neighbour)[moved].mean())
            if theirs < _NEARER * mine and self._registered:
                mine = _nearest(copy, own, moved)
            if theirs < _NEARER * mine:
                self._displaced += 1
                self._note(f"It shows the original's {words} picture.", now.index, now.seconds)

    def _check_shape(self) -> None:
        width, height = self.case.own_size
        if self.case.plan is not None:
            wanted = planned_size(self.case.plan)
        elif self.case.original_facts is not None:
            wanted = self.case.original_facts.raster.shown_size
        else:
            return
        if abs(width - wanted[0]) > 1 or abs(height - wanted[1]) > 1:  # films have even sides
            self._note(f"The copy is {width} x {height} pixels on screen and not {wanted[0]} x {wanted[1]}.")

    def _check_length(self) -> None:
        plan, facts, original = self.case.plan, self.case.facts, self.case.original_facts
        if plan is not None and plan.ends is not None:
            whole, length = plan.ends[1] - plan.ends[0], self._seconds + float(plan.step)
            if self._count > 1 and abs(length - whole) > self._steps[1] + _TOLERANCE:
                self._note(f"The copy lasts {length:.3f} s, and was to be cut to {whole} s.")
        elif plan is not None:
            if self._count != plan.clip.frames:
                self._note(f"The copy has {self._count} pictures, the original {plan.clip.frames}.")
            span = (plan.clip.last_pts - plan.clip.first_pts) * plan.clip.time_base[0] / plan.clip.time_base[1]
            if abs(span - self._seconds) > _TOLERANCE:
                self._note(f"The last picture comes {abs(span - self._seconds) * 1000:.0f} ms from its time.")
        if self.notes.originals_left:
            self._lost += self.notes.originals_left
            self._note(f"The last {self.notes.originals_left} picture(s) of the original are missing.")
        if original is None or original.sound is None:
            return
        if facts.sound is None:
            self._note("The original has sound, the copy has no sound track to stand for it.")
            return
        # Sound goes from the copy's time 0 to the end of its picture, whatever the original's did. Its place is counted
        # from the first picture: what begins too early would move time 0.
        start = facts.sound.start - (facts.picture_start - original.picture_start)
        if abs(start) > _SYNC:
            self._note(f"The sound begins {start * 1000:+.0f} ms from its place.")
        # How long the last picture lasts is not written down everywhere: no shorter and no longer than the others.
        last = facts.picture_start + self._seconds
        end = facts.sound.start + facts.sound.duration
        early, late = last + min(self._steps) - end, end - last - self._steps[1]
        if facts.sound.duration and self._count > 1 and max(early, late) > 2 * _SYNC:
            self._note(f"The sound ends {(late if late > early else -early) * 1000:+.0f} ms after the picture.")

    def _figures(self) -> list[Figure]:
        figures = [Figure(name="pictures in the copy", value=self._count)]
        if self.case.original is not None and self._quality:
            figures += [
                Figure(name="largest error of a presentation time", value=self._largest * 1000, unit="ms"),
                Figure(name="pictures lost", value=self._lost),
                Figure(name="pictures shown twice", value=self._repeated),
                Figure(name="pictures out of place", value=self._displaced),
                Figure(
                    name="likeness of the visible picture, worst of 100",
                    value=float(np.percentile(np.asarray(self._quality), 1)),
                    unit="dB",
                    meaning="Signal to noise outside hidden areas, reduced; above 30 the eye sees no difference.",
                ),
            ]
        return figures


def _shown(plan: Plan, index: int, width: int, height: int) -> NDArray[np.bool_]:
    """What a curtain leaves open for sure: what lies well inside of the areas that a person reveals."""
    shown = np.zeros((height, width), np.bool_)
    for region, box in plan.covers(index, Decision.REVEAL):
        if region.shape is Shape.POLYGON:
            continue  # may be anything inside its box
        inner = box.scaled(width / plan.clip.width, height / plan.clip.height)
        if region.shape is Shape.ELLIPSE:
            across, down = (side * (1 - math.sqrt(0.5)) / 2 for side in (inner.width, inner.height))
            inner = inner.grown(-across, -down, -across, -down)
        inner = inner.grown(-_GROWN, -_GROWN, -_GROWN, -_GROWN)
        x1, y1 = max(math.ceil(inner.x1), 0), max(math.ceil(inner.y1), 0)
        shown[y1 : max(int(inner.y2), 0), x1 : max(int(inner.x2), 0)] = True
    return shown


def _nearest(copy: Grey, own: Grey, moved: NDArray[np.bool_]) -> float:
    """The copy's least mean squared error at those places, moved by what the registration may be off there."""
    size = copy.shape[1], copy.shape[0]

    def error(dx: float, dy: float) -> float:
        astray = cv2.warpAffine(copy, np.array([[1, 0, dx], [0, 1, dy]]), size, borderMode=cv2.BORDER_REPLICATE)
        return float(np.square(astray - own)[moved].mean())

    return min(error(dx, dy) for dx in _ASTRAY for dy in _ASTRAY)


def _correlation(a: Grey, b: Grey) -> float:
    """Pearson's; 1 where one of them has no structure, which says nothing."""
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt(np.square(a).sum() * np.square(b).sum()))
    return float((a * b).sum()) / scale if scale > a.size else 1.0


def _stranger() -> SafelightError:
    return SafelightError(Code.COPY_OTHER_CLIP, "The copy shows other pictures than the original.")
