"""Pictures out of place are told from movement that an encoder leaves out because nobody sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from safelight.attack.protocol import Notes, Pair
from safelight.attack.timing import Timing
from safelight.attack.verdict import Outcome
from tests.attack.heard import case

SIZE = 320, 180


@dataclass
class _Picture:
    index: int
    doubtful: bool = False


class _View:
    """A picture in memory, as attackers ask for it."""

    size = SIZE

    def __init__(self, index: int, luma: NDArray[np.uint8]) -> None:
        self.picture = _Picture(index)
        self._luma = luma

    def luma(self, width: int, height: int) -> NDArray[np.uint8]:
        assert (width, height) == SIZE
        return self._luma


def film(step: float, pictures: int = 12) -> list[NDArray[np.uint8]]:
    """Sharp-edged squares that move to the right by so many pixels a picture."""
    dice = np.random.default_rng(3)
    squares = np.kron(dice.integers(30, 220, (20, 40)).astype(np.float32), np.ones((12, 12), np.float32))
    shift = np.array([[1, 0, 0], [0, 1, -20]], np.float32)
    out = []
    for index in range(pictures):
        shift[0, 2] = -40 + index * step
        out.append(cv2.warpAffine(squares, shift, SIZE, flags=cv2.INTER_LINEAR).astype(np.uint8))
    return out


def judged(original: list[NDArray[np.uint8]], copy: list[NDArray[np.uint8]]) -> Timing:
    attacker = Timing(case(), Notes())
    for index, (ours, theirs) in enumerate(zip(copy, original, strict=True)):
        views: list[Any] = [_View(index, ours), _View(index, theirs)]
        attacker.watch(Pair(index, index / 10, *views))
    return attacker


@pytest.mark.parametrize("step", [2, 5])
@pytest.mark.parametrize("shown", [5, 7])
def test_a_picture_that_shows_its_neighbour_is_noticed(step: float, shown: int) -> None:
    original = film(step)
    copy = [*original[:6], original[shown], *original[7:]]
    finding = judged(original, copy).finding()
    assert finding.outcome is Outcome.BROKEN
    assert [evidence.frame for evidence in finding.evidence if evidence.frame is not None] == [6]


def test_movement_too_small_to_see_may_be_left_out() -> None:
    original = film(0.25)
    copy = [original[index - index % 2].copy() for index in range(len(original))]
    evidence = judged(original, copy).finding().evidence
    assert [found.what for found in evidence if found.frame is not None] == []
