from __future__ import annotations

import importlib.util
import json
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import pytest

from safelight.errors import Code, SafelightError
from safelight.plan import Plan
from safelight.story.hints import hints
from safelight.story.listen import PACKAGE, draft
from safelight.story.listen import _sound as sound_of
from safelight.story.parts import Quote
from safelight.story.quotes import unproven
from safelight.story.source import read_story
from safelight.story.subtitles import FORMATS, followed, lines_of, read_cues, translation_of, vtt, written
from safelight.story.transcript import By, Line, State, Transcript
from tests.hide.clips import plan_for
from tests.media.build import clip
from tests.media.helpers import copy as copy_of
from tests.program import safelight
from tests.story.folders import AR_LINES, EN_LINES, swap, words


@pytest.fixture
def transcript() -> Transcript:
    return Transcript.model_validate(words())


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("language", ["ar", "en"])
def test_what_is_written_is_read_back(transcript: Transcript, form: str, language: str, tmp_path: Path):
    path = tmp_path / f"a.{form}"
    path.write_text(written(transcript, language, form), encoding="utf-8")
    lines = lines_of(read_cues(path), path.name)
    assert [line.text for line in lines] == list(AR_LINES if language == "ar" else EN_LINES)
    assert [(line.start, line.end) for line in lines] == [(0.0, 0.4), (0.5, 0.8)]
    if form != "srt":
        assert {line.speaker for line in lines} == {"أم ياسين"}


def test_a_changed_line_makes_its_translation_stale(transcript: Transcript):
    first, second = transcript.lines
    changed = transcript.model_copy(update={"lines": [first, second.model_copy(update={"text": "ثم جاء المطر."})]})
    assert [said.state for said in changed.said("en")] == [State.READY, State.STALE]
    assert "[stale] Then nothing." in written(changed, "en", "srt")
    confirmed = changed.confirmed("en", "editor 2")
    assert [said.state for said in confirmed.said("en")] == [State.READY, State.STALE]  # nobody confirms it by accident


def test_a_language_that_is_not_there_is_missing(transcript: Transcript):
    assert {said.state for said in transcript.said("sv")} == {State.MISSING}
    with pytest.raises(SafelightError) as refusal:
        written(transcript, "sv", "vtt")
    assert refusal.value.code is Code.WORDS_INCOMPLETE


def test_what_a_machine_heard_counts_only_once_confirmed():
    line = Line(id="1", start=0, end=1, text="hello there", by=By.MACHINE)
    heard = Transcript(language="en", lines=[line])
    assert [said.state for said in heard.said("en")] == [State.UNCONFIRMED]
    assert "[unconfirmed, machine] hello there" in written(heard, "en", "srt")
    assert [said.state for said in heard.confirmed("en", "editor 1").said("en")] == [State.READY]


def test_a_page_gets_words_and_nothing_else(transcript: Transcript):
    text = "".join(vtt(transcript.said("en")))
    assert text.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:00.400\n<v أم ياسين>There were nine lorries.\n")
    assert "NOTE" not in text
    hostile = Transcript(language="en", lines=[Line(id="1", start=0, end=1, text="a --> <script>", speaker="x>y")])
    assert "".join(vtt(hostile.said("en"))).count("-->") == 1


def test_no_draft_without_the_library(tmp_path: Path):
    if importlib.util.find_spec(PACKAGE) is not None:
        pytest.skip("faster-whisper is installed here")
    with pytest.raises(SafelightError) as refusal:
        draft(tmp_path / "a.mp4", tmp_path, None)
    assert refusal.value.code is Code.TOOL_MISSING


def test_the_commands(tmp_path: Path):
    (tmp_path / "a.srt").write_text(
        "1\n00:00:00,000 --> 00:00:00,400\nواحد\n\n2\n00:00:00,500 --> 00:00:00,800\nاثنان\n"
    )
    (tmp_path / "en.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:00.400\n<v Om Yasin>One\n")
    assert safelight(
        "words", "import", "a.srt", "w.json", "--language", "ar", cwd=tmp_path
    ).out == "ar: 2 not confirmed\n".replace("not confirmed", "unconfirmed")
    told = safelight("words", "import", "en.vtt", "w.json", "--language", "en", "--translator", "Oak", cwd=tmp_path)
    assert told.out == "ar: 2 unconfirmed\nen: 1 untranslated, 1 unconfirmed\n"
    safelight("words", "confirm", "w.json", "--language", "ar", "--who", "e", cwd=tmp_path)
    told = safelight("words", "confirm", "w.json", "--language", "en", "--who", "e", cwd=tmp_path)
    assert told.out == "ar: 2 ready\nen: 1 ready, 1 untranslated\n"
    assert safelight("words", "export", "w.json", "en.ass", "--language", "en", cwd=tmp_path).status == 0
    assert "One" in (tmp_path / "en.ass").read_text()
    document = json.loads((tmp_path / "w.json").read_text())
    assert document["lines"][0]["confirmed"]["who"] == "e"


