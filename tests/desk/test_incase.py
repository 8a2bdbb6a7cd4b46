"""The desk over a case: edits are sealed when they are made, two members sign one after the other, the log tells."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from benchmarks.killing import write_case
from pyrage.x25519 import Identity

from custody.conftest import Desk as CaseDesk
from desk.folders import Browser, make_clip, make_plan
from safelight.custody.shared import Shared, shared
from safelight.desk.app import Desk
from safelight.desk.incase import InCase
from safelight.outputs import PRIVATE, memory_folder
from safelight.plan import Sensor
from safelight.published import tell_case


@pytest.fixture
def story(tmp_path: Path) -> CaseDesk:
    """A case with one clip and its plan; the second member's key lies beside the first."""
    case, key = write_case(tmp_path)
    (tmp_path / "card").mkdir()
    clip = make_clip(tmp_path / "card" / "SECRET-NAME.mp4", frames=30)
    desk = CaseDesk(case, key, tmp_path / "card")
    desk.take_in()
    plan = make_plan(clip)
    plan.settings.sensor = Sensor.OFF
    identity = Identity.generate()
    (tmp_path / "second.key").write_text(f"{identity}\n")
    with desk.open() as open_case:
        open_case.seal_documents(open_case.clip("1"), {"plan": plan.to_json().encode()}, "plan changed")
        open_case.add_member("bilal", recipient=str(identity.to_public()), passphrase=None)
    return desk


@contextlib.contextmanager
def at(story: CaseDesk, out: Path, key: Path | None = None) -> Iterator[Desk]:
    def enter() -> AbstractContextManager[Shared]:
        return shared(story.case, identity=key or story.key, ask=lambda _: None)

    with InCase(enter, out) as store:
        desk = Desk(store)
        try:
            yield desk
        finally:
            desk.close()


def version(browser: Browser, clip: str) -> int:
    return int(browser.get(clip + "/plan").json()["version"])


def test_edits_are_sealed_when_they_are_made_and_nothing_lies_open(story: CaseDesk, tmp_path: Path) -> None:
    with at(story, tmp_path / "out") as desk:
        browser = Browser(desk, "anna")
        assert browser.post("/api/session", json={"name": "somebody else"}).status_code == 422
        clip = browser.first()
        assert browser.get("/api/clips").json()["clips"][0]["name"] == "clip-0001"
        browser.post(clip + "/hold").raise_for_status()
        browser.edit(
            clip, 0, op="decide", regions=["head-1"], decision="reveal", reason="SECRET-REASON"
        ).raise_for_status()
        browser.post(clip + "/original", json={"frame": 4}).raise_for_status()
        assert browser.get(clip + "/frames/4", params={"view": "original"}).status_code == 200
        for path in story.case.rglob("*"):
            data = path.read_bytes() if path.is_file() else b""
            assert b"SECRET" not in data
            assert b"safelight-plan" not in data
    assert not list(memory_folder().glob(PRIVATE + "*"))
    with at(story, tmp_path / "out") as desk:
        browser = Browser(desk, "anna")
        plan = browser.get(clip + "/plan").json()["plan"]
        assert plan["regions"][0]["reason"] == "SECRET-REASON"
        browser.post(clip + "/hold").raise_for_status()
        browser.post(clip + "/undo", json={"version": version(browser, clip)}).raise_for_status()
    with story.open() as case:
        sealed = json.loads(case.document(case.clip("1"), "plan") or b"")
        assert sealed["regions"][0]["decision"] == "hide"
        told = [(act["act"], act["note"]) for act in case.catalogue.acts()]
    assert ("opened", "look at the original from frame 4") in told
    assert ("opened", "desk") in told


def test_an_edit_survives_a_kill_before_the_plan_is_sealed(story: CaseDesk, tmp_path: Path) -> None:
    with at(story, tmp_path / "out") as desk:
        browser = Browser(desk, "anna")
        clip = browser.first()
        browser.post(clip + "/hold").raise_for_status()
        browser.edit(clip, 0, op="sound", start=0.2, end=0.6).raise_for_status()
        shutil.copytree(story.case, tmp_path / "as-after-a-kill")
    killed = CaseDesk(tmp_path / "as-after-a-kill", story.key, story.card)
    with at(killed, tmp_path / "out") as desk:
        browser = Browser(desk, "anna")
        browser.post(clip + "/hold").raise_for_status()
        assert [sound["start"] for sound in browser.get(clip + "/plan").json()["plan"]["sounds"]] == [0.2]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_members_sign_exactly_this_copy(story: CaseDesk, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with at(story, out) as desk:
        browser = Browser(desk, "anna")
        clip = browser.first()
        browser.post(clip + "/hold").raise_for_status()
        items = [item["key"] for item in browser.get(clip + "/queue").json()["items"]]
        assert browser.get(clip).json()["missing"] == ["unseen", "no-copy"]
        assert browser.post(clip + "/signature").json()["code"] == "SL-NOT-READY"
        browser.post(clip + "/seen", json={"items": items}).raise_for_status()
        browser.post(clip + "/copy").raise_for_status()
        for _ in range(3000):
            status = browser.get(clip).json()
            if status["making"]["finished"]:
                break
            browser.post(clip + "/hold").raise_for_status()
            time.sleep(0.1)
        assert status["making"]["failed"] == ""
        assert (status["outcome"], status["missing"], status["state"]) == ("held", [], "attacked")
        assert [path.name for path in out.iterdir()] == ["clip-0001.safelight.mp4"]
        browser.post(clip + "/signature").raise_for_status()
        status = browser.get(clip).json()
        assert (status["state"], status["missing"]) == ("attacked", ["signed-already"])
        assert browser.post(clip + "/signature").json()["code"] == "SL-NOT-READY"
    with at(story, out, tmp_path / "second.key") as desk:
        browser = Browser(desk, "bilal")
        browser.post(clip + "/hold").raise_for_status()
        assert browser.get(clip).json()["missing"] == []
        browser.post(clip + "/signature").raise_for_status()
        assert browser.get(clip).json()["state"] == "approved"
        browser.post(clip + "/publication").raise_for_status()
        assert browser.get(clip).json()["state"] == "published"
        assert browser.post(clip + "/publication").json()["code"] == "SL-NOT-READY"
    copy, other = out / "clip-0001.safelight.mp4", tmp_path / "other.mp4"
    other.write_bytes(copy.read_bytes() + b"\0")
    with story.open() as case:  # a story's build tells it only of exactly this copy
        assert tell_case(case, [other], "small") == []
        assert tell_case(case, [copy], "small") == [case.clip("1").name]
    with at(story, out, tmp_path / "second.key") as desk:  # the log knows it, not the memory of one desk
        browser = Browser(desk, "bilal")
        browser.post(clip + "/hold").raise_for_status()
        assert browser.get("/api/clips").json()["clips"][0]["state"] == "published"
        # an edit after that takes the approval's ground away
        browser.edit(clip, version(browser, clip), op="sound", start=0.1, end=0.3).raise_for_status()
        status = browser.get(clip).json()
        assert status["state"] == "in review"
        assert "old-copy" in status["missing"]
    with story.open() as case:
        approved = [(act["who"], act["note"]) for act in case.catalogue.acts() if act["act"] == "approved"]
    assert [who for who, _ in approved] == ["anna", "bilal"]
    assert len({note for _, note in approved}) == 1
