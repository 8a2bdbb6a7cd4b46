"""The same jobs on a Dask cluster: same bytes as alone, and every clip once whoever is killed."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from program import safelight
from safelight.account import Options
from safelight.errors import Code, SafelightError
from safelight.inputs import expand
from safelight.models.device import DEVICE
from safelight.scale import cluster as module
from safelight.scale.table import JobTable
from tests.scale.chaos import Cluster, make_card, stormed_until_done, wrong_with

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cards") / "card"
    make_card(folder, 4)
    (folder / "notes.mp4").write_text("not a film")
    return folder


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster(workers=2) as running:
        yield running


def test_a_cluster_makes_what_one_machine_makes(card: Path, tmp_path: Path, cluster: Cluster) -> None:
    words = ("protect", "--quick", "-q", "--sensor", "off")  # what is drawn by lot differs from run to run
    ran = safelight(*words, "--cluster", cluster.address, "-o", tmp_path / "there", card)
    assert ran.status == 1, ran.err
    assert "SL-NOT-MEDIA" in ran.err
    (card / "notes.mp4").unlink()
    assert not wrong_with(card, tmp_path / "there", finished=False)
    assert safelight(*words, "-o", tmp_path / "here", card).status == 0
    for copy in (tmp_path / "here").glob("*.safelight.mp4"):
        assert copy.read_bytes() == (tmp_path / "there" / copy.name).read_bytes()


def test_every_clip_is_done_once_whoever_is_killed(card: Path, tmp_path: Path, cluster: Cluster) -> None:
    """Two workers and the scheduler; `python -m benchmarks.chaos --cluster` is the long one."""
    struck = stormed_until_done(card, tmp_path / "out", cluster, strikes=4, dice=random.Random(9))
    assert sum(struck.values()) == 4
    assert not wrong_with(card, tmp_path / "out", finished=True)


def test_each_machine_uses_its_own_device(card: Path, tmp_path: Path) -> None:
    """One that was told of a device it lacks says so; the machine that asks has none to tell of."""
    with Cluster(workers=1, environment=os.environ | {DEVICE: "GPU.7"}) as running:
        words = ("protect", "--quick", "-q", "--cluster", running.address, "-o", tmp_path / "out")
        ran = safelight(*words, card / "clip000.mp4")
    assert ran.status == 1
    assert "SL-DEVICE" in ran.err
    assert not list((tmp_path / "out").glob("*.mp4"))


def test_a_scheduler_that_is_not_there(card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_OF_PATIENCE", 1.0)
    monkeypatch.setattr(module, "SECONDS_TO_CONNECT", 1)
    with JobTable.beside(tmp_path / "out") as table:
        numbers = table.add(expand([card]), tmp_path / "out", Options())
        with pytest.raises(SafelightError) as refused:
            list(module.work_on_cluster(table, numbers, "tcp://127.0.0.1:9", cancel=threading.Event()))
        assert refused.value.code is Code.CLUSTER
        assert table.status().states == {"waiting": len(numbers)}
