"""Kill the desk at any time: no edit that was confirmed is lost."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from desk.folders import Browser, desk_of, put
from program import COMMAND
from safelight.desk.folder import Folder
from safelight.desk.journal import Journal, sha256
from safelight.desk.work import Work
from safelight.errors import SafelightError
from safelight.plan import Plan


class Server:
    """The desk as a person starts it."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "desk", folder, "--no-browser"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )

    def enter(self, name: str) -> httpx2.Client:
        """A browser that takes the address printed last."""
        assert self.process.stdout is not None
        while not (found := re.search(r"http://\S+", self.process.stdout.readline())):
            assert self.process.poll() is None
        client = httpx2.Client(base_url=found[0][: found[0].index("/start")], timeout=60)
        assert client.get(found[0]).status_code == 303
        client.headers["x-safelight"] = client.get("/api/session").json()["csrf"]
        client.post("/api/session", json={"name": name}).raise_for_status()
        return client

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()


def test_three_browsers_200_requests_and_a_kill_lose_no_confirmed_edit(tmp_path: Path) -> None:
    clips = 3
    for number in range(clips):
        put(tmp_path, f"clip{number}")
    confirmed: dict[str, set[float]] = {}
    lock = threading.Lock()
    asked = 0
    for _ in range(2):  # killed and started again, twice
        server = Server(tmp_path)
        clients = [server.enter(f"person {n}") for n in range(clips)]
        names = {line["name"]: line["id"] for line in clients[0].get("/api/clips").json()["clips"]}
        stop = threading.Event()

        def edits(
            n: int, clients: list[httpx2.Client] = clients, stop: threading.Event = stop, names: dict[str, str] = names
        ) -> None:
            nonlocal asked
            client, name = clients[n], f"clip{n}"
            address = "/api/clips/" + names[name]
            try:
                client.post(address + "/hold").raise_for_status()
                version = client.get(address + "/plan").json()["version"]
                while not stop.is_set():
                    with lock:
                        asked += 1
                        start = float(asked)
                    done = client.post(
                        address + "/edits",
                        json={"version": version, "edit": {"op": "sound", "start": start, "end": start + 0.5}},
                    )
                    done.raise_for_status()
                    with lock:
                        confirmed.setdefault(name, set()).add(start)
                    version = done.json()["version"]
            except httpx2.TransportError:
                pass  # the desk was killed, as intended

        def looks(n: int, clients: list[httpx2.Client] = clients, names: dict[str, str] = names) -> int:
            client, address = clients[n % clips], "/api/clips/" + names[f"clip{n % clips}"]
            path = (f"/frames/{n % 60}", "", "/queue", "/plan")[n % 4]
            return client.get(address + path).status_code

        with ThreadPoolExecutor(clips) as editors, ThreadPoolExecutor(200) as lookers:
            running = [editors.submit(edits, n) for n in range(clips)]
            statuses = list(lookers.map(looks, range(200)))
            assert statuses == [200] * 200
            time.sleep(0.5)
            server.kill()
            stop.set()
            for done in running:
                done.result()
    total = sum(len(starts) for starts in confirmed.values())
    assert total > 20
    store = Folder(tmp_path)
    for entry in store.entries():
        with contextlib.closing(store.take(entry.id)) as taken:
            there = {sound.start for sound in Journal(taken.lines, store.plan(entry.id)).plan.sounds}
        assert confirmed[entry.name] <= there
        assert len(there - confirmed[entry.name]) <= 2  # on the disk, but the desk died before it could say so
    print(f"{total} edits confirmed beside 400 requests, 2 kills, none lost")


