from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from safelight.story import gate
from safelight.story.copies import Copies, CopyFacts
from safelight.story.gate import Report, examine
from safelight.story.source import read_story
from safelight.words import Document, read
from tests.story import folders


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A story that passes the gate. Not to be changed."""
    return folders.make(tmp_path_factory.mktemp("whole") / "story")


@pytest.fixture
def story(whole: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    shutil.copytree(whole, tmp_path / "story")
    return tmp_path / "story"


@pytest.fixture(scope="session")
def seen() -> dict[tuple[str, str], Document]:
    """What files said, by name and content: a file that did not change is read once for all tests."""
    return {}


@pytest.fixture(scope="session")
def measured() -> dict[str, CopyFacts]:
    return {}


@pytest.fixture
def examined(
    seen: dict[tuple[str, str], Document], measured: dict[str, CopyFacts], monkeypatch: pytest.MonkeyPatch
) -> Callable[[Path], Report]:
    """The gate over a folder."""

    def once(path: Path, *, name: str) -> Document:
        key = (name, hashlib.sha256(path.read_bytes()).hexdigest())
        if key not in seen:
            seen[key] = read(path, name=name)
        return seen[key]

    def run(folder: Path) -> Report:
        monkeypatch.setattr(gate, "read", once)
        told = read_story(folder)
        copies = Copies(told)
        digest = hashlib.sha256((folder / "clips" / "road.safelight.mp4").read_bytes()).hexdigest()
        if digest in measured:
            copies._facts["road"] = measured[digest]
        report = examine(told, folders.ROSTER, copies)
        measured.setdefault(digest, copies.of("road"))
        return report

    return run
