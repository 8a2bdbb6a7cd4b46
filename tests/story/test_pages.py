"""The example's pages as readers meet them: in Chromium, by keyboard, without script, on narrow and wide screens.

Screenshots go to the folder named by SAFELIGHT_SCREENSHOTS, if it is set.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.closed_city import HERE
from examples.drawings import write_film, write_pictures
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from safelight.names.people import Roster
from safelight.story.site import build
from tests.media.helpers import copy as copy_of
from tests.story.folders import approve
from tests.story.reader import Reader, reading, served
from tests.story.tools import AXE, VNU, java, tool

LANGUAGES = ("en", "sv", "ar")
WIDTHS = (320, 768, 1440)
PAGES = ("index", *(f"{language}{edition}" for language in LANGUAGES for edition in ("", ".light", ".text")))
PAGE_MOST = 60_000  # bytes of a page and all it needs to be read, without films and pictures
_LOOK = """
const of = (name) => performance.getEntriesByType(name);
const seen = new Promise((done) => { let shift = 0, paint = 0;
  new PerformanceObserver((l) => l.getEntries().forEach((e) => { shift += e.value })).observe({type: 'layout-shift', buffered: true});
  new PerformanceObserver((l) => l.getEntries().forEach((e) => { paint = e.startTime })).observe({type: 'largest-contentful-paint', buffered: true});
  setTimeout(() => done([shift, paint]), 800) });
const done = arguments[0];
seen.then(([shift, paint]) => done({
  first: Math.round(of('paint').find((e) => e.name === 'first-contentful-paint').startTime), largest: Math.round(paint),
  shift: Math.round(shift * 1000) / 1000, requests: of('resource').length + 1,
  bytes: of('navigation')[0].transferSize + of('resource').reduce((n, e) => n + e.transferSize, 0),
  nodes: document.querySelectorAll('*').length}));
"""  # noqa: E501


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the example, with a film that was not protected: there is nobody in it."""
    folder = tmp_path_factory.mktemp("example")
    story = folder / "story"
    shutil.copytree(HERE, story)
    write_pictures(story / "pictures")
    write_film(folder / "road.mp4")
    (story / "clips").mkdir()
    copy_of(folder / "road.mp4", story / "clips" / "road.safelight.mp4")
    approve(story / "clips" / "road.safelight.mp4")
    made = build(story, folder / "site", Roster())
    assert made.folder is not None, made.report
    assert made.report.hints == []
    return made.folder


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with reading() as opened:
        yield opened


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with served(site) as base:
        yield base


def test_every_page_is_valid_html(site: Path):
    pages = [str(site / f"{page}.html") for page in PAGES]
    jar = tool(*VNU)
    done = subprocess.run(
        [java(), "-jar", str(jar), "--errors-only", "--format", "json", *pages],
        capture_output=True,
        check=False,
        timeout=240,
    )
    assert [m for m in json.loads(done.stderr)["messages"] if m["type"] == "error"] == []


@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_no_barrier(reader: Reader, address: str, page: str):
    source = tool(*AXE).read_text(encoding="utf-8")
    for width in (320, 1440):
        reader.open(f"{address}/{page}.html", width)
        reader.js("document.querySelectorAll('details').forEach((each) => { each.open = true })")
        reader.js(source)
        found = reader.driver.execute_async_script(
            "const done = arguments[0];"
            "axe.run().then((r) => done(r.violations.map((v) => [v.id, v.nodes.map((n) => n.html.slice(0, 200))])))"
        )
        assert found == []


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_asked_of_anybody_else(reader: Reader, address: str, page: str):
    reader.open(f"{address}/{page}.html", 1440, 6000)
    reader.js("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    reader.js("document.querySelectorAll('video').forEach((each) => each.load())")
    reader.driver.execute_async_script("setTimeout(arguments[0], 500)")
    asked = reader.requests()
    assert asked
    elsewhere = [a for a in asked if not a.startswith((address, "data:text/vtt;base64,", "data:image/svg"))]
    assert elsewhere == []
    assert reader.complaints() == []
    assert reader.js("return document.cookie + JSON.stringify(Object.keys(localStorage))") == "[]"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [*WIDTHS, 3840])
def test_nothing_sticks_out(reader: Reader, address: str, language: str, width: int):
    for edition in ("", ".light", ".text"):
        reader.open(f"{address}/{language}{edition}.html", width)
        reader.js("document.querySelectorAll('details').forEach((each) => { each.open = true })")
        assert reader.js("return document.documentElement.scrollWidth") == width
    reader.open(f"{address}/{language}.html", width)
    small = reader.js(
        "return [...document.querySelectorAll('nav a, .steps a, .get')].filter((a) => {"
        "const b = a.getBoundingClientRect(); return b.height && b.height < 24 }).length"
    )
    assert small == 0
    folder = os.environ.get("SAFELIGHT_SCREENSHOTS")
    if folder and width in WIDTHS:
        reader.screenshot(Path(folder) / f"closed-city-{language}-{width}.png")


