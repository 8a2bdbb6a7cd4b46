"""The timeline shows what the plan says, and where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from safelight.find.explain import draw, save
from safelight.geometry import Box
from safelight.plan import Clip, Decision, How, Keyframe, Kind, Origin, Plan, Region, Stretch


def a_plan(regions: int = 1, decision: Decision = Decision.HIDE) -> Plan:
    clip = Clip(sha256="0" * 64, width=640, height=360, frames=100, time_base=(1, 25), first_pts=0, last_pts=99)
    found = [
        Region(
            id=f"face-{number}",
            kind=Kind.FACE,
            decision=decision,
            keyframes=[Keyframe.of(0, 0, Box(0, 0, 9, 9)), Keyframe.of(99, 99, Box(0, 0, 9, 9))],
            stretches=[
                Stretch(first=0, last=49, how=How.FOUND, finder="yunet", score=1.0),
                Stretch(first=50, last=99, how=How.HELD),
            ],
        )
        for number in range(regions)
    ]
    return Plan(clip=clip, origin=Origin(safelight="0"), regions=found, cuts=[25])


def colours(plan: Plan) -> list[tuple[int, ...]]:
    """What stands in the first lane a quarter, three eighths and three quarters of the way."""
    pixels = np.asarray(draw(plan))
    return [tuple(pixels[144 + 10, 32 + 190 + round(1100 * part)]) for part in (0.25, 0.375, 0.75)]


def test_a_lane_shows_finds_gaps_and_cuts() -> None:
    cut, found, held = colours(a_plan())
    assert found == (0x5A, 0xA9, 0xE6)
    assert held == (0xEF, 0x5B, 0x5B)
    assert cut == (0xEC, 0xEE, 0xF2)


def test_what_is_only_proposed_is_hollow() -> None:
    _, found, held = colours(a_plan(decision=Decision.PROPOSE))
    assert found == held == (0x1D, 0x20, 0x26)


def test_many_regions_give_a_bounded_picture_and_none_gives_one_too(tmp_path: Path) -> None:
    assert draw(a_plan(5000)).height < 9000
    save(a_plan(0), tmp_path / "empty.png")
    with Image.open(tmp_path / "empty.png") as picture:
        assert picture.width > 1000
