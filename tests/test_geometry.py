"""Boxes and the translation between stored and shown pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.geometry import Box, Raster

sizes = st.integers(2, 4000)
rasters = st.builds(
    Raster, sizes, sizes, st.sampled_from([1.0, 16 / 15, 8 / 9, 64 / 45, 4 / 3, 0.5]), st.integers(0, 3)
)


@given(rasters, st.tuples(*[st.floats(0, 4000) for _ in range(4)]))
def test_there_and_back_again(raster: Raster, corners: tuple[float, float, float, float]) -> None:
    x1, y1, x2, y2 = corners
    box = Box(min(x1, x2), min(y1, y2), max(x1, x2) + 1, max(y1, y2) + 1)
    assert raster.to_shown(raster.to_stored(box)) == pytest.approx(box, abs=1e-6)


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_a_marked_pixel_is_found_where_the_turned_picture_shows_it(turn: int) -> None:
    stored = np.zeros((40, 60))
    stored[5:9, 10:17] = 1
    shown = np.rot90(stored, -turn)  # clockwise
    rows, columns = np.nonzero(shown)
    seen = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    raster = Raster(60, 40, 1.0, turn)
    assert raster.shown_size == shown.shape[::-1]
    assert raster.to_stored(seen) == Box(10, 5, 17, 9)
    assert raster.to_shown(Box(10, 5, 17, 9)) == seen


def test_wide_pixels_widen_the_picture_and_never_shrink_it() -> None:
    assert Raster(720, 576, 64 / 45).shown_size == (1024, 576)
    assert Raster(720, 480, 8 / 9).shown_size == (720, 540)


def test_overlap_of_halves_is_a_third() -> None:
    assert Box(0, 0, 10, 10).overlap(Box(5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert Box(0, 0, 10, 10).overlap(Box(20, 20, 30, 30)) == 0
