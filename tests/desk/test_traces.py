"""What the desk leaves behind and who reaches it: nothing on a disk, nobody from another machine, no old session."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from selenium.webdriver.common.action_chains import ActionChains

from desk.chromium import Editor, browser
from desk.folders import put
from program import COMMAND
from safelight.models import store

PICTURES = re.compile(rb"JFIF|ftypiso|ftypmp4|ftypM4A|moofmfhd|/api/clips/[0-9a-f]+/(frames|thumbs|film|sound|peaks)")


class Started:
    """The desk as a process, with its own home and its own place for passing files."""

    def __init__(self, folder: Path, own: Path, port: int = 0) -> None:
        for name in ("home", "tmp"):
            (own / name).mkdir(parents=True, exist_ok=True)
        kept = {"HOME": str(own / "home"), "TMPDIR": str(own / "tmp"), "XDG_CACHE_HOME": str(own / "home" / "cache")}
        self.process = subprocess.Popen(
            [*COMMAND, "desk", folder, "--no-browser", "--port", str(port)],
            env={**os.environ, **kept, "SAFELIGHT_WEIGHTS": str(store.folder())},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        told = ""
        while not (found := re.search(r"http://\S+", told)):
            told = self.process.stdout.readline()
            assert self.process.poll() is None, told
        self.address = found[0]
        self.port = int(re.findall(r":(\d+)/", self.address)[0])

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "results"
    made.mkdir()
    put(made, frames=60, sound=2.4)
    return made


def listening(port: int) -> Iterator[str]:
    """Addresses on which this machine listens at a port (hexadecimal, as the kernel prints them)."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            if state == "0A" and int(address.split(":")[1], 16) == port:
                yield address.split(":")[0]


def test_only_this_machine_is_listened_to(folder: Path, tmp_path: Path) -> None:
    desk = Started(folder, tmp_path / "own")
    try:
        assert list(listening(desk.port)) == ["0100007F"]
        addresses = {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
        for address in (addresses - {"127.0.0.1"}) | {"127.0.0.2"}:
            with pytest.raises(OSError):  # noqa: PT011 - refused, or no such way
                socket.create_connection((address, desk.port), timeout=2).close()
    finally:
        desk.end()


def test_a_session_ends_with_its_process(folder: Path, tmp_path: Path) -> None:
    desk = Started(folder, tmp_path / "own")
    with httpx2.Client(base_url=f"http://127.0.0.1:{desk.port}", timeout=20) as client:
        assert client.get(desk.address).status_code == 303
        told = client.get("/api/session").json()
        desk.end()
        again = Started(folder, tmp_path / "own", desk.port)
        try:
            assert client.get("/api/session").status_code == 401
            assert client.get(desk.address).status_code == 403  # nor does the old address begin another one
            headers = {"x-safelight": told["csrf"]}
            assert client.post("/api/session", headers=headers, json={"name": "Mira"}).status_code == 401
        finally:
            again.end()


def files(*places: Path) -> Iterator[tuple[Path, bytes]]:
    for place in places:
        for path in place.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield path, path.read_bytes()


@pytest.mark.slow
def test_no_picture_film_or_sound_is_left_on_a_disk(folder: Path, tmp_path: Path) -> None:
    """All is seen, played and heard, the original too; every file that desk or browser wrote is searched."""
    own, profile = tmp_path / "own", tmp_path / "profile"
    before = {path for path, _ in files(folder)}
    desk = Started(folder, own)
    driver = browser(profile=profile)
    try:
        editor = Editor(driver, desk.address)
        editor.enter("Mira")
        editor.open("clip")
        editor.go(5)
        ActionChains(driver).key_down("v").perform()
        editor.wait(lambda: editor.find(".stage canvas").get_attribute("data-view") == "original")
        ActionChains(driver).key_up("v").perform()
        editor.wait(lambda: editor.status()["reel"]["ready"] and editor.status()["reel"]["sound"])
        editor.driver.find_element("xpath", "//button[.='Original sound']").click()
        editor.press("l")
        editor.wait(lambda: editor.frame() > 30)
        editor.press("k")
        editor.wait(lambda: editor.js("return [...document.querySelectorAll('.lane img')].every((i) => i.complete)"))
        time.sleep(2)  # what a browser writes, it writes soon
        found = [path for path, data in files(own, profile) if PICTURES.search(data)]
        assert found == []
    finally:
        driver.quit()
        desk.end()
    assert [path for path, data in files(own, profile) if PICTURES.search(data)] == []
    assert {path.name for path, _ in files(folder)} - {path.name for path in before} == {"clip.safelight-edits.jsonl"}
    assert sum(1 for _ in files(profile)) > 5  # there was something to search
