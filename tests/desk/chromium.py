"""The desk in a real browser, as an editor uses it: keys and the mouse, nothing called from inside the page."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from program import COMMAND

ROOT = Path(__file__).parents[2]
SCREENS = ROOT / "docs" / "desk"
FAILED = Path(tempfile.gettempdir()) / "safelight-desk-failed.png"
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"


class Editor:
    """A person at the desk. Counts key presses and mouse drags."""

    def __init__(self, driver: webdriver.Chrome, address: str) -> None:
        self.driver = driver
        self.address = address
        self.presses = 0
        self.drags = 0

    def enter(self, name: str) -> None:
        """Open the address from the terminal and say who is there."""
        self.driver.get(self.address)
        self.wait(lambda: self.find("dialog input"))
        self.find("dialog input").send_keys(name)
        self.find("dialog button.main").click()
        self.wait(lambda: not self.all("dialog"))

    def find(self, css: str) -> Any:
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css: str) -> list[Any]:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def text(self, css: str) -> str:
        return str(self.find(css).text)

    def js(self, code: str, *values: Any) -> Any:
        """Look at the page (never used to do an editor's work)."""
        return self.driver.execute_script(code, *values)

    def wait(self, true: Callable[[], Any], seconds: float = 40) -> Any:
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(Exception):  # elements come and go while the page is drawn
                if value := true():
                    return value
            if time.monotonic() >= end:
                self.driver.save_screenshot(str(FAILED))
                raise AssertionError(f"waited in vain; the page then: {FAILED}; {self.driver.get_log('browser')}")
            time.sleep(0.05)

    def press(self, *keys: str, held: tuple[str, ...] = ()) -> None:
        """Press keys one after the other, with others held."""
        chain = ActionChains(self.driver, duration=0)
        for key in held:
            chain.key_down(key)
        for key in keys:
            chain.send_keys(key)
            self.presses += 1
        for key in held:
            chain.key_up(key)
        chain.perform()

    def open(self, name: str) -> None:
        """Open a clip from the list, until its first picture is there and it is known who has it."""
        self.wait(lambda: self.driver.find_element(By.LINK_TEXT, name)).click()
        self.wait(lambda: self.find(".stage canvas").get_attribute("data-frame") == "0")
        self.wait(lambda: self.all(".taken") or self.find(".side button").is_enabled())

    def frame(self) -> int:
        """The frame number that the page shows."""
        return int(self.find(".clock").get_attribute("data-frame"))

    def settle(self) -> int:
        """Wait until the picture on the stage is the frame whose number is shown; returns it."""
        self.wait(lambda: self.find(".stage canvas").get_attribute("data-frame") == str(self.frame()))
        return self.frame()

    def go(self, frame: int) -> None:
        """Go to a frame with the arrow keys."""
        while (by := frame - self.frame()) != 0:
            key = Keys.ARROW_RIGHT if by > 0 else Keys.ARROW_LEFT
            if abs(by) >= 10:
                self.press(*[key] * (abs(by) // 10), held=(Keys.SHIFT,))
            else:
                self.press(*[key] * abs(by))
            time.sleep(0.05)
        self.settle()

    def pick(self, region: str, *, more: bool = False) -> None:
        """Click the lane of a track; with ``more``, beside those picked already."""
        place = self.js("const lane = document.querySelector('.lanes'); lane.scrollTop = 0; return lane.scrollHeight")
        for top in range(0, int(place), 90):
            self.js("document.querySelector('.lanes').scrollTop = arguments[0]", top)
            time.sleep(0.05)
            if self.all(f"[data-lane={region}]"):
                break
        lane = self.find(f"[data-lane={region}]")
        chain = ActionChains(self.driver, duration=0)
        if more:
            chain.key_down(Keys.SHIFT)
        chain.move_to_element(lane).click()
        if more:
            chain.key_up(Keys.SHIFT)
        chain.perform()
        self.wait(lambda: self.find(f"[data-lane={region}]").get_attribute("aria-pressed") == "true")

    def drag(self, start: tuple[float, float], end: tuple[float, float], clip: tuple[int, int]) -> None:
        """Drag over the picture; points in pixels of the clip."""
        area = self.find(".stage svg").rect
        scale = area["width"] / clip[0]

        def at(point: tuple[float, float]) -> tuple[int, int]:
            return round(area["x"] + point[0] * scale), round(area["y"] + point[1] * scale)

        chain = ActionChains(self.driver, duration=20)
        pointer = chain.w3c_actions.pointer_action
        pointer.move_to_location(*at(start))
        pointer.pointer_down()
        pointer.move_to_location(*at(((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)))
        pointer.move_to_location(*at(end))
        pointer.pointer_up()
        chain.perform()
        self.drags += 1

    def click(self, point: tuple[float, float], clip: tuple[int, int]) -> None:
        """Click into the picture at a point in pixels of the clip."""
        area = self.find(".stage svg").rect
        scale = area["width"] / clip[0]
        chain = ActionChains(self.driver, duration=20)
        pointer = chain.w3c_actions.pointer_action
        pointer.move_to_location(round(area["x"] + point[0] * scale), round(area["y"] + point[1] * scale))
        pointer.pointer_down()
        pointer.pointer_up()
        chain.perform()

    def click_held(self, css: str, key: str) -> None:
        """Click something with a key held."""
        ActionChains(self.driver, duration=0).key_down(key).click(self.find(css)).key_up(key).perform()

    def saved(self) -> None:
        """Wait until everything is saved and nothing was refused."""
        self.wait(lambda: self.text(".saved") in ("Saved", "Sparat", "محفوظ"))
        assert not self.all(".said.bad"), self.text(".said.bad")

    def status(self) -> dict[str, Any]:
        """What the desk says of the open clip, asked as the page asks."""
        told = self.driver.execute_async_script(
            "const done = arguments[0]; const id = location.hash.split('/')[2];"
            "fetch('/api/clips/' + id).then((r) => r.json()).then(done)"
        )
        assert isinstance(told, dict)
        return told

    def picture(self) -> Any:
        """What is on the stage, as (height, width, 3) of RGB."""
        import base64

        import cv2
        import numpy as np

        data = self.js("return document.querySelector('.stage canvas').toDataURL('image/png').split(',')[1]")
        return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]

    def screen(self, name: str) -> None:
        """Keep a picture of the page, small enough for the repository."""
        from io import BytesIO

        from PIL import Image

        SCREENS.mkdir(exist_ok=True)
        shot = Image.open(BytesIO(self.driver.get_screenshot_as_png())).convert("RGB")
        shot.quantize(256, kmeans=1, dither=Image.Dither.NONE).save(SCREENS / f"{name}.png", optimize=True)

    def violations(self) -> list[str]:
        """What axe-core finds wrong with the page as it is."""
        self.js(AXE.read_text(encoding="utf-8"))
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run().then((r) => done(r.violations.map("
            "(v) => v.id + ': ' + v.nodes.map((n) => n.target.join(' ') + ' ' + n.failureSummary).join(' | '))))"
        )
        assert isinstance(found, list)
        return found

    def requests_elsewhere(self) -> list[str]:
        """Addresses outside the desk that the page asked for."""
        told = self.js("return performance.getEntriesByType('resource').map((e) => e.name)")
        own = self.address[: self.address.index("/start")]
        return [name for name in told if not name.startswith(own)]


def browser(width: int = 1280, height: int = 800, *, profile: Path | None = None) -> webdriver.Chrome:
    """Headless Chromium, which keeps what it keeps in ``profile``; the test is skipped where there is none."""
    program, helper = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if program is None or helper is None:
        pytest.skip("Chromium and its driver are not installed (Debian: chromium, chromium-driver)")
    options = Options()
    options.binary_location = program
    for word in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--autoplay-policy=no-user-gesture-required",
        "--lang=en",
        f"--window-size={width},{height}",
    ):
        options.add_argument(word)
    if profile is not None:
        options.add_argument(f"--user-data-dir={profile}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(helper))
    driver.set_script_timeout(60)
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )
    return driver


class Desk:
    """The desk as a process, with the addresses it prints."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "desk", folder, "--no-browser"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )

    def address(self) -> str:
        """The next one."""
        return address_of(self.process)


def address_of(process: subprocess.Popen[str]) -> str:
    """The next address that a desk prints."""
    assert process.stdout is not None
    while not (found := re.search(r"http://\S+", process.stdout.readline())):
        assert process.poll() is None
    return found[0]


@contextlib.contextmanager
def at_desk(folder: Path, name: str = "Mira", *, width: int = 1280, height: int = 800) -> Iterator[Editor]:
    """An editor at a desk over a folder."""
    driver = browser(width, height)
    desk = Desk(folder)
    try:
        editor = Editor(driver, desk.address())
        editor.enter(name)
        yield editor
    finally:
        driver.quit()
        desk.process.terminate()
        desk.process.wait(timeout=30)
