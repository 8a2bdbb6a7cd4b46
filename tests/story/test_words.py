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


ODD: dict[str, tuple[str, str, str]] = {
    "two exchange rates": (
        "en",
        "One paid 12,500 liras for a dollar.\n\nLater it was 15 000 liras to the dollar.",
        "lira for one dollar: 12,500 (line 7), 15,000 (line 9)",
    ),
    "a rate the other way round": (
        "en",
        "A dollar cost 500 dinars.\n\nFor $1 they got 650 dinars.",
        "dinar for one dollar",
    ),
    "two rates in Arabic digits": (
        "ar",
        "كان ثمنه ٥٠٠ ليرة للدولار.\n\nوصار الدولار ٦٠٠ ليرة.",
        "lira for one dollar: 500 (line 8), 600 (line 10)",
    ),
    "two counts": ("en", "They saw 40 armed men there.\n\nThe 45 armed men left.", "armed men"),
    "two counts in other words": (
        "en",
        "They arrested 40 men in the raid.\n\nIn the raid 45 men were arrested.",
        "“men”: 40 (line 7), 45",
    ),
    "a count in words": (
        "en",
        "The closure lasted eleven days.\n\nThe closure lasted 12 days.",
        "“days”: 11 (line 7), 12",
    ),
    "two dates": (
        "en",
        "The long siege began on 3 March.\n\nMany left before the long siege began on 5 March.",
        "one event: 3.3 (line 7), 5.3.",
    ),
    "two dates before what happened": (
        "en",
        "On 3 March 2024 the bridge was closed.\n\nThe bridge was closed on 2024-03-05.",
        "one event: 3.3.2024 (line 7), 5.3.2024.",
    ),
    "two years": ("en", "The siege began on 3 March 2023.\n\nThe siege began in 2024.", "one event"),
    "two dates in Arabic": ("ar", "بدأ الحصار في 3 آذار.\n\nبدأ الحصار في 5 آذار.", "one event: 3.3 (line 8), 5.3."),
    "a day that is none": ("en", "It rained on 31 April.", "There is no day 31.4."),
    "another day of the week": ("en", "It began on Monday, 3 March 2024.", "3.3.2024 was another day of the week."),
    "days that do not add up": (
        "en",
        "From 3 March 2024 to 14 March 2024, for 21 days, nobody left.",
        "From 3.3.2024 to 14.3.2024 are 11 days, not 21.",
    ),
    "an end before its beginning": ("en", "From 14 March 2024 to 3 March 2024 nobody left.", "lies before"),
    "two ages": ("en", "Rana, 18, was there.\n\nRana, 19, left.", "Rana is 18 (line 7) and 19."),
    "two ages in other words": ("en", "The 18-year-old Rana left.\n\nRana is 19 years old.", "Rana is 18"),
    "two ages in Arabic": ("ar", "خرجت سلمى، 41 عاما، وحدها.\n\nسلمى، 43 عاما، عادت.", "سلمى is 41 (line 8) and 43."),
    "an age and a year": (
        "en",
        "Rana, 18, was there.\n\nRana was born in 1990.",
        "Rana, 18 (line 7), was born in 1990.",
    ),
    "a loose quote": ("en", "“Nobody told us anything about the bridge,” she said.", "points to no clip"),
    "a loose quote in plain marks": ("en", 'She said: "they shot at us".', "points to no clip"),
}


@pytest.mark.parametrize("odd", ODD)
def test_what_does_not_add_up_is_told_with_its_place(story: Path, odd: str):
    language, text, wanted = ODD[odd]
    file = f"{language}.md"
    before = "She counted" if language == "en" else "عدت ["
    swap(story / file, before, f"{text}\n\n{before}")
    found = [hint for hint in hints(read_story(story)) if hint.file == file and wanted in hint.text]
    assert found, hints(read_story(story))
    assert all(hint.line >= 7 for hint in found)


CONSISTENT = (
    "A dollar cost 500 dinars. The dollar is strong, and 500 dinars buy a meal.",
    "They saw 40 men there.\n\nIn another town 45 men left for the sea.",
    "It cost 40 tenn before, and 95 tenn later.\n\nBefore the closure a loaf cost 40 tenn.",
    "The road was closed on 3 March.\n\nThe road was opened on 14 March.",
    "The siege began on 3 March.\n\nOn 3 March 2024 the siege began.",
    "From Sunday, 3 March 2024 to 14 March 2024, for eleven days, nobody left.",
    "Rana, 18, was there.\n\nRana was born in 2007.\n\nSalma, 20, was there.",
    "They spoke of a “safe zone”.",
)


@pytest.mark.parametrize("text", CONSISTENT)
def test_what_adds_up_is_not_told(story: Path, text: str):
    swap(story / "en.md", "She counted", f"{text}\n\nShe counted")
    assert [hint for hint in hints(read_story(story)) if hint.file == "en.md"] == []


def test_a_speaker_who_is_not_the_quoted_one_is_told(story: Path):
    told = words()
    told["translations"]["en"]["lines"]["1"]["speaker"] = "Shirin"
    (story / "words" / "road.json").write_text(json.dumps(told))
    assert [(hint.file, hint.line) for hint in hints(read_story(story))] == [("en.md", 14)]
    told["translations"]["en"]["lines"]["1"]["speaker"] = "Om Yasin"
    (story / "words" / "road.json").write_text(json.dumps(told))
    assert hints(read_story(story)) == []


def test_what_a_translation_lacks_is_told(story: Path):
    text = (story / "ar.md").read_text()
    begun = text.index(":::map city")
    (story / "ar.md").write_text(text[:begun] + text[text.index(":::note") :].replace("2026-03-04", "2026-03-05"))
    assert [hint.text for hint in hints(read_story(story)) if hint.file == "ar.md"] == [
        "It lacks the map city of en.md line 39.",
        "It lacks the correction of 2026-03-04 of en.md line 48.",
    ]


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
