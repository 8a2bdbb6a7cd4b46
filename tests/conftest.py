"""What all tests share."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in workers: its threads wait busily for one another
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from safelight.errors import SafelightError
from safelight.outputs import memory_folder

settings.register_profile("safelight", deadline=None)  # a busy machine is no failure
settings.load_profile("safelight")


@pytest.fixture(scope="module", autouse=True)
def own_memory() -> Iterator[None]:
    """A folder in memory of their own for each file of tests: what other tests at work lay there is not theirs."""
    with pytest.MonkeyPatch.context() as patched:
        try:
            folder = tempfile.TemporaryDirectory(prefix="safelight-tests-", dir=memory_folder())
        except SafelightError:
            yield  # a system without such a folder
            return
        with folder as place:
            patched.setenv("XDG_RUNTIME_DIR", place)
            yield


@pytest.fixture(scope="session")
def shared_media() -> Path:
    """Folder of real footage with ground truth; tests that need it are skipped where it is missing."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "media"
    folder = Path(os.environ.get("SAFELIGHT_TEST_MEDIA", beside))
    if not (folder / "video").is_dir():
        pytest.skip("the shared test media are not on this machine (set SAFELIGHT_TEST_MEDIA)")
    return folder
