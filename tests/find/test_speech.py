"""Speech becomes proposals; what cannot be read is proposed to its end; answers do not depend on blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from safelight.find.speech import _joined, _listen, speech_in
from safelight.media.facts import SoundFacts
from safelight.media.soundline import SoundSource
from safelight.models import engine
from safelight.plan import Decision
from tests.hide.sound.made import heard_clip, speech_of
from tests.hide.sound.test_speak import cue
from tests.test_plan import CLIP, Origin, Plan


def facts(seconds: float) -> SoundFacts:
    return SoundFacts(codec="pcm", rate=48000, channels=1, start=0, duration=seconds)


def spoken(folder: Path) -> NDArray[np.float64]:
    """Ten seconds in which somebody speaks from 3 to 6."""
    said = speech_of(Plan(clip=CLIP, origin=Origin(safelight="0"), sounds=[cue(3, 6)]), folder)
    block = np.zeros(480000, np.float32)
    said.add(block, 0)
    return block.astype(float)


def test_speech_is_proposed_where_it_is(tmp_path: Path) -> None:
    path = heard_clip(tmp_path / "a.mkv", spoken(tmp_path), frames=250)
    with path.open("rb") as file:
        found = speech_in(SoundSource(file, facts(10)), engine.plain("speech"))
    assert {span.decision for span in found} == {Decision.PROPOSE}
    assert found[0].start == pytest.approx(2.75, abs=0.5)
    assert found[-1].end == pytest.approx(6, abs=0.8)


def test_blocks_do_not_matter() -> None:
    network = engine.plain("speech")
    wave = np.random.default_rng(0).normal(0, 0.1, 100_000).astype(np.float32)
    whole = np.concatenate(list(_listen([wave], network)))
    parts = np.concatenate(list(_listen(np.array_split(wave, 37), network)))
    assert np.allclose(whole, parts, atol=1e-5)


def test_noise_is_no_speech() -> None:
    network = engine.plain("speech")
    wave = np.random.default_rng(0).normal(0, 0.05, 160_000).astype(np.float32)
    assert not list(_joined(np.concatenate(list(_listen([wave], network))).tolist()))


def test_what_cannot_be_read_counts_as_speech(tmp_path: Path) -> None:
    path = heard_clip(tmp_path / "a.mkv", np.zeros(48000 * 4), frames=100, codec="flac")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle:] = np.random.default_rng(0).integers(0, 256, len(data) - middle, np.uint8).tobytes()
    path.write_bytes(data)
    with path.open("rb") as file:
        found = speech_in(SoundSource(file, facts(4)), engine.plain("speech"))
    assert not found or found[-1].end == 4  # refused midway, or ended early without complaint


@pytest.mark.parametrize("frames", [4, 31, 32, 100])
def test_speech_to_the_very_end_is_proposed(frames: int) -> None:
    """Who speaks until the recording stops was once proposed nowhere."""
    ((start, end, score),) = _joined([0.0] * 10 + [0.9] * frames)
    assert (start, end) == pytest.approx((10 * 0.032, (10 + frames) * 0.032))
    assert score == pytest.approx(0.9)
