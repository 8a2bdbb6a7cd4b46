"""Two members at one case at once, each at a desk of their own: nobody writes over anybody, all see all."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from custody.conftest import Desk as CaseDesk
from desk.folders import Browser, desk_of, make_clip, make_plan, put
from desk.test_incase import at, story, version  # noqa: F401 - a fixture
from program import COMMAND
from safelight.custody.shared import ClipLock, shared
from safelight.desk import work
from safelight.desk.app import Desk
from safelight.desk.incase import LINES_A_DOCUMENT
from safelight.errors import SafelightError
from safelight.outputs import Names, undisturbed
from safelight.plan import Sensor


@pytest.fixture
def two(story: CaseDesk) -> CaseDesk:  # noqa: F811
    """A case with two clips and two members."""
    clip = make_clip(story.card / "SECOND.mp4", frames=31)
    story.take_in()
    plan = make_plan(clip)
    plan.settings.sensor = Sensor.OFF
    with story.open() as case:
        case.seal_documents(case.clip("2"), {"plan": plan.to_json().encode()}, "plan changed")
    return story


@contextlib.contextmanager
def both(two: CaseDesk, out: Path) -> Iterator[tuple[Desk, Browser, Browser]]:
    """Anna and Bilal, and Anna's desk."""
    with at(two, out) as first, at(two, out, two.key.with_name("second.key")) as second:
        yield first, Browser(first, "anna"), Browser(second, "bilal")


def address(browser: Browser, name: str) -> str:
    return "/api/clips/" + next(c["id"] for c in browser.get("/api/clips").json()["clips"] if c["name"] == name)


def until(true: Callable[[], Any], seconds: float = 10) -> Any:
    end = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return value


def sounds(browser: Browser, clip: str) -> list[float]:
    return [sound["start"] for sound in browser.get(clip + "/plan").json()["plan"]["sounds"]]


def test_two_clips_at_once_and_each_sees_what_the_other_did(two: CaseDesk, tmp_path: Path) -> None:
    with both(two, tmp_path / "out") as (_, anna, bilal):
        one, other = address(anna, "clip-0001"), address(anna, "clip-0002")
        anna.post(one + "/hold").raise_for_status()
        bilal.post(other + "/hold").raise_for_status()
        for n in range(3):  # turn by turn, into one log
            anna.edit(one, version(anna, one), op="sound", start=0.1 * n, end=0.1 * n + 0.05).raise_for_status()
            bilal.edit(other, version(bilal, other), op="sound", start=0.2 * n, end=0.2 * n + 0.05).raise_for_status()
        until(lambda: sounds(bilal, one) == sounds(anna, one) == [0.0, 0.1, 0.2])
        until(lambda: sounds(anna, other) == [0.0, 0.2, 0.4])
        holders = {line["name"]: line["holder"] for line in bilal.get("/api/clips").json()["clips"]}
        assert holders == {"clip-0001": {"who": "anna", "mine": False}, "clip-0002": {"who": "bilal", "mine": True}}
    with two.open() as case:
        told = [act["who"] for act in case.catalogue.acts(1) if act["act"] == "plan changed" and act["note"] == "desk"]
        assert set(told) == {"anna"}


def test_the_same_clip_is_taken_and_then_handed_over_with_every_edit(two: CaseDesk, tmp_path: Path) -> None:
    with both(two, tmp_path / "out") as (_, anna, bilal):
        clip = address(anna, "clip-0001")
        anna.post(clip + "/hold").raise_for_status()
        anna.edit(clip, 0, op="sound", start=0.2, end=0.6).raise_for_status()
        refused = bilal.post(clip + "/hold")
        assert (refused.status_code, refused.json()["code"]) == (423, "SL-DESK-TAKEN")
        assert refused.json()["detail"].startswith("anna")
        assert bilal.get(clip).json()["holder"] == {"who": "anna", "mine": False}
        assert bilal.edit(clip, version(bilal, clip), op="sound", start=0.7, end=0.8).status_code == 423
        anna.delete(clip + "/hold").raise_for_status()
        until(lambda: bilal.post(clip + "/hold").status_code == 200)
        assert sounds(bilal, clip) == [0.2]
        before = version(bilal, clip)
        bilal.edit(clip, before, op="sound", start=0.7, end=0.8).raise_for_status()
        bilal.post(clip + "/undo", json={"version": version(bilal, clip)}).raise_for_status()
        bilal.post(clip + "/undo", json={"version": version(bilal, clip)}).raise_for_status()  # anna's, too
        assert sounds(bilal, clip) == []
        bilal.delete(clip + "/hold").raise_for_status()
        until(lambda: anna.post(clip + "/hold").status_code == 200)
        assert sounds(anna, clip) == []
        assert anna.edit(clip, before, op="sound", start=0.1, end=0.2).json()["code"] == "SL-DESK-BEHIND"


