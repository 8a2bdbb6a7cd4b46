"""Voices of people who do not exist, made by bending one that does: candidates beside whom a voice is recognised.

No strangers' voices are shipped or kept. Bent voices say the same words in the same room over the same microphone, so
that nothing but the voice tells candidates apart; recorded strangers would differ in all three. Vocal tract, pitch,
melody and colour are changed, each far enough that it is another voice.
"""

from __future__ import annotations

import numpy as np
import pyworld
from numpy.typing import NDArray

from safelight.media.mel import RATE

Speech = NDArray[np.float32]  # mono, RATE samples a second

_PERIOD = 10.0  # milliseconds a frame
_TRACT = (0.05, 0.22)  # least and most by which a vocal tract is longer or shorter
_PITCH = (2.0, 9.0)  # semitones, least and most
_COLOURS = 5  # lowest cosine waves over the mel-like scale by which the colour is changed
_COLOUR = 3.0  # dB each
_FLOOR = 1e-16  # power


class Bendable:
    """A stretch of speech, taken apart once."""

    def __init__(self, speech: Speech) -> None:
        """At least half a second."""
        wave = np.clip(np.nan_to_num(speech.astype(np.float64)), -1, 1)
        pitch, times = pyworld.dio(wave, RATE, frame_period=_PERIOD)
        self._pitch = pyworld.stonemask(wave, pitch, times, RATE)
        self._spectrum = pyworld.cheaptrick(wave, self._pitch, times, RATE)
        self._noise = pyworld.d4c(wave, self._pitch, times, RATE)

    def voice(self, tract: float, semitones: float, melody: float = 1.0, colour: tuple[float, ...] = ()) -> Speech:
        """The same words in another voice: formants times ``tract``, pitch moved, its movement times ``melody``."""
        bins = self._spectrum.shape[1]
        source = np.clip(np.arange(bins) / tract, 0, bins - 1)
        low = np.floor(source).astype(int)
        part = source - low
        logs = np.log(np.maximum(self._spectrum, _FLOOR))  # digital silence has no logarithm
        bent = logs[:, low] * (1 - part) + logs[:, np.minimum(low + 1, bins - 1)] * part
        scale = np.sqrt(np.arange(bins) / (bins - 1))
        for number, decibels in enumerate(colour, 1):
            bent = bent + decibels / 10 * np.log(10) * np.cos(np.pi * number * scale)
        heard = self._pitch > 0
        pitch = self._pitch.copy()
        if heard.any():
            logs_of_pitch = np.log(pitch[heard])
            middle = logs_of_pitch.mean()
            moved = middle + (logs_of_pitch - middle) * melody + semitones * np.log(2) / 12
            pitch[heard] = np.clip(np.exp(moved), 55, 600)
        made = pyworld.synthesize(pitch, np.ascontiguousarray(np.exp(bent)), self._noise, RATE, _PERIOD)
        return np.asarray(np.nan_to_num(made), np.float32)

    def stranger(self, number: int) -> Speech:
        """Stranger ``number``: the same each time."""
        dice = np.random.default_rng([number, 5])
        tract = 1 + float(dice.uniform(*_TRACT)) * dice.choice([-1, 1])
        semitones = float(dice.uniform(*_PITCH) * dice.choice([-1, 1]))
        colour = tuple(float(c) for c in dice.normal(0, _COLOUR, _COLOURS))
        return self.voice(tract, semitones, float(dice.uniform(0.5, 1.6)), colour)
