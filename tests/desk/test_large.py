"""A clip of gigabytes: shown before all of it was read, but nothing is written before it is known to be the plan's."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from desk.chromium import at_desk
from desk.folders import Browser, desk_of, make_clip, make_plan
from desk.test_speed import slack
from safelight.desk.hashes import Hashes
from safelight.inputs import Original

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SIZE = 4 << 30


def put_large(folder: Path, size: int = SIZE) -> tuple[Path, Path]:
    """A film of that many bytes, nearly all of them room that MP4 leaves free (a hole on the disk), and its plan."""
    clip = make_clip(folder / "clip.mp4", frames=60)
    plan = make_plan(clip, cuts=[40])
    with clip.open("ab") as file:
        file.write((1).to_bytes(4) + b"free" + (size - clip.stat().st_size).to_bytes(8))
        file.truncate(size)
    plan.clip.sha256 = sha256(clip)
    path = folder / "clip.safelight-plan.json"
    path.write_text(plan.to_json(), encoding="utf-8")
    return clip, path


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_it_is_looked_at_at_once_and_edited_when_it_is_proven(tmp_path: Path) -> None:
    _, path = put_large(tmp_path)
    before = path.read_bytes()
    desk = desk_of(tmp_path)
    try:
        browser = Browser(desk)
        clip = browser.first()
        began = time.monotonic()
        browser.post(clip + "/hold").raise_for_status()
        assert browser.get(clip + "/frames/0").status_code == 200
        looked = time.monotonic() - began
        assert browser.get(clip).json()["proven"] < 1
        done: list[float] = []

        def edit() -> None:
            browser.edit(clip, 0, op="sound", start=0, end=1).raise_for_status()
            done.append(time.monotonic() - began)

        thread = threading.Thread(target=edit)
        thread.start()
        while browser.get(clip).json()["proven"] < 1:
            assert path.read_bytes() == before
            assert (tmp_path / "clip.safelight-edits.jsonl").read_bytes() == b""
            assert browser.get(clip + "/frames/5").status_code == 200  # looking goes on
            time.sleep(0.05)
        thread.join()
        assert path.read_bytes() != before
        print(f"{SIZE >> 30} GiB: first picture after {looked:.2f} s, first edit kept after {done[0]:.1f} s")
    finally:
        desk.close()


def test_another_clip_with_the_same_pictures_is_never_edited(tmp_path: Path) -> None:
    """Same size, same times: only the hash tells, and it is waited for."""
    other, path = put_large(tmp_path, 1 << 30)
    with other.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"x")
    before = path.read_bytes()
    desk = desk_of(tmp_path)
    try:
        browser = Browser(desk)
        clip = browser.first()
        browser.post(clip + "/hold").raise_for_status()
        for refused in (
            browser.edit(clip, 0, op="sound", start=0, end=1),
            browser.post(clip + "/seen", json={"items": ["head-1"]}),
            browser.post(clip + "/original", json={"frame": 0}),
            browser.post(clip + "/copy"),
            browser.post(clip + "/signature"),
            browser.get(clip + "/frames/0"),
            browser.get(clip),
        ):
            assert refused.json()["code"] == "SL-PLAN-OTHER-CLIP", refused.request.url
        assert path.read_bytes() == before
        assert (tmp_path / "clip.safelight-edits.jsonl").read_bytes() == b""
    finally:
        desk.close()


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    hashes = Hashes()
    with Original(path) as file:
        assert hashes.of(file) is None
        while not 0 < hashes.share(file) < 1:
            time.sleep(0.001)
        with path.open("r+b") as writer:
            writer.write(b"x")
        assert hashes.wait(file) == sha256(path)


def test_it_opens_in_the_browser_without_waiting(tmp_path: Path) -> None:
    put_large(tmp_path)
    with at_desk(tmp_path) as editor:
        link = editor.wait(lambda: editor.driver.find_element(By.LINK_TEXT, "clip"))
        began = time.monotonic()
        link.click()
        editor.wait(lambda: editor.find(".stage canvas").get_attribute("data-frame") == "0")
        opened = time.monotonic() - began
        print(f"{SIZE >> 30} GiB opened in {opened:.2f} s")
        assert opened < 2 * slack()
        editor.press("i", "o", "a")
        editor.wait(lambda: editor.text(".saved") == "Saved", 120)
        assert editor.status()["proven"] == 1
        editor.wait(lambda: "Checking" not in editor.text(".bar"))
