"""Mistakes in a story's folder: code, file, line, and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from safelight.errors import Code, SafelightError
from safelight.story.geo import read_map
from safelight.story.source import read_story
from safelight.story.subtitles import read_lines, translation_of
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


MAPS: dict[str, tuple[object, str]] = {
    "not JSON": ("{\n\n nothing", "map.geojson:3"),
    "no features": ({"type": "FeatureCollection", "features": []}, "map.geojson"),
    "a member that does not belong": (city(name="from a program"), "map.geojson"),
    "a property that does not belong": (city(feature("Point", [1, 2], osm_id=7)), "map.geojson"),
    "an unknown shape": (city(feature("MultiPoint", [[1, 2]])), "map.geojson"),
    "a status that is none": (
        city(feature("Polygon", [[[0, 0], [1, 0], [1, 1], [0, 0]]], status="ours")),
        "map.geojson",
    ),
    "an open ring": (city(feature("Polygon", [[[0, 0], [1, 0], [1, 1], [0, 1]]], status="held")), "map.geojson"),
    "a latitude of 200": (city(feature("Point", [1, 200])), "map.geojson"),
    "no numbers": (city(feature("Point", ["1", "2"])), "map.geojson"),
    "not a number": (city(feature("Point", [float("nan"), 2])), "map.geojson"),
    "a missing language": (city(feature("Point", [1, 2], name={"en": "Only"})), "map.geojson"),
}


@pytest.mark.parametrize("mistake", MAPS)
def test_a_broken_map_is_refused(tmp_path: Path, mistake: str):
    value, file = MAPS[mistake]
    path = tmp_path / "map.geojson"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    with pytest.raises(SafelightError) as refusal:
        read_map(path, "map.geojson", ["en", "ar"])
    assert (refusal.value.code, refusal.value.file) == (Code.MAP_INVALID, file)


SUBTITLES = {
    "overlapping": "1\n00:00:01,000 --> 00:00:03,000\nOne\n\n2\n00:00:02,500 --> 00:00:04,000\nTwo\n",
    "backwards": "1\n00:00:03,000 --> 00:00:01,000\nOne\n",
    "empty": "\n",
    "no times": "Just a letter to a friend.\n",
}


@pytest.mark.parametrize("mistake", SUBTITLES)
def test_broken_subtitles_are_refused(tmp_path: Path, mistake: str):
    path = tmp_path / "a.srt"
    path.write_text(SUBTITLES[mistake])
    with pytest.raises(SafelightError) as refusal:
        read_lines(path)
    assert refusal.value.code is Code.SUBTITLES_INVALID
    if mistake == "overlapping":
        assert "Cue 2 at 2.500 s" in refusal.value.detail


def test_a_translation_with_other_times_is_refused(tmp_path: Path):
    path = tmp_path / "a.srt"
    path.write_text("1\n00:00:07,000 --> 00:00:08,000\nLate\n")
    transcript = Transcript.model_validate(words())
    with pytest.raises(SafelightError) as refusal:
        translation_of(transcript, read_lines(path), "Oak", "a.srt")
    assert refusal.value.code is Code.SUBTITLES_INVALID
    assert "7.000 s" in refusal.value.detail


@pytest.mark.parametrize(
    "changes",
    [
        {"lines": [{"id": "1", "start": 3, "end": 1, "text": "x"}]},
        {"lines": [{"id": "1", "start": 0, "end": 1, "text": "x"}] * 2},
        {"translations": {"en": {"translator": "Oak", "lines": {"9": {"text": "x", "of": "0" * 16}}}}},
        {"language": "Arabic!"},
    ],
)
def test_broken_words_are_refused(tmp_path: Path, changes: dict[str, object]):
    path = tmp_path / "w.json"
    path.write_text(json.dumps(words() | {"translations": {}} | changes))
    with pytest.raises(SafelightError) as refusal:
        Transcript.load(path)
    assert refusal.value.code is Code.STORY_INVALID


def test_the_command_says_it_in_one_line(story: Path):
    swap(story / "en.md", ":::note", ":::boxout")
    ran = safelight("story", "check", story, "--no-names")
    assert ran.status == 1
    assert ran.err.startswith("SL-DIRECTIVE-UNKNOWN: en.md:44: There is no directive boxout")
