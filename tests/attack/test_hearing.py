"""What attackers that listen get to hear."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from safelight.attack.protocol import Attacker, SoundPair
from safelight.attack.run import attack
from safelight.attack.sound import Sound
from safelight.attack.verdict import Finding, Outcome
from safelight.errors import Code, SafelightError

RATE = 48000


def film(path: Path, sound: np.ndarray | None, *, late: float = 0.0, pictures: int = 50) -> Path:
    """A grey film of 25 pictures a second with that sound, which begins ``late`` seconds after the first picture."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = out.add_stream("pcm_s16le", rate=RATE, layout="mono") if sound is not None else None
        for number in range(pictures):
            frame = av.VideoFrame.from_ndarray(np.full((72, 64), 90 + number, np.uint8), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        for start in range(0, 0 if sound is None else len(sound), 4096):
            assert audio is not None
            assert sound is not None
            samples = (sound[None, start : start + 4096] * 32767).astype(np.int16)
            part = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            part.sample_rate, part.time_base = RATE, Fraction(1, RATE)
            part.pts = start + round(late * RATE)
            out.mux(audio.encode(part))
    return path


class Ear(Attacker):
    """Keeps what it hears."""

    name, title, question, tries = "ear", "Ear", "What is there?", ("Listened.",)
    hears = 16000
    heard: list[SoundPair]

    def __init__(self, case, notes):
        super().__init__(case, notes)
        type(self).heard = []

    def hear(self, pair: SoundPair) -> None:
        self.heard.append(pair)

    def finding(self) -> Finding:
        return self.answer(Outcome.HELD, "Heard.")


class Deafened(Ear):
    """Refuses half-way."""

    name = "deafened"

    def hear(self, pair: SoundPair) -> None:
        raise SafelightError(Code.WEIGHTS_MISSING, "No network for voices.")


def run(copy: Path, original: Path | None, *attackers: type[Attacker]):
    with copy.open("rb") as a, (original or copy).open("rb") as b:
        return attack(a, original=b if original is not None else None, attackers=attackers)


def tone(seconds: float) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE)) / RATE)


def test_copy_and_original_are_heard_at_the_same_moments(tmp_path: Path):
    original = film(tmp_path / "original.mkv", tone(2.0))
    copy = film(tmp_path / "copy.mkv", tone(1.5), late=0.5)
    run(copy, original, Ear)
    assert [pair.first for pair in Ear.heard] == [0, 16000]
    assert all(pair.rate == 16000 and len(pair.copy) == len(pair.original) for pair in Ear.heard)
    ours = np.concatenate([pair.copy for pair in Ear.heard])
    theirs = np.concatenate([pair.original for pair in Ear.heard])
    assert abs(len(theirs) - 32000) < 200
    assert np.abs(ours[:7500]).max() < 1e-3  # half a second before the copy's sound begins
    assert np.abs(ours[8500:9500]).max() == pytest.approx(0.5, abs=0.03)
    # 440 Hz goes through whole waves in half a second, so that both tones are in step
    assert np.corrcoef(ours[9000:30000], theirs[9000:30000])[0, 1] > 0.99


def test_sound_before_the_first_picture_is_heard_too(tmp_path: Path):
    copy = film(tmp_path / "copy.mkv", tone(2.0), late=-0.2)
    run(copy, None, Ear)
    assert Ear.heard[0].first == pytest.approx(-3200, abs=350)
    assert all(pair.original is None for pair in Ear.heard)


def test_nobody_hears_a_silent_film(tmp_path: Path):
    copy = film(tmp_path / "copy.mkv", None)
    run(copy, film(tmp_path / "original.mkv", tone(1)), Ear)
    assert Ear.heard == []


def test_a_refusal_while_listening_is_could_not_run_and_stops_nobody_else(tmp_path: Path):
    verdict = run(film(tmp_path / "copy.mkv", tone(2)), None, Deafened, Ear)
    assert [finding.outcome for finding in verdict.findings] == [Outcome.COULD_NOT_RUN, Outcome.HELD]
    assert len(Ear.heard) == 2


def test_audible_sound_blocks_unless_somebody_judges_voices(tmp_path: Path):
    class Voices(Ear):
        name = "voices"

    copy = film(tmp_path / "copy.mkv", tone(1))
    assert run(copy, None, Sound).outcome is Outcome.COULD_NOT_RUN
    assert run(copy, None, Sound, Voices).findings[0].outcome is Outcome.NOT_ASKED


def test_who_works_long_after_the_last_picture_is_not_taken_for_stuck(tmp_path: Path) -> None:
    """Only more than before counts as progress: saying the last picture's number again ended working attackers."""

    class Slow(Ear):
        def finding(self) -> Finding:
            for _ in range(5):
                self.notes.alive()
            return super().finding()

    told: list[int] = []
    with film(tmp_path / "copy.mkv", np.zeros(2 * RATE, np.float32)).open("rb") as copy:
        attack(copy, attackers=[Slow], progress=lambda done, _: told.append(done))
    assert len(told) >= 50 + 2 + 5
    assert all(after > before for before, after in itertools.pairwise(told))