def test_pages_are_light(reader: Reader, address: str, capsys: pytest.CaptureFixture[str]):
    for page in PAGES:
        reader.open(f"{address}/{page}.html", 390)
        told = reader.driver.execute_async_script(_LOOK)
        with capsys.disabled():
            print(f"\n{page:9}", told, end="")
        assert told["shift"] < 0.1
        if page == "index" or page.endswith(".text"):
            assert told["bytes"] < PAGE_MOST
        else:
            weight = reader.js("return performance.getEntriesByType('navigation')[0].transferSize")
            assert weight < PAGE_MOST


def test_without_script_everything_can_be_read(address: str):
    with reading(script=False) as reader:
        reader.open(f"{address}/en.html", 390)
        body = reader.driver.find_element("css selector", "body").text
        assert "What a loaf costs" in body
        assert "8 / 8" in body
        reader.driver.find_element("css selector", "details.warn summary").click()
        video = reader.driver.find_element("css selector", "video")
        assert video.is_displayed()
        assert video.get_attribute("autoplay") is None
        step = reader.driver.find_element("css selector", ".steps a")
        reader.driver.get(step.get_attribute("href"))
        assert reader.driver.current_url.endswith("-2")


def test_the_choice_of_an_edition_stays(reader: Reader, address: str):
    reader.open(f"{address}/en.html")
    reader.driver.find_element("link text", "Text only").click()
    reader.driver.find_element("link text", "Svenska").click()
    assert reader.driver.current_url.endswith("/sv.text.html")
    assert reader.js("return document.querySelectorAll('img, video, svg').length") == 0
    assert "Ugnen på skolgården" in reader.js("return document.body.innerText")


def test_the_map_and_the_gallery_are_reached_by_keyboard(reader: Reader, address: str):
    reader.open(f"{address}/en.html")
    reached: list[str] = []
    for _ in range(40):
        ActionChains(reader.driver).send_keys(Keys.TAB).perform()
        reached.append(
            reader.js(
                "const e = document.activeElement; return e.getAttribute('aria-label') || e.textContent.slice(0, 40)"
            )
        )
    assert "Place: School yard" in reached
    assert "Area: The quarry, lost" in reached
    assert "Route: Southern road" in reached
    assert reached.index("Next picture") < reached.index("Place: School yard")
    assert reached[0] == "To the text"


def test_no_name_on_the_map_stands_on_another(reader: Reader, address: str):
    for language, width in itertools.product(LANGUAGES, (320, 1440)):
        reader.open(f"{address}/{language}.html", width)
        boxes = reader.js(
            "return [...document.querySelectorAll('.map svg[role=group] text, .map svg[role=group] .place circle')]"
            ".map((e) => { const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom] })"
        )
        assert len(boxes) == 9
        over = [
            (a, b) for a, b in itertools.combinations(boxes, 2)
            if min(a[2], b[2]) - max(a[0], b[0]) > 1 and min(a[3], b[3]) - max(a[1], b[1]) > 0.3 * (a[3] - a[1])
        ]  # fmt: skip
        assert over == [], (language, width)


def test_words_stand_beside_a_film_on_wide_screens_and_are_printed(reader: Reader, address: str):
    place = (
        "const [film, said] = ['.film details.warn', '.film .said'].map((one) =>"
        " document.querySelector(one).getBoundingClientRect());"
        "return [film.right <= said.left, film.bottom <= said.top]"
    )
    reader.open(f"{address}/en.html", 1440)
    assert reader.js(place) == [True, False]
    reader.open(f"{address}/en.html", 390)
    assert reader.js(place) == [False, True]
    reader.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert reader.js("return document.querySelector('.said ol').getBoundingClientRect().height") > 50
        assert reader.js("return document.querySelector('video').getBoundingClientRect().height") == 0
    finally:
        reader.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_pages_open_from_a_disk_with_subtitles(reader: Reader, site: Path):
    reader.open(f"file://{site}/ar.html")
    cues = reader.driver.execute_async_script(
        "const done = arguments[0]; document.querySelector('details.warn').open = true;"
        "const track = [...document.querySelector('video').textTracks].find((t) => t.language === 'ar');"
        "track.mode = 'showing'; const look = () => track.cues && track.cues.length"
        "  ? done([...track.cues].map((c) => c.text)) : setTimeout(look, 50); look()"
    )
    assert len(cues) == 3
    assert "كانت تسعا في الصباح" in cues[0]
    assert reader.js("return [...document.images].filter((i) => i.complete && !i.naturalWidth).length") == 0
    assert reader.complaints() == []
