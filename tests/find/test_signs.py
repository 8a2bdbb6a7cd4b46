"""Writing in a clip becomes regions: signs proposed and followed, burnt-in text hidden throughout."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from safelight.find.cuts import glances
from safelight.find.detect import Detection
from safelight.find.signs import Signs, blocks
from safelight.find.text import TextFinder
from safelight.geometry import Box
from safelight.plan import Decision, Kind, Region, Shape
from tests.find.written import HEIGHT, WIDTH, Picture, compressed, ink, scenery, window, write

RATE = 10.0
FRAMES = 50


@dataclass
class Frame:
    """A picture as the media room hands it out."""

    index: int
    pts: int
    picture: Picture

    def bgr(self, width: int, height: int) -> NDArray[np.uint8]:
        return np.asarray(cv2.resize(self.picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def luma(self, width: int, height: int) -> NDArray[np.uint8]:
        return np.asarray(cv2.cvtColor(self.bgr(width, height), cv2.COLOR_BGR2GRAY), np.uint8)


def street() -> Iterator[Frame]:
    """A camera that is carried past a sign; the date is burnt in."""
    scene = scenery(3)
    write(scene, ink("BAKERY", 18), 420, 260, (30, 30, 30), (220, 220, 220))
    for index in range(FRAMES):
        picture = window(scene, 4.0 * index, 120)
        write(picture, ink(f"22-11-2026 15:31:{10 + index // 10}", 13), 10, 335, (255, 255, 255))
        yield Frame(index, 1000 + 40 * index, compressed(picture))


def run(pictures: Iterator[Frame], finder: TextFinder, *, hide_text: bool = False, times: int = 1) -> list[Region]:
    signs = Signs(WIDTH * times, HEIGHT * times, RATE, finder, hide=hide_text)
    pts: array[int] = array("q")
    cuts = []
    for glance in glances(pictures, WIDTH * times, HEIGHT * times):
        pts.append(glance.picture.pts)
        if glance.cut:
            cuts.append(glance.picture.index)
        signs.step(signs.note(glance))
    return signs.regions(cuts, pts, 3)


@pytest.fixture(scope="module")
def found(finder: TextFinder) -> list[Region]:
    return run(street(), finder)


def test_the_date_is_hidden_from_the_first_frame_to_the_last(found: list[Region]) -> None:
    dates = [region for region in found if region.kind is Kind.OVERLAY]
    assert [(d.first, d.last, d.decision, d.shape) for d in dates] == [(0, FRAMES - 1, Decision.HIDE, Shape.BOX)]
    assert dates[0].keyframes[-1].pts == 1000 + 40 * (FRAMES - 1)
    box = dates[0].keyframes[0].box
    assert max(box.x1, box.y1 - 325) <= 10
    assert box.y2 >= 348
    assert box.area < 0.06 * WIDTH * HEIGHT


def test_a_sign_is_proposed_and_followed(found: list[Region]) -> None:
    signs = [region for region in found if region.kind is Kind.TEXT]
    assert signs
    assert all(region.decision is Decision.PROPOSE and region.shape is Shape.BOX for region in signs)
    for frame in range(FRAMES):
        centre = 420 - 4 * frame + 35, 260 - 120 + 9
        boxes = [box for region in signs if (box := region.box_at(frame)) is not None]
        assert any(b.x1 < centre[0] < b.x2 and b.y1 < centre[1] < b.y2 for b in boxes), frame


def test_the_date_is_not_proposed_a_second_time(found: list[Region]) -> None:
    date = next(region for region in found if region.kind is Kind.OVERLAY).keyframes[0].box
    proposed = [key.box for region in found if region.kind is Kind.TEXT for key in region.keyframes]
    assert all(box.overlap(date) == 0 for box in proposed)


def test_signs_are_hidden_when_that_is_asked_for(finder: TextFinder) -> None:
    regions = run(street(), finder, hide_text=True)
    assert {region.decision for region in regions} == {Decision.HIDE}
    assert len({region.id for region in regions}) == len(regions)


def test_a_picture_larger_than_the_look_gives_boxes_of_its_own_size(finder: TextFinder) -> None:
    regions = run(street(), finder, times=3)
    date = next(region for region in regions if region.kind is Kind.OVERLAY).keyframes[0].box
    assert date.x1 <= 30
    assert 900 < date.y1 <= 335 * 3
    assert date.y2 >= 348 * 3


def test_a_single_picture_with_a_date_stamp(finder: TextFinder) -> None:
    regions = run((frame for frame in street() if frame.index == 0), finder)
    assert [(r.first, r.last, len(r.keyframes)) for r in regions if r.kind is Kind.OVERLAY] == [(0, 0, 1)]


def test_words_close_together_are_one_sign() -> None:
    def word(x: float, y: float, score: float) -> Detection:
        return Detection(Box(x, y, x + 60, y + 20), score, "text", Kind.TEXT)

    a, b, c, d = word(0, 0, 0.7), word(66, 2, 0.6), word(0, 24, 0.8), word(300, 0, 0.9)
    together = [{id(one) for one in group} for group in blocks([a, b, c, d])]
    assert together == [{id(d)}, {id(a), id(b), id(c)}]
    assert blocks([]) == []
