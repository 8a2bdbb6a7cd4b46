"""Opening originals: what is refused, what is left alone, what a name may do."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from safelight.errors import Code, SafelightError
from safelight.inputs import Original, expand, printable


def refused(path: Path) -> Code:
    with pytest.raises(SafelightError) as error, Original(path):
        pass
    assert error.value.file
    return error.value.code


def test_hash_is_the_files_hash(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(os.urandom(3_000_001))
    with Original(path) as original:
        seen: list[int] = []
        assert original.sha256(seen.append) == hashlib.sha256(path.read_bytes()).hexdigest()
        assert seen[-1] == original.size == 3_000_001


def test_what_cannot_be_an_original_is_refused_with_its_own_code(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "missing") is Code.NOT_FOUND
    assert refused(tmp_path / "empty") is Code.EMPTY
    assert refused(tmp_path / "pipe") is Code.NOT_A_FILE  # and does not wait for a writer
    assert refused(tmp_path) is Code.NOT_A_FILE
    assert refused(Path("/dev/null")) is Code.NOT_A_FILE
    assert refused(tmp_path / "zero\0byte") is Code.NOT_FOUND
    assert refused(tmp_path / ("x" * 5000)) is Code.NOT_FOUND


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")
    path.chmod(0)
    assert refused(path) is Code.NO_PERMISSION


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"before")
    with Original(path) as original:
        original.require_unchanged()
        path.write_bytes(b"afterwards")
        with pytest.raises(SafelightError) as error:
            original.require_unchanged()
    assert error.value.code is Code.CHANGED


def test_folders_are_walked_and_nothing_in_them_is_passed_over_but_litter(tmp_path: Path) -> None:
    for name in ("b/2.mp4", "b/notes.txt", "b/.hidden", "a/1", "a/.DS_Store", "a/._1", "out/1.safelight.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "b" / "round").symlink_to(tmp_path)  # a loop
    items = list(expand([tmp_path, tmp_path / "b/2.mp4"], leave_out=tmp_path / "out"))
    assert [str(item.below / item.path.name) for item in items] == [
        "a/1",
        "b/.hidden",
        "b/2.mp4",
        "b/notes.txt",
        "2.mp4",
    ]


@pytest.mark.parametrize(
    "name", ["two\nlines", "\x1b[31mred", "mark\u202eup", b"latin-\xe9".decode("utf-8", "surrogateescape"), "tab\t"]
)
def test_a_printed_name_is_one_harmless_line(name: str) -> None:
    text = printable(Path(name))
    assert text.isprintable()
    text.encode()


def test_ordinary_names_are_printed_as_they_are() -> None:
    assert printable(Path("شاهد 12 (ö).mp4")) == "شاهد 12 (ö).mp4"
