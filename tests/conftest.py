"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_media() -> Path:
    """A folder of real clips that is not part of the repository."""
    named = os.environ.get("SAFELIGHT_TEST_MEDIA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "media"
    if not folder.is_dir():
        pytest.skip("real clips are missing: set SAFELIGHT_TEST_MEDIA to their folder")
    return folder