def quote(text: str, start: float = 0.0, end: float = 0.5) -> Quote:
    return Quote(1, text, "Om Yasin", "road", start, end)


@pytest.mark.parametrize(
    ("quoted", "language", "why"),
    [
        (quote("There were nine lorries."), "en", None),
        (quote("there were nine lorries"), "en", None),
        (quote("There … lorries"), "en", None),
        (quote("There were nine lorries. Then nothing.", 0, 0.8), "en", None),
        (quote("كانت تسعُ شاحنات"), "ar", None),
        (quote("lorries nine"), "en", "not in road"),
        (quote("were nine lorries then"), "en", "not in road"),
        (quote("…"), "en", "not in road"),
        (quote("Then nothing.", 0.41, 0.44), "en", "Nothing is said"),
        (quote("Then nothing.", 0.5, 1.2), "en", "ends at 1.2 s"),
        (quote("Det var nio"), "sv", "not translated into sv"),
    ],
)
def test_quotes_are_proven_or_not(transcript: Transcript, quoted: Quote, language: str, why: str | None):
    said = unproven(quoted, transcript, language, duration=1.0)
    assert said is None if why is None else said is not None and why in said


def test_words_that_nobody_confirmed_prove_nothing():
    transcript = Transcript.model_validate(words(confirmed=None))
    assert unproven(quote("Then nothing.", 0.5, 0.8), transcript, "en", 1.0) == "Line 2 of road is unconfirmed in en."
    assert unproven(quote("There were nine lorries."), transcript, "en", 1.0) is None
    assert "no words" in (unproven(quote("x"), None, "en", 1.0) or "")


ODD = {
    "two exchange rates": (
        "One paid 12,500 liras for a dollar.\n\nLater it was 15 000 liras to the dollar.",
        "liras for one dollar",
    ),
    "two counts": ("They saw 40 armed men there.\n\nThe 45 armed men left.", "armed men"),
    "two dates": (
        "The long siege began on 3 March.\n\nMany left before the long siege began on 5 March.",
        "Two dates after “long siege began”",
    ),
    "two ages": ("Rana, 18, was there.\n\nRana, 19, left.", "Rana is 18"),
    "an age and a year": ("Rana, 18, was there.\n\nRana was born in 1990.", "Rana, 18 (line"),
    "a loose quote": ("“Nobody told us anything about the bridge,” she said.", "points to no clip"),
}


@pytest.mark.parametrize("odd", ODD)
def test_hints(story: Path, odd: str):
    text, wanted = ODD[odd]
    swap(story / "en.md", "She counted", f"{text}\n\nShe counted")
    found = [hint for hint in hints(read_story(story)) if hint.file == "en.md" and wanted in hint.text]
    assert found
    assert all(hint.line >= 7 for hint in found)


def test_captions_of_one_picture_that_differ(story: Path):
    swap(story / "en.md", "road 0.2", "road 0.3")
    assert any("another caption on line 23" in hint.text for hint in hints(read_story(story)))


def test_figures_that_differ_between_languages(story: Path):
    swap(story / "en.md", "She counted", "On 11 days she counted")
    assert any(hint.file == "ar.md" and "figures" in hint.text for hint in hints(read_story(story)))


def test_a_story_without_contradictions_gets_no_hint(story: Path):
    assert hints(read_story(story)) == []


def test_the_sound_of_a_copy_is_heard_from_its_beginning_by_a_worker(tmp_path: Path):
    late = clip(tmp_path / "late.mp4", frames=50, rate=Fraction(25), sound=1.0, sound_start=0.5)
    heard = sound_of(late)
    assert abs(len(heard) / 16000 - 1.5) < 0.1
    assert float(abs(heard[:7200]).max()) < 0.01 < 0.05 < float(abs(heard[9600:]).max())


