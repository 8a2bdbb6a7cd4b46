"""People found as a whole, and what their heads do to tracks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from safelight import models
from safelight.errors import SafelightError
from safelight.find import Finders, find
from safelight.find.detect import Detection
from safelight.find.head import head_of, sightings
from safelight.find.people import NanoDet
from safelight.geometry import Box
from safelight.plan import Asked, Hide, Kind, Plan, Shape
from tests.find.clips import HEIGHT, Clip, Told, face, hidden, scenery

Picture = NDArray[np.uint8]
SHA = "0" * 64
PERSON_SEEN = Box(14.9, 14.5, 364.4, 507.6)  # what the graph as it is shipped, for 416 x 416 only, makes of it
FACE = Box(172, 65, 276, 202)  # brow to chin in scikit-image's astronaut


@pytest.fixture(scope="module")
def nanodet() -> NanoDet:
    try:
        models.require("find")
    except SafelightError as error:
        pytest.skip(str(error))
    return NanoDet()


@pytest.fixture(scope="module")
def astronaut() -> Picture:
    data = pytest.importorskip("skimage.data")
    return np.ascontiguousarray(data.astronaut()[:, :, ::-1])


def covered(box: Box, thing: Box) -> float:
    """Part of a thing's box that lies in the ellipse inside another box."""
    x, y = np.meshgrid(np.linspace(thing.x1, thing.x2, 30), np.linspace(thing.y1, thing.y2, 30))
    cx, cy = box.centre
    inside = ((x - cx) / (box.width / 2)) ** 2 + ((y - cy) / (box.height / 2)) ** 2 <= 1
    return float(inside.mean())


def test_a_person_is_found_and_the_head_holds_the_face(nanodet: NanoDet, astronaut: Picture) -> None:
    best = nanodet.find(astronaut)[0]
    assert best.score > 0.7
    assert best.kind is Kind.BODY
    assert best.box.overlap(PERSON_SEEN) > 0.99
    assert covered(head_of(best, astronaut.shape[0]), FACE) > 0.99


@pytest.mark.parametrize("size", [(300, 300), (512, 288), (200, 640), (1024, 1024)])
def test_the_size_of_the_picture_does_not_matter(nanodet: NanoDet, astronaut: Picture, size: tuple[int, int]) -> None:
    """Where the sides are not whole cells, or the picture is larger than what is looked at."""
    height, width = size
    picture = np.full((height, width, 3), 90, np.uint8)
    side = min(size)
    picture[:side, :side] = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA)
    best = nanodet.find(picture)[0]
    assert best.score > 0.4
    assert best.box.overlap(PERSON_SEEN.scaled(side / 512, side / 512)) > 0.75
    assert best.box.clipped(width, height) == best.box


def test_from_behind_and_veiled(nanodet: NanoDet, astronaut: Picture) -> None:
    """Without a face there is still a person: the face is painted over with cloth, all of it."""
    veiled = astronaut.copy()
    cv2.ellipse(veiled, (224, 130), (90, 115), 0, 0, 360, (32, 26, 26), -1)
    assert nanodet.find(veiled)[0].score > 0.4
    best = nanodet.find(veiled)[0]
    assert covered(head_of(best, veiled.shape[0]), FACE) > 0.99


def test_nobody_in_nothing(nanodet: NanoDet) -> None:
    for size in ((1, 1), (7, 500), (360, 640)):
        assert nanodet.find(np.full((*size, 3), 128, np.uint8)) == []


def test_channels_go_in_the_order_the_network_was_trained_on(nanodet: NanoDet, astronaut: Picture) -> None:
    small = np.ascontiguousarray(astronaut[::4, ::4])
    assert nanodet.find(small)[0].score > nanodet.find(np.ascontiguousarray(small[:, :, ::-1]))[0].score


# --- one head, however it was seen ---------------------------------------------------------------------------


def body(box: Box, score: float = 0.7) -> Detection:
    return Detection(box, score, "people", Kind.BODY)


def a_face(box: Box, score: float) -> Detection:
    return Detection(box, score, "faces", Kind.FACE)


PERSON = Box(100, 50, 200, 350)


def test_a_sure_face_says_where_the_head_is() -> None:
    seen = a_face(Box(135, 62, 165, 100), 0.9)
    (one,) = sightings([seen, body(PERSON)], HEIGHT)
    assert one.kind is Kind.FACE
    assert one.box == head_of(seen, HEIGHT)
    assert one.finders == {"faces", "people"}


def test_an_unsure_face_may_be_a_slit_and_the_whole_head_is_covered() -> None:
    slit = a_face(Box(135, 90, 165, 100), 0.3)
    (one,) = sightings([slit, body(PERSON)], HEIGHT)
    alone = head_of(slit, HEIGHT)
    assert one.box.intersection(alone) == alone
    assert one.box.y1 < PERSON.y1
    assert one.box.height > 2 * alone.height
    assert not one.exact


def test_a_hand_that_looks_like_a_face_does_not_take_the_head_away() -> None:
    hand = a_face(Box(120, 220, 150, 255), 0.4)
    found = sightings([hand, body(PERSON)], HEIGHT)
    assert len(found) == 2
    assert any(covered(one.box, Box(135, 62, 165, 95)) > 0.95 for one in found)


def test_a_small_sure_face_behind_does_not_take_a_large_head_away() -> None:
    behind = a_face(Box(148, 80, 156, 90), 0.9)
    assert len(sightings([behind, body(PERSON)], HEIGHT)) == 2


