"""Makes the pool of frames that disguised speech is built from, out of a recording of a synthetic voice.

    python -m benchmarks.make_pool VOICE.wav src/safelight/hide/sound/pool.npz

Which recording, and under which licence: docs/sound.md. Not needed to use Safelight: the pool comes with it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyworld
from scipy.io import wavfile
from scipy.signal import resample_poly

from safelight.hide.sound.content import Content
from safelight.hide.sound.disguise import SPEECH_RATE
from safelight.models import store
from safelight.models.manifest import weight

SECONDS = 12  # looked at together, as in use
AXES, SPECTRUM = 96, 28
FFT = 1024


def main(source: Path, target: Path) -> None:
    rate, wave = wavfile.read(source)
    speech = resample_poly(wave.astype(np.float64), SPEECH_RATE, rate)
    speech *= 0.08 / np.sqrt(np.mean(np.square(speech)))
    encoder = Content(b"".join(store.load(weight(name)) for name in ("content-1", "content-2")))
    content, spectrum, noise, voiced = [], [], [], []
    for start in range(0, len(speech) - SPEECH_RATE, SECONDS * SPEECH_RATE):
        part = np.ascontiguousarray(speech[start : start + SECONDS * SPEECH_RATE])
        said = encoder(part.astype(np.float32))
        pitch, times = pyworld.dio(part, SPEECH_RATE, frame_period=10.0)
        pitch = pyworld.stonemask(part, pitch, times, SPEECH_RATE)
        envelope = pyworld.cheaptrick(part, pitch, times, SPEECH_RATE, fft_size=FFT)
        breath = pyworld.d4c(part, pitch, times, SPEECH_RATE, fft_size=FFT)
        frames = min(len(said), len(pitch) // 2)
        content.append(said[:frames] - said.mean(axis=0))
        coded = pyworld.code_spectral_envelope(envelope, SPEECH_RATE, SPECTRUM)
        spectrum.append(coded[: 2 * frames].reshape(frames, 2, -1))
        noise.append(pyworld.code_aperiodicity(breath, SPEECH_RATE)[: 2 * frames].reshape(frames, 2, -1))
        voiced.append((pitch[: 2 * frames] > 0).reshape(frames, 2))
    everything = np.concatenate(content)
    _, axes = np.linalg.eigh(everything.T @ everything)
    axes = axes[:, ::-1][:, :AXES]
    placed = everything @ axes
    placed /= np.linalg.norm(placed, axis=1, keepdims=True)
    kept = {
        "axes": axes.astype(np.float16),
        "content": np.round(placed * 127 / np.abs(placed).max()).astype(np.int8),
        "spectrum": np.concatenate(spectrum).astype(np.float16),
        "noise": np.concatenate(noise).astype(np.float16),
        "voiced": np.concatenate(voiced).astype(np.uint8),
    }
    np.savez_compressed(target, **kept)
    print({name: values.shape for name, values in kept.items()}, target.stat().st_size)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
