"""Sound as it comes out of cameras and telephones: every kind has a copy in time, or a code and nothing left behind."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from program import Ran, safelight
from safelight.plan import Plan, Sound, SoundAction
from tests.hide.clips import plan_for
from tests.hide.sound.made import Wave, hear, heard_clip, loudness
from tests.media.build import clip as silent_film

SECONDS = 4.0
MARKER = "Sihem-4711"  # in every file, where formats can hold a word


def talk(rate: int) -> Wave:
    """Something with a pitch and a melody between the second 1 and the second 3; nothing before and after."""
    time = np.arange(round(SECONDS * rate)) / rate
    wave = np.sin(2 * np.pi * 140 * time + 8 * np.sin(2 * np.pi * 3 * time)) * np.abs(np.sin(2 * np.pi * 4 * time))
    return 0.4 * wave * ((time >= 1) & (time < 3))


def late(rate: int) -> list[tuple[float, int, int]]:
    """Two pieces with nothing between them for 0.2 s, the second in its place."""
    return [(0.0, 0, round(1.8 * rate)), (2.0, round(2.0 * rate), round(SECONDS * rate))]


def drifting(rate: int) -> list[tuple[float, int, int]]:
    """A clock that delivers 1 % too few samples, as its stamps tell."""
    steps = [number / 10 for number in range(round(SECONDS * 10))]
    return [(at, round(at * rate), round((at + 0.099) * rate)) for at in steps]


KINDS: dict[str, dict[str, Any]] = {
    "8 kHz": {"rate": 8000},
    "6 channels": {"channels": 6},
    "96 kHz": {"rate": 96000},
    "gap": {"starts": late(48000)},
    "drift": {"starts": drifting(48000)},
    "begins late": {"starts": [(0.7, round(0.7 * 48000), round(SECONDS * 48000))]},
    "stops early": {"starts": [(0.0, 0, round(3.2 * 48000))]},
}


def planned(film: Path, *sounds: Sound) -> Path:
    plan = plan_for(film, []).model_copy(update={"sounds": list(sounds)})
    plan.clip.sha256 = hashlib.sha256(film.read_bytes()).hexdigest()
    path = film.with_name("plan.json")
    path.write_text(plan.to_json())
    return path


def spoken(**more: Any) -> Sound:
    told = {"start": 1.0, "end": 2.6, "text": "The old city was quiet", "language": "en", "decided_by": "desk"}
    return Sound(**(told | {"action": SoundAction.REVOICE} | more))


def disguised() -> Sound:
    return Sound(start=0.5, end=3.5, action=SoundAction.DISGUISE, decided_by="desk")


def hidden(film: Path, folder: Path, *sounds: Sound) -> Ran:
    return safelight("hide", film, "--plan", planned(film, *sounds), "--sensor", "off", "-o", folder)


def refused(ran: Ran, folder: Path, code: str) -> None:
    assert ran.status == 1
    assert code in ran.err
    assert "Traceback" not in ran.err
    for private in (MARKER, "quiet", "тихо"):
        assert private not in ran.err
    assert not [left for left in folder.rglob("*") if left.is_file()] if folder.exists() else True


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_odd_sound_is_disguised_in_its_place(tmp_path: Path, kind: str) -> None:
    told = {"rate": 48000} | KINDS[kind]
    film = heard_clip(tmp_path / "clip.mkv", talk(told["rate"]), frames=100, **told)
    ran = hidden(film, tmp_path / "out", disguised())
    assert ran.status == 0, ran.err
    wave = hear(tmp_path / "out" / "clip.safelight.mp4")
    assert 0 <= len(wave) - SECONDS * 48000 < 1024
    assert loudness(wave, 1.1, 1.75) > 0.01
    assert loudness(wave, 2.05, 2.9) > 0.01
    assert loudness(wave, 0, 0.45) < 1e-4
    assert loudness(wave, 3.55, 4) < 1e-4


def test_odd_sound_changes_nothing_in_what_is_spoken_anew(tmp_path: Path) -> None:
    """Whatever the source's sound is, the copy is the same to the byte."""
    copies = set()
    for number, (_, told) in enumerate(sorted(KINDS.items())):
        folder = tmp_path / str(number)
        folder.mkdir()
        film = heard_clip(folder / "clip.mkv", talk(told.get("rate", 48000)), frames=100, **told)
        ran = hidden(film, folder / "out", spoken())
        assert ran.status == 0, ran.err
        copies.add((folder / "out" / "clip.safelight.mp4").read_bytes())
    assert len(copies) == 1


