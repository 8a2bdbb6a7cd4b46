"""The plan: round trip, refusals, and the box at a frame."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.errors import Code, SafelightError
from safelight.geometry import Box
from safelight.plan import Clip, Decision, Keyframe, Kind, Origin, Plan, Region, Shape, schema

CLIP = Clip(sha256="ab" * 32, width=640, height=360, frames=500, time_base=(1, 12800), first_pts=0, last_pts=499 * 512)

boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h),
    st.floats(-50, 600),
    st.floats(-50, 300),
    st.floats(51, 400),
    st.floats(61, 300),
)


@st.composite
def regions(draw: st.DrawFn) -> Region:
    frames = sorted(draw(st.sets(st.integers(0, 499), min_size=1, max_size=8)))
    shape = draw(st.sampled_from(Shape))
    share = st.floats(0, 1)
    count = draw(st.integers(3, 6)) if shape is Shape.POLYGON else 0
    corners = st.lists(st.tuples(share, share), min_size=count, max_size=count).map(tuple)
    return Region(
        id=draw(st.text("abcxyz019-", min_size=1, max_size=10)),
        kind=draw(st.sampled_from(Kind)),
        shape=shape,
        decision=draw(st.sampled_from(Decision)),
        keyframes=[Keyframe.of(frame, frame * 512, draw(boxes), draw(corners)) for frame in frames],
    )


plans = st.builds(
    lambda found, cuts: Plan(clip=CLIP, origin=Origin(safelight="0"), regions=found, cuts=cuts),
    st.lists(regions(), max_size=5, unique_by=lambda region: region.id),
    st.lists(st.integers(0, 499), max_size=5),
)


def a_plan() -> dict[str, Any]:
    region = Region(
        id="r1",
        kind=Kind.FACE,
        keyframes=[Keyframe.of(10, 5120, Box(0, 0, 10, 20)), Keyframe.of(20, 10240, Box(10, 0, 30, 20))],
    )
    plan: dict[str, Any] = json.loads(Plan(clip=CLIP, origin=Origin(safelight="0"), regions=[region]).to_json())
    return plan


@given(plans)
def test_round_trip_and_schema(plan: Plan) -> None:
    text = plan.to_json()
    again = Plan.from_json(text)
    assert again == plan
    assert again.to_json() == text
    jsonschema.validate(json.loads(text), schema())


@given(regions(), st.integers(0, 499))
def test_the_box_at_a_frame_lies_between_its_neighbours(region: Region, frame: int) -> None:
    box = region.box_at(frame)
    if not region.first <= frame <= region.last:
        assert box is None
        return
    assert box is not None
    before = max((k for k in region.keyframes if k.frame <= frame), key=lambda k: k.frame).box
    after = min((k for k in region.keyframes if k.frame >= frame), key=lambda k: k.frame).box
    for value, a, b in zip(box, before, after, strict=True):
        assert min(a, b) - 1e-9 <= value <= max(a, b) + 1e-9


def test_half_way_is_half_way() -> None:
    region = Plan.from_json(json.dumps(a_plan())).regions[0]
    assert region.box_at(15) == Box(5, 0, 20, 20)
    assert region.box_at(9) is None
    assert region.box_at(21) is None


def broken(change: str) -> dict[str, Any]:
    plan = a_plan()
    region = plan["regions"][0]
    match change:
        case "outside the picture":
            region["keyframes"][0]["x"] = 700
        case "negative size":
            region["keyframes"][0]["width"] = -5
        case "no size":
            region["keyframes"][0]["height"] = 0
        case "not a number":
            region["keyframes"][0]["x"] = float("nan")
        case "unknown kind":
            region["kind"] = "ghost"
        case "unknown field":
            region["blur"] = 12
        case "after the end":
            region["keyframes"][1]["frame"] = 500
        case "out of order":
            region["keyframes"].reverse()
        case "twice the same name":
            plan["regions"].append(region)
        case "no key frames":
            region["keyframes"] = []
        case "bad hash":
            plan["clip"]["sha256"] = "xyz"
        case "no clip":
            del plan["clip"]
        case "sound ends before it begins":
            plan["sounds"] = [{"start": 2, "end": 1}]
    return plan


@pytest.mark.parametrize(
    "change",
    [
        "outside the picture",
        "negative size",
        "no size",
        "not a number",
        "unknown kind",
        "unknown field",
        "after the end",
        "out of order",
        "twice the same name",
        "no key frames",
        "bad hash",
        "no clip",
        "sound ends before it begins",
    ],
)
def test_what_is_wrong_with_a_plan_is_refused(change: str) -> None:
    with pytest.raises(SafelightError) as refused:
        Plan.from_json(json.dumps(broken(change)))
    assert refused.value.code is Code.PLAN_INVALID
    assert len(refused.value.detail) > 20


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "[" * 100_000, '{"format": "other"}'])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(SafelightError) as refused:
        Plan.from_json(text)
    assert refused.value.code is Code.PLAN_INVALID


def test_another_version_is_refused_as_such() -> None:
    with pytest.raises(SafelightError) as refused:
        Plan.from_json(json.dumps(a_plan() | {"version": 2}))
    assert refused.value.code is Code.PLAN_VERSION


def test_revealed_and_proposed_regions_are_not_covered() -> None:
    plan = Plan.from_json(json.dumps(a_plan()))
    assert [region.id for region, _ in plan.covers(12)] == ["r1"]
    for decision in (Decision.REVEAL, Decision.PROPOSE):
        plan.regions[0].decision = decision
        assert list(plan.covers(12)) == []
