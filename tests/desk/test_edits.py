"""Edits as such: what is covered afterwards, and the way back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from safelight.desk.edits import EDIT, change
from safelight.desk.journal import Journal, sha256
from safelight.desk.risk import Hit, Why, queue
from safelight.errors import SafelightError
from safelight.geometry import Box, Raster
from safelight.hide.outline import outlines_of
from safelight.plan import Clip, Decision, Form, How, Keyframe, Kind, Origin, Plan, Region, Settings, Shape, Stretch

TIMES = [100 + 7 * n for n in range(200)]


def region(name: str, boxes: dict[int, Box], shape: Shape = Shape.ELLIPSE) -> Region:
    keys = [Keyframe.of(frame, TIMES[frame], box) for frame, box in boxes.items()]
    told = [Stretch(first=keys[0].frame, last=keys[-1].frame, how=How.FOUND, score=0.8)]
    return Region(id=name, kind=Kind.HEAD, shape=shape, score=0.8, keyframes=keys, stretches=told)


def plan(*regions: Region) -> Plan:
    clip = Clip(
        sha256="0" * 64, width=640, height=360, frames=200, time_base=(1, 90), first_pts=100, last_pts=TIMES[-1]
    )
    return Plan(clip=clip, origin=Origin(safelight="0"), cuts=[50, 120], regions=list(regions))


def edited(before: Plan, **op: Any) -> Plan:
    delta = change(before, EDIT.validate_python(op), TIMES, "Mira")
    after = delta.on(before)
    assert delta.reversed().on(after).to_json() == before.to_json(), "the way back must lead to the same bytes"
    return after


def contains(outer: Region, inner: Region, frame: int) -> bool:
    """Whether every point of the inner outline lies in the outer one."""
    a, b = outer.box_at(frame), inner.box_at(frame)
    assert b is not None
    if a is None:
        return False
    if outer.shape is Shape.ELLIPSE:
        return a == pytest.approx(b)
    slack = 1e-6
    return a.x1 <= b.x1 + slack and a.y1 <= b.y1 + slack and a.x2 >= b.x2 - slack and a.y2 >= b.y2 - slack


A = region("head-1", {60: Box(10, 10, 50, 60), 90: Box(100, 10, 140, 60)})
B = region("head-2", {80: Box(200, 10, 240, 60), 110: Box(210, 20, 260, 90)})


STAR = ((0.5, 0.0), (1.0, 1.0), (0.0, 0.4), (1.0, 0.4), (0.0, 1.0))


def star(name: str, boxes: dict[int, Box]) -> Region:
    made = region(name, boxes)
    keys = [key.model_copy(update={"corners": STAR}) for key in made.keyframes]
    return made.model_copy(update={"shape": Shape.POLYGON, "keyframes": keys})


def test_a_free_shape_is_drawn_bent_moved_and_kept_through_every_edit() -> None:
    places = [
        {"frame": 60, "x": 10, "y": 10, "width": 40, "height": 40, "corners": STAR},
        {"frame": 80, "x": 30, "y": 10, "width": 60, "height": 40, "corners": STAR[::-1]},
    ]
    drawn = edited(plan(), op="draw", kind="free", shape="polygon", keys=places)
    name = drawn.regions[0].id
    moved = edited(
        drawn, op="key", region=name, at={"frame": 70, "x": 0, "y": 0, "width": 40, "height": 40}
    )  # moved: bent as it was there
    assert moved.regions[0].form_at(70) == drawn.regions[0].form_at(70) != STAR
    bent = ((0.5, 0.2), *STAR[1:])
    changed = edited(
        moved, op="key", region=name, at={"frame": 70, "x": 0, "y": 0, "width": 40, "height": 40, "corners": bent}
    )
    assert changed.regions[0].form_at(70) == bent
    assert changed.regions[0].form_at(60) == STAR
    longer = edited(changed, op="extend", region=name, side="after")
    assert longer.regions[0].form_at(119) == STAR[::-1]
    parts = edited(longer, op="split", region=name, frame=66)
    assert parts.regions[0].form_at(65) == changed.regions[0].form_at(65)
    assert parts.regions[1].form_at(66) == changed.regions[0].form_at(66)
    whole = edited(parts, op="merge", regions=[r.id for r in parts.regions])
    assert [whole.regions[0].form_at(f) for f in (60, 65, 66, 90)] == [
        longer.regions[0].form_at(f) for f in (60, 65, 66, 90)
    ]
    name = whole.regions[0].id
    more = edited(whole, op="corner", region=name, corner=4, add=True)
    assert more.regions[0].form_at(60) == (*STAR, (0.25, 0.5))
    assert edited(more, op="corner", region=name, corner=5, add=False).regions[0].form_at(60) == STAR
    for _ in range(2):
        whole = edited(whole, op="corner", region=name, corner=0, add=False)
    with pytest.raises(SafelightError, match="3 to"):
        edited(whole, op="corner", region=name, corner=0, add=False)
    with pytest.raises(SafelightError, match="corners"):
        edited(plan(A), op="key", region="head-1", at=places[0])
    with pytest.raises(SafelightError, match="corners"):
        edited(plan(), op="draw", shape="polygon", keys=[{**places[0], "corners": ()}])


@pytest.mark.parametrize("shape", [Shape.BOX, Shape.ELLIPSE])
def test_what_becomes_a_free_shape_covers_at_least_what_it_did(shape: Shape) -> None:
    box = Box(10.3, 20.8, 90.1, 77.7)
    before = plan(region("head-1", {60: box, 90: box.grown(3, 3, 3, 3)}, shape))
    after = edited(before, op="form", region="head-1", kind="free", shape="polygon").regions[0]
    for frame in (60, 71, 90):
        covers = [hidden(r.form_at(frame), r.box_at(frame)) for r in (before.regions[0], after)]
        assert not (covers[0] & ~covers[1]).any()
    assert edited(edited(before, op="form", region="head-1", kind="free", shape="polygon"),
                  op="form", region="head-1", kind="head", shape="box").regions[0].form_at(60) is Shape.BOX  # fmt: skip


def hidden(form: Form, box: Box | None) -> NDArray[np.bool_]:
    canvas = np.zeros((120, 160), bool)
    assert box is not None
    for outline in outlines_of(form, box, Raster(160, 120)):
        x1, y1, x2, y2 = outline.box
        canvas[y1:y2, x1:x2] |= outline.mask
    return canvas


def test_merged_stars_of_one_frame_become_a_box() -> None:
    a, b = star("head-1", {60: Box(10, 10, 50, 60), 90: Box(100, 10, 140, 60)}), star("head-2", {80: Box(0, 0, 9, 9)})
    whole = edited(plan(a, b), op="merge", regions=["head-1", "head-2"]).regions[0]
    assert whole.shape is Shape.BOX
    assert not any(key.corners for key in whole.keyframes)


def test_settings_of_the_whole_copy_change_and_come_back() -> None:
    settled = edited(plan(A), op="settings", trim=True)
    assert settled.settings == Settings(trim=True)
    assert edited(settled, op="settings", look="solid", sound="disguise").settings.trim
    with pytest.raises(SafelightError, match="already"):
        edited(settled, op="settings", trim=True)


def test_extend_goes_to_the_cut_and_not_over_it() -> None:
    both = edited(
        edited(plan(A), op="extend", region="head-1", side="before"), op="extend", region="head-1", side="after"
    )
    whole = both.regions[0]
    assert (whole.first, whole.last) == (50, 119)
    assert whole.box_at(55) == A.box_at(60)
    assert whole.box_at(75) == A.box_at(75)
    assert whole.box_at(119) == A.box_at(90)


def test_merging_uncovers_nothing_and_fills_the_gap() -> None:
    together = edited(plan(A, B), op="merge", regions=["head-2", "head-1"]).regions
    assert len(together) == 1
    for part in (A, B):
        for frame in range(part.first, part.last + 1):
            assert contains(together[0], part, frame), (part.id, frame)
    later = region("head-3", {100: Box(300, 10, 340, 60), 130: Box(300, 10, 340, 60)})
    joined = edited(plan(A, later), op="merge", regions=["head-1", "head-3"]).regions[0]
    assert (joined.first, joined.last) == (60, 130)
    assert joined.shape is Shape.ELLIPSE
    assert joined.box_at(95) is not None
    assert [s.how for s in joined.stretches] == [How.FOUND, How.DRAWN, How.FOUND]


def test_a_hidden_and_a_revealed_track_merge_to_a_hidden_one() -> None:
    shown = A.model_copy(update={"decision": Decision.REVEAL, "reason": "agreed"})
    assert edited(plan(shown, B), op="merge", regions=["head-1", "head-2"]).regions[0].decision is Decision.HIDE


def test_split_covers_what_was_covered() -> None:
    two = edited(plan(A), op="split", region="head-1", frame=75).regions
    assert [(r.first, r.last) for r in two] == [(60, 74), (75, 90)]
    for frame in range(60, 91):
        boxes = [box for r in two if (box := r.box_at(frame)) is not None]
        assert boxes == [pytest.approx(A.box_at(frame))]


def test_a_key_frame_bends_only_what_lies_between_its_neighbours() -> None:
    after = edited(plan(A), op="key", region="head-1", at={"frame": 70, "x": 0, "y": 0, "width": 9, "height": 9})
    bent = after.regions[0]
    assert bent.box_at(70) == Box(0, 0, 9, 9)
    assert [(s.first, s.last, s.how) for s in bent.stretches] == [
        (60, 60, How.FOUND),
        (61, 89, How.DRAWN),
        (90, 90, How.FOUND),
    ]
    straight = edited(after, op="unkey", region="head-1", frame=70).regions[0]
    assert [k.frame for k in straight.keyframes] == [60, 90]
    assert straight.box_at(75) == A.box_at(75)


def test_who_decided_and_why_is_written_down() -> None:
    shown = edited(plan(A), op="decide", regions=["head-1"], decision="reveal", reason=" signed consent ").regions[0]
    assert (shown.decision, shown.decided_by, shown.reason) == (Decision.REVEAL, "Mira", "signed consent")


def test_sounds_do_not_overlap() -> None:
    after = edited(plan(), op="sound", start=1, end=5)
    after = edited(after, op="sound", start=3, end=4)
    after = edited(after, op="unsound", start=3, end=4)
    assert [(s.start, s.end) for s in after.sounds] == [(1, 3), (4, 5)]


class Memory:
    """A journal in memory."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def read(self) -> list[bytes]:
        return list(self.lines)

    def append(self, line: bytes) -> None:
        self.lines.append(line)