def test_every_cut_of_the_journal_leads_to_a_confirmed_state(tmp_path: Path) -> None:
    """A power cut leaves any prefix of the last line, and the plan before or after it."""
    path = put(tmp_path, frames=10)
    desk = desk_of(tmp_path)
    browser = Browser(desk)
    clip = browser.first()
    browser.post(clip + "/hold").raise_for_status()
    states = [path.read_bytes()]
    for n in range(3):
        version = browser.get(clip + "/plan").json()["version"]
        browser.edit(clip, version, op="sound", start=n, end=n + 0.5).raise_for_status()
        states.append(path.read_bytes())
    desk.close()
    journal = tmp_path / "clip.safelight-edits.jsonl"
    whole = journal.read_bytes()
    ends = [m.end() for m in re.finditer(b"\n", whole)]  # base, edit, edit, edit
    for length in range(ends[-2], ends[-1] + 1):
        for state in (states[2], states[3]) if length == ends[-1] else (states[1], states[2]):
            journal.write_bytes(whole[:length])
            path.write_bytes(state)
            store = Folder(tmp_path)
            work = Work(store, store.entries()[0].id)
            work.hold("session", "Mira")
            assert path.read_bytes() == (states[3] if length == ends[-1] else states[2])
            work.note("session", "go on")
            work.close()
            numbers = [json.loads(line)["n"] for line in journal.read_bytes().splitlines()]
            assert numbers == list(range(1, len(numbers) + 1))


def test_a_full_disk_refuses_the_edit_and_keeps_the_journal_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, frames=10)
    desk = desk_of(tmp_path)
    browser = Browser(desk)
    clip = browser.first()
    browser.post(clip + "/hold").raise_for_status()
    browser.edit(clip, 0, op="sound", start=0, end=1).raise_for_status()
    version = browser.get(clip + "/plan").json()["version"]
    before = path.read_bytes(), (tmp_path / "clip.safelight-edits.jsonl").read_bytes()
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        if b'"op"' in bytes(data):
            real(descriptor, bytes(data)[:20])
            raise OSError(28, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    answer = browser.edit(clip, version, op="sound", start=2, end=3)
    assert answer.json()["code"] == "SL-DISK-FULL"
    monkeypatch.undo()
    assert (path.read_bytes(), (tmp_path / "clip.safelight-edits.jsonl").read_bytes()) == before
    browser.edit(clip, version, op="sound", start=2, end=3).raise_for_status()
    desk.close()


def test_a_journal_that_was_tampered_with_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path, frames=10)
    desk = desk_of(tmp_path)
    browser = Browser(desk)
    clip = browser.first()
    browser.post(clip + "/hold").raise_for_status()
    for n in range(3):
        version = browser.get(clip + "/plan").json()["version"]
        browser.edit(clip, version, op="sound", start=n, end=n + 0.5).raise_for_status()
    desk.close()
    lines = (tmp_path / "clip.safelight-edits.jsonl").read_bytes().splitlines(keepends=True)

    class Fixed:
        def __init__(self, kept: list[bytes]) -> None:
            self.kept = kept

        def read(self) -> list[bytes]:
            return [line.rstrip(b"\n") for line in self.kept]

        def append(self, line: bytes) -> None:
            raise AssertionError

    plan = Plan.load(path)
    assert sha256(Journal(Fixed(lines), plan).plan) == sha256(plan)
    for wrong in (lines[:1] + lines[2:], [lines[0], lines[2], lines[1], lines[3]], [*lines[:3], b"{}\n"]):
        with pytest.raises(SafelightError) as refusal:
            Journal(Fixed(wrong), plan)
        assert refusal.value.code == "SL-UNREADABLE"


def test_the_desk_ends_with_its_workers(tmp_path: Path) -> None:
    put(tmp_path, frames=10)
    server = Server(tmp_path)
    client = server.enter("Mira")
    address = "/api/clips/" + client.get("/api/clips").json()["clips"][0]["id"]
    assert client.get(address + "/frames/1").status_code == 200
    tasks = Path(f"/proc/{server.process.pid}/task").glob("*/children")
    children = [child for task in tasks for child in task.read_text().split()]
    assert children
    server.process.send_signal(signal.SIGINT)
    server.process.wait(timeout=20)
    for _ in range(50):
        if not any(Path(f"/proc/{child}").exists() for child in children):
            break
        time.sleep(0.1)
    assert not any(Path(f"/proc/{child}").exists() for child in children)
