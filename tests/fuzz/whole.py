"""Mutants through the whole of `protect`: the real program, with a worker that stays (:mod:`tests.fuzz.standing`).

Each mutant is a file of its own: found in, hidden in and attacked; with every other one damage is accepted. Findings: a
mistake of ours (SL-BUG), a worker that died, hung or said what it must not, more time than allowed, a copy that is not
what its account says, has other frames than were planned or something of the source in it, anything left that should
not be there.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

import av
from examples.clip import write_clip

from safelight.account import Account, Options
from safelight.batch import attempt
from safelight.errors import Code
from safelight.outputs import Names
from safelight.plan import Asked, Effort, Plan
from safelight.workers.crew import Hands
from tests.fuzz.herd import MARK, SECONDS, Tally, seeds
from tests.fuzz.mutate import mutant
from tests.fuzz.standing import Standing

# No worker may end in one of these ways, whatever it reads. SL-WORKER-GREW is allowed: the limit is there for that.
_WRONG = (Code.BUG, Code.WORKER_DIED, Code.WORKER_LIED, Code.WORKER_TIMEOUT, Code.INTERRUPTED)


class _Silent:
    def stage(self, name: str) -> None:
        """Nobody looks."""

    def progress(self, done: int, total: int | None) -> None:
        """Nobody looks."""


def whole_seeds(folder: Path) -> list[bytes]:
    """Those of the parsers' herd, and one in which somebody is seen."""
    write_clip(folder / "somebody.mp4", 192, 108, 0.12)
    return [*seeds(folder), (folder / "somebody.mp4").read_bytes()]


def drive_whole(first: int, count: int) -> Tally:
    """Drive ``count`` mutants from number ``first`` on through `protect`."""
    with tempfile.TemporaryDirectory() as name:
        herd = whole_seeds(Path(name))
        return drive_files((number, mutant(herd, number)) for number in range(first, first + count))


def drive_files(files: Iterable[tuple[int, bytes]], seconds_each: float = SECONDS) -> Tally:
    """Drive these files, each with its number, through `protect`. ``seconds_each``: of the processor, at most."""
    tally = Tally()
    with Standing() as standing:
        for number, data in files:
            before, starts = standing.spent(), standing.starts
            outcome, finding = _tried(data, number % 2 == 1)
            if outcome == Code.WORKER_TIMEOUT.value:  # by the clock: the machine may have been busy with other things
                outcome, finding = _tried(data, number % 2 == 1)
            seconds = standing.spent() - (before if standing.starts == starts else 0.0)
            if seconds > seconds_each:
                finding = finding or f"it took {seconds:.0f} seconds of the processor"
            tally.outcomes[outcome] += 1
            tally.told[number] = outcome
            tally.slowest = max(tally.slowest, seconds)
            if finding:
                tally.findings[number] = finding
    return tally


def _tried(data: bytes, accept: bool) -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as room:
        return _one(data, accept, Path(room))


def _one(data: bytes, accept: bool, room: Path) -> tuple[str, str]:
    """What became of one file, and what is wrong with that (empty: nothing)."""
    source, out = room / "clip", room / "out"
    source.write_bytes(data)
    options = Options(asked=Asked(effort=Effort.QUICK), accept_damaged=accept)
    result = attempt(source, Names(out, "clip"), options, _Silent(), threading.Event(), Hands())
    if source.read_bytes() != data:
        return "original changed", "the original was changed"
    if result.refusal is not None:
        code = result.refusal.code
        return code.value, f"{code}: {result.refusal.detail}" if code in _WRONG else _wrong_refusal(out)
    return "protected", _wrong_result(data, out)


def _wrong_refusal(out: Path) -> str:
    """A refused clip has no copy and no account, and nothing private is left."""
    left = sorted(path.name for path in out.iterdir()) if out.exists() else []
    allowed = {"clip.safelight-plan.json", "clip.safelight-report.html", "clip.safelight-report.json"}
    wrong = set(left) - allowed
    return f"refused, and there is {sorted(wrong)}" if wrong else ""


def _wrong_result(data: bytes, out: Path) -> str:
    account = Account.load(out / "clip.safelight.json")
    if account is None or account.source.sha256 != hashlib.sha256(data).hexdigest():
        return "there is no account of it"
    for facts in (account.copy_, account.plan):
        if hashlib.sha256((out / facts.name).read_bytes()).hexdigest() != facts.sha256:
            return f"{facts.name} is not what the account says"
    if list(out.glob(".*")):
        return "something private was left"
    made = (out / account.copy_.name).read_bytes()
    if MARK in made:
        return "the copy holds something of the source"
    try:
        with av.open(io.BytesIO(made)) as copy:
            frames = sum(1 for _ in copy.decode(video=0))
    except av.FFmpegError as error:
        return f"the copy cannot be read: {error}"
    planned = Plan.load(out / account.plan.name).clip.frames
    if not frames == planned == account.frames.written == account.frames.read:
        return f"{planned} pictures were planned, {account.frames} accounted for, the copy has {frames}"
    return ""
