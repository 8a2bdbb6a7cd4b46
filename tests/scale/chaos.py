"""Killing runs at random until the work is done, and what must be true afterwards."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from examples.clip import write_clip

from safelight.account import Account
from safelight.scale.table import JobTable
from tests.media import build

ENDS = (".mp4", ".json", "-plan.json", "-sheet.png", "-report.html", "-report.json")  # of what lies beside a copy
COMMAND = [sys.executable, "-m", "safelight", "protect", "--quick", "-q"]


def make_card(folder: Path, clips: int, *, people: int = 1) -> None:
    """Short clips, all different; every ``people``-th shows somebody, the others are of a few small pictures."""
    folder.mkdir(parents=True)
    for number in range(clips):
        path = folder / f"clip{number:03d}.mp4"
        if number % people == 0:
            write_clip(path, 192, 108, 0.6 + 0.04 * (number % 5))
        else:
            build.clip(path, frames=6, width=64, height=48, sound=0.2)
    for number, path in enumerate(sorted(folder.iterdir())):
        with path.open("ab") as file:  # a box that players skip: same film, other bytes
            file.write((12).to_bytes(4, "big") + b"free" + number.to_bytes(4, "big"))


def wait_a_while(run: subprocess.Popen[bytes], made: Callable[[], int], *, dice: random.Random) -> None:
    """Wait for the moment of the next strike: some more clips are done (``made`` counts them), or none, and then any
    moment of the next one. By the clock alone a slow machine would be struck before it did anything.
    """
    goal, deadline = made() + dice.choice((0, 0, 0, 1, 2)), time.monotonic() + 120
    while made() < goal and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(dice.uniform(0.2, 6.0))


def accounts(out: Path) -> int:
    """How many clips have an account."""
    return sum(1 for _ in out.glob("*.safelight.json"))


def killed_until_done(card: Path, out: Path, kills: int, *, jobs: int, dice: random.Random) -> int:
    """Start the program again and again and kill it, its workers left to themselves, ``kills`` times; then let it end.

    Returns how many runs were really killed: one that was ready before is not.
    """
    struck = 0
    for _ in range(kills):
        run = subprocess.Popen([*COMMAND, "--jobs", str(jobs), "-o", out, card], stderr=subprocess.DEVNULL)
        wait_a_while(run, lambda: accounts(out), dice=dice)
        if run.poll() is None:
            os.kill(run.pid, signal.SIGKILL)
            struck += 1
        run.wait()
        assert not wrong_with(card, out, finished=False)
    last = subprocess.run([*COMMAND, "--jobs", str(jobs), "-o", out, card], check=False, capture_output=True)
    assert last.returncode == 0, last.stderr.decode()
    return struck


class Cluster:
    """A scheduler and workers of their own, started again when they are killed. Context manager."""

    def __init__(self, workers: int, environment: dict[str, str] | None = None) -> None:
        """``environment``: of its processes; None for this one's."""
        self._environment = environment
        self._port = _free_port()
        self.address = f"tcp://127.0.0.1:{self._port}"
        self._count = workers
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []

    def tend(self) -> None:
        """Start whoever is gone."""
        if self.scheduler is None or self.scheduler.poll() is not None:
            self.scheduler = self._dask("scheduler", "--host", "127.0.0.1", "--port", str(self._port), "--no-dashboard")
        self.workers = [worker for worker in self.workers if worker.poll() is None]
        while len(self.workers) < self._count:
            room = ["--nthreads=1", "--no-nanny", "--no-dashboard", "--memory-limit=0", "--death-timeout=60"]
            self.workers.append(self._dask("worker", self.address, *room))

    def _dask(self, what: str, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *words]
        nowhere = subprocess.DEVNULL
        return subprocess.Popen(command, stdout=nowhere, stderr=nowhere, env=self._environment)

    def __enter__(self) -> Cluster:
        self.tend()
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.workers, self.scheduler):
            if process is not None:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def stormed_until_done(card: Path, out: Path, cluster: Cluster, strikes: int, *, dice: random.Random) -> Counter[str]:
    """Kill workers, the scheduler and the program that steers at random, then let it end. Returns whom it hit."""
    command = [*COMMAND, "--cluster", cluster.address, "-o", out, card]
    struck: Counter[str] = Counter()
    run = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while struck.total() < strikes:
        wait_a_while(run, lambda: accounts(out), dice=dice)
        what = dice.choice(("worker", "worker", "worker", "scheduler", "program"))
        victim = {"worker": dice.choice(cluster.workers), "scheduler": cluster.scheduler, "program": run}[what]
        if victim is not None and victim.poll() is None:
            victim.kill()
            victim.wait()
        struck[what] += 1
        cluster.tend()
        if run.poll() is not None:
            run = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        assert not wrong_with(card, out, finished=False)
    run.wait(timeout=3600)
    while subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode:
        cluster.tend()
        strikes += 1
        assert strikes < 1000, "it never ends well"
    return struck


def wrong_with(card: Path, out: Path, *, finished: bool) -> list[str]:
    """What is not as it must be: at any time nothing half-done has a final name; at the end each clip is done once."""
    wrong = []
    clips = {path.stem: path for path in card.iterdir()}
    for file in out.glob("*.safelight.json"):
        account = Account.load(file)
        if account is None:
            wrong.append(f"{file.name} is half an account")
            continue
        for facts in (account.copy_, account.plan):
            made = out / facts.name
            if not made.exists() or _hash(made) != facts.sha256:
                wrong.append(f"{facts.name} is not what the account says")
    if not finished:
        return wrong
    for stem, clip in clips.items():
        account = Account.load(out / f"{stem}.safelight.json")
        if account is None or account.source.sha256 != _hash(clip):
            wrong.append(f"{stem} is not done")
    with JobTable.beside(out) as table:
        receipts = table.receipts()
        if table.status().states != {"done": len(clips)}:
            wrong.append(f"the table says {table.status().states}")
    for clip in clips.values():
        account = Account.load(out / f"{clip.stem}.safelight.json")
        receipt = receipts.get(clip.absolute())
        if account is None or receipt is None or receipt.copy != account.copy_.sha256:
            wrong.append(f"the receipt of {clip.name} does not match")
    expected = {f"{stem}.safelight{end}" for stem in clips for end in ENDS}
    left = {path.name for path in out.iterdir() if path.name != ".safelight.db"} ^ expected
    return wrong + sorted(f"{name} is there, or missing, against all order" for name in left)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
