"""The page that is shipped is the one that its sources make."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "frontend"
STATIC = ROOT / "src" / "safelight" / "desk" / "static"
MOST = 300_000  # bytes of everything a browser loads


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_page_is_part_of_the_package_and_small() -> None:
    installed = resources.files("safelight.desk") / "static"
    assert (installed / "index.html").is_file()
    assert sum(len(data) for data in files(STATIC).values()) < MOST


def test_the_bundle_is_what_the_sources_make(tmp_path: Path) -> None:
    vite = FRONTEND / "node_modules" / ".bin" / "vite"
    if shutil.which("node") is None or not vite.exists():
        pytest.skip("Node or the page's packages are not installed (cd frontend && npm ci)")
    built = tmp_path / "static"
    for command in (
        ["npx", "--no-install", "tsc", "--noEmit"],
        [str(vite), "build", "--outDir", str(built), "--emptyOutDir", "--logLevel", "error"],
    ):
        done = subprocess.run(command, cwd=FRONTEND, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert files(built) == files(STATIC), "run: cd frontend && npm run build"


def test_the_lock_names_no_address_and_every_hash() -> None:
    text = (FRONTEND / "package-lock.json").read_text(encoding="utf-8")
    assert "http" not in text
    for name, package in json.loads(text)["packages"].items():
        assert not name or package.get("integrity", "").startswith("sha512-"), name
