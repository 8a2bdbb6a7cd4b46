"""A second, independent ear for speakers: mel cepstra and pitch, and the directions in which voices differ most.

It shares nothing with the network: no weights, no training but on the strangers at hand (linear discriminant analysis).
When they are disguised like the copy, it is the attacker who has trained on disguised speech.
"""

from __future__ import annotations

import numpy as np
import pyworld
from numpy.typing import NDArray
from scipy.fft import dct
from scipy.linalg import eigh

from safelight.media.mel import mel_power

RATE = 16000
_BANDS, _CEPSTRA = 40, 20
_SEGMENT = 1.0  # seconds one set of traits is taken from
_LOUD = 1e-3  # of the loudest frame: what is quieter is pause
_SHRINK = 0.1  # how far the spread within voices is drawn to a round one

Traits = NDArray[np.float64]


def traits(speech: NDArray[np.float32]) -> Traits:
    """(segments, 42): mean and spread of the cepstra, middle and range of the pitch, per second of mono speech."""
    size = round(_SEGMENT * RATE)
    whole = [speech[start : start + size] for start in range(0, max(len(speech) - size, 0) + 1, size)]
    return np.stack([_of_segment(part) for part in whole])


def _of_segment(part: NDArray[np.float32]) -> Traits:
    power = mel_power(part, _BANDS)
    total = power.sum(axis=1)
    cepstra = dct(np.log(power + 1e-10), norm="ortho", axis=1)[:, 1 : _CEPSTRA + 1]
    loud = cepstra[total >= _LOUD * max(float(total.max(initial=0)), 1e-12)]
    loud = loud if len(loud) else np.zeros((1, _CEPSTRA))
    pitch, _ = pyworld.dio(part.astype(np.float64), RATE, frame_period=10.0)
    heard = np.log(pitch[pitch > 0]) if np.any(pitch > 0) else np.zeros(1)
    low, middle, high = np.percentile(heard, (25, 50, 75))
    return np.concatenate((loud.mean(axis=0), loud.std(axis=0), [middle * 5, (high - low) * 5]))


class Discriminant:
    """The directions that tell these voices apart, learnt from several segments of each."""

    def __init__(self, voices: list[Traits]) -> None:
        """``voices``: traits of one voice each."""
        everything = np.concatenate(voices)
        self._mean, self._scale = everything.mean(axis=0), everything.std(axis=0) + 1e-6
        scaled = [self._scaled(voice) for voice in voices]
        within = sum(np.cov(voice.T, bias=True) * len(voice) for voice in scaled) / len(everything)
        between = np.cov(np.stack([voice.mean(axis=0) for voice in scaled]).T)
        size = len(self._mean)
        within = (1 - _SHRINK) * within + _SHRINK * np.trace(within) / size * np.eye(size)
        _, axes = eigh(between, within)
        self._axes = axes[:, ::-1][:, : min(20, size, len(voices) - 1)]

    def _scaled(self, voice: Traits) -> Traits:
        return np.asarray((voice - self._mean) / self._scale)

    def mark(self, voice: Traits) -> NDArray[np.float64]:
        """A voice as a direction, length 1; compare two by their product."""
        mark = (self._scaled(voice) @ self._axes).mean(axis=0)
        return np.asarray(mark / max(float(np.linalg.norm(mark)), 1e-9))
