"""A copy counts as published when exactly its bytes went out, and only where it was approved."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from program import safelight
from safelight.names.home import AgeHome, save
from safelight.outputs import Names
from safelight.published import Published, published_of, tell_folder
from tests.story.folders import ROSTER, approve, make


def at_desk(folder: Path, copy: Path) -> Path:
    """A desk's folder with that copy, approved."""
    folder.mkdir()
    shutil.copy(copy, folder / copy.name)
    approve(folder / copy.name, "Mira")
    return published_of(Names(folder, "road"))


def test_a_build_tells_the_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFELIGHT_PASSPHRASE", "lamp")
    story = make(tmp_path / "story")
    save(AgeHome(story / "names.age", "lamp"), ROSTER)
    at_desk(tmp_path / "desk", story / "clips" / "road.safelight.mp4")
    ran = safelight("story", "build", story, "-o", tmp_path / "site", "--desk", tmp_path / "desk")
    assert ran.status == 0, ran.err
    told = Published.load(Names(tmp_path / "desk", "road"))
    assert told is not None
    assert told.where == "small"
    assert "no approved copy" not in ran.err


def test_another_copy_or_one_nobody_approved_did_not_go_out(tmp_path: Path) -> None:
    story = make(tmp_path / "story")
    copy = story / "clips" / "road.safelight.mp4"
    note = at_desk(tmp_path / "desk", copy)
    other = tmp_path / "other.mp4"
    other.write_bytes(copy.read_bytes() + b"\0")
    assert tell_folder(tmp_path / "desk", [other], "small") == []
    (tmp_path / "desk" / "road.safelight-approval.json").unlink()
    assert tell_folder(tmp_path / "desk", [copy], "small") == []
    assert not note.exists()
