"""Whole runs: killed and started again, watched, asked for their status."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from examples.clip import write_clip

from program import safelight
from tests.scale.chaos import killed_until_done, make_card, wrong_with


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cards") / "card"
    make_card(folder, 3)
    return folder


def test_a_run_that_is_killed_again_and_again_ends_with_every_clip_once(card: Path, tmp_path: Path) -> None:
    """`python -m benchmarks.chaos --kills 200` is the long one."""
    killed_until_done(card, tmp_path / "out", 4, jobs=2, dice=random.Random(4))
    assert not wrong_with(card, tmp_path / "out", finished=True)


def test_what_is_looked_for_is_found(card: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert safelight("protect", "--quick", "-q", "-o", out, card).status == 0
    assert not wrong_with(card, out, finished=True)
    (out / "clip001.safelight.mp4").write_bytes(b"half")
    assert wrong_with(card, out, finished=False)
    (out / "clip001.safelight.json").unlink()
    assert len(wrong_with(card, out, finished=True)) >= 2


def test_status_and_watch(card: Path, tmp_path: Path) -> None:
    incoming, out = tmp_path / "incoming", tmp_path / "out"
    incoming.mkdir()
    shutil.copy(card / "clip000.mp4", incoming)
    command = [sys.executable, "-m", "safelight", "watch", incoming, "-o", out, "--quick", "--settle", "0.5"]
    watching = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        _until(out / "clip000.safelight.json")
        (incoming / "clip001.mp4").write_bytes((card / "clip001.mp4").read_bytes())
        (incoming / "notes.txt").write_text("not a film")
        _until(out / "clip001.safelight.json")
        for _ in range(100):
            now = json.loads(safelight("status", "-o", out, "--json").out)
            if now["states"] == {"done": 2, "failed": 1}:
                break
            time.sleep(0.3)
        assert now["states"] == {"done": 2, "failed": 1}
        assert [failed["code"] for failed in now["failed"]] == ["SL-NOT-MEDIA"]
        assert now["worker_hours_per_film_hour"] > 0
    finally:
        os.kill(watching.pid, signal.SIGINT)
        said = watching.communicate(timeout=60)[1].decode()
    assert watching.returncode == 130
    assert said.count("clip000.mp4 →") == 1  # once, though it was seen in every round
    shown = safelight("status", "-o", out, "--price", "2").out
    assert "2 done" in shown
    assert "an hour of film" in shown
    assert "SL-NOT-MEDIA" in shown


def _watching(incoming: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    words = ["watch", incoming, "-o", out, "--quick", "--settle", "0.5", *more]
    return subprocess.Popen([sys.executable, "-m", "safelight", *words], stderr=subprocess.DEVNULL)


def _until_running(out: Path) -> None:
    deadline = time.monotonic() + 120
    while json.loads(safelight("status", "-o", out, "--json").out)["states"].get("running") != 1:
        assert time.monotonic() < deadline, "nobody takes it"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_watch_that_is_ended_at_work_goes_on_later(how: signal.Signals, card: Path, tmp_path: Path) -> None:
    incoming, out = tmp_path / "incoming", tmp_path / "out"
    incoming.mkdir()
    shutil.copy(card / "clip000.mp4", incoming)
    first = _watching(incoming, out)
    _until_running(out)
    os.kill(first.pid, how)
    first.wait(timeout=60)
    assert not list(out.glob("*.mp4")), "it was done before it could be ended; nothing was shown"
    again = _watching(incoming, out)
    try:
        _until(out / "clip000.safelight.json")
    finally:
        os.kill(again.pid, signal.SIGINT)
        assert again.wait(timeout=60) == 130


def test_what_arrives_while_a_longer_film_is_at_work(card: Path, tmp_path: Path) -> None:
    """A second hand takes it at once; it does not wait for the first one to be free as well."""
    incoming, out = tmp_path / "incoming", tmp_path / "out"
    incoming.mkdir()
    write_clip(incoming / "long.mp4", 320, 180, 8.0)
    watching = _watching(incoming, out, "--jobs", "2")
    try:
        _until_running(out)
        shutil.copy(card / "clip000.mp4", incoming)
        _until(out / "clip000.safelight.json")
        assert not (out / "long.safelight.json").exists()
    finally:
        os.kill(watching.pid, signal.SIGINT)
        assert watching.wait(timeout=60) == 130


def _until(path: Path) -> None:
    deadline = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} did not come"
        time.sleep(0.1)
