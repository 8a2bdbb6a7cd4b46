"""The page in headless Chromium: frame by frame, three languages, readable by everyone, safe beside hostile names."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest
from examples.clip import write_clip
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from desk.chromium import AXE, Desk, Editor, at_desk, browser
from desk.folders import make_plan, number, put, variable
from desk.test_frames import FILMS, FRAMES
from safelight.desk.folder import Folder
from safelight.desk.work import Work
from safelight.geometry import Box
from safelight.plan import How, Keyframe, Kind, Plan, Region, Stretch

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["variable", "late", "single-key"])
def test_number_shown_picture_and_edit_agree_in_the_browser(name: str, tmp_path: Path) -> None:
    """50 random frames reached by keys: the number on the page, in the picture, and of the edit's key frame."""
    put(tmp_path, frames=FRAMES, **FILMS[name])
    chosen = random.Random(5).sample(range(FRAMES), 50)
    with at_desk(tmp_path) as editor:
        editor.open("clip")
        for frame in chosen:
            editor.go(frame)
            assert number(editor.picture()) == editor.frame() == frame
        for frame in chosen[:5]:
            editor.go(frame)
            editor.press("d")
            editor.drag((20, 40), (60, 80), (160, 96))
            editor.saved()
            editor.wait(lambda: not editor.all("svg.drawing"))
        plan = Plan.load(tmp_path / "clip.safelight-plan.json")
        assert [region.first for region in plan.regions[1:]] == chosen[:5]
        # and while the film plays: every picture that is drawn carries the number that is shown with it
        editor.wait(lambda: editor.status()["film"]["finished"])
        editor.go(3)
        editor.press("l")
        shown = []
        for _ in range(12):
            at = int(editor.find(".stage canvas").get_attribute("data-frame"))
            told = editor.js(
                "const c = document.querySelector('.stage canvas');"
                "return [Number(c.dataset.frame), c.toDataURL('image/png').split(',')[1]]"
            )
            shown.append((at, told))
            time.sleep(0.1)
        editor.press("k")
        assert number(editor.picture()) == editor.settle()
        import base64

        import cv2
        import numpy as np

        frames = []
        for _, (frame, data) in shown:
            pixels = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
            assert number(pixels) == frame
            frames.append(frame)
        assert len(set(frames)) > 3


def test_the_keys_of_an_editing_program(tmp_path: Path) -> None:
    put(tmp_path, frames=120, cuts=[40, 80])
    with at_desk(tmp_path) as editor:
        editor.open("clip")
        editor.press(Keys.ARROW_DOWN)
        assert editor.settle() == 40
        editor.press(Keys.ARROW_DOWN, Keys.ARROW_LEFT)
        assert editor.settle() == 79
        editor.press(Keys.ARROW_UP)
        assert editor.settle() == 40
        editor.press("i")
        editor.press(Keys.ARROW_RIGHT, held=(Keys.SHIFT,))
        assert editor.settle() == 50
        editor.press("o", "a")
        editor.saved()
        sounds = editor.wait(lambda: Plan.load(tmp_path / "clip.safelight-plan.json").sounds)
        assert (sounds[0].start, sounds[0].end) == (pytest.approx(40 / 25), pytest.approx(51 / 25))
        editor.press("z", held=(Keys.CONTROL,))
        editor.wait(lambda: not Plan.load(tmp_path / "clip.safelight-plan.json").sounds)
        editor.press(Keys.HOME)
        editor.press("l", "l")
        editor.wait(lambda: editor.text(".speed") == "2×")
        editor.wait(lambda: editor.frame() > 10)
        editor.press("k")
        editor.wait(lambda: not editor.all(".speed"))
        stopped = editor.settle()
        editor.press("j")
        editor.wait(lambda: editor.frame() < stopped)
        editor.press("k")
        editor.press("?")
        editor.wait(lambda: editor.find("dialog .keys"))
        editor.press(Keys.ESCAPE)
        editor.wait(lambda: not editor.all("dialog"))


