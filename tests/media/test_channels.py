"""Sound of many channels: of more than eight the binding reads beyond its planes, which ended workers."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
import pytest

from safelight.media.facts import SoundFacts
from safelight.media.listen import listen
from safelight.media.soundline import SoundSource, sound_line

RATE = 48000


@pytest.mark.parametrize("channels", [1, 2, 6, 8, 9, 16, 31])
def test_every_channel_is_read(tmp_path: Path, channels: int) -> None:
    wanted = np.random.default_rng(channels).integers(-20000, 20000, (RATE // 10, channels), dtype=np.int16)
    path = tmp_path / "many.mkv"
    with wave.open(str(tmp_path / "many.wav"), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(wanted.tobytes())
    with av.open(str(tmp_path / "many.wav")) as source, av.open(str(path), "w") as target:
        track = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = track
                target.mux(packet)
    with path.open("rb") as clip:
        heard = np.concatenate([part.samples for part in listen(clip)], axis=1)
        facts = SoundFacts(codec="pcm_s16le", rate=RATE, channels=channels, start=0.0, duration=0.1)
        line = np.concatenate(list(sound_line(SoundSource(clip, facts), [(0.0, 1.0)])))
    assert heard.shape == (channels, len(wanted))
    assert np.array_equal(np.round(heard * 32768), wanted.T)
    assert np.abs(line[: len(wanted)] * 32768 - wanted.mean(axis=1)).max() < 0.01