@pytest.mark.parametrize("sound", [None, "silent"])
def test_nothing_is_heard_where_nothing_sounds(tmp_path: Path, sound: str | None):
    path = clip(tmp_path / "a.mp4", frames=10, rate=Fraction(10))
    if sound:
        copy_of(path, tmp_path / "b.mp4")
        path = tmp_path / "b.mp4"
    with pytest.raises(SafelightError) as refusal:
        sound_of(path)
    assert refusal.value.code is Code.NOTHING_HEARD


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, PACKAGE, ModuleType(PACKAGE))
    (tmp_path / "model.bin").write_bytes(b"x")
    with pytest.raises(SafelightError) as refusal:
        draft(tmp_path / "a.mp4", tmp_path, None)
    assert refusal.value.code is Code.TOOL_MISSING
    assert "config.json is missing" in refusal.value.detail


def _cut(tmp_path: Path, *, trim: bool) -> Plan:
    """The plan of a film of 2.4 seconds; with ``trim`` its copy lasts two, and begins 0.2 seconds later."""
    made = plan_for(clip(tmp_path / "long.mp4", frames=24, rate=Fraction(10)), [])
    return made.model_copy(update={"settings": made.settings.model_copy(update={"trim": trim})})


def test_times_follow_a_copy_whose_ends_were_cut(tmp_path: Path):
    (tmp_path / "a.srt").write_text("1\n00:00:00,100 --> 00:00:01,000\nOne\n\n2\n00:00:01,200 --> 00:00:02,300\nTwo\n")
    cues = read_cues(tmp_path / "a.srt")
    assert followed(cues, _cut(tmp_path, trim=False), "a.srt") == cues
    moved = followed(cues, _cut(tmp_path, trim=True), "a.srt")
    assert [(cue.start, cue.end) for cue in moved] == [(0.0, 0.8), (1.0, 2.0)]
    (tmp_path / "plan.json").write_text(_cut(tmp_path, trim=True).to_json())
    ran = safelight("words", "import", "a.srt", "w.json", "--language", "en", "--plan", "plan.json", cwd=tmp_path)
    assert ran.status == 0, ran.err
    assert [(line.start, line.end) for line in Transcript.load(tmp_path / "w.json").lines] == [(0.0, 0.8), (1.0, 2.0)]


def test_words_that_are_said_in_what_was_cut_off_are_refused(tmp_path: Path):
    (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:00,150\nOne\n")
    with pytest.raises(SafelightError) as refusal:
        followed(read_cues(tmp_path / "a.srt"), _cut(tmp_path, trim=True), "a.srt")
    assert (refusal.value.code, refusal.value.file) == (Code.SUBTITLES_INVALID, "a.srt:2")


def test_a_pseudonym_is_written_as_each_language_writes_it(transcript: Transcript, tmp_path: Path):
    (tmp_path / "sv.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:00.400\n<v Om Yasin>Nio lastbilar.\n")
    swedish = translation_of(transcript, read_cues(tmp_path / "sv.vtt"), "Ekan", "sv.vtt")
    told = transcript.with_translation("sv", swedish)
    assert [said.speaker for said in told.said("sv")] == ["Om Yasin", "أم ياسين"]
    assert [said.speaker for said in told.said("ar")] == ["أم ياسين", "أم ياسين"]
    assert "<v Om Yasin>Nio" in "".join(vtt(said for said in told.said("sv") if said.text))
    assert "<v Om Yasin>" in written(told, "sv", "vtt")


def test_words_imported_again_keep_what_did_not_change(transcript: Transcript):
    first, second = transcript.lines
    changed = Line(id="2", start=second.start, end=second.end, speaker=second.speaker, text="ثم جاء المطر.")
    again = transcript.respoken("ar", [first.model_copy(update={"confirmed": None}), changed])
    assert [said.state for said in again.said("ar")] == [State.READY, State.UNCONFIRMED]
    assert [said.state for said in again.said("en")] == [State.READY, State.STALE]
    fewer = transcript.respoken("ar", [first])
    assert [said.state for said in fewer.said("en")] == [State.READY]
    assert Transcript.model_validate_json(fewer.model_dump_json()) == fewer  # it can be opened again


def test_a_language_that_is_none_is_refused_in_one_line(tmp_path: Path):
    (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:00,400\nOne\n")
    ran = safelight("words", "import", "a.srt", "w.json", "--language", "Arabic!", cwd=tmp_path)
    assert (ran.status, ran.err[:17]) == (1, "SL-STORY-INVALID:")
    assert not (tmp_path / "w.json").exists()
