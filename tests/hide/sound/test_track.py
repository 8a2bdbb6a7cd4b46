"""What is heard in a copy: only what the plan lets through, and nothing of what it hides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.hide.sound.score import minus, score, union
from safelight.media.soundline import SoundSource, sound_line
from safelight.plan import Decision, Plan, Sound, SoundAction, SoundDefault
from tests.hide.sound.made import copied, hear, heard_clip, loudness, noise, plan_of
from tests.test_plan import CLIP, Origin

KEPT = {"action": SoundAction.KEEP, "decided_by": "editor", "reason": "the sea, nobody is heard"}


def kept(start: float, end: float) -> Sound:
    return Sound(start=start, end=end, **KEPT)


def silent(start: float, end: float) -> Sound:
    return Sound(start=start, end=end, action=SoundAction.SILENCE)


def spoken(start: float, end: float, text: str = "Hello, this is a test.", language: str = "en") -> Sound:
    return Sound(start=start, end=end, action=SoundAction.REVOICE, text=text, language=language, decided_by="desk")


spans = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 10)).map(lambda s: (s[0], s[0] + s[1])), max_size=6)


@given(spans, spans)
def test_spans_are_sets_of_moments(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    def moments(given: object) -> set[int]:
        return {moment for start, end in given for moment in range(round(start), round(end))}  # type: ignore[attr-defined]

    assert moments(union(some)) == moments(some)
    assert moments(minus(union(some), union(others))) == moments(some) - moments(others)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 6), st.sampled_from(SoundAction)), max_size=8))
def test_the_strictest_wins(wanted: list[tuple[int, int, SoundAction]]) -> None:
    sounds = [
        Sound(start=a, end=a + n, action=action, text="x", language="en", decided_by="desk", reason="because")
        for a, n, action in wanted
    ]
    planned = score(Plan(clip=CLIP, origin=Origin(safelight="0"), sounds=sounds))
    order = [SoundAction.SILENCE, SoundAction.TONE, SoundAction.REVOICE, SoundAction.DISGUISE, SoundAction.KEEP]
    for second in range(30):
        here = {s.action for s in sounds if s.start <= second < s.end}
        strictest = next((action for action in order if action in here), None)

        def inside(found: tuple[tuple[float, float], ...], at: int = second) -> bool:
            return any(a <= at < b for a, b in found)

        assert inside(planned.keep) == (strictest is SoundAction.KEEP)
        assert inside(planned.disguise) == (strictest is SoundAction.DISGUISE)
        assert inside(planned.tone) == (strictest is SoundAction.TONE)


def test_proposals_count_only_where_disguise_is_the_default() -> None:
    heard = Sound(start=1, end=2, decision=Decision.PROPOSE)
    for default in SoundDefault:
        plan = Plan(clip=CLIP, origin=Origin(safelight="0"), sounds=[heard])
        plan.settings.sound = default
        assert bool(score(plan).original) == (default is SoundDefault.DISGUISE)


@pytest.mark.parametrize("rate", [44100, 8000, 48000])
def test_hidden_sound_cannot_influence_the_copy(tmp_path: Path, rate: int) -> None:
    """Neighbours of what is kept, to the very sample; under silence, a tone, speech and by default."""
    hidden = [silent(0.4, 0.7), Sound(start=0.7, end=0.9, action=SoundAction.TONE), spoken(1.0, 1.6)]
    sounds = [kept(0.2, 0.5), kept(0.6, 1.1), *hidden, kept(1.6, 1.8)]
    wave = noise(2, rate)
    other = wave.copy()
    open_ = minus(union([(0.2, 0.5), (0.6, 1.1), (1.6, 1.8)]), union([(s.start, s.end) for s in hidden]))
    passes = np.zeros(len(wave), bool)
    for start, end in open_:
        passes[int(np.ceil(start * rate)) : int(np.floor(end * rate))] = True
    other[~passes] = noise(2, rate, seed=1)[~passes]
    copies = []
    for name, sound in (("a", wave), ("b", other)):
        path = heard_clip(tmp_path / f"{name}.mkv", sound, rate)
        copies.append(copied(path, plan_of(path, sounds), tmp_path / name).read_bytes())
    assert copies[0] == copies[1]
    seen = other.copy()
    seen[np.flatnonzero(passes)[100]] = 0.9
    path = heard_clip(tmp_path / "c.mkv", seen, rate)
    assert copied(path, plan_of(path, sounds), tmp_path / "c").read_bytes() != copies[0]


@pytest.mark.parametrize("rate", [48000, 16000])
def test_silenced_sound_cannot_influence_the_disguise_around_it(tmp_path: Path, rate: int) -> None:
    """Not by its loudness, its pitch or its words: statistics are those of each passage."""
    sounds = [Sound(start=0.2, end=1.8, action=SoundAction.DISGUISE, decided_by="desk"), silent(0.9, 1.2)]
    wave = noise(2, rate) * 0.2
    other = wave.copy()
    other[round(0.9 * rate) : round(1.2 * rate)] = 0.9
    copies = []
    for name, sound in (("a", wave), ("b", other)):
        path = heard_clip(tmp_path / f"{name}.mkv", sound, rate)
        copies.append(copied(path, plan_of(path, sounds), tmp_path / name))
    assert copies[0].read_bytes() == copies[1].read_bytes()
    heard = hear(copies[0])
    assert loudness(heard, 0.95, 1.15) < 1e-4
    assert loudness(heard, 0.3, 0.8) > 1e-3


def test_each_stretch_is_what_the_plan_says(tmp_path: Path) -> None:
    path = heard_clip(tmp_path / "a.mkv", noise(4), frames=100)
    tone = Sound(start=1, end=1.5, action=SoundAction.TONE)
    copy = copied(path, plan_of(path, [kept(0.3, 0.8), tone, spoken(2, 3)]), tmp_path / "copy")
    wave = hear(copy)
    assert loudness(wave, 0.35, 0.75) > 0.05
    spectrum = np.abs(np.fft.rfft(wave[round(1.05 * 48000) : round(1.45 * 48000)]))
    assert np.argmax(spectrum) * 48000 / 2 / (len(spectrum) - 1) == pytest.approx(1000, abs=5)
    assert loudness(wave, 2.1, 2.9) > 0.02
    for start, end in ((0, 0.25), (0.85, 0.95), (1.55, 1.95), (3.4, 4)):
        assert loudness(wave, start, end) < 1e-4, (start, end)


def test_without_a_kept_stretch_the_original_is_not_even_opened(tmp_path: Path) -> None:
    copies = []
    for name, seed in (("a", 0), ("b", 1)):
        path = heard_clip(tmp_path / f"{name}-lossy.mkv", noise(2, seed=seed), codec="mp2")
        copies.append(copied(path, plan_of(path, [spoken(0.2, 1.5)]), tmp_path / name).read_bytes())
    assert copies[0] == copies[1]
    assert loudness(hear(tmp_path / "a" / "copy.mp4"), 0.3, 1.2) > 0.02


def line(path: Path) -> np.ndarray:
    from safelight.media.read import Reader

    with path.open("rb") as file, Reader(file) as reader:
        assert reader.facts.sound is not None
        return np.concatenate(list(sound_line(SoundSource(file, reader.facts.sound), [(0, 1e6)])))


def clicks(at: list[float], rate: int, seconds: float) -> np.ndarray:
    wave = np.zeros(round(seconds * rate))
    for time in at:
        wave[round(time * rate) : round(time * rate) + rate // 500] = 0.9
    return wave


def onsets(samples: np.ndarray) -> list[float]:
    loud = np.flatnonzero(np.abs(samples) > 0.3)
    return [float(loud[i]) / 48000 for i in range(len(loud)) if i == 0 or loud[i] - loud[i - 1] > 4800]


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (44100, 2), (48000, 6), (96000, 1)])
def test_rates_and_channels_come_to_their_time(tmp_path: Path, rate: int, channels: int) -> None:
    path = heard_clip(tmp_path / "a.mkv", clicks([0.5, 1.25], rate, 2), rate, channels=channels)
    assert onsets(line(path)) == pytest.approx([0.5, 1.25], abs=0.002)


def test_a_gap_is_silence_and_what_follows_keeps_its_time(tmp_path: Path) -> None:
    path = heard_clip(
        tmp_path / "a.mkv",
        clicks([0.2, 0.7], 48000, 1),
        starts=[(0.0, 0, 24000), (2.5, 24000, 48000)],
        frames=100,
    )
    assert onsets(line(path)) == pytest.approx([0.2, 2.7], abs=0.002)


def test_a_drifting_clock_is_set_right(tmp_path: Path) -> None:
    """A recorder that delivers 1 % too few samples: by counting, the last click would come 0.2 s early."""
    rate, seconds = 48000, 20
    wave = clicks([1.0, 10.0, 19.0], rate, seconds)
    pieces = [(at / 10, round(at / 10 * rate), round((at + 1) / 10 * rate * 1)) for at in range(seconds * 10)]
    short = [(at, first, last - 48) for at, first, last in pieces]
    path = heard_clip(tmp_path / "a.mkv", wave, starts=short, frames=seconds * 25)
    assert onsets(line(path)) == pytest.approx([1.0, 10.0, 19.0], abs=0.025)


def test_the_default_track_is_the_sound_and_the_others_are_dropped(tmp_path: Path) -> None:
    path = heard_clip(tmp_path / "a.mkv", noise(2), tracks=3)
    copy = copied(path, plan_of(path, [kept(0.2, 1.8)]), tmp_path / "copy")
    assert loudness(hear(copy), 0, 2) < 1e-4  # noise is on the third track, which the plan does not speak of
