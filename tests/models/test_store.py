from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.made_up import a_weight
from safelight.errors import Code, SafelightError
from safelight.models import store

DATA = b"0123456789" * 100
WEIGHT = a_weight("lamp", DATA)


def refusal(path: Path) -> Code:
    """Why it is refused: by whoever wants its bytes, and by whoever only wants to know that they are there."""
    codes = set()
    for ask in (store.load, store.check):
        with pytest.raises(SafelightError) as caught:
            ask(WEIGHT)
        assert caught.value.file == str(path)
        codes.add(caught.value.code)
    (code,) = codes
    return code


def test_what_is_saved_is_loaded(store_folder: Path) -> None:
    path = store.save(WEIGHT, DATA)
    assert path.parent == store_folder
    assert store.load(WEIGHT) == DATA
    assert store.inspect(WEIGHT) == (store.State.READY, None)
    assert [path.name for path in store_folder.iterdir()] == [WEIGHT.file]
    assert store_folder.stat().st_mode & 0o777 == 0o700


def test_missing(store_folder: Path) -> None:
    assert refusal(store_folder / WEIGHT.file) is Code.WEIGHTS_MISSING
    assert store.inspect(WEIGHT)[0] is store.State.MISSING


def test_a_file_where_the_folder_should_be(store_folder: Path) -> None:
    store_folder.write_text("not a folder")
    assert refusal(store_folder / WEIGHT.file) is Code.WEIGHTS_MISSING
    with pytest.raises(SafelightError) as caught:
        store.save(WEIGHT, DATA)
    assert caught.value.code is Code.NOT_WRITABLE


@pytest.mark.parametrize(
    "data", [b"", DATA[:-1], DATA + b"x", b"x" + DATA[1:], DATA[:500] + bytes([DATA[500] ^ 1]) + DATA[501:]]
)
def test_one_wrong_bit_and_it_is_refused_at_every_load(
    store_folder: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = store.save(WEIGHT, DATA)
    monkeypatch.setattr(store, "_PIECE", 300)
    path.write_bytes(data)
    for _ in range(2):
        assert refusal(path) is Code.WEIGHTS_CHANGED
    assert store.inspect(WEIGHT)[0] is store.State.CHANGED
    store.save(WEIGHT, DATA)
    assert store.load(WEIGHT) == DATA


def test_a_pipe_or_a_folder_under_its_name_neither_hangs_nor_passes(store_folder: Path) -> None:
    store_folder.mkdir()
    path = store_folder / WEIGHT.file
    os.mkfifo(path)
    assert refusal(path) is Code.WEIGHTS_CHANGED
    path.unlink()
    path.mkdir()
    assert refusal(path) is Code.WEIGHTS_CHANGED


def test_wrong_bytes_are_never_saved(store_folder: Path) -> None:
    with pytest.raises(SafelightError) as caught:
        store.save(WEIGHT, DATA[::-1])
    assert caught.value.code is Code.WEIGHTS_CHANGED
    assert not store_folder.exists()


def test_a_write_that_breaks_off_leaves_nothing(store_folder: Path) -> None:
    """In a process of its own that may not write files as large as the weight."""
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400))\n"
        "from models.made_up import a_weight; from safelight.models import store\n"
        f"data = {DATA!r}; store.save(a_weight('lamp', data), data)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert "SL-NOT-WRITABLE" in ran.stderr
    assert [path.name for path in store_folder.iterdir()] == []


def test_require_checks_the_whole_group(store_folder: Path) -> None:
    with pytest.raises(SafelightError) as caught:
        store.require("find")
    assert caught.value.code is Code.WEIGHTS_MISSING
    assert "yunet" in str(caught.value.file)


def test_where_the_store_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("SAFELIGHT_WEIGHTS", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert store.folder() == tmp_path / ".cache/safelight/weights"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert store.folder() == tmp_path / ".cache/safelight/weights"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert store.folder() == tmp_path / "cache/safelight/weights"
    monkeypatch.setenv("SAFELIGHT_WEIGHTS", "~/own")
    assert store.folder() == tmp_path / "own"
