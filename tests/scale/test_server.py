"""The same job table on a PostgreSQL server of our own; skipped where none is installed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from safelight.account import Options
from safelight.scale.table import JobTable
from tests.custody.test_outside import database  # noqa: F401 (a fixture)
from tests.scale.test_table import RECEIPT, card

pytest.importorskip("psycopg", reason="the extra `cluster` is not installed")


def test_the_same_table_on_a_database_server(database: str, tmp_path: Path) -> None:  # noqa: F811
    out = tmp_path / "out"
    items = card(tmp_path / "card", *(f"{number}.mp4" for number in range(30)))
    with JobTable(database) as one, JobTable(database) as other:
        numbers = one.add(items, out, Options())
        assert other.add(items, out, Options()) == numbers
        taken: list[int] = []

        def work(table: JobTable) -> None:
            for number in numbers:
                if table.take(number) is not None:
                    taken.append(number)
                    table.done(number, RECEIPT, 1.0)

        threads = [threading.Thread(target=work, args=(table,)) for table in (one, other, one, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken) == numbers
        assert other.status().states == {"done": 30}
        assert one.receipts()[tmp_path / "card" / "0.mp4"] == RECEIPT


def test_two_who_put_the_same_clips_in_at_once(database: str, tmp_path: Path) -> None:  # noqa: F811
    items = card(tmp_path / "card", *(f"{number}.mp4" for number in range(200)))
    given: list[list[int]] = []

    def put() -> None:
        with JobTable(database) as table:
            given.append(table.add(items, tmp_path / "out", Options()))

    threads = [threading.Thread(target=put) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(given) == 3
    assert given[0] == given[1] == given[2]
