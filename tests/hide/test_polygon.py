"""Polygons on rasters: never smaller than drawn, hardly larger, whichever way the picture is turned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from safelight.geometry import Box, Raster
from safelight.hide.outline import outlines_of
from safelight.hide.polygon import pixels, placed
from safelight.plan import Corners, Keyframe, Kind, Region, Shape
from tests.hide.scenes import crossed, polygons

W, H = 60, 50
places = st.one_of(st.integers(-30, 80), st.floats(-30, 80))
sizes = st.one_of(st.integers(1, 70), st.floats(0.001, 200))
STAR: Corners = ((0.5, 0.0), (0.8, 1.0), (0.0, 0.4), (1.0, 0.4), (0.2, 1.0))


def painted(form: Corners | Shape, box: Box, raster: Raster) -> NDArray[np.bool_]:
    canvas = np.zeros((raster.stored_height, raster.stored_width), bool)
    for outline in outlines_of(form, box, raster):
        x1, y1, x2, y2 = outline.box
        assert not (canvas[y1:y2, x1:x2] & outline.mask).any()
        canvas[y1:y2, x1:x2] |= outline.mask
    return canvas


@settings(max_examples=400, deadline=None)
@given(places, places, sizes, sizes, polygons)
def test_every_touched_pixel_is_covered(x: float, y: float, w: float, h: float, corners: Corners) -> None:
    box = Box(x, y, x + w, y + h)
    points = [tuple(map(float, point)) for point in placed(corners, box)]
    ours = painted(corners, box, Raster(W, H))
    assert not (crossed(points, W, H, 1e-7) & ~ours).any()
    assert not (ours & ~crossed(points, W, H, -1e-6)).any()
    told = pixels(placed(corners, box), W, H)
    if told is not None:  # what counts as wholly inside has no part of the rim
        left, top, _, wholly = told
        canvas = np.zeros((H, W), bool)
        canvas[top : top + wholly.shape[0], left : left + wholly.shape[1]] = wholly
        edges = [crossed([a, b, a], W, H, 1e-7) for a, b in zip(points, points[1:] + points[:1], strict=True)]
        assert not (canvas & np.logical_or.reduce(edges)).any()
        assert not (canvas & ~ours).any()


@pytest.mark.parametrize("turn", range(4))
def test_a_polygon_turns_with_its_picture(turn: int) -> None:
    raster = Raster(W, H, 1.0, turn)
    width, height = raster.shown_size
    box = Box(9.5, 7.25, 41.6, 39.9)
    upright = painted(STAR, box, Raster(width, height))
    assert (np.rot90(upright, turn) == painted(STAR, box, raster)).all()
    assert not upright[30, 10]  # between two points of the star
    assert upright[22, 25]  # its middle, which the line winds around twice


def test_a_box_as_polygon_is_the_box_and_at_most_its_rim() -> None:
    box = Box(10.2, 20.7, 30.4, 40.1)
    square: Corners = ((0, 0), (1, 0), (1, 1), (0, 1))
    raster = Raster(W, H)
    assert (painted(square, box, raster) == painted(Shape.BOX, box, raster)).all()


def test_corners_move_between_key_frames_and_stay_in_the_box() -> None:
    a, b = Box(0, 0, 10, 10), Box(20, 0, 40, 20)
    moved: Corners = tuple((1 - u, v) for u, v in STAR)
    region = Region(
        id="free-d1",
        kind=Kind.FREE,
        shape=Shape.POLYGON,
        keyframes=[Keyframe.of(0, 0, a, STAR), Keyframe.of(10, 10, b, moved)],
    )
    assert region.form_at(0) == STAR
    assert region.form_at(10) == moved
    middle = region.form_at(5)
    assert not isinstance(middle, Shape)
    assert middle[0] == (0.5, 0.0)
    assert middle[2] == (0.5, 0.4)
    assert region.form_at(99) == moved


@pytest.mark.parametrize(
    ("shape", "corners"),
    [(Shape.POLYGON, [(), ()]), (Shape.POLYGON, [STAR, STAR[:4]]), (Shape.POLYGON, [STAR[:2]]), (Shape.BOX, [STAR])],
)
def test_corners_must_fit(shape: Shape, corners: list[Corners]) -> None:
    keys = [Keyframe.of(number, number, Box(0, 0, 9, 9), told) for number, told in enumerate(corners)]
    with pytest.raises(ValueError, match="corners"):
        Region(id="free-d1", kind=Kind.FREE, shape=shape, keyframes=keys)


def test_plans_without_polygons_read_as_before() -> None:
    assert "corners" not in Keyframe.of(0, 0, Box(0, 0, 9, 9)).model_dump()
    assert Keyframe.of(0, 0, Box(0, 0, 9, 9), STAR).model_dump()["corners"] == STAR


def test_an_edge_that_is_all_but_level_is_covered_from_end_to_end() -> None:
    told = pixels(np.array([[2.5, 0.0], [50.5, 5e-324], [26.0, 0.0]]), W, H)
    assert told is not None
    left, top, touched, _ = told
    assert (left, top) == (2, 0)
    assert touched.shape[1] == 49
    assert touched[0].all()
