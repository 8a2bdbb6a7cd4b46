"""What a person can do wrong, or meet: each has its code, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from custody.conftest import Desk
from program import safelight
from safelight.custody.case import create, opened
from safelight.custody.known import read_known
from safelight.custody.verify import examine
from safelight.errors import Code, SafelightError

PASSPHRASE = "a passphrase for the tests"


def code_of(action) -> Code:
    with pytest.raises(SafelightError) as error:
        action()
    return error.value.code


def enter(case: Path, **more) -> None:
    with opened(case, ask=lambda _: None, **more):
        pass


@pytest.fixture(autouse=True)
def no_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SAFELIGHT_PASSPHRASE", "SAFELIGHT_NEW_PASSPHRASE", "SAFELIGHT_IDENTITY", "SAFELIGHT_CATALOGUE"):
        monkeypatch.delenv(name, raising=False)


def test_no_key_and_wrong_keys(desk: Desk, tmp_path: Path) -> None:
    assert code_of(lambda: enter(desk.case)) is Code.CASE_NO_KEY
    other = tmp_path / "other.key"
    other.write_text("# public key: age1...\nAGE-SECRET-KEY-1NONSENSE\n")
    assert code_of(lambda: enter(desk.case, identity=other)) is Code.CASE_WRONG_KEY
    assert code_of(lambda: enter(desk.case, identity=tmp_path / "none")) is Code.NOT_FOUND
    from pyrage.x25519 import Identity

    other.write_text(str(Identity.generate()))
    assert code_of(lambda: enter(desk.case, identity=other)) is Code.CASE_WRONG_KEY
    assert code_of(lambda: examine(desk.case, identity=other, ask=lambda _: None, older=[])) is Code.CASE_WRONG_KEY


def test_passphrases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = tmp_path / "case"
    assert code_of(lambda: create(case, "anna", recipient=None, passphrase="short")) is Code.CASE_NO_KEY
    assert code_of(lambda: create(case, "anna", recipient="age1x", passphrase=None)) is Code.RECIPIENT_INVALID
    assert not list(tmp_path.iterdir())  # nothing half-made
    create(case, "anna", recipient=None, passphrase=PASSPHRASE)
    with opened(case, ask=lambda _: PASSPHRASE) as story:
        assert story.keys.who == "anna"
        story.add_member("boris", recipient=None, passphrase="another passphrase")
    monkeypatch.setenv("SAFELIGHT_PASSPHRASE", "another passphrase")
    with opened(case, ask=lambda _: None) as story:
        assert story.keys.who == "boris"
    monkeypatch.setenv("SAFELIGHT_PASSPHRASE", "wrong passphrase")
    assert code_of(lambda: enter(case)) is Code.CASE_WRONG_KEY


def test_no_case_and_something_in_the_way(desk: Desk, tmp_path: Path) -> None:
    assert code_of(lambda: enter(tmp_path / "nowhere")) is Code.CASE_NOT_FOUND
    assert code_of(lambda: enter(desk.card)) is Code.CASE_NOT_FOUND
    assert code_of(lambda: create(desk.card, "anna", recipient=None, passphrase=PASSPHRASE)) is Code.CASE_IN_THE_WAY


@pytest.mark.parametrize("text", ['{"format": "safelight-case"}', "[]", "", "\xff", '{"format": "x", "version": 1}'])
def test_a_broken_case_file(desk: Desk, text: str) -> None:
    (desk.case / "case.json").write_text(text, encoding="latin-1")
    assert code_of(lambda: enter(desk.case, identity=desk.key)) is Code.CASE_BROKEN


def test_a_case_of_a_newer_version_is_left_alone(desk: Desk) -> None:
    facts = json.loads((desk.case / "case.json").read_text())
    (desk.case / "case.json").write_text(json.dumps({**facts, "version": 2, "more": True}))
    assert code_of(lambda: enter(desk.case, identity=desk.key)) is Code.CASE_VERSION
    assert code_of(lambda: desk.take_in()) is Code.CASE_VERSION
    assert not list((desk.case / "store").glob("*/*/*/*"))


HOLD = """
import sys, time
from pathlib import Path
from safelight.custody.case import opened
with opened(Path(sys.argv[1]), identity=Path(sys.argv[2]), ask=lambda _: None) as case, case.staging() as stage:
    (stage / "half").write_text("half")
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_held_case_is_locked_and_a_killed_holder_leaves_no_lock(desk: Desk) -> None:
    words = [sys.executable, "-c", HOLD, str(desk.case), str(desk.key)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        holder.send_signal(signal.SIGSTOP)  # also one that does not move holds it
        with pytest.raises(SafelightError) as error:
            enter(desk.case, identity=desk.key)
        assert error.value.code is Code.CASE_LOCKED
        assert str(holder.pid) in error.value.detail or not Path("/proc/locks").exists()
        assert code_of(lambda: examine(desk.case, identity=desk.key, ask=lambda _: None, older=[])) is Code.CASE_LOCKED
        holder.kill()
    assert list((desk.case / "work").iterdir())
    time.sleep(0.1)
    desk.take_in()  # stale: gone by itself, and what it left is swept
    assert not list((desk.case / "work").iterdir())


def test_a_journal_may_not_move_things_elsewhere(desk: Desk, tmp_path: Path) -> None:
    (desk.case / "work" / "x").write_text("x")
    for made, final in (
        ("work/x", "../out"),
        ("work/x", "/tmp/out"),
        ("work/../case.json", "store/x"),
        ("case.json", "store/x"),
        ("work/x", "case.json"),
        ("work/x", "store/../../out"),
    ):
        (desk.case / "work" / "journal.json").write_text(json.dumps({"version": 1, "moves": [[made, final]]}))
        assert code_of(lambda: enter(desk.case, identity=desk.key)) is Code.CASE_BROKEN
        assert (desk.case / "work" / "x").exists()
    (desk.case / "work" / "journal.json").write_text("nonsense")
    assert code_of(lambda: enter(desk.case, identity=desk.key)) is Code.CASE_BROKEN
    assert not (tmp_path / "out").exists()


def test_lists_of_known_material(tmp_path: Path) -> None:
    path = tmp_path / "known"
    assert code_of(lambda: read_known(path)) is Code.NOT_FOUND
    path.write_bytes(b"\xff\xfe")
    assert code_of(lambda: read_known(path)) is Code.KNOWN_INVALID
    path.write_text("0" * 63 + "  label\n")
    assert code_of(lambda: read_known(path)) is Code.KNOWN_INVALID


def test_clips_and_databases_that_are_not_there(filled: Desk, tmp_path: Path) -> None:
    with filled.open() as case:
        for word in ("clip-0099", "", "MOV_0001.MP4", "../x"):
            assert code_of(lambda word=word: case.clip(word)) is Code.CASE_NO_CLIP
        assert case.clip("1") == case.clip("clip-0001") == case.clip(case.clip("1").sha256[:12])
    for url in ("nonsense", f"sqlite:///{tmp_path}/no/folder/x.db", "postgresql+psycopg://nobody@127.0.0.1:1/x"):
        assert code_of(lambda url=url: enter(filled.case, identity=filled.key, catalogue=url)) is Code.CASE_CATALOGUE


def test_a_person_can_do_all_of_it_from_the_command_line(desk: Desk, tmp_path: Path) -> None:
    case = tmp_path / "story"
    os.environ["SAFELIGHT_PASSPHRASE"] = PASSPHRASE
    try:
        assert safelight("case", "new", case, "--member", "anna").status == 0
        ran = safelight("intake", desk.card, "--case", case, "--source", "S1", "--json")
        assert (ran.status, {result["status"] for result in ran.results}) == (0, {"sealed"})
        ran = safelight("case", "status", case, "--json")
        told = json.loads(ran.out)
        assert [clip["name"] for clip in told["clips"]] == ["clip-0001", "clip-0002", "clip-0003"]
        assert [act["act"] for act in told["acts"]][:2] == ["case made", "intake began"]
        (tmp_path / "kept").write_text(told["checkpoint"])
        ran = safelight("case", "verify", case, "--older", tmp_path / "kept")
        assert (ran.status, ran.out) == (0, "The case is whole: 3 originals, 12 acts in the log.\n")
        assert safelight("case", "record", case, "1", "approved", "--note", "seen").status == 0
        assert "anna: approved clip 1 seen" in safelight("case", "status", case, "--log").out
        assert safelight("case", "new", case).status == 1
        assert safelight("intake", desk.card / "missing", "--case", case, "--source", "S1").status == 1
        spoilt = next(case.rglob("original.age"))
        spoilt.write_bytes(spoilt.read_bytes()[:-1])
        ran = safelight("case", "verify", case)
        assert ran.status == 1
        assert spoilt.relative_to(case).as_posix() in ran.out
    finally:
        del os.environ["SAFELIGHT_PASSPHRASE"]
    ran = safelight("case", "status", case)
    assert (ran.status, "SL-CASE-NO-KEY" in ran.err) == (1, True)
