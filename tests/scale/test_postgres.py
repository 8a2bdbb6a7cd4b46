"""The job table in PostgreSQL, in a server that is started for it where there is one; skipped aloud elsewhere."""

from __future__ import annotations

import os
import random
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from safelight.account import Options
from safelight.errors import Code, SafelightError
from safelight.inputs import Item
from safelight.scale import table as module
from safelight.scale.table import JobTable, Receipt
from tests.scale.postgres import Server, programs
from tests.scale.storm import Line

pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
CLIPS = 40


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    where = programs()
    if where is None:
        pytest.skip("there is no PostgreSQL server on this machine")
    # Not where pytest puts its folders: only their owner may go in there, and the server may be somebody else.
    with tempfile.TemporaryDirectory() as folder:
        running = Server(where, Path(folder))
        running.start()
        yield running
        running.stop()


def take_all(url: str, numbers: list[int]) -> list[int]:
    """Take and finish what there is; the numbers that this process had."""
    mine = []
    with JobTable(url) as table:
        for number in numbers:
            if table.take(number) is not None:
                table.done(number, Receipt("a" * 64, "b" * 64, "c" * 64, 1.0, 25), 2.0)
                mine.append(number)
    return mine


def test_several_processes_share_a_table_and_each_clip_is_taken_once(server: Server, tmp_path: Path) -> None:
    odd = os.fsdecode(b"\xff clip")  # a name that is no text
    items = [Item(tmp_path / f"{odd}{number}.mp4", Path()) for number in range(CLIPS)]
    with JobTable(server.url) as table:
        numbers = table.add(items, tmp_path / "out", Options())
        assert table.add(items, tmp_path / "out", Options()) == numbers
        with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
            taken = [pool.submit(take_all, server.url, numbers) for _ in range(3)]
            assert sorted(number for one in taken for number in one.result()) == sorted(numbers)
        assert table.status().states == {"done": CLIPS}
        assert set(table.receipts()) == {item.path for item in items}


def test_a_server_that_goes_away_is_a_refusal_and_what_was_done_stays(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS_OF_PATIENCE", 0.0)
    with JobTable(server.url) as table:
        (number,) = table.add([Item(tmp_path / "last.mp4", Path())], tmp_path / "last", Options())
        assert take_all(server.url, [number]) == [number]
        before = table.status().states
        server.stop()
        try:
            with pytest.raises(SafelightError) as refused:
                table.take(number)
            assert refused.value.code is Code.TABLE
        finally:
            server.start()
        assert table.status().states == before


def test_a_server_that_is_started_again_is_waited_for(server: Server, tmp_path: Path) -> None:
    """Work of days must not end because a database was restarted."""
    with JobTable(server.url) as table:
        (number,) = table.add([Item(tmp_path / "long.mp4", Path())], tmp_path / "long", Options())
        server.stop()
        timer = threading.Timer(2.0, server.start)
        timer.start()
        job = table.take(number)
        assert job is not None
        assert job.names.stem == "long"
        timer.join()
        table.done(number, Receipt("a" * 64, "b" * 64, "c" * 64, 1.0, 25), 2.0)


def test_a_line_that_is_cut_takes_no_clip_twice_and_loses_none(server: Server, tmp_path: Path) -> None:
    """The line breaks again and again, also when the server has carried out what it was told and the answer is lost."""
    line = Line(server.port)
    over = threading.Event()

    def cut() -> None:
        dice = random.Random(5)
        while not over.wait(dice.uniform(0.02, 0.3)):
            line.cut()
            over.wait(0.05)
            line.mend()

    items = [Item(tmp_path / f"cut{number}.mp4", Path()) for number in range(CLIPS)]
    with JobTable(server.url) as table:
        numbers = table.add(items, tmp_path / "cut", Options())
    cutting = threading.Thread(target=cut)
    try:
        with JobTable(server.url.replace(str(server.port), str(line.port))) as table:
            cutting.start()
            assert table.add(items, tmp_path / "cut", Options()) == numbers
            for number in numbers:
                assert table.take(number) is not None
                assert table.take(number) is None
                table.done(number, Receipt("a" * 64, "b" * 64, "c" * 64, 1.0, 25), 2.0)
    finally:
        over.set()
        cutting.join()
        line.close()
    with JobTable(server.url) as table:
        receipts = table.receipts()
        assert all(item.path in receipts for item in items)
