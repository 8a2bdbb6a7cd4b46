"""The main job on a clip of a case: only the copy comes out, the rest is sealed, every act is in the log."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from benchmarks.killing import write_case
from examples.clip import write_clip

from custody.conftest import Desk
from program import COMMAND, Ran, safelight
from safelight.account import Account
from safelight.errors import Code
from safelight.outputs import PRIVATE, memory_folder


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, Path]:
    """A case with one clip that was protected, and the folder with its copy."""
    root = tmp_path_factory.mktemp("worked")
    case, key = write_case(root)
    (root / "card").mkdir()
    write_clip(root / "card" / "SECRET-NAME.mp4", 320, 180, 1.0)
    desk = Desk(case, key, root / "card")
    desk.take_in()
    ran = run(desk, "protect", "clip-0001", "-o", root / "out", "--json")
    assert ran.status == 0, ran.err
    return desk, root / "out"


def run(desk: Desk, command: str, *words: str | Path) -> Ran:
    options = ["--sensor", "off"] if command in ("protect", "hide") else []
    return safelight(command, *options, "--case", desk.case, "--identity", desk.key, *words, timeout=600)


def acts(desk: Desk) -> list[str]:
    with desk.open() as case:
        return [str(act["act"]) for act in case.catalogue.acts()]


def test_only_the_copy_comes_out(worked: tuple[Desk, Path]) -> None:
    desk, out = worked
    assert [path.name for path in out.iterdir()] == ["clip-0001.safelight.mp4"]
    assert not list(memory_folder().glob(PRIVATE + "*"))
    for path in desk.case.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert b"SECRET-NAME" not in data
        assert b"safelight-plan" not in data
        assert b"safelight-account" not in data
        assert not data.startswith((b"\x89PNG", b"<!doctype", b"<!DOCTYPE"))


def test_all_that_was_made_is_sealed_and_every_act_is_in_the_log(worked: tuple[Desk, Path], tmp_path: Path) -> None:
    desk, _ = worked
    with desk.open() as case:
        clip = case.clip("1")
        account = Account.model_validate_json(case.document(clip, "account") or b"")
        assert account.source.name == "SECRET-NAME.mp4"
        assert (case.document(clip, "sheet") or b"").startswith(b"\x89PNG")
        assert json.loads(case.document(clip, "plan") or b"")["clip"]["sha256"] == clip.sha256
        assert case.document(clip, "report")
        told = case.catalogue.acts()
    notes = [act["note"] for act in told if act["act"] == "protected"]
    assert notes == [f"copy {account.copy_.sha256}"]
    assert [act["act"] for act in told][3:6] == ["intake ended", "opened", "protected"]


def test_the_copy_is_the_one_that_is_made_without_a_case(worked: tuple[Desk, Path], tmp_path: Path) -> None:
    desk, out = worked
    plan = tmp_path / "plan"
    assert safelight("case", "get", desk.case, "1", "plan", "-o", plan, "--identity", desk.key).status == 0
    clip = desk.card / "SECRET-NAME.mp4"
    ran = safelight("hide", clip, "--plan", plan, "--sensor", "off", "-o", tmp_path)
    assert ran.status == 0, ran.err
    copy = (tmp_path / "SECRET-NAME.safelight.mp4").read_bytes()
    assert copy == (out / "clip-0001.safelight.mp4").read_bytes()


def test_a_second_run_has_nothing_to_do(worked: tuple[Desk, Path]) -> None:
    desk, out = worked
    before = (out / "clip-0001.safelight.mp4").read_bytes()
    ran = run(desk, "protect", "-o", out, "--json")
    assert [result["status"] for result in ran.results] == ["already done"], ran.err
    assert (out / "clip-0001.safelight.mp4").read_bytes() == before
    assert acts(desk).count("protected") == 1


def test_a_name_that_is_new_in_the_case_is_looked_for_in_finished_copies(
    worked: tuple[Desk, Path], tmp_path: Path
) -> None:
    """A finished copy is not passed over when the list has grown; with a name in it there is no copy."""
    desk, out = worked[0].copy(tmp_path), tmp_path / "out"
    shutil.copytree(worked[1], out)
    copy = out / "clip-0001.safelight.mp4"
    with desk.open() as case:
        assert b"No list of protected names was given" in (case.document(case.clip("1"), "verdict") or b"")
    stand_in = "isomiso2avc1mp41"  # in every copy's head; a true name gets into none of ours
    assert stand_in.encode() in copy.read_bytes()[:64]
    added = safelight(
        "names", "add", "--pseudonym", "Elm", "--name", stand_in, "--case", desk.case, "--identity", desk.key
    )
    assert added.status == 0, added.err
    ran = run(desk, "attack", copy, "--original", "1", "-o", tmp_path / "tried", "--json")
    assert ran.status == 1
    outcomes = {finding["attacker"]: finding["outcome"] for finding in json.loads(ran.out)["findings"]}
    assert {name for name, outcome in outcomes.items() if outcome == "broken"} == {"bytes"}
    ran = run(desk, "protect", "-o", out, "--json")
    assert [result["code"] for result in ran.results] == ["SL-LEAK"], ran.err
    assert not copy.exists()
    with desk.open() as case:
        assert b"No list of protected names was given" not in (case.document(case.clip("1"), "verdict") or b"")


def test_stages_and_a_mended_plan(worked: tuple[Desk, Path], tmp_path: Path) -> None:
    desk = worked[0].copy(tmp_path)
    assert safelight("case", "get", desk.case, "1", "plan", "-o", tmp_path / "plan", "--identity", desk.key).status == 0
    plan = json.loads((tmp_path / "plan").read_text())
    plan["regions"][0]["decided_by"] = "anna"
    (tmp_path / "plan").write_text(json.dumps(plan))
    assert safelight("case", "put", desk.case, "1", tmp_path / "plan", "--identity", desk.key).status == 0
    ran = run(desk, "hide", "1", "-o", tmp_path / "out", "--look", "solid")
    assert ran.status == 0, ran.err
    copy = tmp_path / "out" / "clip-0001.safelight.mp4"
    assert [path.name for path in (tmp_path / "out").iterdir()] == [copy.name]
    ran = run(desk, "attack", copy, "--original", "1", "-o", tmp_path / "out")
    assert "(sealed in the case)" in ran.out
    assert [path.name for path in (tmp_path / "out").iterdir()] == [copy.name]
    assert run(desk, "find", "1", "--explain", "--thorough").status == 1  # a person's plan is not written over
    assert acts(desk)[-2:] == ["attacked", "opened"]
    with desk.open() as case:
        assert b'"anna"' in (case.document(case.clip("1"), "plan") or b"")
        assert case.clip("1").version > 3
    assert safelight("case", "verify", desk.case, "--identity", desk.key).status == 0


def test_every_stage_takes_several_clips_and_all_when_none_is_named(worked: tuple[Desk, Path], tmp_path: Path) -> None:
    """One that is refused does not keep the others from being worked on."""
    card, out = tmp_path / "card", tmp_path / "out"
    card.mkdir()
    write_clip(card / "A.mp4", 320, 180, 0.6)
    (card / "B.txt").write_text("no film")
    write_clip(card / "C.mp4", 320, 180, 0.8)
    desk = Desk(*write_case(tmp_path), card)
    desk.take_in()
    ran = run(desk, "find", "-o", out)
    assert (ran.status, ran.out.count("(sealed in the case)"), ran.err.count("SL-NOT-MEDIA")) == (1, 2, 1)
    ran = run(desk, "hide", "clip-0001", "clip-0003", "-o", out)
    assert ran.status == 0, ran.err
    copies = [f"clip-000{number}.safelight.mp4" for number in (1, 3)]
    assert sorted(path.name for path in out.iterdir()) == copies
    assert [Path(line).name for line in ran.out.split()] == copies
    ran = run(desk, "attack", "-o", out, "--json")
    assert ran.status == 0, ran.err
    assert [result["name"] for result in ran.results] == ["clip-0001", "clip-0003"]
    ran = run(desk, "attack", "clip-0001", "clip-0002", "-o", out)
    assert (ran.status, "There is no copy of clip-0002" in ran.err) == (1, True)
    assert [act for act in acts(desk) if act in ("plan changed", "attacked")].count("plan changed") == 2
    with desk.open() as case:
        assert all(case.document(case.clip(number), "verdict") for number in ("1", "3"))
        assert case.document(case.clip("2"), "plan") is None
    assert safelight("find").status == safelight("attack", "--original", card).status == 2
    assert run(desk, "hide", "1", "3", "--plan", card).status == 2


def test_a_strange_file_in_the_place_of_the_copy_is_not_written_over(worked: tuple[Desk, Path], tmp_path: Path) -> None:
    case, key = write_case(tmp_path)
    desk = Desk(case, key, worked[0].card)
    desk.take_in()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "clip-0001.safelight.mp4").write_bytes(b"somebody's")
    ran = run(desk, "protect", "-o", tmp_path / "out", "--json")
    assert (ran.status, ran.results[0]["code"]) == (1, Code.IN_THE_WAY.value)
    assert (tmp_path / "out" / "clip-0001.safelight.mp4").read_bytes() == b"somebody's"


def test_a_damaged_original_is_refused_and_gives_no_copy(worked: tuple[Desk, Path], tmp_path: Path) -> None:
    desk = worked[0].copy(tmp_path)
    path = next(desk.case.rglob("original.age"))
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    ran = run(desk, "protect", "-o", tmp_path / "out", "--json", "--look", "solid")
    assert (ran.status, ran.results[0]["code"]) == (1, Code.CASE_BROKEN.value)
    assert not list((tmp_path / "out").glob("*.mp4"))


def test_killed_at_work_no_plain_byte_lies_on_a_disk_and_the_next_run_finishes(
    worked: tuple[Desk, Path], tmp_path: Path
) -> None:
    case, key = write_case(tmp_path)
    desk = Desk(case, key, worked[0].card)
    desk.take_in()
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    words = [*COMMAND, "protect", "--sensor", "off", "--case", case, "--identity", key, "-q", "-o", tmp_path / "out"]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL, env=os.environ | {"TMPDIR": str(temporary)}) as process:
        time.sleep(4)
        process.send_signal(signal.SIGKILL)
    part = next(desk.card.iterdir()).read_bytes()[1000:1100]
    for folder in (case, temporary, tmp_path / "out"):
        for path in folder.rglob("*"):
            data = path.read_bytes() if path.is_file() else b""
            assert part not in data
            assert b"safelight-plan" not in data
    shutil.rmtree(temporary)
    ran = run(desk, "protect", "-o", tmp_path / "out", "--json")
    assert ran.status == 0, ran.err
    assert not list(memory_folder().glob(PRIVATE + "*"))  # what was left in memory is swept
    assert safelight("case", "verify", case, "--identity", key).status == 0
