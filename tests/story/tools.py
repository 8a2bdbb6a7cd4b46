"""Programs of the npm registry that check pages, fetched once by npm, known by hash, unpacked and never installed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

AXE = ("axe-core", "4.14.1", "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745", "package/axe.min.js")
VNU = (
    "vnu-jar",
    "26.9.27",
    "5970d3ffca91a627cf0965e5d91bb2e4242307c29292998de0b419d6a901b2b7",
    "package/build/dist/vnu.jar",
)


def tool(name: str, version: str, sha256: str, member: str) -> Path:
    """A file of a package; the test is skipped aloud where npm is missing or cannot fetch it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "safelight-tests"
    kept = cache / f"{name}-{version}-{Path(member).name}"
    if kept.is_file():
        return kept
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip(f"npm is not installed; {name} checks pages")
    cache.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [npm, "pack", f"{name}@{version}", "--ignore-scripts", "--silent", "--pack-destination", str(cache)],
        capture_output=True,
        check=False,
        timeout=240,
    )
    archive = cache / f"{name}-{version}.tgz"
    if done.returncode or not archive.is_file():
        pytest.skip(f"npm could not fetch {name} {version}")
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == sha256
    with tarfile.open(archive) as opened:
        found = opened.extractfile(member)
        assert found is not None
        making = kept.with_suffix(".making")
        making.write_bytes(found.read())
    making.replace(kept)
    archive.unlink()
    return kept


def java() -> str:
    """The Java program; the test is skipped aloud where there is none."""
    program = shutil.which("java")
    if program is None:
        pytest.skip("Java is not installed; the checker of HTML needs it")
    return program