def test_of_several_tracks_one_is_heard_and_the_account_says_what_was_dropped(tmp_path: Path) -> None:
    film = heard_clip(tmp_path / "clip.mkv", talk(48000), frames=100, tracks=3)  # speech on the last
    ran = hidden(film, tmp_path / "out", disguised())
    assert ran.status == 0, ran.err
    assert loudness(hear(tmp_path / "out" / "clip.safelight.mp4"), 0, 4) < 1e-4
    account = json.loads((tmp_path / "out" / "clip.safelight.json").read_text())
    assert "sound track" in json.dumps(account["dropped"])


@pytest.mark.parametrize("sounds", [[disguised()], [spoken()]], ids=["disguise", "revoice"])
def test_a_film_without_sound(tmp_path: Path, sounds: list[Sound]) -> None:
    film = silent_film(tmp_path / "clip.mkv", frames=100)
    ran = hidden(film, tmp_path / "out", *sounds)
    assert ran.status == 0, ran.err
    account = json.loads((tmp_path / "out" / "clip.safelight.json").read_text())
    assert account["sound"].startswith("The source has no sound; the copy has none.")
    assert ("1 cue(s) were not spoken" in account["sound"]) == (sounds[0].action is SoundAction.REVOICE)


@pytest.mark.parametrize("sounds", [[], [disguised()]], ids=["silence", "disguise"])
def test_sound_in_a_code_nobody_reads(tmp_path: Path, sounds: list[Sound]) -> None:
    """Silence needs nothing of it; what has to be heard is refused."""
    film = heard_clip(tmp_path / "clip.mkv", talk(48000), frames=100)
    data = film.read_bytes()
    assert data.count(b"A_PCM/INT/LIT") == 1
    film.write_bytes(data.replace(b"A_PCM/INT/LIT", b"A_XYZ/INT/LIT"))
    ran = hidden(film, tmp_path / "out", *sounds)
    if sounds:
        refused(ran, tmp_path / "out", "SL-UNSUPPORTED")
    else:
        assert ran.status == 0, ran.err
        assert loudness(hear(tmp_path / "out" / "clip.safelight.mp4"), 0, 4) < 1e-4


def test_broken_sound_is_refused_where_it_has_to_be_heard(tmp_path: Path) -> None:
    film = heard_clip(
        tmp_path / "clip.mkv", np.random.default_rng(1).uniform(-0.5, 0.5, 192000), frames=100, codec="flac"
    )
    with av.open(str(film)) as opened:
        packets = [bytes(packet) for packet in opened.demux(audio=0) if packet.size]
    broken = packets[len(packets) // 2]
    data = film.read_bytes()
    assert data.count(broken) == 1
    data = data.replace(broken, broken[:4] + bytes(len(broken) - 4))
    film.write_bytes(data)
    refused(hidden(film, tmp_path / "out", disguised()), tmp_path / "out", "SL-DAMAGED")


@pytest.mark.parametrize(
    ("sounds", "code"),
    [
        ([spoken(), spoken(start=1.5, end=3)], "SL-CUES-OVERLAP"),
        ([spoken(text="Город был тихо")], "SL-TEXT-UNSUPPORTED"),
        ([spoken(text="سڵاو هاوڕێیان", language="ku")], "SL-TEXT-UNSUPPORTED"),
        ([spoken(end=1.2), spoken(start=1.25, end=3)], "SL-CUE-TOO-SHORT"),
    ],
    ids=["overlap", "Cyrillic", "Sorani", "too short"],
)
def test_words_that_cannot_be_spoken(tmp_path: Path, sounds: list[Sound], code: str) -> None:
    film = heard_clip(tmp_path / "clip.mkv", talk(8000), 8000, frames=100)
    refused(hidden(film, tmp_path / "out", *sounds), tmp_path / "out", code)


def test_kept_sound_without_a_reason_is_no_plan(tmp_path: Path) -> None:
    film = heard_clip(tmp_path / "clip.mkv", talk(8000), 8000, frames=100)
    path = planned(film, Sound(start=1, end=2, action=SoundAction.KEEP, decided_by=MARKER, reason="sea"))
    plan = json.loads(path.read_text())
    for field in ("reason", "decided_by"):
        path.write_text(json.dumps(plan | {"sounds": [plan["sounds"][0] | {field: ""}]}))
        ran = safelight("hide", film, "--plan", path, "-o", tmp_path / "out")
        refused(ran, tmp_path / "out", "SL-PLAN-INVALID")
    assert Plan.load(planned(film, disguised())).sounds
