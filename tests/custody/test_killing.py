"""Killed at any moment, or on a disk that is full or broken: nothing is lost, no plain byte is left.

A sample; `python -m benchmarks.killing` goes through every operation on the disk and 500 random moments.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from benchmarks.killing import Fault, Scene


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene.made(tmp_path_factory.mktemp("scene"))


@pytest.mark.parametrize(("kind", "status"), [("kill", {-9}), ("half", {-9}), ("full", {1}), ("error", {1, 0})])
def test_every_operation_on_the_disk_may_go_wrong(scene: Scene, kind: str, status: set[int]) -> None:
    steps = scene.steps()
    assert steps > 200  # all of them are counted
    for step in random.Random(kind).sample(range(steps), 12):
        assert scene.turn(Fault(kind, step)) in status, f"step {step}"


def test_killed_at_random_moments(scene: Scene) -> None:
    length, chance = scene.seconds(), random.Random(6)
    ended = [scene.turn(None, chance.uniform(0, length)) for _ in range(15)]
    assert -9 in ended


def test_the_search_for_plain_bytes_would_find_some(scene: Scene, tmp_path: Path) -> None:
    case = scene.copy()
    (case / "work" / "left").write_bytes((scene.card / "DCIM" / "NAME-MARKER-1.mp4").read_bytes()[:60])
    assert scene.plain(case)
