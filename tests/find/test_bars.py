"""Bars: whoever is behind a fence or wire mesh is seen with the bars taken out, and hidden."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from safelight.find import Finders, find
from safelight.find.bars import bars, blurred, without
from safelight.find.clear import Clearing
from safelight.find.cuts import glances
from tests.find.clips import HEIGHT, WIDTH, Clip, Image, Shown, bare, face, scenery

FRAMES = 30


def lines(degrees: float, period: float, part: float, shift: float) -> np.ndarray:
    """Where bars are (height, width): that part of each period, going that many degrees down from the right."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    way = np.cos(np.radians(degrees)) * x + np.sin(np.radians(degrees)) * y + shift
    return np.asarray(way % period < part * period)


def behind(picture: Image, there: np.ndarray, grey: int) -> Image:
    """The picture with bars of that grey before it."""
    soft = cv2.GaussianBlur(there.astype(np.float32), (0, 0), 0.8)[..., None]
    return np.asarray(picture * (1 - soft) + grey * soft, np.uint8)


def walk() -> Clip:
    """Somebody near moves to the right."""
    clip, person = Clip(), face(150)
    wall = np.asarray(cv2.GaussianBlur(scenery(3), (0, 0), 6), np.uint8)
    for frame in range(FRAMES):
        clip.add(wall, [(person, 250 + 2.0 * frame, 170.0)])
    return clip


BEHIND = {  # degrees of the bars, step in pixels, part that is bar, grey
    "a fence": (((0.0, 30.0, 0.36),), 25),
    "bars that lean": (((15.0, 30.0, 0.38),), 25),
    "mesh": (((45.0, 24.0, 0.25), (-45.0, 24.0, 0.25)), 20),
}


@pytest.mark.parametrize("what", BEHIND)
def test_who_is_behind_bars_is_hidden_in_every_frame(finders: Finders, what: str) -> None:
    clip = walk()
    rows, grey = BEHIND[what]
    for number, picture in enumerate(clip.frames):
        for row in rows:
            picture = behind(picture, lines(*row, 0.6 * number), grey)
        clip.frames[number] = picture
    assert bare(find(clip, sha256="0" * 64, finders=Finders(finders.light)), clip) == []


def tiny(picture: Image) -> np.ndarray:
    """What of a picture is searched for bars."""
    return next(iter(glances([Shown(0, 0, picture)], WIDTH, HEIGHT))).tiny


@pytest.mark.parametrize(("degrees", "period"), [(0.0, 24.0), (12.0, 40.0), (90.0, 30.0), (-60.0, 28.0)])
def test_the_step_from_bar_to_bar_is_measured(degrees: float, period: float) -> None:
    ((x, y),) = bars(tiny(behind(walk().frames[0], lines(degrees, period, 0.3, 0.0), 30)))
    assert WIDTH * np.hypot(x, y) == pytest.approx(period, rel=0.12)
    assert np.degrees(np.arctan2(y, x)) % 180 == pytest.approx(degrees % 180, abs=6)


def test_bars_that_cross_are_measured_both() -> None:
    picture = walk().frames[0]
    for degrees in (0.0, 90.0):
        picture = behind(picture, lines(degrees, 32.0, 0.2, 0.0), 30)
    found = sorted(bars(tiny(picture)))
    assert [round(WIDTH * float(np.hypot(*step)) / 32.0, 1) for step in found] == [1.0, 1.0]


@pytest.mark.parametrize("seed", range(4))
def test_what_has_no_bars_costs_no_second_look(seed: int) -> None:
    clip, clearing = Clip(), Clearing()
    clip.add(scenery(seed), [(face(90), 300.0, 160.0)])
    clearing.measure(next(iter(glances(list(clip.pictures()), WIDTH, HEIGHT))))
    assert not clearing.hard


def test_what_is_behind_the_bars_comes_back() -> None:
    before = np.asarray(cv2.GaussianBlur(scenery(2), (0, 0), 30), np.uint8)
    barred = behind(before, lines(0.0, 30.0, 0.36, 0.0), 25)

    def away(picture: Image) -> float:
        return float(np.abs(picture.astype(float) - before).mean())

    assert away(without(barred, bars(tiny(barred)))) < away(barred) / 2
    assert without(before, []) is before


def test_edges_are_as_vague_as_the_widest_step_between_two_points() -> None:
    assert blurred([]) == 0.0
    assert blurred([(0.05, 0.0), (0.0, 0.1)]) == pytest.approx(0.02)
