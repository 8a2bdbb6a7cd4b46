"""`safelight hide --plan` with a plan that is wrong: refused with a code, a reason, and nothing is written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from examples.clip import write_clip

from program import safelight

Plan = dict[str, Any]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("originals") / "portrait.mp4"
    write_clip(path, 320, 180, 1.0)
    return path


def plan_for(clip: Path) -> Plan:
    keys = [
        {"frame": frame, "pts": frame * 512, "x": 40.0, "y": 30.0, "width": 60.0, "height": 70.0} for frame in (0, 24)
    ]
    return {
        "format": "safelight-plan",
        "version": 1,
        "clip": {
            "sha256": hashlib.sha256(clip.read_bytes()).hexdigest(), "width": 320, "height": 180, "frames": 25,
            "time_base": [1, 12800], "first_pts": 0, "last_pts": 24 * 512,
        },
        "origin": {"safelight": "0"},
        "regions": [{"id": "face-1", "kind": "face", "keyframes": keys}],
    }  # fmt: skip


def key(plan: Plan) -> dict[str, Any]:
    first: dict[str, Any] = plan["regions"][0]["keyframes"][0]
    return first


def run(clip: Path, plan: str, folder: Path) -> tuple[int, str]:
    """Hide by that plan; the exit status and what was said. Whatever was written is an error of the test."""
    file = folder / "plan.json"
    file.write_text(plan)
    out = folder / "out"
    ran = safelight("hide", clip, "--plan", file, "-o", out)
    if ran.status:
        assert not out.exists() or not [p for p in out.rglob("*") if p.is_file()]
    return ran.status, ran.err


def test_the_plan_that_the_others_are_made_from_is_carried_out(clip: Path, tmp_path: Path) -> None:
    status, said = run(clip, json.dumps(plan_for(clip)), tmp_path)
    assert status == 0, said
    assert (tmp_path / "out" / "portrait.safelight.mp4").exists()


CHANGES: dict[str, tuple[Callable[[Plan], Any], str]] = {
    "right of the picture": (lambda p: key(p).update(x=400.0), "SL-PLAN-INVALID"),
    "above the picture": (lambda p: key(p).update(y=-100.0), "SL-PLAN-INVALID"),
    "negative width": (lambda p: key(p).update(width=-60.0), "SL-PLAN-INVALID"),
    "negative height": (lambda p: key(p).update(height=-1.0), "SL-PLAN-INVALID"),
    "no width": (lambda p: key(p).update(width=0.0), "SL-PLAN-INVALID"),
    "unknown kind": (lambda p: p["regions"][0].update(kind="ghost"), "SL-PLAN-INVALID"),
    "unknown decision": (lambda p: p["regions"][0].update(decision="blur"), "SL-PLAN-INVALID"),
    "unknown shape": (lambda p: p["regions"][0].update(shape="star"), "SL-PLAN-INVALID"),
    "after the last frame": (lambda p: p["regions"][0]["keyframes"][1].update(frame=25), "SL-PLAN-INVALID"),
    "for another clip": (lambda p: p["clip"].update(sha256="a" * 64), "SL-PLAN-OTHER-CLIP"),
    "for another size": (lambda p: p["clip"].update(width=640, height=360), "SL-PLAN-OTHER-CLIP"),
    "for more frames": (lambda p: p["clip"].update(frames=30), "SL-PLAN-OTHER-CLIP"),
    "of a later version": (lambda p: p.update(version=2), "SL-PLAN-VERSION"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_wrong_plan_is_refused_and_nothing_is_written(clip: Path, tmp_path: Path, change: str) -> None:
    plan = plan_for(clip)
    alter, code = CHANGES[change]
    alter(plan)
    status, said = run(clip, json.dumps(plan), tmp_path)
    assert status == 1
    assert code in said


@pytest.mark.parametrize("text", ["", "{", "not a plan", "[1, 2]"])
def test_what_is_no_plan_is_refused(clip: Path, tmp_path: Path, text: str) -> None:
    status, said = run(clip, text, tmp_path)
    assert status == 1
    assert "SL-PLAN-INVALID" in said
