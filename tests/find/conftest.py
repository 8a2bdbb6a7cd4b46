"""What tests of finding share."""

from __future__ import annotations

import pytest

from safelight import models
from safelight.errors import SafelightError
from safelight.find.text import TextFinder


@pytest.fixture(scope="session")
def finder() -> TextFinder:
    """The finder of words, as shipped; skipped where the weights are missing."""
    try:
        models.require("find")
    except SafelightError as error:
        pytest.skip(str(error))
    return TextFinder()
