"""A bucket whose line is cut at random while clips go from it and copies into it, and what must be true of it."""

from __future__ import annotations

import hashlib
import logging
import os
import random
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safelight.account import Account
from safelight.scale.table import JobTable
from tests.scale.chaos import COMMAND, ENDS, Cluster, wait_a_while

NAME = "footage"


class Line:
    """A line to a server that can be cut: connections break and nobody answers until it is mended."""

    def __init__(self, port: int) -> None:
        self._server = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._cut = threading.Event()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break all connections, in the middle of what they carry."""
        self._cut.set()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let through again."""
        self._cut.clear()

    def close(self) -> None:
        """End it."""
        self.cut()
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near = self._listening.accept()[0]
            except OSError:
                return
            if self._cut.is_set():
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._server))
            with self._lock:
                self._open |= {near, far}
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(1 << 16):
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open -= {one, other}


@contextmanager
def served() -> Iterator[tuple[Line, Any]]:
    """A server with a bucket in this process, the line to it, and the bucket as seen beside the line."""
    import obstore
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for every request
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    obstore.put(
        obstore.store.HTTPStore.from_url(url, client_options={"allow_http": True}), NAME, b"", use_multipart=False
    )
    keys = {"access_key_id": "testing", "secret_access_key": "testing", "region": "us-east-1"}
    store = obstore.store.S3Store(NAME, endpoint=url, client_options={"allow_http": True}, **keys)
    line = Line(port)
    try:
        yield line, store
    finally:
        line.close()
        server.stop()


def environment(line: Line) -> dict[str, str]:
    """What leads a program to the bucket, over the line."""
    return os.environ | {
        "AWS_ENDPOINT": f"http://127.0.0.1:{line.port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }


def cut_until_done(
    card: Path, table: str, line: Line, store: Any, strikes: int, *, dice: random.Random
) -> Counter[str]:
    """Cut the line or kill the program at random, then let it end; every look at the bucket must find it in order."""
    put_in(store, card)
    command = [*COMMAND, "--table", table, "-o", f"s3://{NAME}/out", f"s3://{NAME}/card"]
    struck: Counter[str] = Counter()

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment(line))

    run = start()
    while struck.total() < strikes:
        wait_a_while(run, lambda: accounts_in(store), dice=dice)
        if dice.random() < 0.7:
            line.cut()
            time.sleep(dice.uniform(0.1, 3.0))
            line.mend()
            struck["line"] += 1
        elif run.poll() is None:
            run.kill()
            run.wait()
            struck["program"] += 1
        if run.poll() is not None:
            run = start()
        assert not wrong_in(store, card, table, finished=False)
    run.wait(timeout=3600)
    for _ in range(100):
        if subprocess.run(command, check=False, stderr=subprocess.DEVNULL, env=environment(line)).returncode == 0:
            return struck
    raise AssertionError("it never ends well")


def accounts_in(store: Any) -> int:
    """How many clips have an account in the bucket."""
    import obstore

    return sum(
        entry["path"].endswith(".safelight.json") for many in obstore.list(store, prefix="out") for entry in many
    )


def stormed_everywhere(
    card: Path,
    table: str,
    cluster: Cluster,
    lines: dict[str, Line],
    store: Any,
    strikes: int,
    *,
    dice: random.Random,
) -> Counter[str]:
    """From a bucket into it, on a cluster, with the table in a database: kill workers, the scheduler and the program,
    cut the ``lines`` to the database and the bucket at random; then let it end. Returns what was struck how often.
    """
    put_in(store, card)
    command = [*COMMAND, "--table", table, "--cluster", cluster.address, "-o", f"s3://{NAME}/out", f"s3://{NAME}/card"]
    struck: Counter[str] = Counter()

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment(lines["bucket"]))

    run = start()
    while struck.total() < strikes:
        wait_a_while(run, lambda: accounts_in(store), dice=dice)
        what = dice.choice(("worker", "worker", "scheduler", "program", *lines))
        if what in lines:
            lines[what].cut()
            time.sleep(dice.uniform(0.1, 3.0))
            lines[what].mend()
        else:
            victim = {"worker": dice.choice(cluster.workers), "scheduler": cluster.scheduler, "program": run}[what]
            assert victim is not None
            victim.kill()
            victim.wait()
        struck[what] += 1
        cluster.tend()
        if run.poll() is not None:
            run = start()
        assert not wrong_in(store, card, table, finished=False)
    run.wait(timeout=3600)
    for _ in range(100):
        cluster.tend()
        if start().wait(timeout=3600) == 0:
            return struck
    raise AssertionError("it never ends well")


def put_in(store: Any, card: Path) -> None:
    """Put the clips of a card into the bucket."""
    import obstore

    for clip in card.iterdir():
        obstore.put(store, f"card/{clip.name}", clip)


def wrong_in(store: Any, card: Path, table: str, *, finished: bool) -> list[str]:
    """What is not as it must be in the bucket: no account without the very files it speaks of, at the end all files."""
    import obstore

    names = {entry["path"].removeprefix("out/") for many in obstore.list(store, prefix="out") for entry in many}
    wrong, receipts = [], {}
    for name in sorted(name for name in names if name.endswith(".safelight.json")):
        account = Account.model_validate_json(bytes(obstore.get(store, f"out/{name}").bytes()))
        receipts[name.removesuffix(".safelight.json")] = account.copy_.sha256
        for facts in (account.copy_, account.plan):
            data = bytes(obstore.get(store, f"out/{facts.name}").bytes()) if facts.name in names else b""
            if hashlib.sha256(data).hexdigest() != facts.sha256:
                wrong.append(f"{facts.name} is not what the account says")
    if not finished:
        return wrong
    expected = {f"{clip.stem}.safelight{end}" for clip in card.iterdir() for end in ENDS}
    wrong += [f"{name} is there, or missing, against all order" for name in sorted(names ^ expected)]
    with JobTable(table) as jobs:
        states = jobs.status().states
        told = {path.stem: receipt.copy for path, receipt in jobs.receipts().items()}
    wrong += [] if told == receipts else ["the receipts do not match"]
    return wrong if states == {"done": len(told)} else [*wrong, f"the table says {states}"]
