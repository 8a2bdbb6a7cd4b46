"""An area is bare when the copy shows the original there, and only where the copy shows anything at all."""

from __future__ import annotations

import numpy as np

from safelight.attack.covers import Area, still_bare
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
