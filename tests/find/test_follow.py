"""Following a head in the picture: the box goes where the head went, whatever its size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from safelight.find.follow import GOOD, Follower
from safelight.geometry import Box

WIDTH, HEIGHT = 640, 360


def scene(x: float, y: float, side: int) -> NDArray[np.uint8]:
    """Something with features of its own, ``side`` pixels large, its middle at (x, y), before a wall."""
    chance = np.random.default_rng(4)
    wall = cv2.GaussianBlur(chance.uniform(0, 255, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 9)
    head = cv2.resize(chance.uniform(20, 235, (7, 7)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    move = np.array([[1, 0, x - side / 2], [0, 1, y - side / 2]], np.float32)
    there = cv2.warpAffine(np.ones_like(head), move, (WIDTH, HEIGHT))
    return np.clip(wall * (1 - there) + cv2.warpAffine(head, move, (WIDTH, HEIGHT)) * there, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("side", [12, 25, 48, 90, 130, 210, 300])
@pytest.mark.parametrize("step", [(1.7, -0.6), (-4.3, 1.1)])
def test_a_box_stays_on_its_head(side: int, step: tuple[float, float]) -> None:
    x, y = WIDTH / 2, HEIGHT / 2
    follower = Follower(scene(x, y, side), Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2))
    for _ in range(12):
        x, y = x + step[0], y + step[1]
        assert follower.step(scene(x, y, side), (0.0, 0.0)) > GOOD
    away = max(abs(a - b) for a, b in zip(follower.box.centre, (x, y), strict=True))
    assert away < 0.01 * side + 0.3
