"""Kills and faults during a small intake: `python -m benchmarks.killing [--times 500]`.

Each turn forks a process that opens a fresh case and takes in a card of a few files. It is killed at a random moment,
or before (or in the middle of) its n-th operation on the disk, or that operation fails: ENOSPC, and then all that
follow, or EIO once. Afterwards the same intake is run again, and it is checked that nothing that was reported is lost,
that every file is sealed exactly once, that no plain byte lies in the case or the temporary folder, and that the case
is whole.
"""

from __future__ import annotations

import argparse
import errno
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyrage.x25519 import Identity

from safelight.custody.case import create, opened
from safelight.custody.intake import intake
from safelight.custody.verify import examine
from safelight.errors import SafelightError

MARKER = b"PLAIN-MARKER-that-must-never-lie-in-a-case"
NAME = "NAME-MARKER"  # part of every file name on the card
OPERATIONS = ("open", "write", "fsync", "replace", "rename", "mkdir", "unlink")
REAL = {name: getattr(os, name) for name in OPERATIONS}


@dataclass(frozen=True)
class Fault:
    """What goes wrong. ``kind``: kill, half (in the middle of a write), full or error; ``step``: when, from 0."""

    kind: str
    step: int


class Quiet:
    """An observer that looks away."""

    def stage(self, name: str) -> None: ...

    def progress(self, done: int, total: int | None) -> None: ...


def write_card(card: Path) -> None:
    """A card of four files, two of them equal, all full of markers."""
    (card / "DCIM").mkdir(parents=True)
    for number, name in enumerate((f"DCIM/{NAME}-1.mp4", f"DCIM/{NAME}-2.mp4", f"{NAME}.txt")):
        body = MARKER + bytes([number]) + b"".join(MARKER + os.urandom(500) for _ in range(300 if number else 4000))
        (card / name).write_bytes(body)
    shutil.copy(card / f"DCIM/{NAME}-1.mp4", card / f"DCIM/{NAME}-3.mp4")


def write_case(folder: Path) -> tuple[Path, Path]:
    """A new case and the key file of its only member (no passphrase: that would cost a second each time)."""
    identity = Identity.generate()
    key = folder / "member.key"
    key.write_text(f"{identity}\n")
    case = folder / "case"
    create(case, "anna", recipient=str(identity.to_public()), passphrase=None)
    return case, key


def take_in(case: Path, key: Path, card: Path, report: int) -> int:
    """The intake; tells the descriptor ``report`` each file that is done. Returns an exit status."""
    status = 0
    with opened(case, identity=key, ask=lambda _: None) as story:
        for arrived in intake(story, [card], "S1", known={}, watch=lambda _: Quiet()):
            REAL["write"](report, f"{arrived.path.name} {arrived.clip}\n".encode())
            status |= arrived.refusal is not None
    return status


def forked(work: Callable[[int], int], seconds: float | None = None) -> tuple[int, list[str]]:
    """Run something in a child and kill it after ``seconds``; how it ended (signals negative) and what it reported."""
    outlet, inlet = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os._exit(work(inlet))
        except SafelightError as error:
            REAL["write"](inlet, f"{error.code}\n".encode())
            os._exit(1)
        except BaseException:  # noqa: BLE001 - a forked child must end here, whatever it was
            traceback.print_exc()
            os._exit(99)
    os.close(inlet)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(outlet, "rb") as pipe:
        reported = pipe.read().decode().splitlines()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), reported


