"""How long a person waits: a 30 minute film in 1080p with 500 tracks. Prints the figures; see docs/desk.md."""

from __future__ import annotations

import hashlib
import os
import statistics
import time
from pathlib import Path

import av
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from desk.chromium import Desk, Editor, browser
from desk.long import plan_of, write_long

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
MINUTES, TRACKS = 30, 500
# What a person may wait, in seconds, on a machine with nothing else to do.
OPEN, STEP, FRAME = 2.0, 0.1, 1 / 50


def slack() -> float:
    """How much longer it may take here: by how many want each processor now; twice that, since load is a mean."""
    if os.environ.get("SAFELIGHT_QUIET_MACHINE"):
        return 1.0
    return 2 * max(os.getloadavg()[0] / (os.cpu_count() or 1), 1.0)


def test_a_long_film_with_many_tracks(tmp_path: Path) -> None:
    driver = browser()
    clip = tmp_path / "long.mp4"
    frames = write_long(clip, MINUTES)
    with av.open(str(clip)) as film:
        track = film.streams.video[0]
        base = (track.time_base.numerator, track.time_base.denominator)
        times = sorted(packet.pts for packet in film.demux(track) if packet.pts is not None)
    assert len(times) == frames
    digest = hashlib.sha256(clip.read_bytes()).hexdigest()
    plan = plan_of(digest, times, base, TRACKS, (1920, 1080))
    (tmp_path / "long.safelight-plan.json").write_text(plan.to_json(), encoding="utf-8")
    desk = Desk(tmp_path)
    try:
        editor = Editor(driver, desk.address())
        editor.enter("Mira")
        link = editor.wait(lambda: driver.find_element(By.LINK_TEXT, "long"))
        began = time.monotonic()
        link.click()
        editor.wait(lambda: editor.find(".stage canvas").get_attribute("data-frame") == "0")
        editor.wait(lambda: len(editor.all(".lane")) > 3)
        opened = time.monotonic() - began
        scrolled = _scroll(editor)
        stepped = _steps(editor)
        jumped = _jumps(editor, frames)
        drawn = _edit(editor)
        print(
            f"\n{MINUTES} min 1080p, {TRACKS} tracks, load {os.getloadavg()[0]:.0f} on {os.cpu_count()} processors: "
            f"opened in {opened:.2f} s; lanes scroll at {1 / scrolled:.0f} frames/s (median); "
            f"step to the next frame {stepped * 1000:.0f} ms, jump {jumped * 1000:.0f} ms, "
            f"edit to changed picture {drawn * 1000:.0f} ms (medians)"
        )
        wider = slack()
        assert opened < OPEN * wider
        assert scrolled < FRAME * wider
        assert stepped < STEP * wider
        assert drawn < 1.0 * wider
    finally:
        driver.quit()
        desk.process.terminate()
        desk.process.wait(timeout=60)


def _scroll(editor: Editor) -> float:
    """Median time between two pictures while the lanes are scrolled from top to bottom."""
    gaps = editor.driver.execute_async_script(
        "const done = arguments[0]; const box = document.querySelector('.lanes'); const gaps = []; let before = 0;"
        "function turn(now) { if (before) gaps.push(now - before); before = now; box.scrollTop += 45;"
        "  if (gaps.length < 240) requestAnimationFrame(turn); else done(gaps); } requestAnimationFrame(turn);"
    )
    return statistics.median(gaps) / 1000


def _timed(editor: Editor, key: str) -> float:
    """Seconds from a key press to the picture on the stage, measured in the page."""
    took = editor.driver.execute_async_script(
        "const [key, done] = arguments; const c = document.querySelector('.stage canvas');"
        "const from = c.dataset.frame;"
        "const began = performance.now();"
        "new MutationObserver((_, me) => { if (c.dataset.frame === from) return;"
        "  me.disconnect(); done(performance.now() - began); })"
        ".observe(c, {attributes: true});"
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));",
        key,
    )
    return float(took) / 1000


def _steps(editor: Editor) -> float:
    took = []
    for _ in range(40):
        took.append(_timed(editor, "ArrowRight"))
        time.sleep(0.12)  # nobody presses faster for long
    return statistics.median(took)


def _jumps(editor: Editor, frames: int) -> float:
    return statistics.median(_timed(editor, "ArrowDown") for _ in range(12))


def _edit(editor: Editor) -> float:
    """From the end of a drag to the picture with the region hidden."""
    editor.press(Keys.HOME)
    editor.settle()
    took = []
    for place in range(3):
        editor.js(
            "window.painted = 0; const c = document.querySelector('.stage canvas');"
            "new MutationObserver(() => { window.painted = performance.now(); }).observe(c, {attributes: true});"
            "addEventListener('pointerup', () => { window.let_go = performance.now(); window.painted = 0; }, true);"
        )
        editor.press("d")
        editor.drag((300 + 300 * place, 400), (420 + 300 * place, 560), (1920, 1080))
        editor.wait(lambda: editor.js("return window.painted > 0 && window.painted - window.let_go"))
        took.append(float(editor.js("return window.painted - window.let_go")) / 1000)
    return statistics.median(took)
