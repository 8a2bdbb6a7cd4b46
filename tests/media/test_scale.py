"""Scaling down by halves: quick, and nothing is left out."""

from __future__ import annotations

import numpy as np
import pytest

from safelight.media.scale import grid, halved, shrunk


@pytest.mark.parametrize("shape", [(64, 96), (64, 96, 3)])
def test_halves_are_means_and_stop_where_they_are_asked_to(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 64, shape).astype(np.uint8) * 4  # sums of four divide by four
    twice = picture.reshape(16, 4, 24, 4, *shape[2:]).mean(axis=(1, 3))
    assert np.abs(halved(picture, 24, 16).astype(float) - twice).max() <= 1
    assert halved(picture, 25, 16).shape[:2] == (32, 48)
    assert halved(picture, 96, 64) is picture


def test_what_cannot_be_halved_whole_is_not() -> None:
    assert halved(np.zeros((66, 100), np.uint8), 10, 10).shape == (33, 50)
    assert shrunk(np.full((66, 100), 7, np.uint8), 10, 9).tolist() == [[7] * 10] * 9


@pytest.mark.parametrize(
    ("factor", "wanted"), [(2.0, 1), (1.0, 1), (0.6, 1), (0.5, 2), (0.3, 2), (0.25, 4), (0.06, 16)]
)
def test_a_side_on_the_grid_is_halved_as_often_as_the_factor_allows(factor: float, wanted: int) -> None:
    assert grid(factor) == wanted
    side = 16 * wanted
    assert halved(np.zeros((side, side), np.uint8), *[max(round(side * factor), 1)] * 2).shape == (16, 16)
