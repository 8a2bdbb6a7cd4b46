"""An area is bare when the copy shows the original there, and only where the copy shows anything at all."""

from __future__ import annotations

import numpy as np

from safelight.attack.covers import Area, still_bare
from safelight.attack.inner import inner_part
from safelight.geometry import Box
from safelight.plan import Shape

AREA = Area("head-1", Shape.ELLIPSE, Box(40, 20, 64, 50))


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """(original, fill): a structured picture, and the same with the area grey."""
    rows, columns = np.mgrid[0:60, 0:64].astype(np.float32)
    original = 128 + 60 * np.sin(columns / 3) * np.cos(rows / 4)
    filled = original.copy()
    filled[20:50, 40:64] = 128
    return original, filled


def test_a_bare_area_is_told_from_a_covered_one() -> None:
    original, filled = pictures()
    held = np.ones(original.shape, bool)
    assert [bare.name for bare in still_bare((AREA,), original, filled, original, held)] == ["head-1"]
    assert still_bare((AREA,), filled, filled, original, held) == []


def test_what_was_cropped_away_accuses_nobody() -> None:
    original, filled = pictures()
    held = np.ones(original.shape, bool)
    held[:, 38:] = False  # the copy ends there; beyond, straightening can only repeat its rim
    assert still_bare((AREA,), original, filled, original, held) == []


def test_the_inner_part_of_a_thin_polygon_is_not_empty() -> None:
    """Of a sliver thinner than what is left out at a rim, its middle is judged all the same."""
    box, corners = Box(10, 10, 110, 60), ((0.0, 0.45), (1.0, 0.45), (1.0, 0.55), (0.0, 0.55))
    inner = inner_part(corners, box, box.grown(-4, -4, -4, -4), (14, 14, 106, 56))
    assert inner[35 - 14].all()
    assert not inner[: 33 - 14].any()
    assert not inner[38 - 14 :].any()
