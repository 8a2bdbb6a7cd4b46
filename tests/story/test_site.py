"""The built site: what is in it, what is not, and when there is none."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from safelight.attack.structure import structure
from safelight.errors import Code, SafelightError
from safelight.media.labels import labels
from safelight.names.home import AgeHome, save
from safelight.story import credentials
from safelight.story import site as site_module
from safelight.story.credentials import DeskKey, make_key
from safelight.story.site import Built, build
from safelight.story.subtitles import short_clock
from tests.program import safelight
from tests.story.folders import AR_LINES, ROSTER, swap, words

PAGE_MOST = 60_000  # bytes


@pytest.fixture(scope="session")
def key() -> DeskKey:
    return make_key("The Lamp Desk")


@pytest.fixture(scope="session")
def built(whole: Path, key: DeskKey, tmp_path_factory: pytest.TempPathFactory) -> Built:
    made = build(whole, tmp_path_factory.mktemp("out") / "site", ROSTER, key=key)
    assert made.folder is not None, made.report
    return made


@pytest.fixture(scope="session")
def site(built: Built) -> Path:
    assert built.folder is not None
    return built.folder


def test_every_language_has_every_edition(site: Path):
    names = {path.name for path in site.iterdir()}
    assert {"index.html", "en.html", "en.light.html", "en.text.html", "ar.html", "ar.text.html", "feed.ar.xml"} <= names
    for path in site.glob("ar*.html"):
        assert '<html lang="ar" dir="rtl">' in path.read_text()
    for path in site.glob("en*.html"):
        assert '<html lang="en" dir="ltr">' in path.read_text()


def test_an_edition_keeps_to_itself(site: Path):
    text = (site / "en.text.html").read_text()
    assert 'href="ar.text.html"' in text
    assert "<img" not in text
    assert "<video" not in text
    assert "A yard." in text  # the picture in words
    assert "There were nine lorries." in text  # the film in words
    light = (site / "en.light.html").read_text()
    assert "<video" not in light
    assert "-960.jpg" not in light.partition("<body")[2]
    assert "srcset" not in light


def test_pages_run_nothing_and_load_nothing_from_elsewhere(site: Path):
    for path in site.glob("*.html"):
        text = html.unescape(path.read_text())
        assert "default-src 'none'" in text
        assert "unsafe" not in text
        assert set(re.findall(r"<script([^>]*)>", text)) <= {' type="application/ld+json"'}
        assert not re.search(r"\son[a-z]+=|javascript:|<iframe|<form|document\.cookie|localStorage", text)
        loaded = re.findall(r"(?:src|poster)=\"([^\"]+)\"", text) + re.findall(r"([^\s\",]+) \d+w", text)
        assert all(address.startswith(("media/", "data:text/vtt;base64,")) for address in loaded)


def test_pages_are_small(built: Built):
    assert max(built.pages.values()) < PAGE_MOST


def test_no_picture_says_more_than_it_shows(site: Path, key: DeskKey):
    pictures = sorted((site / "media").glob("*.jpg"))
    assert pictures
    for path in pictures:
        told = credentials.read(path)
        active = told["manifests"][told["active_manifest"]]
        assert told["validation_state"] == "Valid"
        assert active["signature_info"]["issuer"] == "The Lamp Desk"
        assert not active.get("ingredients")
        assert not active.get("thumbnail")
        with path.open("rb") as file:
            wrong = [part.kind for part in structure(file) or [] if part.wrong]
            assert set(wrong) <= {"FFEB"}  # where the credentials lie, and nothing else
            assert not [label for label in labels(file) if label.place in ("EXIF", "GPS", "XMP")]


def test_films_are_signed_and_changed_ones_are_found(site: Path, tmp_path: Path):
    film = site / "media" / "road.mp4"
    assert credentials.read(film)["validation_state"] == "Valid"
    data = bytearray(film.read_bytes())
    data[-100] ^= 1
    (tmp_path / "x.mp4").write_bytes(data)
    assert credentials.read(tmp_path / "x.mp4")["validation_state"] == "Invalid"


def test_without_a_key_nothing_is_signed(whole: Path, tmp_path: Path):
    made = build(whole, tmp_path / "site", ROSTER)
    assert made.folder is not None
    original = whole / "clips" / "road.safelight.mp4"
    assert (made.folder / "media" / "road.mp4").read_bytes() == original.read_bytes()
    for path in (made.folder / "media").glob("*.jpg"):
        with path.open("rb") as file:
            assert not [part for part in structure(file) or [] if part.wrong]


def test_the_desk_is_named_once_under_the_title_and_the_gallery_has_its_title(site: Path):
    text = (site / "en.html").read_text()
    header = text[text.index("<header>") : text.index("</header>")]
    assert header.count("The Lamp Desk") == 1
    assert "<h2>Days</h2>" in text
    assert "<h2>أيام</h2>" in (site / "ar.text.html").read_text()


def test_a_map_explains_the_marks_it_has_and_no_others(site: Path):
    text = (site / "en.html").read_text()
    legend = text[text.index('<ul class="key"') :]
    legend = legend[: legend.index("</ul>")]
    assert re.findall(r"</svg> ([^<]+)</li>", legend) == ["held", "route", "place"]
    assert 'class="area held"' in legend
    assert 'class="key"' not in (site / "en.text.html").read_text()


def test_words_stand_beside_the_film_in_the_readers_language_first(story: Path, tmp_path: Path):
    told = words()
    told["translations"]["en"]["lines"]["1"]["speaker"] = "Om Yasin"
    (story / "words" / "road.json").write_text(json.dumps(told))
    made = build(story, tmp_path / "site", ROSTER)
    assert made.folder is not None, made.report
    text = (made.folder / "en.html").read_text()
    said = text[text.index('<details class="said">') :]
    said = said[: said.index("</ol>")]
    assert said.index("There were nine lorries.") < said.index(AR_LINES[0])
    assert re.findall(r'<p class="n"><bdi>([^<]+)</bdi> <bdi>([^<]+)</bdi>', said) == [
        ("0:00", "Om Yasin"),
        ("0:00", "أم ياسين"),
    ]
    swap(story / "en.md", "warning: Shots are heard.\n", "")
    again = build(story, tmp_path / "site", ROSTER)
    assert again.folder is not None, again.report
    assert '<details class="said" open>' in (again.folder / "en.html").read_text()  # nothing to be warned of


def test_times_after_an_hour_tell_the_hour():
    assert [short_clock(s) for s in (0.5, 59.9, 61, 3725.4)] == ["0:00", "0:59", "1:01", "1:02:05"]


def test_a_copy_that_is_made_anew_while_the_pages_are_written_is_not_published(
    story: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write = site_module._write

    def late(*values: Any, **options: Any) -> Any:
        done = write(*values, **options)
        with (story / "clips" / "road.safelight.mp4").open("ab") as file:
            file.write(b"\0\0\0\x08free")
        return done

    monkeypatch.setattr(site_module, "_write", late)
    made = build(story, tmp_path / "site", ROSTER)
    assert made.folder is None
    assert [refusal.code for refusal in made.report.refusals] == [Code.NOT_APPROVED]
    assert not (tmp_path / "site").exists()


def test_what_machines_read(site: Path):
    feed = ElementTree.parse(site / "feed.en.xml")
    assert [item.findtext("title") for item in feed.iter("item")] == ["Two roads", "Corrections: Two roads"]
    assert feed.findtext("channel/link") == "https://lamp.example/en.html"
    (about,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', (site / "ar.html").read_text(), re.S)
    article = json.loads(about)
    assert article["@type"] == "NewsArticle"
    assert article["translator"]["name"] == "سنديان"
    english = json.loads(
        re.findall(r'<script type="application/ld\+json">(.*?)</script>', (site / "en.html").read_text(), re.S)[0]
    )
    assert english["correction"][0]["text"] == "It was the bridge."
    assert english["dateModified"] == "2026-03-04"
    assert english["image"].startswith("https://lamp.example/media/")


def test_words_of_the_story_cannot_become_code(story: Path, tmp_path: Path):
    swap(story / "en.md", "title: Two roads", 'title: "</script><script>alert(1)</script>\\" onload=x"')
    swap(story / "en.md", "caption: The yard.", 'caption: "<img src=x onerror=alert(1)>"')
    made = build(story, tmp_path / "site", ROSTER)
    assert made.folder is not None, made.report
    text = (made.folder / "en.html").read_text()
    assert len(re.findall(r"<script", text)) == 1
    assert "<img src=x" not in text


def test_the_gate_stops_a_build_and_leaves_the_old_site(story: Path, tmp_path: Path):
    out = tmp_path / "site"
    first = build(story, out, ROSTER)
    assert first.folder is not None
    before = (out / "en.html").read_bytes()
    swap(story / "en.md", "She counted", "Khadija al-Hashimi counted")
    second = build(story, out, ROSTER)
    assert second.folder is None
    assert [refusal.code for refusal in second.report.refusals] == [Code.NAME_FOUND]
    assert (out / "en.html").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".safelight")] == []


def test_a_draft_says_so_on_every_page(story: Path, tmp_path: Path):
    (story / "clips" / "road.safelight-approval.json").unlink()
    made = build(story, tmp_path / "site", ROSTER, draft=True)
    assert made.folder is not None
    assert made.report.refusals
    for path in made.folder.glob("*.html"):
        text = path.read_text()
        assert 'class="draft"' in text
        assert 'content="noindex, nofollow"' in text
        assert re.search(r"<title>(Draft|مسودة)", text)
    for path in made.folder.glob("feed.*.xml"):
        assert re.search(r"<title>(Draft|مسودة)", path.read_text())


def test_a_folder_that_no_build_made_is_left_alone(whole: Path, tmp_path: Path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "mine.txt").write_text("x")
    with pytest.raises(SafelightError) as refusal:
        build(whole, tmp_path / "site", ROSTER)
    assert refusal.value.code is Code.IN_THE_WAY
    assert (tmp_path / "site" / "mine.txt").exists()


def test_the_commands(story: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SAFELIGHT_PASSPHRASE", "lamp")
    save(AgeHome(story / "names.age", "lamp"), ROSTER)
    assert safelight("story", "key", "The Lamp Desk", "-o", tmp_path / "key.age").status == 0
    assert b"PRIVATE" not in (tmp_path / "key.age").read_bytes()
    ran = safelight("story", "build", story, "-o", tmp_path / "site", "--sign", tmp_path / "key.age")
    assert ran.status == 0, ran.err
    assert ran.out.strip() == str(tmp_path / "site" / "index.html")
    swap(story / "en.md", "She counted", "Khadija al-Hashimi counted")
    ran = safelight("story", "check", story, "--json")
    assert ran.status == 1
    told = json.loads(ran.out)
    assert [(refusal["code"], refusal["file"]) for refusal in told["refusals"]] == [("SL-NAME-FOUND", "en.md:7")]
    assert "Hashimi" not in ran.out + ran.err
    ran = safelight("story", "build", story, "-o", tmp_path / "site2")
    assert ran.status == 1
    assert not (tmp_path / "site2").exists()
