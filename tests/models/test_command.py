from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from safelight.cli.models import app
from safelight.models import store
from safelight.models.manifest import Group, weight, weights

run = CliRunner().invoke


@pytest.fixture
def stick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the real weights of this machine; the store itself is empty."""
    real = store.folder()
    if any(store.inspect(entry)[0] is not store.State.READY for entry in weights(Group.FIND)):
        pytest.skip("the weights are not on this machine (safelight models fetch)")
    monkeypatch.setenv("SAFELIGHT_WEIGHTS", str(tmp_path / "store"))
    return real


def test_list_says_what_is_missing(store_folder: Path) -> None:
    ran = run(app, ["list", "--json"])
    assert ran.exit_code == 0
    listed = json.loads(ran.stdout)
    assert [entry["name"] for entry in listed] == [entry.name for entry in weights()]
    assert {entry["state"] for entry in listed} == {"missing"}
    assert listed[0]["carrier"]["sha256"] == "55502288193c6bcba8ef3ff456bbadb21f11e136c89e6a8d7781e99b979298f1"
    plain = run(app, ["list"])
    assert plain.exit_code == 0
    assert "missing" in plain.stdout


def test_fetch_from_a_folder_then_verify(stick: Path) -> None:
    ran = run(app, ["fetch", "--from", str(stick), "--json"])
    assert ran.exit_code == 0, ran.stderr
    assert {entry["result"] for entry in json.loads(ran.stdout)} == {"fetched"}
    again = run(app, ["fetch", "--json"])  # no folder: but all is there, so no registry is asked either
    assert {entry["result"] for entry in json.loads(again.stdout)} == {"already"}
    assert run(app, ["verify"]).exit_code == 0
    path = store.path_of(weight("yunet"))
    path.write_bytes(b"?" + path.read_bytes()[1:])
    changed = run(app, ["verify", "--json"])
    assert changed.exit_code == 1
    assert "SL-WEIGHTS-CHANGED" in changed.stderr
    assert str(path) in changed.stderr
    assert {e["name"]: e["state"] for e in json.loads(changed.stdout)}["yunet"] == "changed"
    mended = run(app, ["fetch", "yunet", "--from", str(stick)])
    assert mended.exit_code == 0
    assert run(app, ["verify", "yunet"]).exit_code == 0


def test_a_missing_weight_fails_verify_only_if_it_is_needed(stick: Path) -> None:
    assert run(app, ["verify"]).exit_code == 1
    assert run(app, ["fetch", "--from", str(stick)]).exit_code == 0
    assert run(app, ["verify"]).exit_code == 0  # content-1 is not here, and `protect` does without
    assert run(app, ["verify", "content-1"]).exit_code == 1


def test_fetch_that_fails_says_so(store_folder: Path, tmp_path: Path) -> None:
    ran = run(app, ["fetch", "--from", str(tmp_path), "--json"])
    assert ran.exit_code == 1
    assert {entry["code"] for entry in json.loads(ran.stdout)} == {"SL-WEIGHTS-MISSING"}
    assert "SL-WEIGHTS-MISSING" in ran.stderr


def test_an_unknown_name_is_wrong_use(store_folder: Path) -> None:
    assert run(app, ["fetch", "nobody"]).exit_code == 2
    assert run(app, ["verify", "nobody"]).exit_code == 2
