"""What all tests share."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in workers: its threads wait busily for one another
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("safelight", deadline=None)  # a busy machine is no failure
settings.load_profile("safelight")


@pytest.fixture(scope="session")
def shared_media() -> Path:
    """Folder of real footage with ground truth; tests that need it are skipped where it is missing."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "media"
    folder = Path(os.environ.get("SAFELIGHT_TEST_MEDIA", beside))
    if not (folder / "video").is_dir():
        pytest.skip("the shared test media are not on this machine (set SAFELIGHT_TEST_MEDIA)")
    return folder
