"""The planned looks: what is seen of a large picture in tiles, and as a whole."""

from __future__ import annotations

from dataclasses import replace

import pytest
from numpy.typing import NDArray

from safelight.find.cuts import glances
from safelight.find.detect import Detection
from safelight.find.looks import EFFORTS, Finders, Looks
from tests.find.test_view import Bright, Painted, painted

WIDTH, HEIGHT = 1920, 1080


class Light(Bright):
    """Sees what is bright, with that score, in the whole picture and in tiles, or in tiles alone."""

    def __init__(self, score: float, *, whole: bool) -> None:
        super().__init__()
        self._score, self._whole = score, whole

    def find(self, bgr: NDArray) -> list[Detection]:  # type: ignore[type-arg]
        tile = bgr.shape[1] > 700
        return [replace(d, score=self._score) for d in super().find(bgr)] if tile or self._whole else []


def seen(light: Light, side: int) -> list[Detection]:
    """What it sees of a square face in the first picture of a film."""
    picture = Painted(painted(WIDTH, HEIGHT, (40, 40, 40 + side, 40 + side)))
    looks = Looks(WIDTH, HEIGHT, 25.0, EFFORTS["default"], Finders(light))
    (item,) = looks.later(looks.faces(glances([picture], WIDTH, HEIGHT)))
    assert item.tiles is not None
    return item.seen


@pytest.mark.parametrize(
    ("side", "score", "whole", "counts"),
    [
        (480, 0.35, False, 0),  # a cup, say: were it a face, it would be seen in the small picture best
        (480, 0.35, True, 2),
        (480, 0.80, False, 1),
        (120, 0.35, False, 1),
    ],
)
def test_a_large_unsure_face_that_only_tiles_show_is_none(side: int, score: float, whole: bool, counts: int) -> None:
    assert len(seen(Light(score, whole=whole), side)) == counts
