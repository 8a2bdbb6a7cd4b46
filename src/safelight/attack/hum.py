"""Mains hum: does the copy still carry the drift of the power grid that dates a recording?

Hum follows the grid's frequency, which wanders by some hundredths of a hertz in the same way all over a country.
Whoever keeps a log of it finds the minute of a recording. The drift is measured at 50 and 60 Hz and their multiples in
copy and original, second by second, and compared. Method: Grigoras, Applications of ENF criterion in forensic audio,
2007.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from safelight.attack.protocol import Attacker, Case, Notes, SoundPair
from safelight.attack.verdict import Evidence, Figure, Finding, Outcome

_RATE = 1000  # samples a second
_WINDOW, _STEP = 8, 1  # seconds of one measurement, and between two
_NEAR = 0.5  # Hz that the grid strays at most
_MULTIPLES = (1, 2, 3, 4, 6, 8)
_HEARD = 6.0  # how far a line must stand out of its surroundings, in power
_ENOUGH = 60  # measurements; with fewer, chance alone gives correlations over the limit
_LIMIT = 0.3


class Hum(Attacker):
    """The drift of the mains in the copy against that in the original."""

    name = "hum"
    title = "Mains hum"
    question = "Can the copy be dated by the hum of the power grid?"
    tries = (
        "Measured 50 and 60 Hz and five multiples each every second, and compared their drift with the original's.",
    )
    hears = _RATE

    def __init__(self, case: Case, notes: Notes) -> None:
        super().__init__(case, notes)
        self._copy: list[NDArray[np.float32]] = []
        self._original: list[NDArray[np.float32]] = []

    def hear(self, pair: SoundPair) -> None:
        """Keep both."""
        if pair.original is not None:
            self._copy.append(pair.copy)
            self._original.append(pair.original)

    def finding(self) -> Finding:
        """Broken when a line's drift in the copy goes with the original's."""
        if self.case.facts.sound is None:
            return self.answer(Outcome.HELD, "The copy has no sound track.")
        if not self._original:
            return self.answer(Outcome.NOT_ASKED, "There is no original sound to compare with.")
        copy, original = np.concatenate(self._copy), np.concatenate(self._original)
        if not np.any(np.abs(copy) > 1e-5):
            return self.answer(Outcome.HELD, "The copy has nothing at all where the mains hum.")
        figures, evidence, heard = [], [], 0
        for hertz in sorted({mains * n for mains in (50, 60) for n in _MULTIPLES}):
            theirs, stands = drift(original, hertz)
            heard += bool(stands.sum() >= _ENOUGH)
            ours, _ = drift(copy, hertz)
            self.notes.alive()
            both = stands[: len(ours)]
            if both.sum() < _ENOUGH:
                continue
            likeness = _correlation(ours[: len(both)][both], theirs[: len(both)][both])
            figures.append(Figure(name=f"drift at {hertz} Hz, correlation with the original", value=likeness))
            if likeness >= _LIMIT:
                evidence.append(Evidence(what=f"The drift at {hertz} Hz is the original's.", score=likeness))
        if evidence:
            return self.answer(Outcome.BROKEN, "The copy can be dated by its hum.", figures=figures, evidence=evidence)
        if not heard:
            return self.answer(
                Outcome.NOT_ASKED,
                f"The original has no hum that could be followed for {_ENOUGH} seconds.",
                not_tried=["Hum shorter or weaker than can be followed."],
            )
        return self.answer(
            Outcome.HELD, f"No drift of the original's hum is in the copy (under {_LIMIT}).", figures=figures
        )


def drift(
    samples: NDArray[np.float32], hertz: float, rate: int = _RATE
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The strongest frequency near ``hertz`` every second, in Hz above it, and where it stands out of the noise."""
    size, step = _WINDOW * rate, _STEP * rate
    count = max((len(samples) - size) // step + 1, 0)
    found, stands = np.zeros(count), np.zeros(count, bool)
    resolution = rate / (4 * size)
    bins = np.fft.rfftfreq(4 * size, 1 / rate)
    near = np.flatnonzero(np.abs(bins - hertz) <= _NEAR * max(hertz / 50, 1))
    around = np.flatnonzero((np.abs(bins - hertz) > 1.5) & (np.abs(bins - hertz) < 5))
    window = np.hanning(size)
    for number in range(count):
        part = samples[number * step : number * step + size] * window
        power = np.square(np.abs(np.fft.rfft(part, 4 * size)))
        top = near[np.argmax(power[near])]
        left, middle, right = np.log(power[top - 1 : top + 2] + 1e-30)
        bend = left - 2 * middle + right
        shift = 0.5 * (left - right) / bend if abs(bend) > 1e-12 else 0.0
        found[number] = bins[top] + np.clip(shift, -1, 1) * resolution - hertz
        stands[number] = power[top] > _HEARD * float(np.mean(power[around]) + 1e-30)
    return found, stands


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Pearson's; 0 where one of them stands still."""
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt(np.square(a).sum() * np.square(b).sum()))
    return float((a * b).sum()) / scale if scale > 1e-12 else 0.0