def test_a_browser_that_fell_silent_gives_the_clip_to_the_other_desk(
    two: CaseDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with both(two, tmp_path / "out") as (_, anna, bilal):
        clip = address(anna, "clip-0001")
        anna.post(clip + "/hold").raise_for_status()
        anna.edit(clip, 0, op="sound", start=0.2, end=0.6).raise_for_status()
        monkeypatch.setattr(work, "HOLD_SECONDS", 0.5)
        anna.post(clip + "/hold").raise_for_status()
        until(lambda: bilal.post(clip + "/hold").status_code == 200, 20)
        assert sounds(bilal, clip) == [0.2]


def test_no_other_command_changes_a_clip_that_somebody_has(two: CaseDesk, tmp_path: Path) -> None:
    with both(two, tmp_path / "out") as (_, anna, _):
        clip = address(anna, "clip-0001")
        anna.post(clip + "/hold").raise_for_status()
        ran = subprocess.run(
            [*COMMAND, "protect", "--case", two.case, "--identity", two.key, "1", "-o", tmp_path / "out"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode != 0
        assert "SL-DESK-TAKEN" in ran.stdout + ran.stderr


def test_what_was_changed_behind_a_desk_is_not_written_over(two: CaseDesk, tmp_path: Path) -> None:
    """No command does that; somebody with a key and another program can."""
    with both(two, tmp_path / "out") as (_, anna, _):
        clip = address(anna, "clip-0001")
        anna.post(clip + "/hold").raise_for_status()
        anna.edit(clip, 0, op="sound", start=0.2, end=0.6).raise_for_status()
        with two.open() as case:
            plan = make_plan(two.card / "SECRET-NAME.mp4", regions=False).to_json().encode()
            case.seal_documents(case.clip("1"), {"plan": plan}, "plan changed", "from elsewhere")
        refused = anna.edit(clip, version(anna, clip), op="sound", start=0.7, end=0.8)
        assert refused.json()["code"] == "SL-DESK-TAKEN"
        with two.open() as case:
            assert case.document(case.clip("1"), "plan") == plan
        until(lambda: anna.post(clip + "/hold").status_code == 200)
        assert anna.get(clip + "/plan").json()["plan"]["regions"] == []


def test_a_clip_has_one_lock_and_a_case_many_guests(two: CaseDesk) -> None:
    def enter() -> contextlib.AbstractContextManager[Any]:
        return shared(two.case, identity=two.key, ask=lambda _: None)

    with enter() as first, enter() as second:
        with first.turn() as case:
            held = ClipLock(case, case.clip("1"))
        with second.turn() as case:
            with pytest.raises(SafelightError, match="SL-DESK-TAKEN"):
                ClipLock(case, case.clip("1"))
            ClipLock(case, case.clip("2")).close()
            case.note("opened", case.clip("2"), "second")  # type: ignore[arg-type]
        with first.turn() as case:
            assert case.catalogue.acts()[-1]["note"] == "second"
            with pytest.raises(SafelightError, match="SL-CASE-LOCKED"), second.turn(0.05):
                pass
        held.close()


def test_a_journal_of_many_edits_stays_small_in_the_case(two: CaseDesk, tmp_path: Path) -> None:
    count = 2 * LINES_A_DOCUMENT + 5
    with at(two, tmp_path / "out") as desk:
        browser = Browser(desk, "anna")
        clip = address(browser, "clip-0001")
        browser.post(clip + "/hold").raise_for_status()
        told = 0
        took = []
        for n in range(count):
            browser.post(clip + "/hold").raise_for_status()  # as the page does
            began = time.monotonic()
            done = browser.edit(clip, told, op="sound", start=n * 0.01, end=n * 0.01 + 0.005)
            took.append(time.monotonic() - began)
            done.raise_for_status()
            told = done.json()["version"]
    with two.open() as case:
        taken = case.clip("1")
        kept = [number for number in range(9) if case.document(taken, f"edits-{number:06d}") is not None]
        assert kept == [0, 1, 2]
        _, inventory = case.object(taken)
        assert inventory.version > count
    print(f"an edit sealed in {1000 * sum(took[:20]) / 20:.0f} ms, the last of {count} in {1000 * took[-1]:.0f} ms")
    with at(two, tmp_path / "out") as desk:
        browser = Browser(desk, "anna")
        browser.post(clip + "/hold").raise_for_status()
        for _ in range(count):
            browser.post(clip + "/hold").raise_for_status()
            browser.post(clip + "/undo", json={"version": version(browser, clip)}).raise_for_status()
        assert sounds(browser, clip) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_members_sign_with_both_desks_open(two: CaseDesk, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with both(two, out) as (_, anna, bilal):
        clip = address(anna, "clip-0001")
        anna.post(clip + "/hold").raise_for_status()
        items = [item["key"] for item in anna.get(clip + "/queue").json()["items"]]
        anna.post(clip + "/seen", json={"items": items}).raise_for_status()
        anna.post(clip + "/copy").raise_for_status()

        def finished() -> bool:
            anna.post(clip + "/hold").raise_for_status()
            return bool(anna.get(clip).json()["making"]["finished"])

        until(finished, 500)
        anna.post(clip + "/signature").raise_for_status()
        until(lambda: bilal.get(clip).json()["signed"])
        assert bilal.post(clip + "/signature").status_code == 423  # anna has it
        anna.delete(clip + "/hold").raise_for_status()
        until(lambda: bilal.post(clip + "/hold").status_code == 200)
        assert bilal.get(clip).json()["missing"] == []
        bilal.post(clip + "/signature").raise_for_status()
        assert bilal.get(clip).json()["state"] == "approved"
        until(lambda: anna.get(clip).json()["state"] == "approved")
        assert {signed["who"] for signed in anna.get(clip).json()["signed"]} == {"anna", "bilal"}
        bilal.post(clip + "/publication").raise_for_status()
        until(lambda: anna.get(clip).json()["state"] == "published")


class Program:
    """A member's desk as a process."""

    def __init__(self, two: CaseDesk, key: Path, out: Path) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "desk", "--case", two.case, "--identity", key, out, "--no-browser"],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        while not (found := re.search(r"http://\S+", self.process.stdout.readline())):
            assert self.process.poll() is None
        self.client = httpx2.Client(base_url=found[0][: found[0].index("/start")], timeout=60)
        assert self.client.get(found[0]).status_code == 303
        self.client.headers["x-safelight"] = self.client.get("/api/session").json()["csrf"]
        who = self.client.get("/api/session").json()["members"][0]
        self.client.post("/api/session", json={"name": who}).raise_for_status()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.mark.slow
def test_two_processes_edit_two_clips_at_once_are_killed_and_lose_nothing(two: CaseDesk, tmp_path: Path) -> None:
    import threading

    out = tmp_path / "out"
    out.mkdir()
    keys = {"clip-0001": two.key, "clip-0002": two.key.with_name("second.key")}
    desks = {name: Program(two, key, out) for name, key in keys.items()}
    confirmed: dict[str, list[float]] = {name: [] for name in desks}
    stop = threading.Event()

    def work_on(name: str) -> None:
        client = desks[name].client
        clip = "/api/clips/" + next(c["id"] for c in client.get("/api/clips").json()["clips"] if c["name"] == name)
        client.post(clip + "/hold").raise_for_status()
        told = client.get(clip + "/plan").json()["version"]
        start = 0.0
        with contextlib.suppress(httpx2.TransportError):  # killed, as intended
            while not stop.is_set():
                start += 1
                edit = {"op": "sound", "start": start, "end": start + 0.5}
                done = client.post(clip + "/edits", json={"version": told, "edit": edit})
                done.raise_for_status()
                confirmed[name].append(start)
                told = done.json()["version"]

    threads = [threading.Thread(target=work_on, args=(name,)) for name in desks]
    for thread in threads:
        thread.start()
    time.sleep(6)
    for desk in desks.values():
        desk.end()
    stop.set()
    for thread in threads:
        thread.join()
    assert all(len(done) > 5 for done in confirmed.values())
    again = Program(two, two.key, out)
    try:
        for line in again.client.get("/api/clips").json()["clips"]:
            plan = again.client.get(f"/api/clips/{line['id']}/plan").json()["plan"]
            there = [sound["start"] for sound in plan["sounds"]]
            assert set(confirmed[line["name"]]) <= set(there)
            assert len(there) - len(confirmed[line["name"]]) <= 1
    finally:
        again.end()
    ran = subprocess.run(
        [*COMMAND, "case", "verify", two.case, "--identity", two.key], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    print({name: len(done) for name, done in confirmed.items()}, "edits confirmed by two desks at once, none lost")


def test_two_desks_over_a_folder_show_each_other(tmp_path: Path) -> None:
    put(tmp_path, frames=20)
    first, second = desk_of(tmp_path), desk_of(tmp_path)
    try:
        mira, sam = Browser(first, "Mira"), Browser(second, "Sam")
        clip = mira.first()
        assert sam.get(clip).json()["holder"] is None
        mira.post(clip + "/hold").raise_for_status()
        mira.edit(clip, 0, op="sound", start=0.2, end=0.6).raise_for_status()
        assert sam.get(clip).json()["holder"] == {"who": "", "mine": False}
        assert sounds(sam, clip) == [0.2]
        assert sam.post(clip + "/hold").status_code == 423
        mira.delete(clip + "/hold").raise_for_status()
        sam.post(clip + "/hold").raise_for_status()
        assert mira.get(clip).json()["holder"] == {"who": "", "mine": False}
        sam.edit(clip, version(sam, clip), op="sound", start=0.7, end=0.8).raise_for_status()
        assert sounds(mira, clip) == [0.2, 0.7]
    finally:
        first.close()
        second.close()


@pytest.mark.parametrize("command", ["protect", "find"])
def test_no_command_replaces_the_plan_of_a_clip_that_somebody_has(tmp_path: Path, command: str) -> None:
    path = put(tmp_path, frames=20)
    desk = desk_of(tmp_path)
    words = [*COMMAND, command, tmp_path / "clip.mp4", "-o", tmp_path]
    try:
        browser = Browser(desk)
        clip = browser.first()
        browser.post(clip + "/hold").raise_for_status()
        before = path.read_bytes()
        ran = subprocess.run(words, capture_output=True, text=True, check=False)
        assert ran.returncode != 0
        assert "SL-DESK-TAKEN" in ran.stdout + ran.stderr
        assert path.read_bytes() == before
    finally:
        desk.close()
    with undisturbed(Names(tmp_path, "clip")):  # and no desk takes the clip while a command works with it
        desk = desk_of(tmp_path)
        browser = Browser(desk)
        assert browser.post(clip + "/hold").status_code == 423
        assert browser.get(clip).json()["holder"] == {"who": "", "mine": False}
        desk.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_clip_stays_taken_while_its_copy_is_made(tmp_path: Path) -> None:
    """The copy brings its plan along; another desk must not edit between."""
    put(tmp_path, frames=20)
    first, second = desk_of(tmp_path), desk_of(tmp_path)
    try:
        mira, sam = Browser(first, "Mira"), Browser(second, "Sam")
        clip = mira.first()
        mira.post(clip + "/hold").raise_for_status()
        mira.post(clip + "/copy").raise_for_status()
        mira.delete(clip + "/hold").raise_for_status()
        assert not mira.get(clip).json()["making"]["finished"]
        assert sam.post(clip + "/hold").status_code == 423
        until(lambda: mira.get(clip).json()["making"]["finished"], 500)
        sam.post(clip + "/hold").raise_for_status()
    finally:
        first.close()
        second.close()