def plant(fault: Fault | None) -> list[int]:
    """Make the n-th operation on the disk of this process go wrong. Returns a counter in a list."""
    count = [0]

    def wrapped(name: str) -> Callable[..., Any]:
        real = REAL[name]

        def operation(*args: Any, **more: Any) -> Any:
            if name == "open" and not args[1] & os.O_CREAT:
                return real(*args, **more)
            step, count[0] = count[0], count[0] + 1
            if fault is not None and step >= fault.step and name != "unlink":
                if fault.kind == "full":
                    raise OSError(errno.ENOSPC, "planted")
                if step == fault.step and fault.kind == "error":
                    raise OSError(errno.EIO, "planted")
                if step == fault.step:
                    if fault.kind == "half" and name == "write":
                        real(args[0], bytes(args[1])[: len(args[1]) // 2])
                    os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **more)

        return operation

    for name in REAL:
        setattr(os, name, wrapped(name))
    return count


@dataclass(frozen=True)
class Scene:
    """A card, an untouched case and its key, and a temporary folder that everything must keep clean."""

    root: Path
    card: Path
    fresh: Path
    key: Path
    temporary: Path

    @classmethod
    def made(cls, root: Path) -> Scene:
        """A new scene below ``root``."""
        card, temporary = root / "card", root / "tmp"
        write_card(card)
        temporary.mkdir()
        case, key = write_case(root)
        return cls(root, card, case, key, temporary)

    def steps(self) -> int:
        """How many operations on the disk an undisturbed intake takes."""
        case = self.copy()

        def work(report: int) -> int:
            count = plant(None)
            status = take_in(case, self.key, self.card, report)
            REAL["write"](report, f"{count[0]}\n".encode())
            return status

        status, reported = forked(work)
        assert status == 0, reported
        shutil.rmtree(case)
        return int(reported[-1])

    def seconds(self) -> float:
        """How long an undisturbed intake takes."""
        case, began = self.copy(), time.monotonic()
        forked(lambda report: take_in(case, self.key, self.card, report))
        return time.monotonic() - began

    def copy(self) -> Path:
        """A fresh case."""
        case = self.root / "work"
        shutil.rmtree(case, ignore_errors=True)
        shutil.copytree(self.fresh, case)
        return case

    def turn(self, fault: Fault | None, seconds: float | None = None) -> int:
        """One intake with a fault, or killed after ``seconds``, then one without; raises AssertionError on any loss."""
        case = self.copy()

        def work(report: int) -> int:
            tempfile.tempdir = str(self.temporary)
            if fault is not None:
                plant(fault)
            return take_in(case, self.key, self.card, report)

        status, reported = forked(work, seconds)
        assert not (found := self.plain(case)), f"plain bytes in {found}"
        again, finished = forked(lambda report: take_in(case, self.key, self.card, report))
        assert again == 0, f"the second intake refused: {finished}"
        done = {line for line in reported if not line.startswith("SL-") and not line.endswith("None")}
        assert done <= set(finished), f"lost: {done - set(finished)}"
        clips = {line.split()[1] for line in finished}
        assert (len(finished), clips) == (4, {"1", "2", "3"}), finished
        report = examine(case, identity=self.key, ask=lambda _: None, older=[])
        assert report.whole, report.problems
        assert report.originals == 3
        assert not (found := self.plain(case)), f"plain bytes in {found}"
        assert not list((case / "work").iterdir())
        return status

    def plain(self, case: Path) -> list[Path]:
        """Files of the case or the temporary folder that hold a marker or are named by one."""
        return [
            path
            for folder in (case, self.temporary)
            for path in folder.rglob("*")
            if NAME in path.name or (path.is_file() and any(m in path.read_bytes() for m in (MARKER, NAME.encode())))
        ]


def faults(steps: int, every: int) -> Iterator[Fault]:
    """Every kind of fault at every n-th step."""
    for step in range(0, steps, every):
        for kind in ("kill", "half", "full", "error"):
            yield Fault(kind, step)


def main() -> None:
    """Print how the turns ended; a loss ends it with a traceback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=500, help="kills at random moments")
    parser.add_argument("--every", type=int, default=1, help="faults at every n-th operation on the disk")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene.made(Path(folder))
        steps = scene.steps()
        print(f"{steps} operations on the disk in one intake")
        ended = Counter(f"{fault.kind}: {scene.turn(fault)}" for fault in faults(steps, options.every))
        length = scene.seconds()
        for _ in range(options.times):
            ended[f"random: {scene.turn(None, random.uniform(0, length))}"] += 1
        print(dict(ended), file=sys.stdout)
        print("nothing was lost, no plain byte was left, every case was whole")


if __name__ == "__main__":
    main()
