"""What was read after damage is marked in the plan, and the desk looks at it first."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from safelight.account import Options
from safelight.desk.risk import Why, queue
from safelight.errors import Code, SafelightError
from safelight.find.stitch import stitched
from safelight.media.facts import Gap
from safelight.media.pieces import Part, Piece
from safelight.outputs import Names
from safelight.plan import Clip, Doubt, Origin, Plan
from safelight.protect import find_only
from tests.media.build import busy, clip
from tests.media.helpers import read
from tests.test_spread import Quiet

PACKET = 188


def plan(frames: int, *doubts: tuple[int, int]) -> Plan:
    return Plan(
        clip=Clip(
            sha256="0" * 64, width=64, height=48, frames=frames, time_base=(1, 25), first_pts=0, last_pts=frames - 1
        ),
        origin=Origin(safelight="test"),
        doubts=[Doubt(first=first, last=last) for first, last in doubts],
    )


def test_doubtful_pictures_are_in_the_plan_and_in_the_queue(tmp_path: Path) -> None:
    path = clip(
        tmp_path / "film.ts", frames=48, width=192, height=128, picture=busy, options={"g": "12", "sc_threshold": "0"}
    )
    whole = path.read_bytes()
    gone = whole.index(b"\x01\x00", len(whole) // 2) - 1
    gone -= gone % PACKET
    path.write_bytes(whole[:gone] + whole[gone + PACKET :])
    names = Names(tmp_path / "out", "film")
    with pytest.raises(SafelightError) as refused:
        find_only(path, names, Options(), observer=Quiet(), cancel=threading.Event())
    assert refused.value.code is Code.DAMAGED
    found = find_only(path, names, Options(accept_damaged=True), observer=Quiet(), cancel=threading.Event())
    doubtful = [picture.index for picture in read(path, accept_damaged=True)[1] if picture.doubtful]
    assert 0 < len(doubtful) < 40
    assert [n for doubt in found.doubts for n in range(doubt.first, doubt.last + 1)] == doubtful
    assert Plan.load(names.plan) == found
    item = next(item for item in queue(found, 25.0) if item.why is Why.DOUBTFUL)
    assert (item.first, item.frame) == (doubtful[0], doubtful[0])


def test_gaps_and_what_follows_them_are_looked_at_together() -> None:
    gaps = [
        Gap(after=9, frames=None, start=None, end=None, reason="x"),
        Gap(after=40, frames=2, start=None, end=None, reason="x"),
    ]
    told = [(item.first, item.last) for item in queue(plan(100, (10, 30)), 25.0, gaps=gaps)]
    assert sorted(told) == [(10, 30), (40, 65)]


def test_doubts_of_pieces_become_those_of_the_film() -> None:
    def part(first: int, stop: int) -> Part:
        return Part(first=first, pts=first, stop=stop)

    pieces = [
        Piece(own=part(0, 50), wide=part(0, 60), last_pts=49),
        Piece(own=part(50, 100), wide=part(40, 100), last_pts=99),
    ]
    parts = [plan(60, (45, 59)), plan(60, (5, 30))]
    parts[1].origin.device = "GPU.0"  # found on another machine
    whole = stitched(parts, pieces)
    assert whole.origin.device == "CPU, GPU.0"
    assert [(doubt.first, doubt.last) for doubt in whole.doubts] == [(45, 49), (50, 70)]


def test_a_doubt_outside_the_clip_is_no_plan() -> None:
    with pytest.raises(ValueError, match="outside the clip"):
        plan(10, (8, 10))
