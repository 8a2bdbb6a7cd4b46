"""Speech in the place of a voice: in time, fitted, in every language promised, and refused where it cannot be."""

from __future__ import annotations

import json
import resource
import tempfile
from pathlib import Path

import numpy as np
import pytest

from safelight.errors import Code, SafelightError
from safelight.hide.sound.languages import LANGUAGES
from safelight.hide.sound.speak import Speech, cast
from safelight.plan import Plan, Sound, SoundAction
from tests.hide.sound.made import speech_of
from tests.test_plan import CLIP, Origin

TEXTS = {
    "ar": "مرحبا بكم، هذه شهادة من المدينة القديمة",
    "de": "Dies ist eine Aussage aus der Altstadt",
    "en": "This is a testimony from the old city",
    "fa": "این یک شهادت از شهر قدیم است",
    "fr": "Ceci est un témoignage de la vieille ville",
    "ku": "Ev şahidiyek ji bajarê kevn e",
    "sv": "Det här är ett vittnesmål från gamla staden",
    "tr": "Bu eski şehirden bir tanıklıktır",
}


def cue(start: float, end: float, text: str = TEXTS["en"], language: str = "en", speaker: str = "") -> Sound:
    return Sound(
        start=start,
        end=end,
        action=SoundAction.REVOICE,
        text=text,
        language=language,
        speaker=speaker,
        decided_by="desk",
    )


def speech(folder: Path, *cues: Sound, seconds: float = 20) -> np.ndarray:
    """What is heard of the cues, from time 0 on."""
    work = Path(tempfile.mkdtemp(dir=folder))
    said = speech_of(Plan(clip=CLIP, origin=Origin(safelight="0"), sounds=list(cues)), work)
    heard = []
    for start in range(0, round(seconds * 48000), 4800):
        block = np.zeros(4800, np.float32)
        said.add(block, start)
        heard.append(block)
    return np.concatenate(heard)


def refused(folder: Path, *cues: Sound) -> Code:
    with pytest.raises(SafelightError) as caught:
        speech(folder, *cues)
    assert TEXTS["en"] not in caught.value.detail
    return caught.value.code


def ends(wave: np.ndarray) -> tuple[float, float]:
    loud = np.flatnonzero(np.abs(wave) > 0.02)
    return float(loud[0]) / 48000, float(loud[-1]) / 48000


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_is_spoken_in_its_time(tmp_path: Path, language: str) -> None:
    start, end = ends(speech(tmp_path, cue(2, 5.5, TEXTS[language], language)))
    assert start == pytest.approx(2, abs=0.15)
    assert 4.3 < end <= 5.55


@pytest.mark.parametrize("length", [1.6, 2.2, 2.9])
def test_speech_is_fitted_to_its_cue(tmp_path: Path, length: float) -> None:
    start, end = ends(speech(tmp_path, cue(1, 1 + length)))
    assert start == pytest.approx(1, abs=0.05)
    assert end == pytest.approx(1 + length, abs=0.15 * length)


def test_the_same_words_give_the_same_samples_and_another_speaker_another_voice(tmp_path: Path) -> None:
    first, again = speech(tmp_path, cue(1, 4)), speech(tmp_path, cue(1, 4))
    assert first.tobytes() == again.tobytes()
    both = speech(tmp_path, cue(1, 4, speaker="Rana"), cue(6, 9, speaker="Omar"))
    one, other = both[48000:192000], both[6 * 48000 : 9 * 48000]
    assert np.abs(np.corrcoef(one, other)[0, 1]) < 0.5
    assert cast([cue(1, 2, speaker="Rana"), cue(2, 3, speaker="Omar"), cue(3, 4, speaker="Rana")]).keys() == {
        "Rana",
        "Omar",
    }


def test_two_speakers_may_speak_at_once_but_not_one(tmp_path: Path) -> None:
    speech(tmp_path, cue(1, 4, speaker="a"), cue(2, 5, speaker="b"))
    assert refused(tmp_path, cue(1, 4), cue(2, 5)) is Code.CUES_OVERLAP
    speech(tmp_path, cue(1, 4.1), cue(4, 7))  # as subtitles often do


def test_text_that_cannot_be_said_in_time_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, cue(1, 1.5, TEXTS["en"] * 3), cue(2, 5)) is Code.CUE_TOO_SHORT


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Добрый день", "en"),
        ("你好", "ar"),
        ("مرحبا بكم", "sv"),
        ("سڵاو هاوڕێیان", "ku"),
        ("!!! …", "en"),
        ("hello", "xx"),
    ],
)
def test_text_no_voice_can_read_is_refused(tmp_path: Path, text: str, language: str) -> None:
    assert refused(tmp_path, cue(1, 4, text, language)) is Code.TEXT_UNSUPPORTED


def test_markup_is_spoken_and_not_obeyed(tmp_path: Path) -> None:
    """No text may make the engine play a file or stop."""
    plain = speech(tmp_path, cue(1, 8, 'before <audio src="/etc/passwd"/> <break time="20s"/> [[h@l@U]] after'))
    start, end = ends(plain)
    assert start == pytest.approx(1, abs=0.15)
    assert end < 9


def test_an_hour_of_speech_is_not_kept_in_memory(tmp_path: Path) -> None:
    """Mapped into memory it was: 345 MB, all of it, at the end of the hour."""
    hour = 3600 * 48000
    with (tmp_path / "speech.pcm").open("wb") as file:
        file.truncate(2 * hour)
    (tmp_path / "speech.json").write_text(json.dumps([{"at": 0, "offset": 0, "count": hour}]))
    said, before = Speech(tmp_path / "speech.pcm", tmp_path / "speech.json"), resident()
    block = np.zeros(48000, np.float32)
    for start in range(0, hour, len(block)):
        said.add(block, start)
    assert resident() - before < 32


def resident() -> float:
    """MiB of this process in memory, mapped files too."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