def test_the_original_is_there_only_while_its_key_is_held(tmp_path: Path) -> None:
    put(tmp_path, frames=20)
    with at_desk(tmp_path) as editor:
        editor.open("clip")
        editor.go(5)
        canvas = editor.find(".stage canvas")
        covered = editor.picture()[71, 112]
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(editor.driver).key_down("v").perform()
        editor.wait(lambda: canvas.get_attribute("data-view") == "original")
        assert editor.text(".warning") == "ORIGINAL"
        bare = editor.picture()[71, 112]
        ActionChains(editor.driver).key_up("v").perform()
        editor.wait(lambda: canvas.get_attribute("data-view") == "hidden")
        assert tuple(editor.picture()[71, 112]) == tuple(covered)
        assert min(bare) > 220  # the white middle
        assert min(covered) < 150
        assert b"look at the original from frame 5" in (tmp_path / "clip.safelight-edits.jsonl").read_bytes()


def test_two_people_two_clips_and_one(tmp_path: Path) -> None:
    put(tmp_path, "first", frames=20)
    put(tmp_path, "second", frames=20)
    desk = Desk(tmp_path)
    drivers = [browser(), browser()]
    try:
        mira = Editor(drivers[0], desk.address())
        mira.enter("Mira")
        sam = Editor(drivers[1], desk.address())
        sam.enter("Sam")
        mira.open("first")
        sam.open("second")
        for editor in (mira, sam):
            editor.press("i", "o", "a")
            editor.saved()
        sam.driver.find_element(By.LINK_TEXT, "All clips").click()
        sam.wait(lambda: "Mira" in sam.text("tbody"))
        sam.open("first")
        sam.wait(lambda: "Mira" in sam.text(".taken"))
        sam.press("i", "o", "a")
        time.sleep(0.5)
        assert len(Plan.load(tmp_path / "first.safelight-plan.json").sounds) == 1
        assert sam.find(".queue + .middle + .side button").get_attribute("disabled")
        mira.driver.find_element(By.LINK_TEXT, "All clips").click()
        sam.wait(lambda: not sam.all(".taken") and sam.find(".side button").is_enabled())
        sam.press("d")
        sam.drag((20, 40), (60, 80), (160, 96))
        sam.saved()
        sam.wait(lambda: len(Plan.load(tmp_path / "first.safelight-plan.json").regions) == 2)
    finally:
        for driver in drivers:
            driver.quit()
        desk.process.terminate()
        desk.process.wait(timeout=30)


HOSTILE = "<img src=x onerror=document.title='pwned'>"


def test_hostile_names_and_reasons_are_shown_as_text(tmp_path: Path) -> None:
    put(tmp_path, HOSTILE, frames=10)
    with at_desk(tmp_path, "<script>document.title='pwned'</script>") as editor:
        assert editor.driver.find_element(By.LINK_TEXT, HOSTILE)
        editor.open(HOSTILE)
        assert editor.text(".bar h1") == HOSTILE
        editor.find("[data-lane=head-1]").click()
        editor.press("r")
        editor.wait(lambda: editor.find("dialog input")).send_keys(HOSTILE + Keys.ENTER)
        editor.wait(lambda: HOSTILE in editor.text("blockquote"))
        assert "pwned" not in editor.driver.title.replace(HOSTILE, "")
        assert not editor.all("img[onerror], bdi img, blockquote img, bdi script")
        assert editor.requests_elsewhere() == []


