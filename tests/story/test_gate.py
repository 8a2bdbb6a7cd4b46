"""The gate: what stops a story, and a hundred planted leaks."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, features

from safelight.attack.verdict import Finding, Outcome
from safelight.errors import Code
from safelight.names.match import Level
from safelight.names.waive import Waivers, waive
from safelight.story.gate import UNREAD, Report
from tests.find.written import ink, scenery, window, write
from tests.names import papers
from tests.story.folders import EN, ROSTER, approve, city, feature, held, swap, words
from tests.story.leaks import LEAKS, SPELLED, planted

Examined = Callable[[Path], Report]


def codes(report: Report) -> set[tuple[Code, str | None]]:
    return {(refusal.code, refusal.file) for refusal in report.refusals}


def test_a_story_in_order_passes(story: Path, examined: Examined):
    report = examined(story)
    assert report.passed, report.refusals
    assert report.documents == len([path for path in story.rglob("*") if path.is_file()])


COPY = "clips/road.safelight.mp4"


def _other_bytes(folder: Path) -> None:
    with (folder / COPY).open("ab") as file:
        file.write(b"\0\0\0\x08free")


def _broken(folder: Path) -> None:
    verdict = held(folder / COPY)
    finding = Finding(attacker="faces", outcome=Outcome.BROKEN, sentence="A face.")
    worse = verdict.model_copy(update={"findings": [finding], "outcome": Outcome.BROKEN})
    (folder / "clips/road.safelight-report.json").write_text(worse.to_json())


NOT_APPROVED: dict[str, Callable[[Path], object]] = {
    "no approval": lambda f: (f / "clips/road.safelight-approval.json").unlink(),
    "no verdict": lambda f: (f / "clips/road.safelight-report.json").unlink(),
    "another version of the copy": _other_bytes,
    "the attack broke it": _broken,
    "a verdict that was made anew": lambda f: swap(f / "clips/road.safelight-report.json", "Held.", "Held!"),
    "a verdict nobody can read": lambda f: swap(f / "clips/road.safelight-report.json", "{", "["),
    "one member where two are needed": lambda f: (f / "story.yaml").open("a").write("members: 2\n"),
    "one member signing twice": lambda f: (
        approve(f / COPY, "editor 1", "editor 1"),
        (f / "story.yaml").open("a").write("members: 2\n"),
    ),
}


@pytest.mark.parametrize("how", NOT_APPROVED)
def test_a_clip_that_is_not_approved_in_this_version(story: Path, examined: Examined, how: str):
    NOT_APPROVED[how](story)
    assert (Code.NOT_APPROVED, COPY) in codes(examined(story))


def test_two_members_are_enough_where_two_are_needed(story: Path, examined: Examined):
    approve(story / COPY, "editor 1", "editor 2")
    (story / "story.yaml").open("a").write("members: 2\n")
    assert examined(story).passed


def _exif(folder: Path) -> None:
    (folder / "pictures/yard.jpg").write_bytes(papers.jpeg("harmless words"))


REFUSED: dict[str, tuple[Callable[[Path], object], Code, str]] = {
    "a picture with EXIF": (_exif, Code.PICTURE_SPEAKS, "pictures/yard.jpg"),
    "a picture with a note": (
        lambda f: papers.png(f / "pictures/yard.png", "harmless"),
        Code.PICTURE_SPEAKS,
        "pictures/yard.png",
    ),
    "a picture with a tail": (
        lambda f: (f / "pictures/yard.png").open("ab").write(b"more"),
        Code.PICTURE_SPEAKS,
        "pictures/yard.png",
    ),
    "a picture of unknown form": (
        lambda f: Image.new("RGB", (9, 9)).save(f / "pictures/a.bmp"),
        Code.PICTURE_SPEAKS,
        "pictures/a.bmp",
    ),
    "a link that is not listed": (
        lambda f: swap(f / "en.md", "https://example.org/method", "https://example.org/other"),
        Code.LINK_UNLISTED,
        "en.md:7",
    ),
    "an automatic link": (
        lambda f: swap(f / "en.md", "It was the bridge.", "It was <https://evil.example>."),
        Code.LINK_UNLISTED,
        "en.md:49",
    ),
    "an image past the directives": (
        lambda f: swap(f / "en.md", "She counted", "![x](y.png) She counted"),
        Code.STORY_INVALID,
        "en.md:7",
    ),
    "raw HTML": (lambda f: swap(f / "en.md", "All is", "<script>x</script> All is"), Code.STORY_INVALID, "en.md:45"),
    "a quote nobody said": (
        lambda f: swap(f / "en.md", "There were nine lorries.", "There were ten lorries."),
        Code.QUOTE_UNPROVEN,
        "en.md:14",
    ),
    "a quote in the text nobody said": (
        lambda f: swap(f / "en.md", "“nine lorries”", "“ten lorries”"),
        Code.QUOTE_UNPROVEN,
        "en.md:7",
    ),
    "a quote at another time": (
        lambda f: swap(f / "en.md", "quote road 0.0-0.5", "quote road 0.6-0.8"),
        Code.QUOTE_UNPROVEN,
        "en.md:14",
    ),
    "a quote after the end": (
        lambda f: swap(f / "en.md", "quote road 0.0-0.5", "quote road 0.0-9.5"),
        Code.QUOTE_UNPROVEN,
        "en.md:14",
    ),
    "a still after the end": (lambda f: swap(f / "en.md", "road 0.3", "road 7"), Code.STORY_INVALID, "en.md:23"),
    "an invisible character in the words": (
        lambda f: swap(f / "words/road.json", "Oak", "O\u202eak"),
        Code.INVISIBLE,
        "words/road.json:1",
    ),
    "a bidirectional control in a file's name": (
        lambda f: (f / "note\u202etxt.md").write_text("x"),
        Code.INVISIBLE,
        "note\\u202etxt.md",
    ),
    "a bidirectional control in a name on the map": (
        lambda f: swap(f / "maps/city.geojson", '"Thing"', '"Thi\\u2067ng"'),
        Code.INVISIBLE,
        "maps/city.geojson:8",
    ),
    "a bidirectional control in YAML's own spelling": (
        lambda f: swap(f / "en.md", "title: Two roads", 'title: "Two\\U0000202e roads"'),
        Code.INVISIBLE,
        "en.md:2",
    ),
    "a bidirectional control as an entity": (
        lambda f: swap(f / "en.md", "All is made up", "All is &#x202e;made up"),
        Code.INVISIBLE,
        "en.md:45",
    ),
    "a file nobody can read": (
        lambda f: (f / "notes.bin").write_bytes(b"\xff\x00\x01"),
        Code.DOCUMENT_INVALID,
        "notes.bin",
    ),
}


@pytest.mark.parametrize("how", REFUSED)
def test_what_is_refused(story: Path, examined: Examined, how: str):
    spoil, code, file = REFUSED[how]
    spoil(story)
    assert (code, file) in codes(examined(story))


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"confirmed": None}, "unconfirmed"),
        ({"of": "0" * 16}, "stale"),
        ({"text": " "}, "untranslated"),
    ],
)
def test_words_that_are_not_ready(story: Path, examined: Examined, changes: dict[str, object], state: str):
    (story / "words/road.json").write_text(_worded(words(**changes)))
    (refusal,) = examined(story).refusals
    assert (refusal.code, refusal.file) == (Code.WORDS_INCOMPLETE, "words/road.json:3")
    assert state in refusal.detail
    assert "line 2" in refusal.detail
    assert refusal.next_step


def _worded(document: dict[str, Any]) -> str:
    """The words of a clip with line 1 of it on line 2 of the text, and so on."""
    rows = ",\n".join(json.dumps(line) for line in document["lines"])
    return json.dumps(document | {"lines": []}).replace('"lines": []', f'"lines": [\n{rows}]', 1)


def test_a_translation_that_lacks_a_line_and_one_that_lacks_a_language(story: Path, examined: Examined):
    told = words()
    del told["translations"]["en"]["lines"]["1"]
    (story / "words/road.json").write_text(_worded(told))
    (missing, unproven_quote, unproven_text) = sorted(
        examined(story).refusals,
        key=lambda refusal: (refusal.code != Code.WORDS_INCOMPLETE, refusal.file),
        reverse=False,
    )
    assert (missing.code, missing.file) == (Code.WORDS_INCOMPLETE, "words/road.json:2")
    assert {unproven_quote.file, unproven_text.file} == {"en.md:7", "en.md:14"}
    told["translations"] = {}
    (story / "words/road.json").write_text(_worded(told))
    assert (Code.WORDS_INCOMPLETE, "words/road.json:2") in codes(examined(story))


def test_words_that_cannot_be_read_do_not_hide_what_else_is_wrong(story: Path, examined: Examined):
    (story / "words/road.json").write_text('{"language": "en",\n"lines": 3}')
    swap(story / "en.md", "https://example.org/method", "https://example.org/other")
    found = codes(examined(story))
    assert {(Code.STORY_INVALID, "words/road.json:2"), (Code.LINK_UNLISTED, "en.md:7")} <= found


def test_lines_that_overlap_and_lines_after_the_end(story: Path, examined: Examined):
    told = words()
    told["lines"][1] |= {"start": 0.3, "end": 7.0}
    (story / "words/road.json").write_text(_worded(told))
    assert codes(examined(story)) == {
        (Code.SUBTITLES_INVALID, "words/road.json:3"),
        (Code.WORDS_INCOMPLETE, "words/road.json:3"),
    }


def test_a_near_name_waits_for_a_person_and_can_be_waived(story: Path, examined: Examined):
    swap(story / "en.md", "She counted", "Mrs Hashimi counted")
    report = examined(story)
    assert not report.refusals
    assert not report.passed
    assert [(look.file, look.line, look.level) for look in report.looks] == [("en.md", 7, Level.LOOK)]
    Waivers(waivers=(waive(ROSTER, report.looks[0], "the minister", "editor 1"),)).save(story / "waivers.json")
    assert examined(story).passed


def test_a_place_near_a_protected_one_warns(story: Path, examined: Examined):
    (story / "maps/city.geojson").write_text(json.dumps(city(feature("Point", [-30.502, 24.501])), indent=1))
    (hint,) = examined(story).hints
    assert hint.text == "Feature 4 lies near a protected place."
    rows = (story / "maps/city.geojson").read_text().split("\n")
    assert [n for n, row in enumerate(rows, 1) if row == "  {"][3] == hint.line
    assert hint.where == f"maps/city.geojson:{hint.line}"


def test_every_other_spelling_of_a_pseudonym_is_told_with_its_place(story: Path, examined: Examined):
    swap(story / "en.md", "All is made up.", "All is made up.\nOum Yaseen was there.")
    report = examined(story)
    assert [(hint.where, hint.text) for hint in report.hints] == [
        ("en.md:46", "“Oum Yaseen” is spelled “Om Yasin” in en.md line 16.")
    ]


# ---------------------------------------------------------------------------------------------------------------------

PLANTED = [(place, spelled) for place in LEAKS for spelled in SPELLED]


@pytest.mark.parametrize(("place", "spelled"), PLANTED)
def test_planted_leaks_are_stopped(story: Path, examined: Examined, place: str, spelled: str):
    wanted = planted(story, place, spelled)
    report = examined(story)
    found = [r.file or "" for r in report.refusals if r.code is Code.NAME_FOUND]
    assert any(name == wanted or name.startswith(f"{wanted}:") for name in found), report.refusals
    assert not any(part in r.detail for r in report.refusals for part in ("Hashimi", "الهاشمي"))


def test_a_name_that_is_written_in_a_picture_is_stopped_and_other_words_are_not(story: Path, examined: Examined):
    (story / "pictures/yard.png").unlink()
    swap(story / "story.yaml", "yard.png", "yard.jpg")
    (story / "pictures/yard.jpg").write_bytes(papers.sign("Harbour morning"))
    assert examined(story).passed
    (story / "pictures/yard.jpg").write_bytes(papers.sign("Khadija al-Hashimi"))
    (refusal,) = examined(story).refusals
    assert (refusal.code, refusal.file) == (Code.NAME_FOUND, "pictures/yard.jpg")


def test_at_least_a_hundred_leaks_are_planted():
    assert len(PLANTED) >= 100
    assert "She counted" in EN


def test_writing_that_nobody_could_read_is_told_to_a_person(story: Path, examined: Examined) -> None:
    """Arabic letters on a picture: read where tesserocr is installed, and else a hint. Never passed over in silence."""
    if not features.check("raqm"):
        pytest.skip("Pillow has no raqm here, which joins Arabic letters")
    try:
        letters = ink("خديجة الهاشمي", 20, "DejaVuSans.ttf")
    except OSError:
        pytest.skip("the font DejaVu Sans is not installed; it has Arabic letters")
    picture = window(scenery(1), 300, 100)
    write(picture, letters, 90, 150, (25, 25, 35), (225, 235, 235))
    Image.fromarray(picture[..., ::-1]).save(story / "pictures" / "yard.png")
    report = examined(story)
    told = [hint.file for hint in report.hints if hint.text == UNREAD]
    assert told == ([] if find_spec("tesserocr") else ["pictures/yard.png"])
    assert report.passed
