"""The hum attacker: follows a drift that is there, and the treatment of kept sound takes it away."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from safelight.attack.hum import Hum, drift
from safelight.attack.protocol import Notes, SoundPair
from safelight.attack.verdict import Outcome
from safelight.hide.sound.clean import Cleaner
from tests.attack.heard import case

RATE = 48000
SECONDS = 100


def hum(seconds: int, mains: float, seed: int) -> NDArray[np.float32]:
    """Mains hum with harmonics over a little noise; the grid wanders by about 30 mHz."""
    dice = np.random.default_rng(seed)
    knots = np.cumsum(dice.normal(0, 0.012, seconds + 1))
    time = np.arange(seconds * RATE) / RATE
    phase = 2 * np.pi * np.cumsum(mains + np.interp(time, np.arange(seconds + 1), knots)) / RATE
    wave = sum(level * np.sin(n * phase) for n, level in ((1, 0.05), (2, 0.04), (3, 0.02), (4, 0.02), (6, 0.01)))
    return (wave + dice.normal(0, 0.003, len(time))).astype(np.float32)


def attacked(copy: NDArray[np.float32], original: NDArray[np.float32]) -> Hum:
    attacker = Hum(case(), Notes())
    step = RATE // attacker.hears
    for first in range(0, len(original), RATE):
        parts = [wave[first : first + RATE].reshape(-1, step).mean(axis=1) for wave in (copy, original)]
        attacker.hear(SoundPair(attacker.hears, first // step, *parts))
    return attacker


def test_the_drift_is_followed() -> None:
    wave = hum(40, 50, 1)
    slow = wave.reshape(-1, 48).mean(axis=1)
    found, stands = drift(slow, 100)
    again, _ = drift(hum(40, 50, 1).reshape(-1, 48).mean(axis=1), 50)
    assert stands.all()
    assert np.corrcoef(found, again)[0, 1] > 0.9


@pytest.mark.parametrize("mains", [50, 60])
def test_untreated_sound_is_dated_and_kept_sound_is_not(mains: int) -> None:
    original = hum(SECONDS, mains, 2)
    assert attacked(original * 0.5, original).finding().outcome is Outcome.BROKEN
    cleaner = Cleaner()
    kept = np.concatenate(
        [
            cleaner(original[first : first + RATE], last=first + RATE >= len(original))
            for first in range(0, len(original), RATE)
        ]
    )
    finding = attacked(kept, original).finding()
    assert finding.outcome is Outcome.HELD, finding
    assert any(figure.name.startswith("drift at 100 Hz") or mains == 60 for figure in finding.figures)


def test_another_hum_is_not_taken_for_the_original() -> None:
    assert attacked(hum(SECONDS, 50, 3), hum(SECONDS, 50, 4)).finding().outcome is Outcome.HELD


def test_silence_holds_and_short_clips_are_not_judged() -> None:
    assert attacked(np.zeros(RATE * 5, np.float32), hum(5, 50, 5)).finding().outcome is Outcome.HELD
    assert attacked(hum(5, 50, 6), hum(5, 50, 6)).finding().outcome is Outcome.NOT_ASKED


def test_a_moment_of_sound_is_no_mistake() -> None:
    """Found by mutants: a film with less than a tenth of a second of sound had no copy, under SL-BUG."""
    moment = hum(1, 50, 7)[: RATE // 20]
    assert attacked(moment, moment).finding().outcome is Outcome.NOT_ASKED
