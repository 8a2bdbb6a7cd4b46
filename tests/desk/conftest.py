from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desk.folders import Browser, desk_of, put
from safelight.desk.app import Desk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one clip of 60 numbered frames, a cut at 40 and its plan."""
    put(tmp_path, cuts=[40])
    return tmp_path


@pytest.fixture
def desk(folder: Path) -> Iterator[Desk]:
    made = desk_of(folder)
    yield made
    made.close()


@pytest.fixture
def browser(desk: Desk) -> Browser:
    return Browser(desk)
