"""A sure face tells how large the head is while only the body is seen; what lies in another's body may be a hand."""

from __future__ import annotations

from array import array

import numpy as np

from safelight.find import Finders, find
from safelight.find.cover import regions
from safelight.find.detect import Detection
from safelight.find.follow import Follower
from safelight.find.head import head_of
from safelight.find.path import Path, Spot
from safelight.find.person import Person
from safelight.find.track import Track
from safelight.geometry import Box
from safelight.plan import How, Kind, Plan
from tests.find.clips import HEIGHT, Clip, Image, Told, bare, face, hidden, scenery

SHA = "0" * 64


class Trunks(Told):
    """A person finder that knows the truth: bodies under the heads of a clip, far wider than these."""

    def find(self, bgr: Image) -> list[Detection]:
        found = []
        for b in super().find(bgr):
            wide, high = b.box.width, b.box.height
            box = b.box.grown(1.5 * wide, 0.3 * high, 1.5 * wide, 4.5 * high).clipped(bgr.shape[1], bgr.shape[0])
            found.append(Detection(box, b.score, b.finder, Kind.BODY))
        return found


def walking(frames: int = 60) -> Clip:
    clip, head, back = Clip(), face(30), scenery(4)
    for i in range(frames):
        clip.add(back, [(head, 90 + 6 * i, 120)])
    return clip


def plan_of(clip: Clip, faces: Told, people: Told) -> Plan:
    return find(clip, sha256=SHA, finders=Finders(faces, people=people))


def share(plan: Plan, first: int, last: int) -> float:
    return float(np.mean([hidden(plan, i).mean() for i in range(first, last, 3)]))


def test_the_head_keeps_its_proportion_while_only_the_body_is_seen() -> None:
    clip = walking()
    people = Trunks(clip, lambda i: True, score=0.6, name="people")
    never, early, late = (
        plan_of(clip, Told(clip, sees), people) for sees in (lambda i: False, lambda i: i < 16, lambda i: i >= 44)
    )
    for plan in (never, early, late):
        assert bare(plan, clip) == []
    assert share(early, 45, 60) < 0.75 * share(never, 45, 60)
    assert share(late, 0, 15) < 0.75 * share(never, 0, 15)


def test_weak_looks_at_a_large_face_and_its_body_are_believed_soon() -> None:
    """A veil's slit near the camera in bad light; a large face alone takes more weak looks, for it would hide much."""
    clip, head, back = Clip(), face(180), scenery(4)
    for i in range(8):
        clip.add(back, [(head, 300 + 2 * i, 180)])
    faces, body = Told(clip, lambda i: True, score=0.4), Trunks(clip, lambda i: True, score=0.19, name="people")
    assert bare(plan_of(clip, faces, body), clip) == []
    assert plan_of(clip, faces, Trunks(clip, lambda i: False)).regions == []


def test_a_head_is_never_much_wider_than_high() -> None:
    for high in (40.0, 90.0, 200.0, 400.0):
        head = head_of(Detection(Box(0, 100, 200, 100 + high), 0.9, "people", Kind.BODY), 1000.0)
        assert head.width <= 1.41 * head.height


def test_a_hand_in_front_of_a_chest_is_covered_around_its_looks_only() -> None:
    """A small face, seen once not very well, in the body of somebody whose head is surely known."""
    clip, head, back = Clip(), face(40), scenery(4)
    for _ in range(150):
        clip.add(back, [(head, 320, 100)])
    hand = Box(290, 210, 315, 240)
    seen = Clip(clip.frames, [[hand] if i in (70, 72, 74) else [] for i in range(150)])
    mine = Told(clip, lambda i: True)

    class Both(Told):
        def find(self, bgr: Image) -> list[Detection]:
            return mine.find(bgr) + super().find(bgr)

    both = Both(seen, lambda i: True, score=0.55)
    plan = plan_of(clip, both, Trunks(clip, lambda i: True, score=0.8, name="people"))
    alone = plan_of(clip, both, Trunks(clip, lambda i: False))
    centre = tuple(round(v) for v in hand.centre)
    covered, before = ([hidden(p, i)[centre[1], centre[0]] for i in range(150)] for p in (plan, alone))
    assert all(covered[66:80])
    assert sum(covered) < 70
    assert sum(before) > 90


def test_three_good_looks_make_a_face_of_it() -> None:
    """A child in its mother's arms."""
    mother = Person(exact=10, body=10)
    mother.trunk = Box(-1.0, -0.2, 2.0, 5.0)
    assert mother.holds(Box(100, 100, 160, 180), Box(100, 200, 130, 240))
    assert not mother.holds(Box(100, 100, 160, 180), Box(100, 200, 180, 300))
    assert not mother.holds(Box(100, 100, 160, 180), Box(300, 200, 330, 240))
    assert not mother.holds(Box(100, 100, 160, 180), Box(110, 110, 140, 150))


def test_the_margin_moves_on_with_what_races_past() -> None:
    spots = Path(
        Spot(f, Box(200 + 50 * (f - 10), 100, 260 + 50 * (f - 10), 180), How.FOUND, "told", 0.9) for f in range(10, 14)
    )
    still = Path(Spot(f, Box(200, 100, 260, 180), How.FOUND, "told", 0.9) for f in range(10, 14))
    follower = Follower(np.zeros((HEIGHT, 640), np.uint8), Box(0, 0, 10, 10))
    both = [
        Track(n, path, follower, 10, 13, 0.9, {Kind.FACE}, {"told"}, 0.9, 1, believed=True)
        for n, path in enumerate((spots, still), 1)
    ]
    racing, held = regions(both, [], array("q", range(40)), 640, 360, 8)
    box = racing.box_at(8)
    assert box is not None
    assert box.x1 <= 100
    assert box.x2 >= 160
    assert held.first == 2
    assert held.box_at(2) == held.box_at(10)
    assert racing.first >= 5  # before, it was not in the picture
