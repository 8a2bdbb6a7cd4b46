"""Mistakes in a story's folder: code, file, line, and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safelight.errors import Code, SafelightError
from safelight.story.geo import read_map
from safelight.story.parts import Gallery, Quote
from safelight.story.source import read_story
from safelight.story.subtitles import read_cues, translation_of
from safelight.story.transcript import Transcript
from tests.program import safelight
from tests.story.folders import city, feature, swap, words

MISTAKES: dict[str, tuple[Callable[[Path], object], Code, str]] = {
    "unknown directive": (lambda f: swap(f / "en.md", ":::note", ":::boxout"), Code.DIRECTIVE_UNKNOWN, "en.md:44"),
    "directive without end": (lambda f: swap(f / "en.md", "bridge.\n:::", "bridge."), Code.STORY_INVALID, "en.md:48"),
    "end without directive": (lambda f: swap(f / "en.md", ":::note", ":::"), Code.STORY_INVALID, "en.md:44"),
    "missing clip": (lambda f: swap(f / "en.md", ":::film road", ":::film street"), Code.NOT_FOUND, "en.md:9"),
    "missing picture": (lambda f: swap(f / "en.md", "show: yard", "show: garden"), Code.NOT_FOUND, "en.md:20"),
    "missing map": (lambda f: swap(f / "en.md", ":::map city", ":::map town"), Code.NOT_FOUND, "en.md:39"),
    "missing file": (lambda f: (f / "pictures/yard.png").unlink(), Code.NOT_FOUND, "story.yaml:9"),
    "file outside": (
        lambda f: swap(f / "story.yaml", "pictures/yard.png", "pictures/../../yard.png"),
        Code.STORY_INVALID,
        "story.yaml:9",
    ),
    "missing caption": (lambda f: swap(f / "en.md", "caption: The road.\n", ""), Code.STORY_INVALID, "en.md:9"),
    "missing alt": (lambda f: swap(f / "en.md", "alt: A road earlier.\n", ""), Code.STORY_INVALID, "en.md:28"),
    "unknown key": (lambda f: swap(f / "en.md", "who: Om", "name: x\nwho: Om"), Code.STORY_INVALID, "en.md:14"),
    "wrong time": (lambda f: swap(f / "en.md", "quote road 0.0-0.5", "quote road 0.5"), Code.STORY_INVALID, "en.md:14"),
    "time backwards": (
        lambda f: swap(f / "en.md", "quote road 0.0-0.5", "quote road 0.5-0.1"),
        Code.STORY_INVALID,
        "en.md:14",
    ),
    "wrong date of a correction": (
        lambda f: swap(f / "en.md", "2026-03-04", "4 March"),
        Code.STORY_INVALID,
        "en.md:48",
    ),
    "broken YAML in a directive": (
        lambda f: swap(f / "en.md", "caption: The road.", "caption: [The road."),
        Code.STORY_INVALID,
        "en.md:11",
    ),
    "front matter without title": (
        lambda f: swap(f / "en.md", "title: Two roads\n", ""),
        Code.STORY_INVALID,
        "en.md:2",
    ),
    "unknown key in front matter": (
        lambda f: swap(f / "en.md", "lead:", "colour: red\nlead:"),
        Code.STORY_INVALID,
        "en.md:3",
    ),
    "no front matter": (lambda f: swap(f / "en.md", "---\n", ""), Code.STORY_INVALID, "en.md:1"),
    "front matter of ten megabytes": (
        lambda f: swap(f / "en.md", "title: Two roads", "title: " + "a" * 10_000_000),
        Code.STORY_INVALID,
        "en.md:1",
    ),
    "front matter over its limit": (
        lambda f: swap(f / "en.md", "title: Two roads", "title: " + "a" * 70_000),
        Code.STORY_INVALID,
        "en.md:2",
    ),
    "aliases in YAML": (
        lambda f: swap(f / "story.yaml", "desk: The Lamp Desk", "desk: &d The Lamp Desk\naddress: *d"),
        Code.STORY_INVALID,
        "story.yaml:3",
    ),
    "an object in YAML": (
        lambda f: swap(f / "story.yaml", "desk: The Lamp Desk", "desk: !!python/object:os.system x"),
        Code.STORY_INVALID,
        "story.yaml:2",
    ),
    "no date": (lambda f: swap(f / "story.yaml", "2026-03-02", "spring"), Code.STORY_INVALID, "story.yaml:4"),
    "a language without text": (
        lambda f: swap(f / "story.yaml", "[en, ar]", "[en, ar, sv]"),
        Code.NOT_FOUND,
        "sv.md",
    ),
    "no story": (lambda f: (f / "story.yaml").unlink(), Code.NOT_FOUND, "story.yaml"),
    "not UTF-8": (
        lambda f: (f / "en.md").write_bytes((f / "en.md").read_bytes() + b"\nCaf\xe9\n"),
        Code.STORY_INVALID,
        "en.md:52",
    ),
    "bidirectional control": (
        lambda f: swap(f / "en.md", "who: Om Yasin", "who: Om \u202eYasin"),
        Code.INVISIBLE,
        "en.md:16",
    ),
    "bidirectional control in a file's name": (
        lambda f: swap(f / "story.yaml", "pictures/yard.png", "pictures/ya\u202erd.png"),
        Code.STORY_INVALID,
        "story.yaml:9",
    ),
    "hidden file": (
        lambda f: (
            (f / "pictures/yard.png").rename(f / "pictures/.yard.png"),
            swap(f / "story.yaml", "pictures/yard.png", "pictures/.yard.png"),
        ),
        Code.STORY_INVALID,
        "story.yaml:9",
    ),
    "missing clip file": (lambda f: (f / "clips/road.safelight.mp4").unlink(), Code.NOT_FOUND, "story.yaml:7"),
    "missing words": (lambda f: (f / "words/road.json").unlink(), Code.NOT_FOUND, "story.yaml:7"),
    "a still at a time that is none": (
        lambda f: swap(f / "en.md", ":::still road 0.2", ":::still road 0:02"),
        Code.STORY_INVALID,
        "en.md:28",
    ),
    "a picture of a gallery at a time that is none": (
        lambda f: swap(f / "en.md", "show: road 0.3", "show: road 3,2"),
        Code.STORY_INVALID,
        "en.md:23",
    ),
    "a quote in the text without a span": (
        lambda f: swap(f / "en.md", "clip:road#0.0-0.5", "clip:road#0.5"),
        Code.STORY_INVALID,
        "en.md:7",
    ),
    "a quote in the text of a clip that is not there": (
        lambda f: swap(f / "en.md", "clip:road#0.0-0.5", "clip:street#0.0-0.5"),
        Code.NOT_FOUND,
        "en.md:7",
    ),
    "a directive inside another that was not closed": (
        lambda f: swap(f / "en.md", "All is made up.\n:::", "All is made up."),
        Code.STORY_INVALID,
        "en.md:44",
    ),
    "a directive that does not begin the line": (
        lambda f: swap(f / "en.md", ":::note", "  :::note"),
        Code.STORY_INVALID,
        "en.md:44",
    ),
    "a key that stands twice": (
        lambda f: swap(f / "en.md", "caption: The road.", "caption: The road.\ncaption: Another."),
        Code.STORY_INVALID,
        "en.md:11",
    ),
    "a key that is a list": (
        lambda f: swap(f / "en.md", "lead: A", "? [a]\n: b\nlead: A"),
        Code.STORY_INVALID,
        "en.md:3",
    ),
    "a share picture that is not there": (
        lambda f: swap(f / "en.md", "statement:", "share: garden\nstatement:"),
        Code.NOT_FOUND,
        "en.md:5",
    ),
    "ten megabytes of story.yaml": (
        lambda f: swap(f / "story.yaml", "story: small", "story: " + "a" * 10_000_000),
        Code.STORY_INVALID,
        "story.yaml:1",
    ),
    "isolate": (lambda f: swap(f / "ar.md", "طريقان", "طريقان\u2067"), Code.INVISIBLE, "ar.md:2"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_file_and_line(story: Path, mistake: str):
    spoil, code, file = MISTAKES[mistake]
    spoil(story)
    with pytest.raises(SafelightError) as refusal:
        read_story(story)
    assert (refusal.value.code, refusal.value.file) == (code, file), refusal.value
    assert refusal.value.next_step


def _rows(whole: dict[str, Any]) -> str:
    """A map with one feature a line; the first stands on line 2."""
    return '{"type": "FeatureCollection", "features": [\n' + ",\n".join(map(json.dumps, whole["features"])) + "\n]}"


def _fourth(shape: str, coordinates: Any, **properties: Any) -> str:
    return _rows(city(feature(shape, coordinates, **properties)))


TRIANGLE = [[[0, 0], [1, 0], [1, 1], [0, 0]]]
MAPS: dict[str, tuple[str, str]] = {
    "not JSON": ("{\n\n nothing", "map.geojson:3"),
    "not UTF-8": ('{"type":\n "caf\udce9"}', "map.geojson:2"),
    "nested without end": ("[" * 100_000, "map.geojson:1"),
    "no features": ('{"type": "FeatureCollection", "features": []}', "map.geojson:1"),
    "a member that does not belong": (json.dumps(city(name="from a program"), indent=1), "map.geojson:"),
    "a property that does not belong": (_fourth("Point", [1, 2], osm_id=7), "map.geojson:5"),
    "an unknown shape": (_fourth("MultiPoint", [[1, 2]]), "map.geojson:5"),
    "a status that is none": (_fourth("Polygon", TRIANGLE, status="ours"), "map.geojson:5"),
    "an open ring": (_fourth("Polygon", [[*TRIANGLE[0][:3], [0, 1]]], status="held"), "map.geojson:5"),
    "a latitude of 200": (_fourth("Point", [1, 200]), "map.geojson:5"),
    "no numbers": (_fourth("Point", ["1", "2"]), "map.geojson:5"),
    "not a number": (_fourth("Point", [float("nan"), 2]), "map.geojson:5"),
    "a missing language": (_fourth("Point", [1, 2], name={"en": "Only"}), "map.geojson:5"),
}


@pytest.mark.parametrize("mistake", MAPS)
def test_a_broken_map_is_refused_with_its_line(tmp_path: Path, mistake: str):
    text, file = MAPS[mistake]
    path = tmp_path / "map.geojson"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(SafelightError) as refusal:
        read_map(path, "map.geojson", ["en", "ar"])
    if file.endswith(":"):
        file += str(1 + next(n for n, row in enumerate(text.split("\n")) if row.startswith(' "name"')))
    assert (refusal.value.code, refusal.value.file) == (Code.MAP_INVALID, file)
    assert refusal.value.next_step


_ASS = """\
[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,20

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:02.00,Default,Om Yasin,0,0,0,,One, two
Dialogue: 0,0:00:xx.00,0:00:04.00,Default,,0,0,0,,Two
"""
SUBTITLES = {
    "overlapping": ("a.srt", "1\n00:00:01,000 --> 00:00:03,000\nOne\n\n2\n00:00:02,500 --> 00:00:04,000\nTwo\n", 6),
    "backwards": ("a.srt", "1\r\n00:00:03,000 --> 00:00:01,000\r\nOne\r\n", 2),
    "a time that is none": (
        "a.srt",
        "1\n00:00:01,000 --> 00:00:03,000\nOne\n\n2\n00:00:xx,500 --> 00:00:04,000\nTwo\n",
        6,
    ),
    "a second of 99": ("a.srt", "1\n00:00:01,000 --> 00:00:99,000\nOne\n", 2),
    "one arrow too short": ("a.vtt", "WEBVTT\n\n00:01.000 -> 00:02.000\nOne\n\n00:03.000 --> 00:04.000\nTwo\n", 3),
    "a time in ASS": ("a.ass", _ASS, 11),
    "not UTF-8": ("a.srt", "1\n00:00:01,000 --> 00:00:03,000\nCaf\udce9\n", 3),
    "empty": ("a.srt", "\n", 0),
    "no times": ("a.srt", "Just a letter to a friend.\n", 0),
}


@pytest.mark.parametrize("mistake", SUBTITLES)
def test_broken_subtitles_are_refused_with_their_line(tmp_path: Path, mistake: str):
    name, text, line = SUBTITLES[mistake]
    path = tmp_path / name
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(SafelightError) as refusal:
        read_cues(path)
    assert refusal.value.code is Code.SUBTITLES_INVALID
    assert refusal.value.file == (f"{path}:{line}" if line else str(path))
    assert refusal.value.next_step
    if mistake == "overlapping":
        assert "Cue 2 at 2.500 s" in refusal.value.detail


def test_a_translation_with_other_times_is_refused(tmp_path: Path):
    path = tmp_path / "a.srt"
    path.write_text("1\n00:00:07,000 --> 00:00:08,000\nLate\n")
    transcript = Transcript.model_validate(words())
    with pytest.raises(SafelightError) as refusal:
        translation_of(transcript, read_cues(path), "Oak", "a.srt")
    assert refusal.value.code is Code.SUBTITLES_INVALID
    assert "7.000 s" in refusal.value.detail


WRONG_WORDS: dict[str, tuple[dict[str, Any], str]] = {
    "backwards": ({"lines": [{"id": "1", "start": 3, "end": 1, "text": "x"}]}, '   "id": "1"'),
    "one id twice": ({"lines": [{"id": "1", "start": 0, "end": 1, "text": "x"}] * 2}, "{"),
    "a translation of nothing": (
        {"translations": {"en": {"translator": "Oak", "lines": {"9": {"text": "x", "of": "0" * 16}}}}},
        "{",
    ),
    "a hash that is none": (
        {"translations": {"en": {"translator": "Oak", "lines": {"1": {"text": "x", "of": "?"}}}}},
        '     "of": "?"',
    ),
    "no language": ({"language": "Arabic!"}, ' "language"'),
}


@pytest.mark.parametrize("mistake", WRONG_WORDS)
def test_broken_words_are_refused_with_their_line(tmp_path: Path, mistake: str):
    changes, row = WRONG_WORDS[mistake]
    path = tmp_path / "w.json"
    text = json.dumps(words() | {"translations": {}} | changes, indent=1)
    path.write_text(text)
    with pytest.raises(SafelightError) as refusal:
        Transcript.load(path)
    line = 1 + next(n for n, told in enumerate(text.split("\n")) if told.startswith(row))
    if mistake == "backwards":
        line -= 1  # of the whole line of the transcript, not of one of its fields
    assert (refusal.value.code, refusal.value.file) == (Code.STORY_INVALID, f"{path}:{line}")


def test_words_that_are_no_json_are_refused_with_their_line(tmp_path: Path):
    path = tmp_path / "w.json"
    path.write_text('{"format": "safelight-words",\n"lines": [\n,]}')
    with pytest.raises(SafelightError) as refusal:
        Transcript.load(path)
    assert (refusal.value.code, refusal.value.file) == (Code.STORY_INVALID, f"{path}:3")


@pytest.mark.parametrize("style", ["indented", "in one row"])
def test_a_gallery_keeps_all_its_pictures_however_its_list_is_written(story: Path, style: str):
    text = (story / "en.md").read_text()
    begun = text.index("- show: yard")
    end = text.index(":::", begun)
    rows = text[begun:end].splitlines()
    if style == "indented":
        listed = "".join(f"  {row}\n" for row in rows)
    else:
        listed = "[{show: yard, caption: A., alt: B.}, {show: road 0.3, caption: C., alt: D.}]\n"
    (story / "en.md").write_text(text[:begun] + listed + text[end:])
    (gallery,) = read_story(story).editions["en"].of(Gallery)
    assert isinstance(gallery, Gallery)
    assert [(shot.picture, shot.clip) for shot in gallery.shots] == [("yard", None), (None, "road")]


def test_a_quote_in_the_text_is_found_however_it_is_written(story: Path):
    swap(
        story / "en.md",
        "All is made up.",
        "All [“nine […] lorries”](clip:road#0.0-0.5)\nand [“this”][q].\n\n[q]: clip:road#0.1-0.2",
    )
    quotes = [q for q in read_story(story).editions["en"].of(Quote) if isinstance(q, Quote) and q.inline]
    assert [(q.line, q.text, q.start) for q in quotes] == [
        (7, "nine lorries", 0.0), (45, "nine […] lorries", 0.0), (46, "this", 0.1)
    ]  # fmt: skip


def test_the_command_says_it_in_one_line(story: Path):
    swap(story / "en.md", ":::note", ":::boxout")
    ran = safelight("story", "check", story, "--no-names")
    assert ran.status == 1
    assert ran.err.startswith("SL-DIRECTIVE-UNKNOWN: en.md:44: There is no directive boxout")
