"""What the page does, without a browser."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from desk.folders import Browser, desk_of, make_plan, put
from safelight.desk.app import Desk
from safelight.plan import Plan


def version(browser: Browser, clip: str) -> int:
    return int(browser.get(clip + "/plan").json()["version"])


def on_disk(folder: Path) -> Plan:
    return Plan.load(folder / "clip.safelight-plan.json")


def test_list_says_state_risk_and_who_has_it(browser: Browser, desk: Desk) -> None:
    line = browser.get("/api/clips").json()["clips"][0]
    assert (line["name"], line["state"], line["tracks"], line["holder"]) == ("clip", "found", 1, None)
    assert line["risk"] > 0
    assert line["unseen"] > 0
    assert line["seconds"] == pytest.approx(59 / 25, abs=0.01)
    browser.post(browser.first() + "/hold").raise_for_status()
    assert browser.get("/api/clips").json()["clips"][0]["holder"] == {"who": "Mira", "mine": True}
    other = Browser(desk, "Sam")
    assert other.get("/api/clips").json()["clips"][0]["holder"] == {"who": "Mira", "mine": False}


def test_a_clip_without_its_original_says_so_and_the_rest_goes_on(tmp_path: Path) -> None:
    put(tmp_path, "a")
    put(tmp_path, "b")
    (tmp_path / "a.mp4").unlink()
    (tmp_path / "c.safelight-plan.json").write_text("{}")
    desk = desk_of(tmp_path)
    browser = Browser(desk)
    lines = {line["name"]: line for line in browser.get("/api/clips").json()["clips"]}
    assert lines["b"]["state"] == "found"
    assert "SL-PLAN-INVALID" in lines["c"]["trouble"]
    answer = browser.get(f"/api/clips/{lines['a']['id']}/frames/0")
    assert (answer.status_code, answer.json()["code"]) == (404, "SL-NOT-FOUND")
    (tmp_path / "a.mp4").write_bytes((tmp_path / "b.mp4").read_bytes() + b"\0")
    answer = browser.get(f"/api/clips/{lines['a']['id']}/frames/0")
    assert answer.json()["code"] == "SL-PLAN-OTHER-CLIP"
    desk.close()


def test_edits_are_on_the_disk_when_they_are_confirmed(browser: Browser, folder: Path) -> None:
    clip = browser.first()
    browser.post(clip + "/hold").raise_for_status()
    box = {"frame": 5, "x": 10, "y": 20, "width": 30, "height": 40}
    done = browser.edit(clip, version(browser, clip), op="draw", kind="head", shape="ellipse", keys=[box]).json()
    drawn = on_disk(folder).regions[-1]
    assert (drawn.id, drawn.decided_by, drawn.first, drawn.last) == ("head-d1", "Mira", 5, 5)
    for frame, x in ((25, 14), (44, 50)):
        at = {**box, "frame": frame, "x": x}
        done = browser.edit(clip, done["version"], op="key", region="head-d1", at=at).json()
    done = browser.edit(clip, done["version"], op="extend", region="head-d1", side="after").json()
    done = browser.edit(clip, done["version"], op="extend", region="head-d1", side="before").json()
    drawn = on_disk(folder).regions[-1]
    assert (drawn.first, drawn.last) == (0, 59)
    assert [k.frame for k in drawn.keyframes] == [0, 5, 25, 44, 59]
    assert {s.how.value for s in drawn.stretches} == {"drawn"}
    lines = (folder / "clip.safelight-edits.jsonl").read_text().splitlines()
    assert [json.loads(line).get("op") for line in lines[1:]] == ["draw", "key", "key", "extend", "extend"]


def test_undo_has_no_end_and_survives_a_restart(folder: Path) -> None:
    before = (folder / "clip.safelight-plan.json").read_bytes()
    desk = desk_of(folder)
    browser = Browser(desk)
    clip = browser.first()
    browser.post(clip + "/hold").raise_for_status()
    for x in range(12):
        key = {"frame": x, "x": x, "y": 3, "width": 20, "height": 20}
        browser.edit(clip, version(browser, clip), op="draw", keys=[key]).raise_for_status()
    browser.edit(clip, version(browser, clip), op="sound", start=0.5, end=1.0).raise_for_status()
    merged = browser.edit(clip, version(browser, clip), op="merge", regions=["head-d2", "head-1", "head-d9"])
    merged.raise_for_status()
    after = (folder / "clip.safelight-plan.json").read_bytes()
    desk.close()

    desk = desk_of(folder)
    browser = Browser(desk)
    browser.post(clip + "/hold").raise_for_status()
    for _ in range(14):
        browser.post(clip + "/undo", json={"version": version(browser, clip)}).raise_for_status()
    assert (folder / "clip.safelight-plan.json").read_bytes() == before
    assert browser.post(clip + "/undo", json={"version": version(browser, clip)}).status_code == 422
    for _ in range(14):
        browser.post(clip + "/redo", json={"version": version(browser, clip)}).raise_for_status()
    assert (folder / "clip.safelight-plan.json").read_bytes() == after
    desk.close()


def test_an_edit_of_an_older_plan_changes_nothing(browser: Browser, folder: Path) -> None:
    clip = browser.first()
    browser.post(clip + "/hold").raise_for_status()
    old = version(browser, clip)
    browser.edit(clip, old, op="sound", start=0, end=1).raise_for_status()
    before = (folder / "clip.safelight-plan.json").read_bytes()
    behind = browser.edit(clip, old, op="sound", start=1, end=2)
    assert (behind.status_code, behind.json()["code"]) == (409, "SL-DESK-BEHIND")
    assert (folder / "clip.safelight-plan.json").read_bytes() == before


def test_the_second_person_sees_that_the_clip_is_taken(desk: Desk, folder: Path) -> None:
    first, second = Browser(desk, "Mira"), Browser(desk, "Sam")
    clip = first.first()
    first.post(clip + "/hold").raise_for_status()
    taken = second.post(clip + "/hold")
    assert (taken.status_code, taken.json()["code"]) == (423, "SL-DESK-TAKEN")
    assert "Mira" in taken.json()["detail"]
    assert second.edit(clip, version(second, clip), op="sound", start=0, end=1).status_code == 423
    assert second.get(clip + "/frames/3").status_code == 200
    assert second.get(clip + "/film/0").status_code == 423
    assert on_disk(folder).sounds == []
    first.request("DELETE", clip + "/hold").raise_for_status()
    second.post(clip + "/hold").raise_for_status()
    second.edit(clip, version(second, clip), op="sound", start=0, end=1).raise_for_status()
    assert len(on_disk(folder).sounds) == 1


def test_another_desk_on_the_same_folder_cannot_take_the_clip(desk: Desk, folder: Path) -> None:
    first = Browser(desk)
    clip = first.first()
    first.post(clip + "/hold").raise_for_status()
    other = desk_of(folder)
    second = Browser(other, "Sam")
    assert second.post(clip + "/hold").json()["code"] == "SL-DESK-TAKEN"
    first.edit(clip, version(first, clip), op="sound", start=0, end=1).raise_for_status()
    first.request("DELETE", clip + "/hold").raise_for_status()
    second.post(clip + "/hold").raise_for_status()
    assert len(second.get(clip + "/plan").json()["plan"]["sounds"]) == 1
    assert second.edit(clip, version(second, clip), op="sound", start=1, end=2).status_code == 200
    other.close()


@pytest.mark.parametrize(
    "op",
    [
        {"op": "nonsense"},
        {"op": "draw", "keys": []},
        {"op": "draw", "keys": [{"frame": 60, "x": 1, "y": 1, "width": 9, "height": 9}]},
        {"op": "draw", "keys": [{"frame": 1, "x": 1, "y": 1, "width": -9, "height": 9}]},
        {"op": "draw", "keys": [{"frame": 1, "x": 5000, "y": 1, "width": 9, "height": 9}]},
        {"op": "key", "region": "nobody", "at": {"frame": 1, "x": 1, "y": 1, "width": 9, "height": 9}},
        {"op": "unkey", "region": "head-1", "frame": 3},
        {"op": "split", "region": "head-1", "frame": 0},
        {"op": "merge", "regions": ["head-1", "head-1"]},
        {"op": "decide", "regions": ["head-1"], "decision": "reveal", "reason": "  "},
        {"op": "remove", "region": "head-1"},
        {"op": "span", "region": "head-1", "first": 5, "last": 2},
        {"op": "span", "region": "head-1", "first": 5, "last": 2000},
        {"op": "sound", "start": 2, "end": 1},
        {"op": "unsound", "start": 2, "end": 1},
    ],
)
def test_a_refused_edit_changes_nothing(browser: Browser, folder: Path, op: dict[str, object]) -> None:
    clip = browser.first()
    browser.post(clip + "/hold").raise_for_status()
    before = (folder / "clip.safelight-plan.json").read_bytes()
    answer = browser.edit(clip, version(browser, clip), **op)
    assert (answer.status_code, answer.json()["code"]) == (422, "SL-EDIT-REFUSED")
    assert (folder / "clip.safelight-plan.json").read_bytes() == before
    assert version(browser, clip) == 0


def test_the_original_is_shown_only_with_leave_and_the_leave_is_noted_first(desk: Desk, folder: Path) -> None:
    first, second = Browser(desk, "Mira"), Browser(desk, "Sam")
    clip = first.first()
    assert first.get(clip + "/frames/7", params={"view": "original"}).status_code == 409
    assert first.post(clip + "/original", json={"frame": 7}).status_code == 423  # it is nobody's yet
    first.post(clip + "/hold").raise_for_status()
    first.post(clip + "/original", json={"frame": 7}).raise_for_status()
    noted = json.loads((folder / "clip.safelight-edits.jsonl").read_text().splitlines()[-1])
    assert (noted["who"], noted["what"], noted["act"]) == ("Mira", "act", "look at the original from frame 7")
    bare = first.get(clip + "/frames/7", params={"view": "original"})
    hidden = first.get(clip + "/frames/7")
    assert bare.status_code == 200
    assert bare.content != hidden.content
    assert second.get(clip + "/frames/7", params={"view": "original"}).status_code == 409
    first.request("DELETE", clip + "/original").raise_for_status()
    assert first.get(clip + "/frames/7", params={"view": "original"}).status_code == 409


def test_film_and_sound_come_from_memory_in_ranges(browser: Browser, folder: Path) -> None:
    clip = browser.first()
    browser.post(clip + "/hold").raise_for_status()
    assert browser.get(clip + "/film/0").json()["code"] == "SL-NOT-READY"
    browser.post(clip + "/film/0").raise_for_status()
    for _ in range(200):
        if browser.get(clip).json()["film"]["finished"]:
            break
        time.sleep(0.1)
    whole = browser.get(clip + "/film/0")
    assert whole.status_code == 200
    assert whole.content[4:8] == b"ftyp"
    part = browser.get(clip + "/film/0", headers={"range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == whole.content[100:200]
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    for wrong in ("bytes=5-2", f"bytes={len(whole.content)}-", "bytes=-5", "bytes=a-b", "frames=1-2"):
        assert browser.get(clip + "/film/0", headers={"range": wrong}).status_code == 416
    left = {path.name for path in folder.rglob("*") if path.is_file()}
    assert left == {"clip.mp4", "clip.safelight-plan.json"} | ({"clip.safelight-edits.jsonl"} & left)


def test_seen_marks_stay(browser: Browser, folder: Path) -> None:
    clip = browser.first()
    items = browser.get(clip + "/queue").json()["items"]
    assert items
    assert browser.post(clip + "/seen", json={"items": [items[0]["key"]]}).status_code == 423
    browser.post(clip + "/hold").raise_for_status()
    browser.post(clip + "/seen", json={"items": [items[0]["key"], "made up"]}).raise_for_status()
    assert browser.get(clip + "/queue").json()["seen"] == [items[0]["key"]]
    assert browser.get(clip).json()["unseen"] == len(items) - 1
    other = desk_of(folder)
    assert Browser(other).get(clip + "/queue").json()["seen"] == [items[0]["key"]]
    other.close()


def test_thumbnails_show_what_is_hidden_as_hidden(browser: Browser) -> None:
    import cv2

    clip = browser.first()
    thumb = browser.get(clip + "/thumbs/head-1/10", params={"width": 200})
    assert thumb.headers["content-type"] == "image/jpeg"
    pixels = cv2.imdecode(np.frombuffer(thumb.content, np.uint8), cv2.IMREAD_COLOR)
    assert pixels.shape[1] == 200
    assert browser.get(clip + "/thumbs/head-1/59").status_code == 404
    assert browser.get(clip + "/thumbs/nobody/1").status_code == 404
    assert browser.get(clip + "/thumbs/head-1/1", params={"width": "9" * 30}).status_code == 422


def test_a_plan_found_anew_begins_a_new_chapter(folder: Path) -> None:
    desk = desk_of(folder)
    browser = Browser(desk)
    clip = browser.first()
    browser.post(clip + "/hold").raise_for_status()
    browser.edit(clip, version(browser, clip), op="sound", start=0, end=1).raise_for_status()
    desk.close()
    new = make_plan(folder / "clip.mp4", cuts=[30])
    (folder / "clip.safelight-plan.json").write_text(new.to_json())
    desk = desk_of(folder)
    browser = Browser(desk)
    browser.post(clip + "/hold").raise_for_status()
    assert browser.get(clip + "/plan").json()["plan"]["cuts"] == [30]
    assert browser.get(clip).json()["undo"] == ""
    browser.edit(clip, version(browser, clip), op="sound", start=1, end=2).raise_for_status()
    assert on_disk(folder).cuts == [30]
    desk.close()
