"""The secret bend: small, smooth, moving, the same for the same key only."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.geometry import Box
from safelight.hide.warp import CELL, KEY_BYTES, Warp

KEY = bytes(range(KEY_BYTES))
SIZES = [((1280, 720), (854, 480)), ((640, 360), (640, 360)), ((97, 73), (96, 72)), ((720, 1281), (480, 854))]


def away(warp: Warp, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """How far each pixel is from where plain scaling takes it, pixels of the original."""
    x, y = warp.maps(seconds)
    plain_x = (np.arange(warp.copy[0]) + 0.5) * warp.original[0] / warp.copy[0] - 0.5
    plain_y = (np.arange(warp.copy[1]) + 0.5) * warp.original[1] / warp.copy[1] - 0.5
    return x - plain_x[None], y - plain_y[:, None]


@pytest.mark.parametrize(("original", "copy"), SIZES)
def test_no_pixel_is_farther_off_than_promised_and_the_plane_has_the_copys_shape(
    original: tuple[int, int], copy: tuple[int, int]
) -> None:
    for number in range(20):
        warp = Warp(original, copy, 2.2, bytes([number]) * KEY_BYTES)
        for seconds in (0.0, 0.49, 7.3):
            dx, dy = away(warp, seconds)
            assert dx.shape == dy.shape == (copy[1], copy[0])
            assert float(np.hypot(dx, dy).max()) < warp.bound


def test_the_bend_is_as_strong_as_asked_at_every_moment_and_moves_smoothly() -> None:
    """A moment of weak bending would be a moment in which averaging works."""
    strengths, steps = [], []
    for number in range(6):
        warp = Warp((1280, 720), (854, 480), 2.2, bytes([number]) * KEY_BYTES)
        moments = []
        for seconds in np.arange(0, 3, 0.04):
            bend = []
            for part in away(warp, float(seconds)):
                rows, columns = np.mgrid[0:1:480j, 0:1:854j]
                plane = np.stack([np.ones(part.size), rows.ravel(), columns.ravel()], axis=1)
                bend.append(part.ravel() - plane @ np.linalg.lstsq(plane, part.ravel(), rcond=None)[0])
            moments.append(np.concatenate(bend))
        strengths += [float(m.std()) for m in moments[::5]]
        steps += [float(np.abs(b - a).max()) for a, b in itertools.pairwise(moments)]
    assert min(strengths) > 1.5
    assert max(strengths) < 3.0
    assert max(steps) < 0.9  # pixels of the original from one frame to the next


def test_another_key_another_second_and_another_place_bend_differently() -> None:
    warp = Warp((1280, 720), (854, 480), 2.2, KEY)
    here = away(warp, 4.0)[0]
    for other in (away(warp, 5.0)[0], away(warp, 6.0)[0], away(Warp((1280, 720), (854, 480), 2.2, KEY[::-1]), 4.0)[0]):
        assert abs(np.corrcoef(here.ravel(), other.ravel())[0, 1]) < 0.98
        assert float(np.abs(here - other).mean()) > 1.0
    again = Warp((1280, 720), (854, 480), 2.2, KEY)
    again.maps(90.0)  # whatever was asked before
    assert np.array_equal(again.maps(4.0)[0], warp.maps(4.0)[0])


@pytest.mark.parametrize("sub", [(2, 2), (2, 1), (1, 1)])
def test_luma_and_chroma_bend_alike(sub: tuple[int, int]) -> None:
    warp = Warp((1280, 720), (854, 480), 2.2, KEY)
    for luma, chroma, share, axis in zip(warp.maps(1.7), warp.maps(1.7, sub), sub, (1, 0), strict=True):
        wanted = luma.reshape(480 // sub[1], sub[1], 854 // sub[0], sub[0]).mean(axis=(1, 3))
        assert chroma.shape == wanted.shape, axis
        assert float(np.abs(chroma * share + (share - 1) / 2 - wanted).max()) < 1e-2


@pytest.mark.parametrize(("original", "copy"), SIZES)
def test_the_way_back_undoes_the_bend(original: tuple[int, int], copy: tuple[int, int]) -> None:
    warp = Warp(original, copy, 2.2, KEY)
    x, y = warp.maps(2.4)
    back_x, back_y = warp.back(2.4, *original)
    # places of the copy, in its own pixels
    at_x = ((back_x + 0.5) * (copy[0] / original[0]) - 0.5).astype(np.float32)
    at_y = ((back_y + 0.5) * (copy[1] / original[1]) - 0.5).astype(np.float32)
    inside = (at_x > 1) & (at_x < copy[0] - 2) & (at_y > 1) & (at_y < copy[1] - 2)
    columns, rows = np.meshgrid(np.arange(original[0]), np.arange(original[1]))
    for forward, wanted in ((x, columns), (y, rows)):
        error = np.abs(cv2.remap(np.ascontiguousarray(forward), at_x, at_y, cv2.INTER_LINEAR) - wanted)
        assert float(error[inside].max()) < 0.5
        assert float(error[inside].mean()) < 0.05
    assert inside.mean() > 0.9


@settings(max_examples=60, deadline=None)
@given(x=st.floats(0, 1200), y=st.floats(0, 640), width=st.floats(1, 400), height=st.floats(1, 300), t=st.floats(0, 9))
def test_a_box_is_followed_into_the_copy(x: float, y: float, width: float, height: float, t: float) -> None:
    """Every pixel of the copy that shows something of the box lies in the box that `box` gives, give or take one."""
    warp = Warp((1280, 720), (854, 480), 2.2, KEY)
    box = Box(x, y, min(x + width, 1280), min(y + height, 720))
    from_x, from_y = warp.maps(t)
    shows = (from_x >= box.x1) & (from_x < box.x2 - 1) & (from_y >= box.y1) & (from_y < box.y2 - 1)
    rows, columns = np.nonzero(shows)
    there = warp.box(t, box).grown(1.5, 1.5, 1.5, 1.5)
    if rows.size:
        assert there.x1 <= columns.min()
        assert columns.max() < there.x2
        assert there.y1 <= rows.min()
        assert rows.max() < there.y2


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="bytes"):
        Warp((64, 64), (64, 64), 2.0, b"short")
    assert CELL >= 32
