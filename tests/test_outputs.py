"""Names, the private folder, and publishing at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from safelight.errors import Code, SafelightError
from safelight.outputs import PRIVATE, memory_folder, names_for, private_folder, publish, writing


def test_two_clips_of_one_stem_get_two_names(tmp_path: Path) -> None:
    taken: set[str] = set()
    first = names_for(Path("x/clip.mp4"), tmp_path, taken)
    second = names_for(Path("x/CLIP.avi"), tmp_path, taken)
    assert first.copy(".mp4").name == "clip.safelight.mp4"
    assert second.copy(".mp4").name == "CLIP.avi.safelight.mp4"
    with pytest.raises(SafelightError) as error:
        names_for(Path("y/clip.avi"), tmp_path, taken)
    assert error.value.code is Code.IN_THE_WAY
    names_for(Path("y/clip.mp4"), tmp_path / "y", taken)


def test_the_private_folder_is_gone_afterwards_also_after_a_failure(tmp_path: Path) -> None:
    def fail() -> None:
        with private_folder(tmp_path / "new") as folder:
            (folder / "copy.mp4").write_text("half")
            assert folder.stat().st_mode & 0o077 == 0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list((tmp_path / "new").iterdir()) == []


def test_what_a_killed_run_left_is_swept_and_what_a_running_one_holds_is_not(tmp_path: Path) -> None:
    program = (
        "import sys, time, pathlib; from safelight.outputs import private_folder\n"
        "with private_folder(pathlib.Path(sys.argv[1])) as f:\n print(f, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        held = Path(other.stdout.readline().strip())
        with private_folder(tmp_path):
            assert held.is_dir()
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert held.is_dir()
        deadline = time.monotonic() + 10
        while held.exists() and time.monotonic() < deadline:
            with private_folder(tmp_path):
                pass
    assert not list(tmp_path.glob(PRIVATE + "*"))


def test_published_files_appear_whole_and_replace_older_ones(tmp_path: Path) -> None:
    (tmp_path / "made").write_text("new")
    (tmp_path / "final").write_text("old")
    publish([(tmp_path / "made", tmp_path / "final")])
    assert (tmp_path / "final").read_text() == "new"
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(("number", "code"), [(28, Code.DISK_FULL), (13, Code.NOT_WRITABLE), (30, Code.NOT_WRITABLE)])
def test_failures_to_write_are_told_apart(number: int, code: Code, tmp_path: Path) -> None:
    with pytest.raises(SafelightError) as error, writing(tmp_path):
        raise OSError(number, os.strerror(number))
    assert error.value.code is code


def test_a_file_where_the_folder_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SafelightError) as error, private_folder(tmp_path / "file"):
        pass
    assert error.value.code is Code.NOT_WRITABLE


def test_what_is_opened_in_memory_lies_on_a_tmpfs_wherever_the_system_names_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        inside = memory_folder()
    except SafelightError as error:
        pytest.skip(str(error))
    (inside / "room").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(inside / "room"))
    assert memory_folder() == inside / "room"
    if tmp_path.stat().st_dev != inside.stat().st_dev:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))  # a disk
        assert memory_folder() == Path("/dev/shm")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "")
    assert memory_folder() == Path("/dev/shm")
