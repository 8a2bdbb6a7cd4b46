"""The page in Chromium while its desk is killed, started again, or somebody else's desk has the clip."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from desk.chromium import Editor, address_of, at_desk, browser
from desk.folders import put
from program import COMMAND
from safelight.plan import Plan

pytestmark = pytest.mark.slow
CLIP = (160, 96)


def started(folder: Path, port: int) -> tuple[subprocess.Popen[str], str]:
    """The desk at a port, and its address."""
    process = subprocess.Popen(
        [*COMMAND, "desk", folder, "--no-browser", "--port", str(port)],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    return process, address_of(process)


def test_a_killed_desk_is_said_and_what_was_saved_is_there_afterwards(tmp_path: Path) -> None:
    path = put(tmp_path, frames=20)
    first, address = started(tmp_path, 0)
    port = int(re.findall(r":(\d+)/", address)[0])
    driver = browser()
    again = None
    try:
        editor = Editor(driver, address)
        editor.enter("Mira")
        editor.open("clip")
        editor.press("d")
        editor.drag((20, 40), (60, 80), CLIP)
        editor.saved()
        editor.wait(lambda: len(editor.all(".lane")) == 2)
        first.kill()
        first.wait()
        editor.wait(lambda: "does not answer" in editor.text(".said.bad"))
        editor.press("d")
        editor.drag((70, 40), (100, 80), CLIP)  # not confirmed, so not shown as if it were
        editor.wait(lambda: "does not answer" in editor.text(".said.bad"))
        assert len(editor.all(".lane")) == 2
        again, address = started(tmp_path, port)
        editor.wait(lambda: "session has ended" in editor.text(".said.bad"))
        editor.driver.get("about:blank")
        editor.address = address
        editor.enter("Mira")
        editor.open("clip")
        editor.wait(lambda: len(editor.all(".lane")) == 2)
        assert len(Plan.load(path).regions) == 2
        editor.press("z", held=("\ue009",))  # Ctrl
        editor.wait(lambda: len(editor.all(".lane")) == 1)
    finally:
        driver.quit()
        for process in (first, again):
            if process is not None:
                process.kill()
                process.wait()


def test_the_page_says_that_another_desk_has_the_clip_and_takes_it_when_it_is_free(tmp_path: Path) -> None:
    path = put(tmp_path, frames=20)
    with at_desk(tmp_path, "Mira") as mira, at_desk(tmp_path, "Sam") as sam:
        mira.open("clip")
        sam.wait(lambda: "Another desk" in sam.text("tbody"))
        sam.open("clip")
        sam.wait(lambda: "Another desk has this clip" in sam.text(".taken"))
        mira.press("d")
        mira.drag((20, 40), (60, 80), CLIP)
        mira.saved()
        sam.wait(lambda: len(sam.all(".lane")) == 2)  # what the other did is seen, and not to be changed
        sam.press("i", "o", "a")
        assert "Another desk has this clip" in sam.text(".taken")
        assert not Plan.load(path).sounds
        mira.find("a.back").click()
        sam.wait(lambda: not sam.all(".taken") and sam.find(".side button").is_enabled())
        sam.press("a")
        sam.saved()
        sam.wait(lambda: len(Plan.load(path).sounds) == 1)
        assert len(Plan.load(path).regions) == 2