def put_demo(folder: Path) -> list[Box]:
    """The demonstration's clip (public domain) with a plan as `find` makes it, and what a person should doubt in it.

    Returns where the face is, in every frame.
    """
    boxes = write_clip(folder / "market.mp4", 640, 360, 4.0)
    plan = make_plan(folder / "market.mp4", cuts=[60], regions=False)
    first, last, base = plan.clip.first_pts, plan.clip.last_pts, plan.clip.frames - 1
    step = (last - first) // base

    def region(name: str, frames: range, told: list[Stretch], kind: Kind = Kind.HEAD) -> Region:
        keys = []
        for frame in sorted({*frames[:: max(len(frames) // 6, 1)], frames[-1]}):
            box = boxes[frame]
            head = box.grown(0.3 * box.width, 0.45 * box.height, 0.3 * box.width, 0.2 * box.height)
            keys.append(Keyframe.of(frame, first + step * frame, head))
        return Region(id=name, kind=kind, score=0.9, keyframes=keys, stretches=told)

    found = How.FOUND
    plan.regions = [
        region(
            "face-1",
            range(60),
            [
                Stretch(first=0, last=24, how=found, finder="yunet", score=0.92),
                Stretch(first=25, last=37, how=How.FILLED),
                Stretch(first=38, last=50, how=found, finder="yunet", score=0.8),
                Stretch(first=51, last=59, how=How.HELD),
            ],
            Kind.FACE,
        ),
        region("head-2", range(60, 84), [Stretch(first=60, last=83, how=How.FOLLOWED)]),
    ]
    (folder / "market.safelight-plan.json").write_text(plan.to_json(), encoding="utf-8")
    return boxes


class Looker:
    """Looks at views with axe-core and keeps what it finds wrong."""

    def __init__(self, editor: Editor) -> None:
        if not AXE.is_file():
            pytest.skip("axe-core is not installed (cd frontend && npm ci)")
        self._editor = editor
        self.wrong: dict[str, list[str]] = {}

    def look(self, view: str, *, keep: str = "") -> None:
        """Look; ``keep``: the name of a picture of it for the documentation."""
        if found := self._editor.violations():
            self.wrong[view] = found
        across = self._editor.js("return [document.documentElement.scrollWidth, innerWidth]")
        assert across[0] <= across[1], f"{view} must be scrolled sideways"
        if keep:
            self._editor.screen(keep)

    def dialog(self, key: str, view: str, *, keep: str = "") -> None:
        """What a key opens."""
        self._editor.press(key)
        self._editor.wait(lambda: self._editor.all("dialog"))
        self.look(view, keep=keep)
        self._editor.press(Keys.ESCAPE)
        self._editor.wait(lambda: not self._editor.all("dialog"))

    def end(self) -> None:
        """Nothing was wrong, nothing was asked of others, nothing broke the policy."""
        assert self._editor.requests_elsewhere() == []
        told = [entry["message"] for entry in self._editor.driver.get_log("browser")]
        assert [message for message in told if "Content Security Policy" in message or "Uncaught" in message] == []
        assert self.wrong == {}


def whole(editor: Editor) -> None:
    """Wait until everything that comes by itself is there: film, waveform, small pictures."""
    editor.wait(lambda: editor.status()["reel"]["ready"] and editor.status()["peaks"])
    seen = (
        "const seen = (i) => { const at = i.getBoundingClientRect(); return at.bottom > 0 && at.top < innerHeight; };"
    )
    late = "return [...document.querySelectorAll('img.thumb')].filter((i) => !i.naturalWidth && seen(i)).length"
    editor.wait(lambda: not editor.js(seen + late))
    editor.settle()
    time.sleep(1.2)  # the page asks once a second


def test_pages_have_no_violation_and_pictures_of_them_are_kept(tmp_path: Path) -> None:
    """axe-core on every view in every language; at 1280 pixels, and as at 200 % zoom."""
    put_demo(tmp_path)
    for name in ("checkpoint", "courtyard", "gate"):
        put(tmp_path, name, frames=30, **variable(30))
    store = Folder(tmp_path)
    works = {entry.name: Work(store, entry.id) for entry in store.entries()}
    works["courtyard"].hold("elsewhere", "Sam")  # another desk has this one
    works["checkpoint"].hold("elsewhere", "Sam")
    works["checkpoint"].mark("elsewhere", [item.key for item in works["checkpoint"].queue()], seen=True)
    works["checkpoint"].close()
    (tmp_path / "gate.mp4").unlink()
    with at_desk(tmp_path) as editor:
        looker = Looker(editor)
        for code, words in (("en", "Clips"), ("sv", "Klipp"), ("ar", "المقاطع")):
            kept = "" if code == "sv" else code
            editor.js("localStorage.language = arguments[0]", code)
            editor.driver.refresh()
            editor.wait(lambda words=words: editor.text("h1") == words)
            looker.look(f"list {code}", keep=kept and f"list-{kept}")
            editor.open("market")
            editor.press("n")
            whole(editor)
            looker.look(f"review {code}", keep=kept and f"review-{kept}")
            looker.dialog("?", f"keys {code}", keep="keys" if code == "en" else "")
            looker.dialog("r", f"reason {code}", keep="reason" if code == "en" else "")
            if code == "ar":
                assert editor.js("return document.documentElement.dir") == "rtl"
            editor.find("a.back").click()
            editor.wait(lambda: editor.all("tbody"))
        editor.js("localStorage.language = 'en'")
        editor.driver.refresh()
        editor.open("courtyard")
        editor.wait(lambda: editor.all(".taken"))
        looker.look("a clip that somebody else has")
        editor.find("a.back").click()
        editor.wait(lambda: editor.all("tbody"))
        editor.open("market")
        editor.press("n", "o")
        editor.press(Keys.ARROW_LEFT, held=(Keys.SHIFT,))
        editor.settle()
        editor.press("i", "g", "e")
        for point in ((150, 90), (235, 60), (330, 110), (300, 200), (250, 150), (180, 190)):
            editor.click(point, (640, 360))
        editor.press(Keys.ENTER)
        editor.saved()
        editor.wait(lambda: editor.all("[data-corner='5']"))
        whole(editor)
        looker.look("a free shape and a span of sound", keep="free")
        for sound in ("keep", "revoice"):
            editor.find(f"[data-sound={sound}]").click()
            editor.wait(lambda: editor.all("dialog"))
            looker.look(f"asked about sound: {sound}")
            editor.press(Keys.ESCAPE)
            editor.wait(lambda: not editor.all("dialog"))
        editor.find("a.back").click()
        editor.wait(lambda: editor.all("tbody"))
        editor.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": 640, "height": 400, "deviceScaleFactor": 2, "mobile": False},
        )
        editor.driver.refresh()
        editor.wait(lambda: editor.all("tbody a"))
        looker.look("list at 200 %")
        editor.open("market")
        whole(editor)
        looker.look("review at 200 %", keep="review-zoomed")
        looker.dialog("?", "keys at 200 %")
        editor.press("n")
        looker.dialog("r", "reason at 200 %")
        for part in (".queue button.main", ".transport button.main", ".side button", ".lanes", ".copy button"):
            editor.js("arguments[0].scrollIntoView({block: 'center'})", editor.find(part))
            place: Any = editor.find(part).rect
            assert place["x"] >= 0
            assert place["x"] + place["width"] <= 640
        looker.end()
    works["courtyard"].close()


@pytest.mark.timeout(900)
def test_a_copy_is_made_watched_and_signed_in_the_page(tmp_path: Path) -> None:
    """Every view on the way to the signature, with axe-core; the demonstration's clip, attacked for real."""
    boxes = put_demo(tmp_path)
    with at_desk(tmp_path) as editor:
        looker = Looker(editor)
        editor.open("market")
        editor.press("n", "n", "n")
        editor.wait(lambda: editor.status()["unseen"] == 0)
        editor.pick("head-2")
        for frame in (91, 99):  # whoever was lost is covered to the end
            editor.go(frame)
            before = Plan.load(tmp_path / "market.safelight-plan.json").regions[1].keyframes[-1].box
            (x, y), (to_x, to_y) = before.centre, boxes[frame].centre
            editor.drag((x, y), (to_x, to_y - 0.12 * boxes[frame].height), (640, 360))
            editor.saved()
        whole(editor)
        editor.find(".copy button.main").click()
        editor.wait(lambda: editor.all(".copy progress"))
        looker.look("a copy is being made")
        editor.wait(lambda: (editor.status()["making"] or {}).get("finished"), 800)
        assert editor.status()["making"]["failed"] == ""
        while editor.status()["unseen"]:
            editor.press("n")
            editor.settle()
        editor.wait(lambda: editor.status()["missing"] == [])
        editor.wait(lambda: "I watched this copy" in editor.text(".copy"))
        editor.js("document.querySelector('.copy').scrollIntoView()")
        looker.look("the attack held", keep="copy")
        editor.driver.find_element("xpath", "//button[.='Watch the copy']").click()
        editor.wait(lambda: editor.js("return document.querySelector('dialog video').readyState >= 2"))
        looker.look("the copy is watched")
        editor.press(Keys.ESCAPE)
        editor.wait(lambda: not editor.all("dialog"))
        editor.all(".copy button.main")[-1].click()
        editor.wait(lambda: editor.status()["state"] == "approved")
        editor.wait(lambda: editor.all(".copy .good"))
        looker.look("signed")
        looker.end()