def test_a_body_cut_off_at_the_chest_is_half_head() -> None:
    whole, bust = head_of(body(Box(0, 100, 100, 400)), 400), head_of(body(Box(0, 100, 100, 210)), 400)
    assert whole.y2 - 100 < 0.4 * 300
    assert bust.y2 - 100 > 0.5 * 110


# --- in tracks ------------------------------------------------------------------------------------------------


class Bodies(Told):
    """A person finder that knows the truth: bodies under the heads of a clip."""

    def find(self, bgr: Picture) -> list[Detection]:
        return [
            Detection(b.box.grown(b.box.width * 0.6, b.box.height * 0.4, b.box.width * 0.6, b.box.height * 3.5)
                      .clipped(bgr.shape[1], bgr.shape[0]), b.score, b.finder, Kind.BODY)
            for b in super().find(bgr)
        ]  # fmt: skip


def walking(frames: int = 50, width: int = 26) -> Clip:
    clip, head, back = Clip(), face(width), scenery(4)
    for i in range(frames):
        clip.add(back, [(head, 100 + 4 * i, 130)])
    return clip


def plan_of(clip: Clip, people: Told, faces: Told | None = None, hide: Hide = Hide.HEADS) -> Plan:
    nobody = Told(clip, lambda i: False)
    return find(clip, sha256=SHA, finders=Finders(faces or nobody, people=people), asked=Asked(hide=hide))


def eyes_bare(plan: Plan, clip: Clip) -> list[int]:
    missed = []
    for frame in range(len(clip.frames)):
        mask = hidden(plan, frame)
        for box in clip.faces[frame]:
            x1, y1, x2, y2 = (round(v) for v in box)
            if mask[y1 : y1 + (y2 - y1) // 2, x1:x2].mean() < 0.95:
                missed.append(frame)
    return missed


def test_a_person_whose_face_nobody_sees_is_covered_throughout() -> None:
    clip = walking()
    plan = plan_of(clip, Bodies(clip, lambda i: True, score=0.5))
    assert eyes_bare(plan, clip) == []
    assert {region.kind for region in plan.regions} == {Kind.HEAD}
    assert np.mean([hidden(plan, i).mean() for i in range(50)]) < 0.1


def test_one_good_look_covers_and_one_weak_look_does_not() -> None:
    clip = walking(40)
    assert eyes_bare(plan_of(clip, Bodies(clip, lambda i: 18 <= i <= 20, score=0.35)), clip) == []
    assert plan_of(clip, Bodies(clip, lambda i: i == 18, score=0.22)).regions == []
    assert eyes_bare(plan_of(clip, Bodies(clip, lambda i: i > 8, score=0.22)), clip) == []


def test_a_face_and_its_person_are_one_track() -> None:
    clip = walking()
    faces = Told(clip, lambda i: i < 20 or i >= 36)
    plan = plan_of(clip, Bodies(clip, lambda i: True, score=0.6), faces)
    assert [region.kind for region in plan.regions] == [Kind.FACE]
    assert plan.regions[0].first == 0
    assert plan.regions[0].last == 49
    assert eyes_bare(plan, clip) == []


def test_a_body_that_confirms_a_face_hides_no_more_than_the_face() -> None:
    clip = walking()
    faces = Told(clip, lambda i: True)
    alone = find(clip, sha256=SHA, finders=Finders(faces))
    both = plan_of(clip, Bodies(clip, lambda i: True, score=0.6), faces)
    shares = [np.mean([hidden(plan, i).mean() for i in range(0, 50, 5)]) for plan in (alone, both)]
    assert shares[1] < 1.2 * shares[0]


def test_bodies_are_hidden_whole_and_heads_as_before() -> None:
    clip = walking()
    people = Bodies(clip, lambda i: True, score=0.6)
    heads, whole = (plan_of(clip, people, hide=hide) for hide in (Hide.HEADS, Hide.BODIES))
    assert whole.origin.asked.hide is Hide.BODIES
    extra = [region for region in whole.regions if region.kind is Kind.BODY]
    assert [r for r in whole.regions if r.kind is not Kind.BODY] == heads.regions
    assert {region.shape for region in extra} == {Shape.BOX}
    truth = Bodies(clip, lambda i: True)
    for frame in range(50):
        (seen,) = truth.find(clip.frames[frame])
        held = [box for region, box in whole.covers(frame) if region.kind is Kind.BODY]
        assert any(seen.box.intersection(box).area > 0.99 * seen.box.area for box in held), frame


class Patchy(Bodies):
    """Takes for a while a lit patch of the person for all of them."""

    def find(self, bgr: Picture) -> list[Detection]:
        found = super().find(bgr)
        if not 20 <= int(bgr[4, 4, 0]) < 32:
            return found
        (seen,) = found
        x, top, height = seen.box.centre[0], seen.box.y1 + 0.06 * seen.box.height, seen.box.height / 2
        return [body(Box(x - seen.box.width / 4, top, x + seen.box.width / 4, top + height), 0.5)]


def test_a_head_does_not_shrink_because_a_few_looks_see_less_of_it() -> None:
    clip = walking(width=32)
    plan = plan_of(clip, Patchy(clip, lambda i: True, score=0.5))
    sizes = [max(box.area for _, box in plan.covers(frame)) for frame in range(len(clip.frames))]
    assert min(sizes[15:40]) > 0.8 * sizes[15]
