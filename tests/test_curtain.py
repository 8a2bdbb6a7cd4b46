"""`protect --curtain`: everything is covered but what a person reveals, and such a copy holds."""

from __future__ import annotations

import json
from pathlib import Path

from examples.clip import write_clip

from program import safelight
from safelight.account import Account
from safelight.plan import Decision, Keyframe, Kind, Plan, Region, Shape


def test_a_copy_behind_the_curtain_holds_with_and_without_something_revealed(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    write_clip(film, 192, 108, 0.6)
    words = ("protect", "--quick", "--curtain", "--json", "-o", tmp_path / "out")
    ran = safelight(*words, film)
    assert ran.status == 0, ran.err
    account = Account.load(tmp_path / "out" / "film.safelight.json")
    assert account is not None
    assert account.share_hidden_mean == 1.0

    place = tmp_path / "out" / "film.safelight-plan.json"
    plan = Plan.load(place)
    last = plan.clip.frames - 1
    keys = [
        Keyframe(frame=frame, pts=pts, x=100, y=4, width=88, height=100)
        for frame, pts in ((0, plan.clip.first_pts), (last, plan.clip.last_pts))
    ]
    for number, shape in enumerate((Shape.BOX, Shape.ELLIPSE)):
        shown = Region(
            id=f"shown-{number}",
            kind=Kind.FREE,
            shape=shape,
            decision=Decision.REVEAL,
            decided_by="editor 1",
            reason="the fountain",
            keyframes=keys,
        )
        plan.regions = [r for r in plan.regions if r.decision is not Decision.REVEAL] + [shown]
        place.write_text(plan.to_json())
        again = safelight(*words, film)
        assert again.status == 0, json.loads(again.out)
        account = Account.load(tmp_path / "out" / "film.safelight.json")
        assert account is not None
        assert 0.5 < account.share_hidden_mean < 1.0