frames = st.integers(0, 199)
names = st.sampled_from(["head-1", "head-2", "head-d1", "head-d2", "free-d1"])
place = st.fixed_dictionaries(
    {"frame": frames, "x": st.floats(-20, 600), "y": st.floats(-20, 300), "width": st.floats(25, 90)}
).map(lambda box: {**box, "height": 44.5})
ops = st.one_of(
    st.fixed_dictionaries(
        {
            "op": st.just("draw"),
            "kind": st.sampled_from(["head", "free"]),
            "keys": st.lists(place, min_size=1, max_size=3, unique_by=lambda k: k["frame"]),
        }
    ),
    st.fixed_dictionaries({"op": st.just("key"), "region": names, "at": place}),
    st.fixed_dictionaries({"op": st.just("unkey"), "region": names, "frame": frames}),
    st.fixed_dictionaries({"op": st.just("extend"), "region": names, "side": st.sampled_from(["before", "after"])}),
    st.fixed_dictionaries({"op": st.just("span"), "region": names, "first": frames, "last": frames}),
    st.fixed_dictionaries({"op": st.just("split"), "region": names, "frame": frames}),
    st.fixed_dictionaries({"op": st.just("merge"), "regions": st.lists(names, min_size=2, max_size=3)}),
    st.fixed_dictionaries({"op": st.just("remove"), "region": names}),
    st.fixed_dictionaries({"op": st.just("sound"), "start": st.floats(0, 9), "end": st.floats(0, 9)}),
    st.just({"op": "undo"}),
    st.just({"op": "redo"}),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ops, max_size=14))
