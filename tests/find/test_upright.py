"""Films that lie on their side or stand on their head: which way is up is found out, and people are hidden."""

from __future__ import annotations

import numpy as np
import pytest

from safelight.find import Finders, find
from safelight.find.detect import Detection
from safelight.find.faces import YuNet
from safelight.find.head import Sighting, sightings, turned_back
from safelight.find.upright import Upright
from safelight.find.view import View
from safelight.geometry import Box, Raster
from safelight.plan import Kind
from tests.find.clips import HEIGHT, WIDTH, Clip, Image, Shown, face, scenery
from tests.find.test_view import Bright, Painted, painted

FRAMES = 30


def lying(turn: int) -> tuple[Clip, list[Box]]:
    """Somebody moves to the right in a film turned clockwise by so many quarters, and where the face is in it."""
    clip, person = Clip(), face(60)
    for frame in range(FRAMES):
        clip.add(scenery(3), [(person, 250 + 2.5 * frame, 170.0)])
    size = Raster(WIDTH, HEIGHT, turn=turn)
    where = [size.to_shown(boxes[0]) for boxes in clip.faces]
    return clip, where


class Lying:
    """A clip that stands for a reader whose pictures are turned clockwise."""

    def __init__(self, clip: Clip, turn: int) -> None:
        width, height = Raster(WIDTH, HEIGHT, turn=turn).shown_size
        self.facts = clip.facts.model_copy(update={"stored_width": width, "stored_height": height})
        self._frames = [np.ascontiguousarray(np.rot90(frame, -turn)) for frame in clip.frames]

    def pictures(self) -> list[Shown]:
        return [Shown(n, 10 * n, frame) for n, frame in enumerate(self._frames)]


class OnlyUpright:
    """YuNet, of a finder that knows faces in no other position: what it sees better turned by a quarter is not told."""

    name = "upright"

    def __init__(self, finder: YuNet) -> None:
        self._finder = finder

    def find(self, bgr: Image) -> list[Detection]:
        others = [self._finder.find(np.ascontiguousarray(np.rot90(bgr, turn))) for turn in (1, 2, 3)]
        best = max((d.score for found in others for d in found), default=0.0)
        return [d for d in self._finder.find(bgr) if d.score > best]


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_face_in_a_film_that_lies_is_hidden_in_every_frame(finders: Finders, turn: int) -> None:
    assert isinstance(finders.light, YuNet)
    clip, where = lying(turn)
    plan = find(Lying(clip, turn), sha256="0" * 64, finders=Finders(OnlyUpright(finders.light)))
    for frame, box in enumerate(where):
        covers = [b for _, b in plan.covers(frame)]
        assert any(b.intersection(box).area > 0.95 * box.area for b in covers), frame


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_what_is_seen_in_the_turned_picture_comes_back_to_its_place(turn: int) -> None:
    thing = Box(100.0, 200.0, 140.0, 250.0)
    view = View(Painted(painted(WIDTH, HEIGHT, (100, 200, 140, 250))), WIDTH, HEIGHT).turned(turn)
    (seen,) = view.seen(Bright(), view.size)
    back = Raster(WIDTH, HEIGHT, turn=turn).to_stored(seen.box)
    assert np.abs(np.array(back) - thing).max() <= 1


def test_a_turned_sighting_keeps_hair_and_body_where_they_are() -> None:
    """In a film on its left side heads lie to the left, bodies to the right."""
    face_, body = Box(100.0, 80.0, 130.0, 120.0), Box(60.0, 60.0, 170.0, 340.0)
    seen = [Detection(face_, 0.9, "a", Kind.FACE), Detection(body, 0.9, "b", Kind.BODY)]
    raster = Raster(WIDTH, HEIGHT, turn=1)
    (sighting,) = sightings(seen, raster.shown_size[1])
    back = turned_back(sighting, raster)
    assert isinstance(back, Sighting)
    assert back.tilt == -90
    assert back.body is not None
    assert back.body.width > back.body.height
    assert back.box.intersection(raster.to_stored(face_)).area == pytest.approx(face_.area)


def test_turns_are_tried_when_a_clip_begins_and_while_nobody_is_seen() -> None:
    upright, sure = Upright(0.7), [Detection(Box(0.0, 0.0, 9.0, 9.0), 0.9, "a", Kind.FACE)]
    upright.saw(0, sure)
    assert upright.ways() == (1, 3, 2)
    upright.settle()
    upright.saw(0, sure)
    assert upright.ways() == ()  # people are seen as they should be: nothing is spent
    upright.settle()
    tried = []
    for _ in range(3):
        tried += upright.ways()
        upright.settle()
    assert sorted(tried) == [1, 2, 3]
    assert upright.turn == 0


def test_the_turn_that_shows_most_holds_until_another_shows_more() -> None:
    upright = Upright(0.7)
    upright.saw(0, [Detection(Box(0.0, 0.0, 9.0, 9.0), 0.75, "a", Kind.FACE)])
    upright.saw(3, [Detection(Box(0.0, 0.0, 9.0, 9.0), 0.95, "a", Kind.FACE)])
    upright.settle()
    assert upright.turn == 3
    for _ in range(10):
        upright.saw(3, [Detection(Box(0.0, 0.0, 9.0, 9.0), 0.6, "a", Kind.FACE)])  # unsure: nobody
        upright.settle()
    assert upright.turn == 3
    upright.saw(0, [Detection(Box(0.0, 0.0, 9.0, 9.0), 0.75, "a", Kind.FACE)])
    upright.settle()
    assert upright.turn == 0
