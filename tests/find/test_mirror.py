"""Somebody seen twice, turned round, gives a proposal; two people, and a person alone, give none."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from safelight.find import Finders, find
from safelight.geometry import Box
from safelight.plan import Decision, Kind, Plan, Region
from tests.find.clips import HEIGHT, RATE, WIDTH, Clip, Image, Told, face, scenery

Head = tuple[Image, Box]
Turn = Callable[[Image, Box], Head]


def sideways(picture: Image, inside: Box) -> Head:
    width = picture.shape[1]
    turned = Box(width - inside.x2, inside.y1, width - inside.x1, inside.y2)
    return np.ascontiguousarray(picture[:, ::-1]), turned


def upside_down(picture: Image, inside: Box) -> Head:
    height = picture.shape[0]
    return np.ascontiguousarray(picture[::-1]), Box(inside.x1, height - inside.y2, inside.x2, height - inside.y1)


def as_it_is(picture: Image, inside: Box) -> Head:
    return picture, inside


def somebody_else(picture: Image, inside: Box) -> Head:
    """The same head with other eyes, mouth and hair: rows and columns of its picture are exchanged."""
    high, wide = picture.shape[0] // 4, picture.shape[1] // 4
    parts = [
        [picture[r * high : (r + 1) * high, c * wide : (c + 1) * wide] for c in (1, 3, 0, 2)] for r in (2, 0, 3, 1)
    ]
    return np.vstack([np.hstack(row) for row in parts]), inside


def dimmed(head: Head) -> Head:
    return cv2.GaussianBlur((head[0] * 0.6).astype(np.uint8), (0, 0), 0.8), head[1]


def two(turn: Turn, seconds: float = 3.0, other: bool = True) -> Clip:
    """A person who moves to and fro, and what a mirror at the middle of the picture shows of it."""
    clip, head, back = Clip(), face(52), scenery(3)
    image = dimmed(turn(*head))
    for i in range(round(seconds * RATE)):
        x = 170 + 50 * np.sin(i / 12)
        places = [(head, x, 100.0)]
        if other and turn is upside_down:
            places.append((image, x, 250.0))
        elif other:
            places.append((image, WIDTH - x, 104.0))
        clip.add(back, places)
    return clip


def mirrors(plan: Plan) -> list[Region]:
    return [region for region in plan.regions if region.id.startswith("mirror-")]


def plan_of(clip: Clip) -> Plan:
    return find(clip, sha256="0" * 64, finders=Finders(Told(clip, lambda i: i % 2 == 0)))


@pytest.mark.parametrize("turn", [sideways, upside_down])
def test_a_mirror_is_proposed_and_its_area_covers_the_image(turn: Turn) -> None:
    clip = two(turn)
    (region,) = mirrors(plan_of(clip))
    assert region.decision is Decision.PROPOSE
    assert region.kind is Kind.FREE
    assert "second time" in region.reason
    for frame in range(region.first, region.last + 1, 10):
        box, image = region.box_at(frame), clip.faces[frame][1]
        assert box is not None
        assert box.intersection(image).area == image.area
        assert box.area < 0.5 * WIDTH * HEIGHT


def test_the_image_that_the_finders_see_stays_hidden() -> None:
    clip = two(sideways)
    plan = plan_of(clip)
    for frame in range(len(clip.frames)):
        assert sum(region.kind is Kind.FACE for region, _ in plan.covers(frame)) == 2


@pytest.mark.parametrize("turn", [somebody_else, upside_down])
def test_two_people_are_no_mirror(turn: Turn) -> None:
    clip = two(turn) if turn is somebody_else else two(turn, other=False)
    assert mirrors(plan_of(clip)) == []


def test_whoever_moves_the_same_way_is_no_image_in_a_mirror_beside() -> None:
    """Twins in step: an image in a mirror beside a person goes the other way."""
    clip, head, back = Clip(), face(52), scenery(3)
    for i in range(75):
        x = 170 + 50 * np.sin(i / 12)
        clip.add(back, [(head, x, 100.0), (sideways(*head), x + 250, 104.0)])
    assert mirrors(plan_of(clip)) == []


def test_a_moment_is_not_enough() -> None:
    assert mirrors(plan_of(two(sideways, seconds=1.0))) == []
