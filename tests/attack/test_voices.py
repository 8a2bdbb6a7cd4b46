"""The voices attacker: finds remnants of the original, ranks speakers, and reads its weights with suspicion."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, resample_poly, sosfilt

from safelight.attack import ge2e
from safelight.attack.bent import Bendable
from safelight.attack.leak import Leak
from safelight.attack.lineup import gallery, ranks
from safelight.attack.protocol import Notes, SoundPair
from safelight.attack.traits import Discriminant, traits
from safelight.attack.verdict import Outcome
from safelight.attack.voices import Ends, Voices
from safelight.errors import Code, SafelightError
from safelight.media.mel import RATE
from safelight.plan import Plan, Sound, SoundAction
from tests.attack.heard import case
from tests.hide.sound.made import speech_of
from tests.hide.sound.test_speak import cue
from tests.test_plan import CLIP, Origin


def voice(seconds: float, pitch: float = 120, tract: float = 1.0, seed: int = 0) -> NDArray[np.float32]:
    """Something like speech: buzzes of a moving pitch through moving resonances, with pauses."""
    dice = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    knots = np.arange(0, seconds + 1, 0.15)

    def wander(middle: float, spread: float) -> NDArray[np.float64]:
        return np.interp(time, knots, middle * np.exp(dice.normal(0, spread, len(knots))))

    phase = np.cumsum(wander(pitch, 0.08)) / RATE
    buzz = 2 * (phase % 1) - 1
    wave = np.zeros(len(time))
    for formant in (500.0, 1500.0, 2500.0):
        wave += buzz * np.sin(2 * np.pi * np.cumsum(wander(formant * tract, 0.15)) / RATE)
    loud = np.interp(time, knots, dice.choice([0.0, 1.0, 1.0], len(knots)))
    return (0.1 * wave * loud + dice.normal(0, 1e-3, len(time))).astype(np.float32)


def plan(*sounds: Sound) -> Plan:
    return Plan(clip=CLIP, origin=Origin(safelight="0"), sounds=list(sounds))


def heard(attacker: Voices, copy: NDArray[np.float32], original: NDArray[np.float32] | None) -> Voices:
    for first in range(0, len(copy), RATE):
        part = original[first : first + RATE] if original is not None else None
        attacker.hear(SoundPair(RATE, first, copy[first : first + RATE], part))
    return attacker


def test_unrelated_speech_is_no_remnant() -> None:
    leak = Leak()
    for second in range(60):
        leak.hear(voice(1, seed=second), voice(1, seed=1000 + second), second)
    assert not leak.found, (leak.worst, leak.together)


TIME = np.arange(60 * RATE) / RATE


@pytest.mark.parametrize("other", [voice(60, pitch=165, seed=20), voice(60, pitch=110, seed=21), np.sin(6283.2 * TIME)])
@pytest.mark.parametrize(
    "original",
    [
        *(np.sin(2 * np.pi * hertz * TIME) for hertz in (100, 165, 440, 1000)),
        2 * (165 * TIME % 1) - 1,  # a buzz
        np.sin(2 * np.pi * 600 * TIME + 20 * np.sin(8 * TIME)),  # a siren
        sosfilt(butter(4, [300, 400], "band", fs=RATE, output="sos"), np.random.default_rng(1).normal(size=len(TIME))),
    ],
    ids=["100 Hz", "165 Hz", "440 Hz", "1 kHz", "buzz", "siren", "narrow noise"],
)
def test_a_tone_in_the_original_is_no_remnant(original: NDArray[np.float64], other: NDArray[np.float64]) -> None:
    """Tones cut off each second at the same place were alike at the cuts; so was a bleep with any tone."""
    leak = Leak()
    for second in range(60):
        part = slice(second * RATE, (second + 1) * RATE)
        leak.hear(other[part].astype(np.float32), 0.3 * original[part].astype(np.float32), second)
    assert not leak.found, (leak.worst, leak.together)


@pytest.mark.parametrize("level", [0.5, 0.05])
@pytest.mark.parametrize("delay", [0, 700])
def test_a_faint_remnant_under_other_speech_is_found(level: float, delay: int) -> None:
    original = voice(20, seed=1)
    copy = voice(20, pitch=180, seed=2) + level * np.roll(original, delay)
    finding = heard(Voices(case(plan()), Notes()), copy, original).finding()
    assert finding.outcome is Outcome.BROKEN


def test_replaced_speech_holds_and_without_the_original_nothing_is_said() -> None:
    copy = voice(10, pitch=180, seed=3)
    assert heard(Voices(case(plan()), Notes()), copy, voice(10, seed=4)).finding().outcome is Outcome.HELD
    assert heard(Voices(case(plan()), Notes()), copy, None).finding().outcome is Outcome.COULD_NOT_RUN
    silence = np.zeros(5 * RATE, np.float32)
    assert heard(Voices(case(plan()), Notes()), silence, None).finding().outcome is Outcome.HELD


def test_what_was_kept_on_purpose_is_told_and_not_counted_as_a_remnant() -> None:
    kept = Sound(start=0, end=10, action=SoundAction.KEEP, decided_by="editor", reason="sea")
    original = voice(10, seed=5)
    finding = heard(Voices(case(plan(kept)), Notes()), original, original).finding()
    assert finding.outcome is Outcome.HELD
    assert any("keep" in line for line in finding.not_tried)


def test_the_report_says_whom_a_disguise_does_not_stop() -> None:
    spans = [Sound(start=0, end=4, action=action, decided_by="editor", reason="sea") for action in ("disguise", "keep")]
    told = [heard(Voices(case(plan(span)), Notes()), voice(4, seed=6), voice(4, seed=7)).finding() for span in spans]
    assert [any("trained attacker" in line for line in finding.not_tried) for finding in told] == [True, False]


def test_a_voice_that_is_not_disguised_is_broken_and_nothing_in_common_is_not(tmp_path: Path) -> None:
    """A tool that does nothing, and one that gives everybody the same sound."""
    words = "The old city was quiet before the soldiers came through the gate and took our phones"
    said = speech_of(plan(cue(0, 5, words), cue(6, 11, words[::-1].replace("q", "k"))), tmp_path)
    wave = np.zeros(11 * 48000, np.float32)
    said.add(wave, 0)
    slow = resample_poly(wave, 1, 3).astype(np.float32)
    first, second = slow[: 5 * RATE], slow[6 * RATE :]
    found = ranks(gallery(first, 20), second, lambda speech: speech)
    assert found["GE2E, plain enrolment"] < 0.1
    assert found["GE2E, enrolment disguised likewise"] < 0.1
    same = ranks(gallery(first, 10), second, lambda speech: second)
    assert same["GE2E, enrolment disguised likewise"] == 1.0


def test_strangers_are_other_voices_and_the_same_each_time() -> None:
    bendable = Bendable(voice(2, seed=10))
    assert bendable.stranger(3).tobytes() == bendable.stranger(3).tobytes()
    assert np.abs(bendable.stranger(3) - bendable.stranger(4)).max() > 0.01


def test_digital_silence_bends_too() -> None:
    wave = voice(3, seed=11)
    wave[RATE : 2 * RATE] = 0
    bendable = Bendable(wave)
    assert all(np.isfinite(bendable.stranger(number)).all() for number in range(4))


def test_traits_tell_voices_apart() -> None:
    people = [(100, 0.85), (150, 1.0), (230, 1.25)]
    known = [traits(voice(6, pitch, tract, seed=number)) for number, (pitch, tract) in enumerate(people)]
    space = Discriminant(known)
    for number, (pitch, tract) in enumerate(people):
        mark = space.mark(traits(voice(6, pitch, tract, seed=100 + number)))
        assert int(np.argmax([mark @ space.mark(one) for one in known])) == number


def test_ends_keep_the_first_and_the_last() -> None:
    ends = Ends(2.0)
    for second in range(10):
        ends.add(np.full(RATE, second, np.float32))
    assert ends.joined()[::RATE].tolist() == [0, 1, 8, 9]


def test_the_weight_file_cannot_run_anything(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "run",))  # type: ignore[return-value]

    for payload in (pickle.dumps(Evil()), b"", b"\x80\x02garbage", pickle.dumps({"model_state": 1}) * 5):
        with pytest.raises(SafelightError) as caught:
            ge2e._state(io.BytesIO(payload * 3).getvalue())
        assert caught.value.code is Code.WEIGHTS_CHANGED
    assert not (tmp_path / "run").exists()


def test_the_network_knows_a_voice(shared_media: Path) -> None:
    from benchmarks.voices import speech

    network = ge2e.Ge2e()
    people = sorted((shared_media / "speech" / "librispeech").iterdir())[:3]
    marks = [[network(speech(file)[: 6 * RATE]) for file in sorted(person.glob("*.flac"))[:2]] for person in people]
    for number, (first, _) in enumerate(marks):
        assert int(np.argmax([first @ other[1] for other in marks])) == number
