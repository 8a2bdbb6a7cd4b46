"""Disguising speech: what is said is looked up, frame by frame, in a synthetic voice, and only that voice is heard.

Each 20 ms of the speech is described by what is said (``content.py``). The frames of a synthetic voice that lie nearest
give spectrum, noise and loudness; not one sample, spectrum or level of the speech itself goes on. Of its melody a
quarter is left, around one pitch for everybody. Words, tempo, rhythm and dialect stay: this is a disguise, not safety.

Statistics (mean of the content, of the pitch) are those of the passage at hand and of nothing else, so silenced parts
of a recording cannot influence it. Methods: Baas et al., Voice Conversion With Just Nearest Neighbors, 2023; WORLD,
Morise et al., 2016.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np
import pyworld
from numpy.typing import NDArray
from scipy.signal import resample_poly

from safelight.hide.sound.content import Content
from safelight.media.sound import RATE, Samples
from safelight.models import store
from safelight.models.manifest import weight

LONGEST = 12.0  # seconds worked on at once
SPEECH_RATE = 16000  # samples a second at which it is done

_NEIGHBOURS = 8
_PITCH, _MELODY = 165.0, 0.06  # Hz; spread of the logarithm of the pitch, where voices have about 0.2
_LOWEST, _HIGHEST = 71.0, 500.0  # Hz, of a voice
_SLOW = 21  # frames of 10 ms over which the melody is smoothed
_LOUDNESS = 0.08  # root mean square
_EDGE = 0.01  # seconds
_FFT = 1024  # what WORLD takes at 16 kHz for pitches down to 71 Hz


class Disguise:
    """Disguises passages of speech; each by itself."""

    def __init__(self) -> None:
        """Load what is needed. Raises SafelightError as :func:`safelight.models.store.load`."""
        halves = [store.load(weight(name)) for name in ("content-1", "content-2")]
        self._content = Content(b"".join(halves))
        self._pool = Pool.shipped()

    def __call__(self, samples: Samples) -> Samples:
        """The passage (48 kHz, at most LONGEST seconds) in the synthetic voice, of the same length."""
        speech = np.asarray(resample_poly(samples, SPEECH_RATE, RATE), np.float32)
        out = np.asarray(resample_poly(self.at_16k(speech), RATE // SPEECH_RATE, 1), np.float32)
        return np.pad(out, (0, max(len(samples) - len(out), 0)))[: len(samples)]

    def at_16k(self, speech: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same for mono speech at 16 kHz."""
        speech = np.clip(np.nan_to_num(speech), -1, 1)  # the vocoder never comes back from what is no number
        if len(speech) < SPEECH_RATE // 10 or not np.any(speech):
            return np.zeros_like(speech)
        spectrum, noise, voiced = self._pool.nearest(self._content(speech))
        pitch = np.where(voiced, _melody(speech, len(spectrum)), 0.0)
        envelope = pyworld.decode_spectral_envelope(spectrum, SPEECH_RATE, _FFT)
        breath = pyworld.decode_aperiodicity(noise, SPEECH_RATE, _FFT)
        made = pyworld.synthesize(pitch, envelope, breath, SPEECH_RATE, 10.0)
        return _finished(np.pad(made, (0, max(len(speech) - len(made), 0)))[: len(speech)])


class Pool:
    """Frames of the synthetic voice: what is said in them, and how they sound (two steps of 10 ms each)."""

    def __init__(
        self,
        axes: NDArray[np.float32],
        content: NDArray[np.float32],
        spectrum: NDArray[np.float64],
        noise: NDArray[np.float64],
        voiced: NDArray[np.float64],
    ) -> None:
        """``axes`` (512, k): of the space in which frames are compared; ``content`` (n, k), of length 1; ``spectrum``
        (n, 2, d), ``noise`` (n, 2, bands), ``voiced`` (n, 2): WORLD's coded spectrum and aperiodicity, and 0 or 1.
        """
        self._axes, self._content = axes, content
        self._spectrum, self._noise, self._voiced = spectrum, noise, voiced

    @classmethod
    @cache
    def shipped(cls) -> Pool:
        """The pool that comes with Safelight, see ``docs/sound.md``."""
        with resources.files(__package__).joinpath("pool.npz").open("rb") as file:
            kept = np.load(file, allow_pickle=False)
            content = kept["content"].astype(np.float32)
            content /= np.linalg.norm(content, axis=1, keepdims=True)
            return cls(
                kept["axes"].astype(np.float32),
                content,
                kept["spectrum"].astype(np.float64),
                kept["noise"].astype(np.float64),
                kept["voiced"].astype(np.float64),
            )

    def nearest(
        self, content: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Spectrum, noise and voicing, each 10 ms, of the frames that come nearest to what is said each 20 ms."""
        wanted = (content - content.mean(axis=0)) @ self._axes
        wanted /= np.maximum(np.linalg.norm(wanted, axis=1, keepdims=True), 1e-9)
        likeness = wanted @ self._content.T
        near = np.argpartition(-likeness, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
        spectrum = self._spectrum[near].mean(axis=1).reshape(-1, self._spectrum.shape[2])
        noise = self._noise[near].mean(axis=1).reshape(-1, self._noise.shape[2])
        voiced = self._voiced[near].mean(axis=1).reshape(-1) > 0.5
        return np.ascontiguousarray(spectrum), np.ascontiguousarray(np.minimum(noise, -1e-3)), voiced


def _melody(speech: NDArray[np.float32], frames: int) -> NDArray[np.float64]:
    """A pitch for each 10 ms: the ups and downs of the speech, flattened, smoothed and around one pitch for all."""
    wave = speech.astype(np.float64)
    pitch, times = pyworld.dio(wave, SPEECH_RATE, f0_floor=_LOWEST, f0_ceil=_HIGHEST, frame_period=10.0)
    pitch = pyworld.stonemask(wave, pitch, times, SPEECH_RATE)
    heard = np.flatnonzero(pitch)
    if len(heard) < 10:
        return np.full(frames, _PITCH)
    ups = np.log(pitch[heard])
    ups = np.clip((ups - np.median(ups)) / max(float(ups.std()), 0.02), -2, 2)
    line = np.interp(np.arange(frames), heard, ups)
    window = np.hanning(_SLOW + 2)[1:-1]
    smooth = np.convolve(np.pad(line, _SLOW // 2, mode="edge"), window / window.sum(), "valid")
    return _PITCH * np.exp(_MELODY * smooth)


def _finished(made: NDArray[np.float64]) -> NDArray[np.float32]:
    """Of one loudness, with soft ends."""
    level = float(np.sqrt(np.mean(np.square(made))))
    made = made * min(_LOUDNESS / max(level, 1e-9), 0.9 / max(float(np.abs(made).max()), 1e-9))
    edge = min(round(_EDGE * SPEECH_RATE), len(made) // 2)
    ramp = np.linspace(0, 1, edge)
    made[:edge] *= ramp
    made[len(made) - edge :] *= ramp[::-1]
    return made.astype(np.float32)
