"""The job table: each clip in one row, taken by one worker, given back when its worker is gone."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from safelight.account import Options
from safelight.errors import Code, SafelightError
from safelight.inputs import Item, expand
from safelight.plan import Look
from safelight.scale import table as module
from safelight.scale.table import JobTable, Receipt

RECEIPT = Receipt("a" * 64, "b" * 64, "c" * 64, 60.0, 1500)


@pytest.fixture
def table(tmp_path: Path) -> JobTable:
    return JobTable.beside(tmp_path / "out")


def card(folder: Path, *names: str) -> list[Item]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x")
    return list(expand([folder]))


def test_a_clip_has_one_row_and_keeps_its_names(table: JobTable, tmp_path: Path) -> None:
    out = tmp_path / "out"
    items = card(tmp_path / "card", "a.mp4", "b.mp4")
    first = table.add(items, out, Options())
    assert table.add(items, out, Options()) == first
    more = table.add(card(tmp_path / "other", "a.mp4"), out, Options())
    assert not set(more) & set(first)
    jobs = [table.take(number) for number in first + more]
    assert [job.names.stem for job in jobs if job] == ["a", "b", "a.mp4"]
    assert table.take(first[0]) is None


def test_two_clips_that_cannot_have_two_names_are_told(table: JobTable, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for name in ("one", "two"):
        table.add(card(tmp_path / name, "a"), out, Options())
    assert [failed.code for failed in table.status().failed] == [Code.IN_THE_WAY.value]


def test_a_card_that_is_mounted_elsewhere_is_the_same_card(table: JobTable, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = table.add(card(tmp_path / "card", "a.mp4"), out, Options())
    (tmp_path / "card").rename(tmp_path / "mounted")
    assert table.add(card(tmp_path / "mounted"), out, Options()) == first
    job = table.take(first[0])
    assert job is not None
    assert (job.source, job.names.stem) == (tmp_path / "mounted" / "a.mp4", "a")


def test_what_is_not_there_has_a_row_that_says_so_later(table: JobTable, tmp_path: Path) -> None:
    items = [Item(tmp_path / "missing.mp4", Path()), Item(tmp_path / "gone.mp4", Path())]
    numbers = table.add([*items, items[0]], tmp_path / "out", Options())
    assert numbers[0] == numbers[2] != numbers[1]
    jobs = [table.take(number) for number in numbers]
    assert [job.source if job else None for job in jobs] == [items[0].path, items[1].path, None]


def test_names_that_are_no_text_are_kept(table: JobTable, tmp_path: Path) -> None:
    (tmp_path / "card").mkdir()
    name = os.fsdecode(b"\xff\xfe.mp4")
    (tmp_path / "card" / name).write_bytes(b"x")
    (number,) = table.add(expand([tmp_path / "card"]), tmp_path / "out", Options(look=Look.SOLID))
    job = table.take(number)
    assert job is not None
    assert job.source.name == name
    assert job.source.exists()
    assert job.options == Options(look=Look.SOLID)


def test_a_row_is_taken_once_by_many(tmp_path: Path) -> None:
    """Four processes, forty rows: each row to exactly one."""
    table = JobTable.beside(tmp_path / "out")
    numbers = table.add(card(tmp_path / "card", *(f"{n}.mp4" for n in range(40))), tmp_path / "out", Options())
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        taken = pool.starmap(_taking, [(table.url, numbers)] * 4)
    assert sorted(number for part in taken for number in part) == numbers


def _taking(url: str, numbers: list[int]) -> list[int]:
    with JobTable(url) as table:
        return [number for number in numbers if table.take(number) is not None]


def test_rows_of_the_dead_are_free_and_those_of_the_living_are_not(tmp_path: Path) -> None:
    table = JobTable.beside(tmp_path / "out")
    numbers = table.add(card(tmp_path / "card", "a.mp4", "b.mp4"), tmp_path / "out", Options())
    program = f"from tests.scale.test_table import _taking; print(_taking({table.url!r}, [{numbers[0]}]))"
    root = Path(__file__).resolve().parents[2]
    ran = subprocess.run([sys.executable, "-c", program], cwd=root, check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == f"[{numbers[0]}]"
    assert table.take(numbers[1]) is not None
    assert table.take(numbers[0]) is None
    assert table.free_the_dead() == 1
    assert table.take(numbers[0]) is not None


def test_a_lease_ends_unless_it_is_renewed(table: JobTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = table.add(card(tmp_path / "card", "a.mp4", "b.mp4"), tmp_path / "out", Options())
    monkeypatch.setattr(module, "SECONDS_OF_LEASE", 0.2)
    for number in numbers:
        assert table.take(number) is not None
    monkeypatch.setattr(module, "SECONDS_OF_LEASE", 60.0)
    table.keep(numbers[:1])
    time.sleep(0.3)
    assert table.take(numbers[0]) is None
    assert table.take(numbers[1]) is not None


def test_a_row_at_work_is_not_reset_by_a_second_run(table: JobTable, tmp_path: Path) -> None:
    items = card(tmp_path / "card", "a.mp4")
    (number,) = table.add(items, tmp_path / "out", Options())
    assert table.take(number) is not None
    assert table.add(items, tmp_path / "out", Options()) == [number]
    assert table.take(number) is None


def test_figures(table: JobTable, tmp_path: Path) -> None:
    numbers = table.add(card(tmp_path / "card", "a", "b", "c", "d"), tmp_path / "out", Options())
    for number in numbers[:3]:
        table.take(number)
    table.done(numbers[0], RECEIPT, 120.0)
    table.failed(numbers[1], SafelightError(Code.NOT_MEDIA, "No film."))
    now = table.status()
    assert now.states == {"done": 1, "failed": 1, "running": 1, "waiting": 1}
    assert (now.film, now.frames, now.spent, now.total) == (60.0, 1500, 120.0, 4)
    assert [(f.source.name, f.code, f.detail) for f in now.failed] == [("b", "SL-NOT-MEDIA", "No film.")]
    assert table.receipts() == {tmp_path / "card" / "a": RECEIPT}


def test_a_table_that_cannot_be_used_is_a_refusal(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / module.FILE).write_bytes(b"not a database at all" * 100)
    with pytest.raises(SafelightError) as refused:
        JobTable.beside(tmp_path / "out")
    assert refused.value.code is Code.TABLE


def test_threads_may_share_a_table(table: JobTable, tmp_path: Path) -> None:
    numbers = table.add(card(tmp_path / "card", *(f"{n}" for n in range(30))), tmp_path / "out", Options())
    taken: list[int] = []

    def work() -> None:
        for number in numbers:
            if table.take(number) is not None:
                taken.append(number)
                table.done(number, RECEIPT, 1.0)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == numbers
    assert table.status().states == {"done": 30}
