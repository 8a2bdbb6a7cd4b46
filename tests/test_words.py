"""The program with words: spoken in the copy, told in the account, refused where they cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from program import safelight
from safelight.plan import Plan, Sound, SoundAction, SoundDefault
from tests.hide.clips import plan_for
from tests.hide.sound.made import hear, heard_clip, loudness, noise

SRT = "1\n00:00:00,300 --> 00:00:01,900\nThe old city was quiet\n"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return heard_clip(tmp_path / "clip.mkv", noise(3), frames=75)


def planned(clip: Path, *sounds: Sound) -> Path:
    import hashlib

    plan = plan_for(clip, [])
    plan = plan.model_copy(update={"sounds": list(sounds)})
    plan.clip.sha256 = hashlib.sha256(clip.read_bytes()).hexdigest()
    path = clip.with_name("plan.json")
    path.write_text(plan.to_json())
    return path


def test_subtitles_are_spoken_and_nothing_of_the_original_is_heard(clip: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.srt"
    words.write_text(SRT)
    plan, out = planned(clip), tmp_path / "out"
    ran = safelight("hide", clip, "--plan", plan, "--subtitles", words, "--language", "en", "-o", out)
    assert ran.status == 0, ran.err
    wave = hear(out / "clip.safelight.mp4")
    assert loudness(wave, 0.4, 1.8) > 0.02
    assert loudness(wave, 0, 0.28) < 1e-4
    assert loudness(wave, 2.2, 3) < 1e-4
    onset = int(np.flatnonzero(np.abs(wave) > 0.02)[0]) / 48000
    assert onset == pytest.approx(0.3, abs=0.15)
    account = json.loads((out / "clip.safelight.json").read_text())
    assert account["sound"].startswith("1 cue(s) spoken by a synthetic voice.")
    assert "no source sound was copied" in account["sound"]
    kept = Plan.load(out / "clip.safelight-plan.json")
    assert kept.settings.sound is SoundDefault.REVOICE
    assert [(s.action, s.text) for s in kept.sounds] == [(SoundAction.REVOICE, "The old city was quiet")]


def refused(clip: Path, folder: Path, *words: str | Path) -> str:
    out = folder / "out"
    ran = safelight("hide", clip, "--plan", planned(clip), "-o", out, *words)
    assert ran.status != 0
    assert not out.exists() or not [p for p in out.iterdir() if not p.name.startswith(".")]
    assert "quiet" not in ran.err
    return ran.err


@pytest.mark.parametrize(
    ("text", "language", "code"),
    [
        (SRT.replace("quiet", "тихо"), "en", "SL-TEXT-UNSUPPORTED"),
        (SRT + "\n2\n00:00:01,000 --> 00:00:02,500\nmore\n", "en", "SL-CUES-OVERLAP"),
        (SRT.replace("01,900", "00,400") + "\n2\n00:00:00,450 --> 00:00:02,500\nmore\n", "en", "SL-CUE-TOO-SHORT"),
        ("nothing", "en", "SL-SUBTITLES-INVALID"),
        (SRT, "tlh", "--language"),
    ],
)
def test_words_that_cannot_be_spoken_leave_no_copy(
    clip: Path, tmp_path: Path, text: str, language: str, code: str
) -> None:
    words = tmp_path / "words.srt"
    words.write_text(text)
    assert code in refused(clip, tmp_path, "--subtitles", words, "--language", language)


def test_a_promise_of_words_without_words_is_refused(clip: Path, tmp_path: Path) -> None:
    assert "SL-NO-WORDS" in refused(clip, tmp_path, "--sound", "revoice")


def test_subtitles_go_with_one_clip_and_with_speech(clip: Path, tmp_path: Path) -> None:
    words = tmp_path / "words.srt"
    words.write_text(SRT)
    both = ("--subtitles", words, "--language", "en")
    assert safelight("protect", clip, clip, *both, "-o", tmp_path / "o").status == 2
    assert "revoice" in refused(clip, tmp_path, *both, "--sound", "disguise")


def test_a_span_is_kept_only_with_a_reason_and_a_person() -> None:
    for wrong in ({}, {"decided_by": "editor"}, {"reason": "sea"}, {"reason": "  ", "decided_by": "editor"}):
        with pytest.raises(ValueError, match="only with a reason"):
            Sound(start=0, end=1, action=SoundAction.KEEP, **wrong)


def test_a_film_without_sound_has_no_track(tmp_path: Path) -> None:
    from tests.media.build import clip as silent_film

    path = silent_film(tmp_path / "clip.mkv", frames=10)
    ran = safelight("hide", path, "--plan", planned(path), "-o", tmp_path / "out")
    assert ran.status == 0, ran.err
    account = json.loads((tmp_path / "out" / "clip.safelight.json").read_text())
    assert account["sound"] == "The source has no sound; the copy has none."
