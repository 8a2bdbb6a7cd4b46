"""Regions on rasters: rounded outwards, exact, and never smaller on a coarser raster."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.geometry import Box
from safelight.hide.outline import Area, Outline, covered, merged
from safelight.plan import Shape
from tests.hide.scenes import PLAIN, shared, touched

W, H = 60, 50
places = st.one_of(st.integers(-30, 80), st.floats(-30, 80, allow_nan=False))
sizes = st.one_of(st.integers(1, 70), st.floats(0.001, 200))


def painted(outline: Outline | Area | None, width: int, height: int) -> np.ndarray:
    canvas = np.zeros((height, width), bool)
    if outline is not None:
        x1, y1, x2, y2 = outline.box
        canvas[y1:y2, x1:x2] |= outline.mask
    return canvas


@settings(max_examples=400, deadline=None)
@given(places, places, sizes, sizes, st.sampled_from(PLAIN))
def test_every_touched_pixel_is_covered(x: float, y: float, w: float, h: float, shape: Shape) -> None:
    box = Box(x, y, x + w, y + h)
    ours, needed = painted(Outline.of(box, shape, W, H), W, H), touched(box, shape, W, H)
    assert not (needed & ~ours).any()
    # touching within a billionth of a pixel may be decided either way, anything else must agree
    slightly = touched(box.grown(1e-6, 1e-6, 1e-6, 1e-6), shape, W, H)
    assert not (ours & ~slightly).any()


@settings(max_examples=200, deadline=None)
@given(places, places, sizes, sizes, st.sampled_from(PLAIN), st.sampled_from([1, 2, 4]), st.sampled_from([1, 2, 4]))
def test_chroma_covers_what_either_way_of_sharing_needs(
    x: float, y: float, w: float, h: float, shape: Shape, sub_x: int, sub_y: int
) -> None:
    outline = Outline.of(Box(x, y, x + w, y + h), shape, W, H)
    rows, columns = -(-H // sub_y), -(-W // sub_x)
    chroma = None if outline is None else outline.chroma(sub_x, sub_y, rows)
    assert not (shared(painted(outline, W, H), sub_x, sub_y) & ~painted(chroma, columns, rows)).any()


def test_whole_pixels_stay_whole() -> None:
    outline = Outline.of(Box(10, 20, 30, 40), Shape.BOX, W, H)
    assert outline is not None
    assert outline.box == (10, 20, 30, 40)
    assert outline.mask.all()


@pytest.mark.parametrize("shape", PLAIN)
def test_the_thinnest_region_covers_a_pixel(shape: Shape) -> None:
    for edge in (8.0, 8.5):
        outline = Outline.of(Box(edge, edge, edge + 1e-300, edge + 1e-300), shape, W, H)
        assert outline is not None
        assert painted(outline, W, H)[8, 8]


@pytest.mark.parametrize("box", [Box(-20, 5, -1, 9), Box(61, 5, 70, 9), Box(5, -9, 9, 0), Box(5, 50, 9, 60)])
def test_outside_the_raster_there_is_nothing(box: Box) -> None:
    assert Outline.of(box, Shape.BOX, W, H) is None


def test_what_lies_under_several_counts_once() -> None:
    boxes = [Box(0, 0, 10, 10), Box(5, 5, 15, 15), Box(0, 0, 10, 10)]
    outlines = [o for b in boxes if (o := Outline.of(b, Shape.BOX, W, H)) is not None]
    areas = merged(outlines)
    assert [area.box for area in areas] == [(5, 5, 15, 15), (0, 0, 10, 10)]
    assert covered(areas) == 175
    assert covered([]) == 0


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(places, places, sizes, sizes, st.sampled_from(PLAIN)), max_size=12))
def test_areas_cover_what_their_outlines_cover(told: list[tuple[float, float, float, float, Shape]]) -> None:
    made = [Outline.of(Box(x, y, x + w, y + h), shape, W, H) for x, y, w, h, shape in told]
    outlines = [outline for outline in made if outline is not None]
    areas = merged(outlines)
    before, after = (
        np.logical_or.reduce([painted(one, W, H) for one in some] or [painted(None, W, H)])
        for some in (outlines, areas)
    )
    assert np.array_equal(before, after)
    assert covered(areas) == np.count_nonzero(before)
    bounds = [sum(mask.mask.size for mask in some) for some in (outlines, areas)]
    assert bounds[1] <= bounds[0]
