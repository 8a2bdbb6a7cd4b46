"""Killing runs at random until the work is done, and what must be true afterwards."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from examples.clip import write_clip

from safelight.account import Account
from safelight.scale.table import JobTable

COMMAND = [sys.executable, "-m", "safelight", "protect", "--quick", "-q"]


def make_card(folder: Path, clips: int) -> None:
    """Short clips, all different."""
    folder.mkdir(parents=True)
    for number in range(clips):
        write_clip(folder / f"clip{number:03d}.mp4", 192, 108, 0.6 + 0.04 * (number % 5))
    for number, path in enumerate(sorted(folder.iterdir())):
        with path.open("ab") as file:  # a box that players skip: same film, other bytes
            file.write((12).to_bytes(4, "big") + b"free" + number.to_bytes(4, "big"))


def killed_until_done(card: Path, out: Path, kills: int, *, jobs: int, dice: random.Random) -> int:
    """Start the program again and again and kill it, its workers left to themselves, ``kills`` times; then let it end.

    Returns how many runs were really killed: one that was ready before is not.
    """
    struck = 0
    for _ in range(kills):
        run = subprocess.Popen([*COMMAND, "--jobs", str(jobs), "-o", out, card], stderr=subprocess.DEVNULL)
        try:
            run.wait(timeout=dice.uniform(0.2, 8.0))
        except subprocess.TimeoutExpired:
            os.kill(run.pid, signal.SIGKILL)
            run.wait()
            struck += 1
        assert not wrong_with(card, out, finished=False)
    subprocess.run([*COMMAND, "--jobs", str(jobs), "-o", out, card], check=True, stderr=subprocess.DEVNULL)
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
    expected = {f"{stem}.safelight{end}" for stem in clips for end in (".mp4", ".json", "-plan.json", "-sheet.png")}
    left = {path.name for path in out.iterdir() if path.name != ".safelight.db"} ^ expected
    return wrong + sorted(f"{name} is there, or missing, against all order" for name in left)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
