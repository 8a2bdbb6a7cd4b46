"""The job table in PostgreSQL, in a server that is started for it where there is one; skipped aloud elsewhere."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from safelight.account import Options
from safelight.errors import Code, SafelightError
from safelight.inputs import Item
from safelight.scale.table import JobTable, Receipt

pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
CLIPS = 40


def programs() -> Path | None:
    """Where a server's programs lie."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    named = shutil.which("initdb")
    return max(found, default=Path(named).parent if named else None)


class Server:
    """A server of its own, on a free port of this machine. The superuser may not run one: nobody does then."""

    def __init__(self, where: Path, folder: Path) -> None:
        self._where, self._data = where, folder / "data"
        self._user = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else None
        self._data.mkdir()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"postgresql+psycopg://desk@127.0.0.1:{self.port}/postgres"
        if self._user is not None:
            os.chown(self._data, self._user, -1)
            for above in folder.parents[:-1]:
                if above.stat().st_uid == 0 and "pytest" in str(above):
                    above.chmod(0o711)
            folder.chmod(0o711)
        self._run("initdb", "-A", "trust", "-U", "desk", "-D", str(self._data))

    def start(self) -> None:
        words = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories= -c fsync=off"
        self._run("pg_ctl", "-w", "-D", str(self._data), "-o", words, "-l", str(self._data / "log"), "start")

    def stop(self) -> None:
        """As pulling the plug would."""
        self._run("pg_ctl", "-w", "-m", "immediate", "-D", str(self._data), "stop")

    def _run(self, program: str, *words: str) -> None:
        subprocess.run(
            [self._where / program, *words],
            check=True,
            user=self._user,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    where = programs()
    if where is None:
        pytest.skip("there is no PostgreSQL server on this machine")
    running = Server(where, tmp_path_factory.mktemp("postgres"))
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


def test_a_server_that_goes_away_is_a_refusal_and_what_was_done_stays(server: Server, tmp_path: Path) -> None:
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
