"""A short herd of mutants in every run of the tests; the long one is ``python -m benchmarks.fuzz``."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from safelight.account import Options
from safelight.batch import Result
from safelight.cli.show import Display
from safelight.errors import Code, SafelightError
from safelight.inputs import expand
from safelight.outputs import Names
from safelight.scale.run import work_off
from safelight.scale.table import JobTable
from tests.fuzz import herd, whole
from tests.fuzz.mutate import mutant, parts


def test_a_herd_of_mutants_gets_refusals_or_copies() -> None:
    tally = herd.drive(0, 300)
    assert not tally.findings
    assert tally.total == 300
    assert tally.outcomes["read"] > 30  # not all are broken beyond reading, or nothing much was tried
    assert len(tally.outcomes) > 4


def test_every_seed_is_seen_as_parts_and_read(tmp_path: Path) -> None:
    """Otherwise the mutants would be broken everywhere and nowhere in particular."""
    for number, seed in enumerate(herd.seeds(tmp_path)):
        assert len(parts(seed)) > 5, number
        assert herd.MARK in seed, number


def test_the_same_number_gives_the_same_mutant(tmp_path: Path) -> None:
    made = herd.seeds(tmp_path)
    assert mutant(made, 7) == mutant(made, 7) != mutant(made, 8)


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        ("import ctypes; ctypes.string_at(0)", "ended with -11"),
        ("time.sleep(60)", "no end"),
        ("raise KeyError('x')", "KeyError"),
        ("return 'read', 'wrong'", "wrong"),
    ],
)
def test_findings_are_found(body: str, finding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser that crashes, hangs or lets an error through, at one mutant of three."""
    house = Path(herd.__file__).parent
    changed = tmp_path / "tests" / "fuzz"
    changed.mkdir(parents=True)
    for place in (changed, changed.parent):
        (place / "__init__.py").touch()
    (changed / "mutate.py").write_text((house / "mutate.py").read_text())
    text = (house / "herd.py").read_text()
    patched = text.replace('if __name__ == "__main__":', _taken_over(body) + '\n\nif __name__ == "__main__":')
    (changed / "herd.py").write_text(patched)
    monkeypatch.setattr(herd, "ROOT", tmp_path)
    tally = herd.drive(0, 3, seconds=3)
    assert list(tally.findings) == [1]
    assert finding in tally.findings[1]
    assert tally.total == 3


def _taken_over(body: str) -> str:
    return (
        "_calls = []\n\n\ndef examine(data):\n    _calls.append(1)\n"
        f"    if len(_calls) == 2:\n        {body}\n    return 'read', ''\n"
    )


def test_a_herd_goes_through_the_whole_of_protect() -> None:
    """`python -m benchmarks.fuzz --whole` is the long one."""
    tally = whole.drive_whole(0, 60)
    assert not tally.findings
    assert tally.outcomes["protected"] > 5
    assert len(tally.outcomes) > 3


def test_what_is_wrong_after_protect_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that dies of an input, a copy that is another than the account says, something left over."""
    film = tmp_path / "film"
    film.write_bytes(herd.seeds(tmp_path)[0])
    honest = whole.attempt

    def spoilt(path: Path, names: Names, *more: Any) -> Result:
        result = honest(path, names, *more)
        names.copy(".mp4").write_bytes(b"another")
        return result

    def refused(path: Path, names: Names, *more: Any) -> Result:
        honest(path, names, *more)
        return Result(path, None, SafelightError(Code.DAMAGED, "It is not, and the copy is there."))

    def died(path: Path, *_: Any) -> Result:
        return Result(path, None, SafelightError(Code.WORKER_DIED, "The worker ended by signal 11."))

    for broken, told in ((spoilt, "not what the account says"), (refused, "and there is"), (died, "signal 11")):
        monkeypatch.setattr(whole, "attempt", broken)
        assert told in whole.drive_files([(0, film.read_bytes())]).findings[0]


@pytest.mark.slow
def test_a_batch_of_mutants_goes_through_protect(tmp_path: Path) -> None:
    """The whole program: parent alive, a code or a copy for each, nothing half-done left."""
    card, out = tmp_path / "card", tmp_path / "out"
    for folder in (card, tmp_path / "seeds"):
        folder.mkdir()
    made = herd.seeds(tmp_path / "seeds")
    for number in range(12):
        (card / f"{number:03d}").write_bytes(mutant(made, number))
    with Display(Console(stderr=True), quiet=True) as display, JobTable.beside(out) as table:
        numbers = table.add(expand([card]), out, Options())
        results = list(work_off(table, numbers, jobs=2, watch=display.watch, cancel=threading.Event()))
    assert len(results) == 12
    assert not [r for r in results if r.refusal is not None and r.refusal.code is Code.BUG]
    copies = {p.name.split(".")[0] for p in out.glob("*.safelight.*") if p.suffix in (".mp4", ".png", ".jpg")}
    assert copies == {r.path.name for r in results if r.outcome is not None}
    assert not list(out.glob(".safelight-*"))
