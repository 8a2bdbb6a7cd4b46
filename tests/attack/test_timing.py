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
from safelight.geometry import Box
from safelight.plan import Clip, How, Keyframe, Kind, Origin, Plan, Region, Stretch
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


def judged(original: list[NDArray[np.uint8]], copy: list[NDArray[np.uint8]], attacker: Timing | None = None) -> Timing:
    attacker = attacker or Timing(case(), Notes())
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


def hidden(share: float) -> Plan:
    """A plan that hides that share of the picture, from the left."""
    box = Box(0, 0, SIZE[0] * share, SIZE[1])
    return Plan(
        clip=Clip(
            sha256="0" * 64, width=SIZE[0], height=SIZE[1], frames=12, time_base=(1, 10), first_pts=0, last_pts=11
        ),
        origin=Origin(safelight="0"),
        regions=[
            Region(
                id="head-1",
                kind=Kind.HEAD,
                keyframes=[Keyframe.of(frame, frame, box) for frame in (0, 11)],
                stretches=[Stretch(first=0, last=11, how=How.FOUND)],
            )
        ],
    )


@pytest.mark.parametrize(("key", "share", "judged_"), [(None, 0.8, False), (None, 0.3, True), (bytes(32), 0.8, True)])
def test_little_that_is_visible_is_judged_only_where_the_bend_is_known(
    key: bytes | None, share: float, judged_: bool
) -> None:
    original = film(5)
    attacker = Timing(case(hidden(share), key=key, seen=SIZE), Notes())
    finding = judged(original, [*original[:6], original[5], *original[7:]], attacker).finding()
    assert any(evidence.frame == 6 for evidence in finding.evidence) is judged_
    assert any("too little is visible" in told for told in finding.not_tried) is not judged_


@pytest.mark.parametrize(("key", "noticed"), [(None, False), (bytes(32), True)])
def test_a_bend_found_a_pixel_wrongly_is_no_other_picture(key: bytes | None, noticed: bool) -> None:
    """A pan of a pixel a picture, and a registration that is off by as much: so looks an honest copy without its lots.

    Where the lots are known nothing is registered, and the same pictures are those of another moment.
    """
    pan = film(1, 13)
    attacker = Timing(case(hidden(0.3), key=key, seen=SIZE), Notes())
    finding = judged(pan[:12], pan[1:], attacker).finding()
    assert any(evidence.what.startswith("It shows the original's") for evidence in finding.evidence) is noticed


def test_a_small_picture_without_its_finest_detail_is_still_the_originals() -> None:
    """The treatment takes detail of a pixel's size out, which is most of what a small picture has."""
    calm = film(0, 6)
    rough = np.where(np.indices(SIZE[::-1]).sum(axis=0) % 2, 20, -20)
    original = [(picture + rough).clip(0, 255).astype(np.uint8) for picture in calm]
    treated = judged(original, calm, Timing(case(hidden(0.3), key=bytes(32), seen=SIZE), Notes())).finding()
    assert [found.what for found in treated.evidence if found.frame is not None] == []
    other = [picture[:, ::-1].copy() for picture in calm]
    finding = judged(original, other, Timing(case(hidden(0.3), key=bytes(32), seen=SIZE), Notes())).finding()
    assert any("not the original's" in found.what for found in finding.evidence)
