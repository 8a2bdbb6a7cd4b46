"""A reader's browser: headless Chromium that notes every request, and a server of files on loopback."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service


class Reader:
    """Opens pages and looks at them."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, address: str, width: int = 1280, height: int = 900) -> None:
        """Go to a page in a window of a size in pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
        self.driver.get_log("performance")
        self.driver.get(address)

    def js(self, code: str, *values: Any) -> Any:
        """What a script that looks at the page finds."""
        return self.driver.execute_script(code, *values)

    def requests(self) -> list[str]:
        """Addresses asked for since the page was opened."""
        said = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [m["params"]["request"]["url"] for m in said if m["method"] == "Network.requestWillBeSent"]

    def complaints(self) -> list[str]:
        """What the browser complains of: refused styles, missing files."""
        return [entry["message"] for entry in self.driver.get_log("browser") if "favicon" not in entry["message"]]

    def screenshot(self, path: Path, most: int = 9000) -> None:
        """The whole page as PNG, lazily loaded pictures too."""
        self.js("document.querySelectorAll('[loading=lazy]').forEach((e) => e.loading = 'eager')")
        self.driver.execute_async_script(
            "const done = arguments[0];"
            "Promise.all([...document.images].map((i) => i.decode().catch(() => 0))).then(() => done(0))"
        )
        height = min(int(self.js("return document.documentElement.scrollHeight")), most)
        width = int(self.js("return innerWidth"))
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(path))


@contextlib.contextmanager
def reading(*, script: bool = True, dark: bool = False) -> Iterator[Reader]:
    """A reader; the test is skipped where there is no Chromium."""
    program, helper = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if program is None or helper is None:
        pytest.skip("Chromium and its driver are not installed (Debian: chromium, chromium-driver)")
    options = Options()
    options.binary_location = program
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", "--lang=en"):
        options.add_argument(word)
    if not script:
        options.add_argument("--blink-settings=scriptEnabled=false")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(helper))
    try:
        driver.set_script_timeout(60)
        if dark:
            media = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        yield Reader(driver)
    finally:
        driver.quit()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder on loopback; yields its address without a final slash."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
