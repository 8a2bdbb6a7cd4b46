"""Power spectra on a mel scale, as two published networks were trained on: Slaney's scale and area norm.

Method: Slaney, Auditory Toolbox, 1998, as librosa's defaults have it.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE = 16000  # samples a second of what is analysed
WINDOW, STEP = 400, 160  # samples: 25 ms every 10 ms

Features = NDArray[np.float32]


def mel_power(samples: NDArray[np.float32], bands: int) -> Features:
    """(frames, bands) mel power of mono sound at RATE; one frame for each STEP samples, each centred on its time."""
    padded = np.pad(samples, WINDOW // 2, mode="reflect" if len(samples) > WINDOW else "constant")
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::STEP][: len(samples) // STEP]
    power = np.square(np.abs(np.fft.rfft(frames * _window()))).astype(np.float32)
    return np.asarray(power @ _filters(bands), np.float32)


@cache
def _window() -> NDArray[np.float32]:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)


@cache
def _filters(bands: int) -> NDArray[np.float32]:
    """(bins, bands): triangles between neighbouring mel frequencies, each of the same area."""
    hertz = np.linspace(0, RATE / 2, WINDOW // 2 + 1)
    centres = _hertz(np.linspace(0, _mel(RATE / 2), bands + 2))
    rising = (hertz[:, None] - centres[:-2]) / np.diff(centres)[:-1]
    falling = (centres[2:] - hertz[:, None]) / np.diff(centres)[1:]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * 2 / (centres[2:] - centres[:-2])).astype(np.float32)


_KNEE, _LINEAR, _LOG = 1000.0, 200 / 3, np.log(6.4) / 27


def _mel(hertz: float) -> float:
    return hertz / _LINEAR if hertz < _KNEE else _KNEE / _LINEAR + float(np.log(hertz / _KNEE)) / _LOG


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < _KNEE / _LINEAR, mel * _LINEAR, _KNEE * np.exp((mel - _KNEE / _LINEAR) * _LOG))
