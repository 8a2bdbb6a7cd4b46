"""The curtain: deny by default."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.geometry import Box, Raster
from safelight.hide.curtain import draw_curtain
from safelight.media.planes import Planes
from safelight.plan import Shape
from tests.hide.scenes import Scene, noise, polygons, samples, scenes, shared, touched


def secret(scene: Scene, reveals: int) -> list[np.ndarray]:
    """Per plane, what must not show: all that no revealed shape touches, and all that a hidden one does."""
    width, height = scene.raster.stored_width, scene.raster.stored_height
    luma = np.ones((height, width), bool)
    for number, (form, box) in enumerate(scene.areas):
        if not isinstance(form, Shape):
            form = tuple(scene.raster.turned(*corner) for corner in form)
        where = touched(scene.raster.to_stored(box), form, width, height)
        luma[where] = number >= reveals
    chroma = shared(luma, *scene.sub) if scene.sub else None
    return [luma] if chroma is None else [luma, chroma, chroma]


@settings(max_examples=300, deadline=None)
@given(st.one_of(scenes(), scenes(polygons)))
def test_nothing_shows_but_what_is_revealed_and_not_hidden(scene: Scene) -> None:
    reveals = (len(scene.areas) + 1) // 2
    one, other = scene.planes(), scene.planes()
    dice = np.random.default_rng(scene.seed + 1)
    for plane, hidden in zip(samples(other), secret(scene, reveals), strict=True):
        plane[hidden] ^= np.maximum(noise(dice, plane.shape, scene.depth), 1)[hidden]
    counts = {
        draw_curtain(planes, scene.areas[:reveals], scene.areas[reveals:], scene.raster) for planes in (one, other)
    }
    for a, b in zip(samples(one), samples(other), strict=True):
        assert a.tobytes() == b.tobytes()
    assert counts.pop() >= np.count_nonzero(secret(scene, reveals)[0])


def test_a_revealed_area_is_seen_and_a_face_in_it_is_not() -> None:
    y = np.arange(100 * 100, dtype=np.uint8).reshape(100, 100)
    planes = Planes(y.copy(), None, None, 1, 1, 8, False)
    covered = draw_curtain(
        planes, [(Shape.BOX, Box(20, 20, 80, 80))], [(Shape.BOX, Box(40, 40, 60, 60))], Raster(100, 100)
    )
    seen = np.zeros((100, 100), bool)
    seen[21:79, 21:79] = True
    seen[40:60, 40:60] = False
    assert (planes.y[seen] == y[seen]).all()
    assert len(np.unique(planes.y[~seen])) == 1
    assert covered == np.count_nonzero(~seen)


def test_without_a_reveal_nothing_is_seen() -> None:
    planes = Planes(np.arange(64, dtype=np.uint8).reshape(8, 8), None, None, 1, 1, 8, True)
    assert draw_curtain(planes, [], [], Raster(8, 8)) == 64
    assert len(np.unique(planes.y)) == 1
