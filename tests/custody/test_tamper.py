"""Every file of a case is spoilt in every way, one at a time, and each is named; an untouched case raises no alarm."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from custody.conftest import Desk
from safelight.custody.verify import Report, examine

Spoil = Callable[[Path, Path], None]


def flip(place: int) -> Spoil:
    def spoil(path: Path, _: Path) -> None:
        data = bytearray(path.read_bytes())
        data[place * (len(data) - 1) // 4] ^= 1
        path.write_bytes(data)

    return spoil


def cut(path: Path, _: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(path: Path, _: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def delete(path: Path, _: Path) -> None:
    path.unlink()


def swap(path: Path, other: Path) -> None:
    """Exchange two files of one kind."""
    mine, theirs = path.read_bytes(), other.read_bytes()
    path.write_bytes(theirs)
    other.write_bytes(mine)


def replay(path: Path, other: Path) -> None:
    """Put another file of the same kind in its place."""
    path.write_bytes(other.read_bytes())


WAYS: dict[str, Spoil] = {
    **{f"flip {place}": flip(place) for place in range(5)},
    "cut": cut,
    "lengthen": lengthen,
    "delete": delete,
    "swap": swap,
    "replay": replay,
}


def check(desk: Desk, **more) -> Report:
    return examine(desk.case, identity=desk.key, ask=lambda _: None, older=[], **more)


def files(case: Path) -> list[Path]:
    return sorted(path for path in case.rglob("*") if path.is_file())


def named(report: Report, case: Path, path: Path) -> bool:
    name = path.relative_to(case).as_posix()
    # an entry that is gone is named by its number: what its hash was is not known any more
    return any(problem.file in (name, name.split(".")[0]) for problem in report.problems)


@pytest.mark.parametrize("way", WAYS)
def test_every_file_spoilt_is_named(filled: Desk, tmp_path: Path, way: str) -> None:
    desk = filled.copy(tmp_path)
    whole = {path: path.read_bytes() for path in files(desk.case)}
    assert len(whole) >= 40
    missed = []
    for path in whole:
        alike = [other for other in whole if other.suffix == path.suffix and whole[other] != whole[path]]
        other = alike[hash(path.name) % len(alike)] if alike else desk.case / "control"
        WAYS[way](path, other)
        if path.exists() and path.read_bytes() == whole[path]:
            continue  # swapped with its like: nothing was changed
        report = check(desk)
        if not named(report, desk.case, path):
            missed.append((path.relative_to(desk.case), report.sentence))
        for one in (path, other):
            one.write_bytes(whole[one])
    assert not missed
    assert check(desk).whole


def test_every_file_rolled_back_is_named(desk: Desk, tmp_path: Path) -> None:
    """Each file as it was before the last acts, all others as they are now; and files that came since removed."""
    desk.take_in()
    with desk.open() as case:
        case.seal_documents(case.clip("1"), {"plan": b"one"}, "plan changed")
    old = tmp_path / "old"
    shutil.copytree(desk.case, old)
    with desk.open() as case:
        case.seal_documents(case.clip("1"), {"plan": b"two"}, "plan changed")
        case.add_member("boris", recipient=str(case.keys.to), passphrase=None)
    new = {path: path.read_bytes() for path in files(desk.case)}
    changed = 0
    for path, data in new.items():
        before = old / path.relative_to(desk.case)
        if before.exists() and before.read_bytes() == data:
            continue
        changed += 1
        path.write_bytes(before.read_bytes()) if before.exists() else path.unlink()
        assert named(check(desk), desk.case, path), path
        path.write_bytes(data)
    assert changed > 8
    assert check(desk).whole


def test_a_whole_case_rolled_back_is_told_by_a_checkpoint_that_somebody_kept(desk: Desk, tmp_path: Path) -> None:
    desk.take_in()
    shutil.copytree(desk.case, tmp_path / "old")
    with desk.open() as case:
        case.seal_documents(case.clip("1"), {"plan": b"two"}, "plan changed")
        kept = case.signed_checkpoint
    back = Desk(tmp_path / "old", desk.key, desk.card)
    report = examine(back.case, identity=desk.key, ask=lambda _: None, older=[kept])
    assert "rolled back" in report.sentence
    assert examine(desk.case, identity=desk.key, ask=lambda _: None, older=[kept]).whole
    with back.open() as case:  # and written on, until it is longer than it was
        for word in ("three", "four", "five"):
            case.seal_documents(case.clip("1"), {"plan": word.encode()}, "plan changed")
    assert "rewritten" in examine(back.case, identity=desk.key, ask=lambda _: None, older=[kept]).sentence


def test_a_strange_file_is_named(filled: Desk, tmp_path: Path) -> None:
    desk = filled.copy(tmp_path)
    for name in ("note.txt", "store/x", "log/entries/00000099." + "0" * 64 + "." + "0" * 32 + ".age", "keys/more.age"):
        (desk.case / name).write_bytes(b"x")
        report = check(desk)
        assert not report.whole
        assert any(problem.file.startswith(name.split(".")[0][:20]) for problem in report.problems), report.problems
        (desk.case / name).unlink()


def test_an_untouched_case_raises_no_alarm_with_or_without_a_key(filled: Desk, tmp_path: Path) -> None:
    desk = filled.copy(tmp_path)
    for _ in range(3):
        assert check(desk).sentence.startswith("The case is whole: 3 originals")
    assert "without a key" in check(desk, without_key=True).sentence


def test_a_damaged_original_is_told_with_the_time_it_was_right(filled: Desk, tmp_path: Path) -> None:
    desk = filled.copy(tmp_path)
    assert check(desk).whole
    original = next(desk.case.rglob("original.age"))
    flip(2)(original, original)
    report = check(desk)
    assert [problem.file for problem in report.problems] == [original.relative_to(desk.case).as_posix()]
    assert report.problems[0].since >= "2026"
    without = check(desk, without_key=True)
    assert [problem.file for problem in without.problems] == [problem.file for problem in report.problems]