def test_any_edits_can_be_undone_replayed_and_done_again(asked: list[dict[str, Any]]) -> None:
    start = plan(A, B)
    lines = Memory()
    journal = Journal(lines, start)
    for op in asked:
        try:
            if op["op"] == "undo":
                journal.undo("Mira")
            elif op["op"] == "redo":
                journal.redo("Mira")
            else:
                edit = EDIT.validate_python(op)
                journal.edit("Mira", edit.op, change(journal.plan, edit, TIMES, "Mira"))
        except SafelightError:
            continue
        for made in journal.plan.regions:
            assert [key.pts for key in made.keyframes] == [TIMES[key.frame] for key in made.keyframes]
            assert all(made.first <= s.first <= s.last <= made.last for s in made.stretches)
    end = sha256(journal.plan)
    # whatever plan a crash left on the disk, the journal leads to the last one
    known = {sha256(start)} | {record.plan for record in journal.acts() if record.plan}
    assert end in known
    assert sha256(Journal(lines, start).plan) == end or not lines.lines
    again = Journal(lines, journal.plan)
    while again.can_undo:
        again.undo("Mira")
    assert again.plan.to_json() == start.to_json()


def test_hits_of_an_attack_in_frame_after_frame_are_one_place() -> None:
    hits = [Hit(frame, "") for frame in (*range(60, 76), 130)]
    told = [item for item in queue(plan(A), 25, hits) if item.why is Why.HIT]
    assert [(item.first, item.last) for item in told] == [(60, 75), (130, 130)]
    assert [item.frame for item in told] == [60, 130]
