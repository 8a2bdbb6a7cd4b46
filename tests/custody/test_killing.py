"""Killed at any moment, or on a disk that is full or broken: nothing is lost, no plain byte is left.

A sample; `python -m benchmarks.killing` goes through every operation on the disk and 500 random moments.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from benchmarks.killing import Fault, Scene, forked, plant

from safelight.custody.case import opened
from safelight.custody.entry import Act
from safelight.errors import SafelightError


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene.made(tmp_path_factory.mktemp("scene"))


@pytest.mark.parametrize(("kind", "status"), [("kill", {-9}), ("half", {-9}), ("full", {1}), ("error", {1, 0})])
def test_every_operation_on_the_disk_may_go_wrong(scene: Scene, kind: str, status: set[int]) -> None:
    steps = scene.steps()
    assert steps > 200  # all of them are counted
    first_act = list(range(8, 25))  # with its journal, where what is half-done must be finished and not thrown away
    chosen = random.Random(kind).sample(range(steps), 8)
    for step in [*first_act, *chosen] if kind in ("full", "error") else chosen:
        assert scene.turn(Fault(kind, step)) in status, f"step {step}"


def test_after_an_act_that_failed_half_way_the_same_process_does_no_other(scene: Scene) -> None:
    case = scene.copy()

    def work(report: int) -> int:
        with opened(case, identity=scene.key, ask=lambda _: None) as story:
            plant(Fault("error", 16))
            for _ in range(2):
                try:
                    story.note(Act.APPROVED)
                except SafelightError as error:
                    os.write(report, f"{error.detail}\n".encode())
        return 0

    assert "An act before this one is unfinished." in forked(work)[1][-1]
    with opened(case, identity=scene.key, ask=lambda _: None) as story:
        assert story.checkpoint.size == 2  # the first happened: its journal was there


def test_killed_at_random_moments(scene: Scene) -> None:
    length, chance = scene.seconds(), random.Random(6)
    ended = [scene.turn(None, chance.uniform(0, length)) for _ in range(15)]
    assert -9 in ended


def test_the_search_for_plain_bytes_would_find_some(scene: Scene, tmp_path: Path) -> None:
    case = scene.copy()
    (case / "work" / "left").write_bytes((scene.card / "DCIM" / "NAME-MARKER-1.mp4").read_bytes()[:60])
    assert scene.plain(case)
