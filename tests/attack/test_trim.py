"""Copies cut to whole seconds: what is left out, what stays in step, and what the attackers say."""

from __future__ import annotations

import hashlib
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from safelight.attack.hearing import sound_pairs
from safelight.attack.pairs import pairs
from safelight.attack.protocol import Case, Notes
from safelight.attack.run import attack
from safelight.attack.straight import Straightener
from safelight.attack.timing import Timing
from safelight.attack.verdict import Finding, Outcome
from safelight.hide.apply import apply
from safelight.media.read import Reader
from safelight.plan import Plan
from tests.attack import plant
from tests.attack.test_hearing import RATE, Ear, film
from tests.hide.clips import plan_for

PICTURES = 61  # 2.44 s: eleven pictures too many, six of them before the beginning


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Plan]:
    noise = np.random.default_rng(3).normal(0, 0.1, round(PICTURES / 25 * RATE)).clip(-1, 1)
    path = film(tmp_path_factory.mktemp("original") / "film.mkv", noise, pictures=PICTURES)
    plan = plan_for(path, [])
    plan.clip.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    plan.settings.trim = True
    return path, plan


def sound_of(path: Path) -> np.ndarray:
    with av.open(str(path)) as opened:
        return np.concatenate([frame.to_ndarray().reshape(-1) for frame in opened.decode(audio=0)]).astype(np.float32)


def copy_of(original: tuple[Path, Plan], target: Path, *, trim: bool = True) -> Path:
    """A copy that keeps the sound, so that its place can be measured."""
    plan = original[1].model_copy(deep=True)
    plan.settings.trim = trim
    heard = sound_of(original[0]) / 32768
    with original[0].open("rb") as file, Reader(file) as reader:
        return apply(reader, plan, target, sound=np.array_split(heard, 7)).copy


def tried(copy: Path, original: tuple[Path, Plan], *, seen: bool = True) -> Finding:
    with copy.open("rb") as shown, original[0].open("rb") as source:
        verdict = attack(shown, original=source if seen else None, plan=original[1], attackers=[Timing])
    return verdict.findings[0]


def test_half_of_what_is_over_goes_at_each_end(original: tuple[Path, Plan], tmp_path: Path) -> None:
    copy = copy_of(original, tmp_path / "copy")
    with av.open(str(copy)) as opened:
        video, audio = opened.streams.video[0], opened.streams.audio[0]
        assert (video.frames, video.start_time) == (50, 0)
        assert float(video.duration * video.time_base) == pytest.approx(2, abs=1e-3)
        assert float(audio.duration * audio.time_base) == pytest.approx(2, abs=1e-3)
        levels = [float(frame.to_ndarray(format="gray").mean()) for frame in opened.decode(video=0)]
    assert levels[-1] - levels[0] == pytest.approx(49 * 255 / 219, abs=4)


@pytest.mark.parametrize("seen", [True, False])
def test_a_copy_that_is_cut_holds_and_others_do_not(original: tuple[Path, Plan], tmp_path: Path, seen: bool) -> None:
    copy = copy_of(original, tmp_path / "copy")
    held = tried(copy, original, seen=seen)
    assert held.outcome is Outcome.HELD, held.sentence
    whole = tried(copy_of(original, tmp_path / "whole", trim=False), original, seen=seen)
    assert whole.outcome is Outcome.BROKEN
    if seen:
        for lost in (0, 20, 49):
            less = plant.without_picture(copy, tmp_path / f"less{lost}.mp4", lost)
            assert tried(less, original).outcome is Outcome.BROKEN, lost


def test_sound_and_regions_stay_in_step(original: tuple[Path, Plan], tmp_path: Path) -> None:
    """Attackers hear the original's same second, and number pictures as the plan does."""
    copy, plan = copy_of(original, tmp_path / "copy"), original[1]
    with copy.open("rb") as shown, original[0].open("rb") as source, Reader(shown) as a, Reader(source) as b:
        notes, straightener = Notes(), Straightener(a.facts, b.facts, plan, None, False)
        found = [
            (pair.original_index, pair.skipped, pair.shift) for pair in pairs(a, b, notes, straightener, 0.0, plan)
        ]
        assert [index for index, _, _ in found] == list(range(6, 56))
        assert not any(skipped for _, skipped, _ in found)
        assert max(abs(shift) for _, _, shift in found) < 1e-3
        assert (notes.cut, notes.originals_left) == (pytest.approx(6 / 25), 0)
        heard = list(sound_pairs(Case(shown, a.facts, source, b.facts, plan), 16000, notes.cut))
    ours = np.concatenate([pair.copy for pair in heard])[8000:32000]
    theirs = np.concatenate([pair.original for pair in heard if pair.original is not None])[8000:32000]
    lags = np.correlate(ours, theirs[1000:-1000], "valid")
    assert abs(int(np.argmax(lags)) - 1000) <= 32
    with copy.open("rb") as shown, Reader(shown) as a:
        straightener = Straightener(a.facts, None, plan, None, False)
        with closing(pairs(a, None, Notes(), straightener, 0.0, plan)) as alone:
            assert next(alone).original_index == 6


@pytest.mark.parametrize(("frames", "ends"), [(24, None), (25, (0, 1)), (26, (Fraction(1, 50), Fraction(51, 50)))])
def test_nothing_shorter_than_a_second_is_cut(original: tuple[Path, Plan], frames: int, ends: object) -> None:
    plan = original[1].model_copy(deep=True)
    plan.clip.frames, plan.clip.first_pts = frames, 7
    plan.clip.last_pts = 7 + round((frames - 1) / 25 / Fraction(*plan.clip.time_base))
    assert plan.ends == ends
    plan.settings.trim = False
    assert plan.ends is None


def test_attackers_are_played_the_same_moment_of_both(original: tuple[Path, Plan], tmp_path: Path) -> None:
    copy = copy_of(original, tmp_path / "copy")
    with copy.open("rb") as shown, original[0].open("rb") as source:
        attack(shown, original=source, plan=original[1], attackers=[Ear])
    pairs_of_noise = [(p.copy, p.original) for p in Ear.heard if p.original is not None and len(p.copy) == 16000]
    assert pairs_of_noise
    for ours, theirs in pairs_of_noise:
        both = slice(6000, 15000)  # within the copy, wherever a stretch begins
        lags = np.correlate(ours[both], theirs[both][1000:-1000], "valid")
        assert abs(int(np.argmax(lags)) - 1000) <= 32
