"""The central promise: what is hidden cannot influence the picture, and what is not hidden is not touched."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings

from safelight.geometry import Box, Raster
from safelight.hide import picture, veil
from safelight.hide.outline import Outline
from safelight.hide.picture import hide_areas
from safelight.media.planes import Planes
from safelight.plan import Look, Shape
from tests.hide.scenes import PLAIN, SUBSAMPLINGS, Scene, noise, polygons, samples, scenes

Fill = Callable[[Planes, Scene], None]


def fill(planes: Planes, scene: Scene) -> None:
    hide_areas(planes, scene.areas, scene.raster, scene.look, scene.index)


def require_no_influence(fill: Fill, scene: Scene) -> None:
    """Two pictures that differ in every hidden sample and in no other must be equal after filling, byte for byte."""
    one, other = scene.planes(), scene.planes()
    dice = np.random.default_rng(scene.seed + 1)
    for samples_, hidden in zip(samples(other), scene.hidden(), strict=True):
        samples_[hidden] ^= np.maximum(noise(dice, samples_.shape, scene.depth), 1)[hidden]
    fill(one, scene)
    fill(other, scene)
    for a, b in zip(samples(one), samples(other), strict=True):
        assert a.tobytes() == b.tobytes(), "a hidden sample shows through"


@settings(max_examples=400, deadline=None)
@given(scenes())
def test_hidden_samples_have_no_influence(scene: Scene) -> None:
    require_no_influence(fill, scene)


@settings(max_examples=200, deadline=None)
@given(scenes(polygons))
def test_nothing_in_a_polygon_has_influence(scene: Scene) -> None:
    require_no_influence(fill, scene)


@settings(max_examples=150, deadline=None)
@given(scenes())
def test_nothing_else_is_touched_and_everything_hidden_is_counted(scene: Scene) -> None:
    before, after = scene.planes(), scene.planes()
    count = hide_areas(after, scene.areas, scene.raster, scene.look, scene.index)
    needed, hidden = scene.hidden(), scene.hidden(1e-6)  # whether a pixel is touched by less, floating point may decide
    assert np.count_nonzero(needed[0]) <= count <= np.count_nonzero(hidden[0])
    # Both ways of sharing chroma lines are covered by covering pairs of rows: up to a row more than either asks for.
    allowed = [hidden[0]] + [_pairs(h) if scene.sub and scene.sub[1] > 1 else h for h in hidden[1:]]
    for a, b, may in zip(samples(before), samples(after), allowed, strict=True):
        assert (a == b)[~may].all()
        assert a.dtype == b.dtype


def _pairs(hidden: np.ndarray) -> np.ndarray:
    even = np.zeros((hidden.shape[0] + hidden.shape[0] % 2, hidden.shape[1]), bool)
    even[: hidden.shape[0]] = hidden
    either = even[0::2] | even[1::2]
    return np.repeat(either, 2, axis=0)[: hidden.shape[0]]


@pytest.mark.parametrize("look", Look)
@pytest.mark.parametrize("sub", SUBSAMPLINGS)
def test_no_single_hidden_sample_has_influence(sub: tuple[int, int] | None, look: Look) -> None:
    areas = [(Shape.ELLIPSE, Box(5.3, 6, 14, 17.5)), (Shape.BOX, Box(13, 14, 18, 20))]
    scene = Scene(Raster(33, 29), sub, 8, False, areas, look, 3, 7)
    untouched = scene.planes()
    fill(untouched, scene)
    expected = [s.tobytes() for s in samples(untouched)]
    for channel, hidden in enumerate(scene.hidden()):
        for place in zip(*np.nonzero(hidden), strict=True):
            planes = scene.planes()
            samples(planes)[channel][place] ^= 0xFF
            fill(planes, scene)
            assert [s.tobytes() for s in samples(planes)] == expected, (channel, place)


# The checker itself: each of these fills leaks a little, and each must be caught.


def _one_column_short(planes: Planes, scene: Scene) -> None:
    kept = samples(planes)[0].copy()
    fill(planes, scene)
    for shape, box in scene.areas:
        outline = Outline.of(scene.raster.to_stored(box), shape, *planes.y.shape[::-1])
        assert outline is not None
        row, column = outline.top + len(outline.left) // 2, outline.right[len(outline.left) // 2] - 1
        planes.y[row, column] = kept[row, column]


def _soft_edge(planes: Planes, scene: Scene) -> None:
    kept = planes.y.copy()
    fill(planes, scene)
    weight = cv2.GaussianBlur(scene.hidden()[0].astype(np.float32), (0, 0), 1.5)
    planes.y[:] = np.rint(planes.y * weight + kept * (1 - weight)).astype(kept.dtype)


def _tinted_by_what_was_there(planes: Planes, scene: Scene) -> None:
    hidden = scene.hidden()[0]
    mean = int(planes.y[hidden].mean())
    fill(planes, scene)
    planes.y[hidden] = mean


def _lowest_bit_of_one_pixel(planes: Planes, scene: Scene) -> None:
    row, column = np.argwhere(scene.hidden()[0])[0]
    bit = planes.y[row, column] & 1
    fill(planes, scene)
    planes.y[0, 0] = planes.y[0, 0] & ~np.uint8(1) | bit


@pytest.mark.parametrize("leak", [_one_column_short, _soft_edge, _tinted_by_what_was_there, _lowest_bit_of_one_pixel])
def test_the_checker_catches_a_leak(leak: Fill) -> None:
    areas = [(Shape.ELLIPSE, Box(10, 8, 30, 36)), (Shape.BOX, Box(25, 20, 40, 33))]
    caught = 0
    for seed in range(8):  # a single bit is the same by chance half of the time
        scene = Scene(Raster(64, 48), (2, 2), 8, False, areas, Look.VEIL, 0, seed)
        require_no_influence(fill, scene)
        try:
            require_no_influence(leak, scene)
        except AssertionError:
            caught += 1
    assert caught >= 2


def test_the_checker_catches_a_veil_that_reads_hidden_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(Raster(64, 48), (2, 2), 8, False, [(Shape.BOX, Box(20, 12, 44, 36))], Look.VEIL, 0, 1)
    monkeypatch.setattr(picture._Group, "blank", lambda self, values: None)
    require_no_influence(fill, scene)  # the grid's holes alone keep it out as well ...
    monkeypatch.setattr(veil, "_punch", lambda level, outline: None)
    with pytest.raises(AssertionError, match="shows through"):
        require_no_influence(fill, scene)  # ... but without either it is seen


def test_the_checker_catches_chroma_rounded_inwards(monkeypatch: pytest.MonkeyPatch) -> None:
    def inwards(self: Outline, sub_x: int, sub_y: int, height: int) -> Outline:
        return Outline(self.top // sub_y, self.left[::sub_y] // sub_x, self.right[::sub_y] // sub_x)

    monkeypatch.setattr(Outline, "chroma", inwards)
    scene = Scene(Raster(64, 48), (2, 2), 8, False, [(Shape.BOX, Box(21, 13, 43, 35))], Look.SOLID, 0, 1)
    with pytest.raises(AssertionError, match="shows through"):
        require_no_influence(fill, scene)


@pytest.mark.parametrize("shape", PLAIN)
@pytest.mark.parametrize("look", Look)
def test_every_pixel_of_a_shape_changes(shape: Shape, look: Look) -> None:
    raster = Raster(120, 90, 4 / 3, 1)
    box = Box(20.5, 30.2, 70.9, 99.1)
    scene = Scene(raster, (2, 2), 8, False, [(shape, box)], look, 0, 0)
    planes = scene.planes()
    for plane in samples(planes):
        plane[:] = 255  # neither look can answer with the brightest value of limited range
    fill(planes, scene)
    hidden = scene.hidden()
    assert (planes.y[hidden[0]] != 255).all()
    assert (planes.y[~hidden[0]] == 255).all()
    assert planes.u is not None
    assert (planes.u[hidden[1]] != 255).all()


def test_the_same_picture_gives_the_same_fill_and_another_frame_other_grain() -> None:
    scene = Scene(Raster(80, 60), (2, 2), 8, False, [(Shape.ELLIPSE, Box(20, 10, 60, 50))], Look.VEIL, 5, 0)
    one, again, later = scene.planes(), scene.planes(), scene.planes()
    fill(one, scene)
    fill(again, scene)
    hide_areas(later, scene.areas, scene.raster, scene.look, 6)
    assert one.y.tobytes() == again.y.tobytes()
    assert one.y.tobytes() != later.y.tobytes()


@pytest.mark.parametrize("depth", [8, 10, 12, 16])
@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("value", ["black", "white"])
@pytest.mark.parametrize("look", Look)
def test_the_fill_stays_in_the_legal_range(depth: int, full_range: bool, value: str, look: Look) -> None:
    scene = Scene(Raster(96, 64), (2, 2), depth, full_range, [(Shape.ELLIPSE, Box(30, 10, 70, 50))], look, 1, 0)
    planes = scene.planes()
    shift = depth - 8
    low, high = (0, (1 << depth) - 1) if full_range else (16 << shift, 235 << shift)
    planes.y[:] = low if value == "black" else high
    fill(planes, scene)
    inside = planes.y[scene.hidden()[0]]
    assert inside.min() >= low
    assert inside.max() <= high


@pytest.mark.parametrize("areas", [[(Shape.BOX, Box(0, 0, 64, 48))], [(Shape.BOX, Box(1, 1, 63, 47))]])
def test_without_visible_surroundings_the_veil_is_calm_grey(areas: list[tuple[Shape, Box]]) -> None:
    scene = Scene(Raster(64, 48), (2, 2), 8, False, areas, Look.VEIL, 0, 0)
    planes = scene.planes()
    fill(planes, scene)
    inside = planes.y[scene.hidden()[0]].astype(float)
    assert abs(inside.mean() - 125.5) < 1
    assert 1 < inside.std() < 2.5  # the grain
    assert planes.u is not None
    assert abs(planes.u[2:-2, 2:-2].astype(float).mean() - 128) < 0.5


def test_solid_is_one_grey() -> None:
    for depth in (8, 10):
        for full in (False, True):
            scene = Scene(Raster(64, 48), (2, 2), depth, full, [(Shape.BOX, Box(10, 10, 40, 40))], Look.SOLID, 0, 0)
            planes = scene.planes()
            fill(planes, scene)
            middle = {False: 125 << (depth - 8), True: 128 << (depth - 8)}[full]
            assert set(np.unique(planes.y[10:40, 10:40])) <= {middle, middle + 2}
            assert planes.v is not None
            assert np.unique(planes.v[5:20, 5:20]).tolist() == [128 << (depth - 8)]


def test_the_veil_continues_its_surroundings() -> None:
    """On a picture that brightens from left to right the veil brightens too, without copying texture."""
    ramp = np.tile(np.linspace(40, 200, 320), (240, 1)).astype(np.uint8)
    planes = Planes(ramp.copy(), np.full((120, 160), 100, np.uint8), np.full((120, 160), 150, np.uint8), 2, 2, 8, False)
    hide_areas(planes, [(Shape.ELLIPSE, Box(100, 60, 220, 200))], Raster(320, 240), Look.VEIL, 0)
    left, right = planes.y[120:140, 110:130].mean(), planes.y[120:140, 190:210].mean()
    assert left + 15 < right
    assert abs(planes.y[120:140, 110:210].mean() - 120) < 12
    assert planes.u is not None
    assert planes.v is not None
    assert 98 <= planes.u[60:70, 60:100].mean() <= 112
    assert 138 <= planes.v[60:70, 60:100].mean() <= 152


@pytest.mark.parametrize("sub", [(1, 1), (2, 1), (2, 2), (4, 1), (1, 2)])
def test_luma_and_chroma_of_the_veil_lie_in_the_same_place(sub: tuple[int, int]) -> None:
    """A ramp that runs through luma and chroma alike must run alike through the veil of each."""
    ramp = np.tile(np.linspace(60, 200, 256), (192, 1))
    chroma = ramp.reshape(192 // sub[1], sub[1], 256 // sub[0], sub[0]).mean(axis=(1, 3))
    planes = Planes(*(p.astype(np.uint8) for p in (ramp, chroma, chroma)), *sub, 8, True)
    hide_areas(planes, [(Shape.BOX, Box(64, 64, 192, 128))], Raster(256, 192), Look.VEIL, 0)
    luma = planes.y[64:128, 64:192].reshape(64 // sub[1], sub[1], 128 // sub[0], sub[0]).mean(axis=(0, 1, 3))
    assert planes.u is not None
    shared = planes.u[64 // sub[1] : 128 // sub[1], 64 // sub[0] : 192 // sub[0]].mean(axis=0)
    assert np.abs(luma - shared).max() < 1.5


def test_large_regions_have_no_seams_between_blocks() -> None:
    """Regions larger than a block of grain are laid in blocks; the surface must not show where one ends."""
    y = np.tile(np.linspace(30, 220, 1400), (1200, 1)).astype(np.uint8)
    planes = Planes(y, None, None, 1, 1, 8, False)
    hide_areas(planes, [(Shape.BOX, Box(100, 100, 1300, 1100))], Raster(1400, 1200), Look.VEIL, 0)
    columns = planes.y[100:1100, 100:1300].mean(axis=0)
    assert np.abs(np.diff(columns)).max() < 1.0


@pytest.mark.parametrize("step", [0, 1])
def test_the_veil_is_calm_over_time(step: int) -> None:
    """Noise and texture around a still or slowly moving region must not make it flicker or breathe."""
    dice = np.random.default_rng(0)
    texture = cv2.GaussianBlur(dice.normal(0, 180, (240, 320)), (0, 0), 3) + 120
    means, grains = [], []
    for index in range(30):
        y = np.clip(texture + dice.normal(0, 2, texture.shape), 16, 235).astype(np.uint8)
        planes = Planes(y, None, None, 1, 1, 8, False)
        x = 80 + step * index
        hide_areas(planes, [(Shape.ELLIPSE, Box(x, 60, x + 70, 150))], Raster(320, 240), Look.VEIL, index)
        inside = planes.y[80:130, x + 15 : x + 55].astype(np.float32)
        means.append(cv2.blur(inside, (15, 15))[7:-7, 7:-7])
        grains.append(inside.std())
    steps = [float(np.abs(b - a).max()) for a, b in itertools.pairwise(means)]
    assert np.mean(steps) < 1.5  # levels of 8 bit; the texture itself spreads over more than a hundred
    assert max(steps) < 3
    assert 0.8 < np.mean(grains) < 6
