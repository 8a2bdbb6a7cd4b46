"""The disguise: of the same length, of one loudness and pitch for all, and never lost in what is no number."""

from __future__ import annotations

import numpy as np
import pytest
import pyworld

from safelight.hide.sound.disguise import SPEECH_RATE, Disguise
from tests.attack.test_voices import voice


@pytest.fixture(scope="module")
def disguise() -> Disguise:
    return Disguise()


def test_length_loudness_and_pitch_are_everybodys(disguise: Disguise) -> None:
    heights = []
    for number, (pitch, tract, level) in enumerate([(95, 0.9, 0.1), (230, 1.2, 1.0)]):
        speech = voice(4, pitch, tract, seed=number) * level
        made = disguise.at_16k(speech.astype(np.float32))
        assert len(made) == len(speech)
        assert float(np.sqrt(np.mean(np.square(made)))) == pytest.approx(0.08, rel=0.1)
        found, _ = pyworld.dio(made.astype(np.float64), SPEECH_RATE)
        heights.append(float(np.median(found[found > 0])))
        assert np.abs(np.corrcoef(speech, made)[0, 1]) < 0.1
    assert heights == pytest.approx([165, 165], rel=0.12)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e30])
def test_what_is_no_number_does_no_harm(disguise: Disguise, wrong: float) -> None:
    speech = voice(2, seed=3)
    speech[5000:5100] = wrong
    assert np.isfinite(disguise.at_16k(speech)).all()


def test_silence_and_scraps_stay_silent(disguise: Disguise) -> None:
    for length in (0, 10, 1000, 16000):
        assert not disguise.at_16k(np.zeros(length, np.float32)).any()
