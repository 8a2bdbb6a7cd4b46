"""The page's tools in headless Chromium: sound by keys, free shapes corner by corner, what holds for the whole copy."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from desk.chromium import Editor, at_desk
from desk.folders import number, put
from safelight.plan import Decision, Kind, Look, Plan, Shape, Sound, SoundAction, SoundKind

pytestmark = pytest.mark.slow
CLIP = (160, 96)


def decided(path: Path) -> list[Sound]:
    return [sound for sound in Plan.load(path).sounds if sound.decision is Decision.HIDE]


def mark(editor: Editor, first: int, last: int) -> None:
    editor.go(first)
    editor.press("i")
    editor.go(last)
    editor.press("o")


def whole_copy(editor: Editor) -> None:
    """Unfold what holds for the whole copy."""
    editor.js("arguments[0].scrollIntoView({block: 'center'})", editor.find(".whole"))
    editor.find(".whole summary").click()


def test_every_way_of_sound_between_the_marks(tmp_path: Path) -> None:
    """Disguise, silence, a name, a tone, kept with a reason, spoken anew; each over the frames that were marked."""
    path = put(tmp_path, frames=120)
    with at_desk(tmp_path) as editor:
        editor.open("clip")
        assert "does not stop a trained attacker" in editor.text("section[aria-label=Sound]")
        for place, key in enumerate("gab"):
            mark(editor, 20 * place, 20 * place + 9)
            editor.press(key)
            editor.saved()
        mark(editor, 60, 69)
        editor.find("[data-sound=tone]").click()
        editor.saved()
        mark(editor, 80, 89)
        editor.find("[data-sound=keep]").click()
        editor.wait(lambda: editor.find("dialog input")).send_keys("Traffic only" + Keys.ENTER)
        editor.saved()
        mark(editor, 100, 109)
        editor.find("[data-sound=revoice]").click()
        editor.wait(lambda: editor.find("dialog textarea")).send_keys("نحن هنا")
        editor.find("dialog button.main").click()
        editor.saved()
        sounds = editor.wait(lambda: (told := decided(path)) and len(told) == 6 and told)
        assert [(s.start, s.end) for s in sounds] == [
            (pytest.approx(20 * n / 25), pytest.approx((20 * n + 10) / 25)) for n in range(6)
        ]
        assert [s.action for s in sounds] == [
            SoundAction.DISGUISE,
            SoundAction.SILENCE,
            SoundAction.SILENCE,
            SoundAction.TONE,
            SoundAction.KEEP,
            SoundAction.REVOICE,
        ]
        assert [s.kind for s in sounds] == [SoundKind.VOICE, SoundKind.VOICE, SoundKind.NAME, *[SoundKind.VOICE] * 3]
        assert (sounds[4].reason, sounds[5].text, sounds[5].language) == ("Traffic only", "نحن هنا", "ar")
        assert {s.decided_by for s in sounds} == {"Mira"}
        # a name over a span that was disguised: the last one counts, the rest stays
        mark(editor, 5, 9)
        editor.press("b")
        editor.saved()
        parts = editor.wait(lambda: (told := decided(path)) and len(told) == 7 and told)
        assert [(s.action, s.kind, s.end) for s in parts[:2]] == [
            (SoundAction.DISGUISE, SoundKind.VOICE, pytest.approx(5 / 25)),
            (SoundAction.SILENCE, SoundKind.NAME, pytest.approx(10 / 25)),
        ]
        editor.press(*"zzz", held=(Keys.CONTROL,))
        editor.wait(lambda: len(decided(path)) == 4)
        editor.wait(lambda: editor.text(".said").startswith("Undone: sound"))


def test_a_free_shape_is_drawn_and_moved_over_frames(tmp_path: Path) -> None:
    path = put(tmp_path, frames=60)
    with at_desk(tmp_path) as editor:
        editor.open("clip")
        editor.go(10)
        editor.press("e")
        points = [(20.0, 30.0), (70.0, 30.0), (70.0, 80.0), (60.0, 80.0), (60.0, 40.0), (20.0, 40.0)]  # like an L
        for point in (*points, (5.0, 5.0)):
            editor.click(point, CLIP)
        editor.press(Keys.BACKSPACE)  # the last one was a slip
        editor.click(points[0], CLIP)
        editor.saved()
        drawn = editor.wait(lambda: next(r for r in Plan.load(path).regions if r.shape is Shape.POLYGON))
        assert (drawn.kind, drawn.first, drawn.last) == (Kind.FREE, 10, 10)
        assert drawn.box_at(10) == pytest.approx((20, 30, 70, 80), abs=0.5)
        # dragged as a whole at a later frame, one corner of it at another; between them it moves
        editor.go(20)
        editor.drag((65.0, 50.0), (75.0, 55.0), CLIP)
        editor.saved()
        editor.go(30)
        corner = editor.find("[data-corner='2']").rect
        area = editor.find(".stage svg").rect
        scale = area["width"] / CLIP[0]
        there = (
            (corner["x"] + corner["width"] / 2 - area["x"]) / scale,
            (corner["y"] + corner["height"] / 2 - area["y"]) / scale,
        )
        editor.drag(there, (there[0] + 12, there[1]), CLIP)
        editor.saved()
        moved = editor.wait(lambda: (r := Plan.load(path).regions[-1]) and len(r.keyframes) == 3 and r)
        assert [key.frame for key in moved.keyframes] == [10, 20, 30]
        assert moved.box_at(15) == pytest.approx((25, 32.5, 75, 82.5), abs=1)
        assert moved.box_at(30) == pytest.approx((30, 35, 92, 85), abs=1)
        # what it covers is grey in the picture; what lies in its box but outside is not
        whole_copy(editor)
        Select(editor.find(".whole select")).select_by_value("solid")
        editor.wait(lambda: Plan.load(path).settings.look is Look.SOLID)
        editor.go(10)

        def grey(x: float, y: float) -> int:
            shown = editor.picture()
            factor = shown.shape[1] / CLIP[0]
            return int(shown[round(y * factor), round(x * factor)].mean())

        editor.wait(lambda: grey(40, 35) > 122 and grey(65, 70) > 122)
        assert abs(grey(40, 60) - 110) < 6
        # a corner more, a corner less
        editor.wait(lambda: editor.all("[data-middle='0']"))
        editor.find("[data-middle='0']").click()
        editor.wait(lambda: len(Plan.load(path).regions[-1].keyframes[0].corners) == 7)
        editor.click_held("[data-corner='1']", Keys.CONTROL)
        editor.wait(lambda: len(Plan.load(path).regions[-1].keyframes[0].corners) == 6)
        # the track that was found becomes a free shape that covers at least as much
        editor.press(Keys.ESCAPE)
        editor.pick("head-1")
        editor.press("3")
        editor.saved()
        found = editor.wait(lambda: (r := Plan.load(path).regions[0]) and r.shape is Shape.POLYGON and r)
        assert len(found.keyframes[0].corners) == 8
        editor.press("z", held=(Keys.CONTROL,))
        editor.wait(lambda: Plan.load(path).regions[0].shape is Shape.ELLIPSE)


def test_whole_copy_is_trimmed_from_the_page(tmp_path: Path) -> None:
    path = put(tmp_path, frames=60)  # 2.4 seconds
    with at_desk(tmp_path) as editor:
        editor.open("clip")
        whole_copy(editor)
        editor.find(".whole input[type=checkbox]").click()
        editor.saved()
        editor.wait(lambda: Plan.load(path).settings.trim)
        assert Plan.load(path).ends == (pytest.approx(0.2), pytest.approx(2.2))
        editor.press("z", held=(Keys.CONTROL,))
        editor.wait(lambda: not Plan.load(path).settings.trim)
        editor.wait(lambda: not editor.find(".whole input[type=checkbox]").is_selected())


def test_a_long_film_plays_over_its_pieces_and_only_what_is_near_is_made(tmp_path: Path) -> None:
    """Every painted picture carries the number shown, also after a piece's end; far ones are not made."""
    put(tmp_path, frames=1200, sound=48.0, options={"g": "25"})  # 48 seconds: four pieces
    with at_desk(tmp_path) as editor:
        editor.open("clip")
        reel = editor.wait(lambda: (told := editor.status()["reel"]) and told["ready"] == [0, 1] and told)
        assert reel["starts"] == [0, 250, 500, 750]
        editor.go(236)
        editor.press("l")
        pictures = []
        end = time.monotonic() + 30
        while editor.frame() < 280 and time.monotonic() < end:
            pictures.append(
                editor.js(
                    "const c = document.querySelector('.stage canvas');"
                    "return [Number(c.dataset.frame), c.toDataURL('image/png').split(',')[1]]"
                )
            )
        editor.press("k")
        shown = []
        for frame, data in pictures:
            pixels = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
            assert number(pixels) == frame
            shown.append(frame)
        assert min(shown) < 250 < max(shown)
        # the piece that comes next is asked for while this one plays, and then another lies ahead of that
        editor.wait(lambda: editor.status()["reel"]["ready"][:3] == [0, 1, 2])
        editor.press(Keys.END)
        editor.wait(lambda: editor.status()["reel"]["ready"] == [0, 1, 2, 3])
