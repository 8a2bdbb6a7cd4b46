"""Every mend of the page by its key or the mouse, in headless Chromium; the list; a case with two members."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from custody.conftest import Desk as CaseDesk
from desk.chromium import Editor, address_of, at_desk, browser
from desk.folders import make_plan, put, variable
from desk.test_incase import story  # noqa: F401 - a fixture
from program import COMMAND
from safelight.geometry import Box
from safelight.plan import Decision, How, Kind, Plan, Region, Shape

pytestmark = pytest.mark.slow
CLIP = (160, 96)


def test_every_mend_by_key_and_mouse(tmp_path: Path) -> None:
    path = put(tmp_path, frames=120, cuts=[40, 80])
    start = path.read_text()

    def region(name: str) -> Region:
        return next(r for r in Plan.load(path).regions if r.id == name)

    with at_desk(tmp_path) as editor:

        def until(true: Callable[[], object]) -> None:
            editor.saved()
            editor.wait(true)

        editor.open("clip")
        # drawn, resized by a handle at a later frame, moved and resized by keys: key frames where that was done
        editor.go(45)
        editor.press("d")
        editor.drag((20, 30), (50, 60), CLIP)
        until(lambda: len(Plan.load(path).regions) == 2)
        drawn = Plan.load(path).regions[-1].id
        assert region(drawn).box_at(45) == pytest.approx((20, 30, 50, 60), abs=0.6)
        editor.go(55)
        editor.wait(lambda: editor.all(".outline.picked [data-grip=se]"))
        editor.drag((50, 60), (60, 75), CLIP)
        until(lambda: region(drawn).last == 55)
        assert region(drawn).box_at(55) == pytest.approx((20, 30, 60, 75), abs=0.8)
        assert region(drawn).box_at(50) == pytest.approx((20, 30, 55, 67.5), abs=0.8)
        before = region(drawn).box_at(55) or Box(0, 0, 0, 0)
        editor.press(Keys.ARROW_RIGHT, held=(Keys.ALT,))
        until(lambda: region(drawn).box_at(55) == pytest.approx((before.x1 + 2, before.y1, before.x2 + 2, before.y2)))
        editor.press(Keys.ARROW_DOWN, held=(Keys.ALT, Keys.SHIFT))
        until(
            lambda: region(drawn).box_at(55) == pytest.approx((before.x1 + 2, before.y1, before.x2 + 2, before.y2 + 2))
        )
        # a key frame taken away; to the cut after, only from I to O; split; merged again
        editor.press("]")
        until(lambda: region(drawn).last == 79)
        editor.go(55)
        editor.press(Keys.DELETE)
        until(lambda: [key.frame for key in region(drawn).keyframes] == [45, 79])
        editor.go(50)
        editor.press("i")
        editor.go(70)
        editor.press("o", "u")
        until(lambda: (region(drawn).first, region(drawn).last) == (50, 70))
        editor.go(60)
        editor.press("s")
        until(lambda: len(Plan.load(path).regions) == 3)
        other = Plan.load(path).regions[-1].id
        assert (region(drawn).last, region(other).first) == (59, 60)
        editor.pick(drawn)
        editor.pick(other, more=True)
        editor.press("m")
        until(lambda: len(Plan.load(path).regions) == 2)
        whole = Plan.load(path).regions[-1]
        assert (whole.first, whole.last) == (50, 70)
        # what it is: by key and by the list
        editor.pick(whole.id)
        editor.press("2")
        until(lambda: (region(whole.id).kind, region(whole.id).shape) == (Kind.BODY, Shape.BOX))
        Select(editor.find(".side select")).select_by_value("plate")
        until(lambda: region(whole.id).kind is Kind.PLATE)
        editor.press("1")
        until(lambda: (region(whole.id).kind, region(whole.id).shape) == (Kind.HEAD, Shape.ELLIPSE))
        # shown everywhere with a reason, hidden again; what was found cannot be removed, what was drawn can
        editor.pick("head-1")
        editor.press("r")
        editor.wait(lambda: editor.find("dialog input")).send_keys("Agreed" + Keys.ENTER)
        until(lambda: region("head-1").decision is Decision.REVEAL)
        assert (region("head-1").reason, region("head-1").decided_by) == ("Agreed", "Mira")
        editor.press("h")
        until(lambda: region("head-1").decision is Decision.HIDE)
        assert editor.find(".side [title='Remove region']").get_attribute("disabled")
        editor.pick(whole.id)
        editor.go(65)
        editor.press(Keys.DELETE)
        until(lambda: len(Plan.load(path).regions) == 1)
        # undo to the beginning: the very bytes; and again to the end
        end = path.read_text()
        steps = 0
        while (told := editor.status())["undo"]:
            editor.press("z", held=(Keys.CONTROL,))
            editor.wait(lambda version=told["version"]: editor.status()["version"] > version)
            steps += 1
        assert steps >= 14
        assert Plan.load(path).to_json() == Plan.model_validate_json(start).to_json()
        for _ in range(steps):
            editor.press("y", held=(Keys.CONTROL,))
            editor.saved()
        editor.wait(lambda: path.read_text() == end)
        assert {stretch.how for stretch in region("head-1").stretches} == {How.FOUND, How.FILLED}


def test_the_time_line_is_magnified_to_single_frames_and_back(tmp_path: Path) -> None:
    put(tmp_path, frames=1000)
    with at_desk(tmp_path) as editor:
        editor.open("clip")
        line = editor.find(".timeline .head canvas")

        def end_of_line() -> int:
            """The frame at the right end of what is in view."""
            ActionChains(editor.driver, duration=0).move_to_element_with_offset(
                line, line.rect["width"] / 2 - 2, 0
            ).click().perform()
            return editor.settle()

        assert end_of_line() in range(990, 1000)
        editor.press(Keys.HOME)
        editor.settle()
        editor.press("f")
        assert end_of_line() in range(46, 49)
        editor.press("0")
        assert end_of_line() in range(990, 1000)
        editor.press(Keys.HOME)
        editor.settle()
        editor.press("w")
        assert end_of_line() in range(245, 251)
        editor.press("0", Keys.HOME)
        editor.settle()
        editor.press("+")
        assert end_of_line() in range(490, 501)
        editor.press("-")
        assert end_of_line() in range(990, 1000)


def names(editor: Editor) -> list[str]:
    return [row.text for row in editor.all("tbody th")]


def test_the_list_is_filtered_and_sorted(tmp_path: Path) -> None:
    for name, frames in (("bridge", 20), ("alley", 60), ("corner", 40)):
        put(tmp_path, name, frames=frames)
    put(tmp_path, "yard", frames=30, **variable(30))
    with at_desk(tmp_path) as editor:
        editor.wait(lambda: len(names(editor)) == 4)

        def by(column: str) -> list[str]:
            editor.driver.find_element(
                By.XPATH, f"//thead//button[starts-with(normalize-space(.), '{column}')]"
            ).click()
            return names(editor)

        assert by("Name") == ["alley", "bridge", "corner", "yard"]
        assert by("Name") == ["yard", "corner", "bridge", "alley"]
        lengths = by("Length")
        assert lengths.index("alley") < lengths.index("corner") < lengths.index("bridge")
        head = editor.driver.find_element(By.XPATH, "//th[contains(., 'Length')]")
        assert head.get_attribute("aria-sort") == "descending"
        editor.open("corner")
        editor.press("d")
        editor.drag((20, 30), (50, 60), CLIP)
        editor.saved()
        editor.find("a.back").click()
        editor.wait(lambda: len(names(editor)) == 4)
        Select(editor.find(".filters select")).select_by_value("in review")
        editor.wait(lambda: names(editor) == ["corner"])
        Select(editor.find(".filters select")).select_by_value("approved")
        editor.wait(lambda: "No clip fits" in editor.text(".none"))
        Select(editor.find(".filters select")).select_by_value("")
        editor.find(".filters input").send_keys("RI")
        editor.wait(lambda: names(editor) == ["bridge"])


def test_two_members_at_a_case_in_two_browsers(story: CaseDesk, tmp_path: Path) -> None:  # noqa: F811
    """Each chooses their own pseudonym and no other; the second sees who has the clip, then takes it."""
    out = tmp_path / "out"
    started = []
    drivers = []
    try:
        editors = []
        for key in (story.key, story.key.with_name("second.key")):
            process = subprocess.Popen(
                [*COMMAND, "desk", "--case", story.case, "--identity", key, out, "--no-browser"],
                stdout=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
                text=True,
            )
            started.append(process)
            drivers.append(browser())
            editors.append(Editor(drivers[-1], address_of(process)))
        for editor, who in zip(editors, ("anna", "bilal"), strict=True):
            editor.driver.get(editor.address)
            chosen = Select(editor.wait(lambda editor=editor: editor.find("dialog select")))
            assert [option.text for option in chosen.options] == ["", who]
            chosen.select_by_visible_text(who)
            editor.find("dialog button.main").click()
            editor.wait(lambda editor=editor: not editor.all("dialog"))
        anna, bilal = editors
        anna.open("clip-0001")
        anna.press("d")
        anna.drag((20, 30), (50, 60), CLIP)
        anna.saved()
        bilal.wait(lambda: "anna" in bilal.text("tbody"))
        bilal.open("clip-0001")
        bilal.wait(lambda: bilal.text(".taken").startswith("anna has this clip"))
        bilal.wait(lambda: len(bilal.all(".lane")) == 2)
        anna.find("a.back").click()
        bilal.wait(lambda: not bilal.all(".taken") and bilal.find(".side button").is_enabled())
        bilal.press("z", held=(Keys.CONTROL,))
        bilal.saved()
        bilal.wait(lambda: len(bilal.all(".lane")) == 1)
        bilal.find("a.back").click()
        bilal.wait(lambda: bilal.all("tbody"))
    finally:
        for driver in drivers:
            driver.quit()
        for process in started:
            process.terminate()
            process.wait(timeout=30)
    with story.open() as case:
        sealed = Plan.model_validate_json(case.document(case.clip("1"), "plan") or b"")
        told = [(act["who"], act["note"]) for act in case.catalogue.acts(1)]
    assert [r.id for r in sealed.regions] == [r.id for r in make_plan(story.card / "SECRET-NAME.mp4").regions]
    took = [who for who, note in told if note == "taken into work at the desk"]
    assert list(dict.fromkeys(took)) == ["anna", "bilal"]  # on a busy machine a page may fall silent and take it again


# The page takes the plan for changed once, asks for it, and gets the answer only after its own next change.
SLOW = """
const fetched = window.fetch;
window.asked = 0;
window.answered = 0;
window.fetch = async (url, init) => {
  const answer = await fetched(url, init);
  const path = new URL(url.url ?? url, location).pathname;
  if (/clips.[^/]+$/.test(path) && window.asked === 0 && (init?.method ?? "GET") === "GET") {
    const told = await answer.json();
    return Response.json({ ...told, version: told.version + 1 });
  }
  if (path.endsWith("/plan")) {
    window.asked++;
    await new Promise((done) => setTimeout(done, 3000));
    window.answered++;
  }
  return answer;
};
"""


def test_an_answer_older_than_the_last_change_is_dropped(tmp_path: Path) -> None:
    path = put(tmp_path, frames=60)
    with at_desk(tmp_path) as editor:
        editor.open("clip")
        editor.js(SLOW)
        editor.wait(lambda: editor.js("return window.asked") == 1)
        editor.press("d")
        editor.drag((20, 30), (50, 60), CLIP)
        editor.saved()
        assert editor.js("return window.answered") == 0
        editor.wait(lambda: editor.js("return window.answered") == 1)
        drawn = Plan.load(path).regions[-1]
        editor.press(Keys.ARROW_RIGHT, held=(Keys.ALT,))
        editor.wait(lambda: Plan.load(path).regions[-1].keyframes[0].x > drawn.keyframes[0].x)
        editor.saved()
