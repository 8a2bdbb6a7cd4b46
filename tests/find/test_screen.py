"""Lit screens in the dark are found; windows, walls and plain patches are not taken for them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from safelight.find.screen import ScreenFinder
from safelight.geometry import Box
from safelight.plan import Kind
from tests.find.written import HEIGHT, WIDTH, Picture, compressed, scenery, window


def screen_in(picture: Picture, content: Picture, box: tuple[int, int, int, int], slant: float) -> None:
    """Put a picture on a screen at (x, y, width, height), slanted, with a dark frame around it."""
    x, y, width, height = box
    lean = slant * height
    there = np.array([[x, y], [x + width, y + lean], [x + width, y + height - lean], [x, y + height]], np.float32)
    centre = there.mean(axis=0)
    cv2.fillConvexPoly(picture, ((there - centre) * 1.1 + centre).astype(np.int32), (12, 12, 12))
    size = content.shape[1], content.shape[0]
    here = np.array([[0, 0], [size[0], 0], size, [0, size[1]]], np.float32)
    move = cv2.getPerspectiveTransform(here, there)
    lit = cv2.warpPerspective(content, move, (WIDTH, HEIGHT))
    mask = cv2.warpPerspective(np.ones(content.shape[:2], np.uint8), move, (WIDTH, HEIGHT))
    picture[mask > 0] = lit[mask > 0]


@pytest.mark.parametrize("slant", [0.0, 0.08])
@pytest.mark.parametrize("width", [60, 120, 240])
def test_a_lit_screen_in_a_dark_room_is_found(width: int, slant: float) -> None:
    picture = (window(scenery(width), 200, 100) * 0.3).astype(np.uint8)
    content = np.maximum(cv2.resize(scenery(9), (160, 100), interpolation=cv2.INTER_AREA), 110)
    screen_in(picture, content, (250, 120, width, width * 2 // 3), slant)
    found = ScreenFinder().find(compressed(picture))
    assert [d.kind for d in found] == [Kind.SCREEN]
    assert found[0].box.overlap(Box(250, 120, 250 + width, 120 + width * 2 / 3)) > 0.7
    assert 0.5 <= found[0].score <= 1


def test_an_empty_bright_patch_is_no_screen() -> None:
    picture = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    picture[100:200, 200:350] = 220
    assert ScreenFinder().find(picture) == []


def test_a_round_lamp_is_no_screen() -> None:
    picture = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
    for radius, level in ((60, 150), (45, 190), (30, 230), (12, 255)):
        cv2.circle(picture, (300, 180), radius, (level, level, level), -1)
    assert ScreenFinder().find(picture) == []


@pytest.mark.parametrize("seed", range(5))
def test_bright_scenery_is_no_screen(seed: int) -> None:
    assert ScreenFinder().find(window(scenery(seed), 100, 100)) == []


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (2000, 3)])
def test_any_size_is_taken(size: tuple[int, int]) -> None:
    assert ScreenFinder().find(np.full((*size, 3), 200, np.uint8)) == []
