"""Clips with any sound a test wants, coded without loss, and what is heard in a copy."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from safelight.hide.apply import apply
from safelight.hide.sound.speak import Speech
from safelight.hide.sound.track import copy_sound
from safelight.media.read import Reader
from safelight.media.soundline import SoundSource
from safelight.plan import Plan, Sensor, Settings, Sound, SoundDefault
from safelight.workers.messages import SpeakJob
from safelight.workers.parent import run
from tests.hide.clips import plan_for
from tests.media.build import clip

Wave = NDArray[np.float64]
LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}


def noise(seconds: float, rate: int = 48000, seed: int = 0) -> Wave:
    """Loud noise, so that whatever passes is heard."""
    return np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * rate))


def heard_clip(
    path: Path,
    wave: Wave,
    rate: int = 48000,
    *,
    frames: int = 50,
    channels: int = 1,
    starts: Sequence[tuple[float, int, int]] | None = None,
    codec: str = "pcm_s16le",
    tracks: int = 1,
) -> Path:
    """A film of ``frames`` pictures at 25 a second with that sound on its last track, silence on the others.

    ``starts``: instead of one piece from time 0, pieces (time stamp in seconds, first sample, sample after the last).
    """
    streams: list[Any] = []

    def add(out: Any) -> None:
        for _ in range(tracks):
            stream = out.add_stream(codec, rate=rate)
            stream.codec_context.layout = LAYOUTS[channels]
            streams.append(stream)

    def write(out: Any) -> None:
        for number, stream in enumerate(streams):
            for at, first, last in starts or [(0.0, 0, len(wave))]:
                for begin in range(first, last, 1024):
                    part = wave[begin : min(begin + 1024, last)] * (number == tracks - 1)
                    samples = np.repeat((part * 32767).astype(np.int16)[:, None], channels, axis=1)
                    frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=LAYOUTS[channels])
                    frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
                    frame.pts = round(at * rate) + begin - first
                    out.mux(stream.encode(frame))
            out.mux(stream.encode(None))

    clip(path, frames=frames, codec="ffv1", extra=add, after=write)  # without loss, and the same each time
    return path


def plan_of(path: Path, sounds: list[Sound], default: SoundDefault = SoundDefault.SILENCE) -> Plan:
    """A plan for a clip that is about its sound only."""
    plan = plan_for(path, [])
    return plan.model_copy(update={"sounds": sounds, "settings": Settings(sound=default, sensor=Sensor.OFF)})


def speech_of(plan: Plan, folder: Path) -> Speech:
    """The plan's words spoken by a worker, as the program has them spoken. Raises what the worker refuses."""
    (folder / "plan.json").write_text(plan.to_json())
    with Path(os.devnull).open("rb") as nothing:
        run(SpeakJob(), nothing.fileno(), folder, progress=lambda done, total: None, cancel=threading.Event())
    return Speech(folder / "speech.pcm", folder / "speech.json")


def copied(path: Path, plan: Plan, folder: Path) -> Path:
    """Carry a plan out as a worker does; the copy."""
    folder.mkdir()
    spoken = speech_of(plan, folder)
    with path.open("rb") as file, Reader(file) as reader:
        assert reader.facts.sound is not None
        sound = copy_sound(plan, SoundSource(file, reader.facts.sound), spoken)
        return apply(reader, plan, folder / "copy", sound=sound).copy


def hear(path: Path) -> Wave:
    """The samples of a copy's sound, 48 kHz, by FFmpeg itself."""
    with av.open(str(path)) as film:
        return np.concatenate([frame.to_ndarray()[0] for frame in film.decode(audio=0)]).astype(float)


def loudness(wave: Wave, start: float, end: float) -> float:
    """Root mean square between two times in seconds."""
    return float(np.sqrt(np.mean(np.square(wave[round(start * 48000) : round(end * 48000)]))))
