"""What tests of finding share."""

from __future__ import annotations

import pytest

from safelight import models
from safelight.errors import SafelightError
from safelight.find import Finders
from safelight.find.faces import CenterFace, YuNet
from safelight.find.text import TextFinder


@pytest.fixture(scope="session")
def weights() -> None:
    """Skips where the weights of finders are missing."""
    try:
        models.require("find")
    except SafelightError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def finder(weights: None) -> TextFinder:
    """The finder of words, as shipped."""
    return TextFinder()


@pytest.fixture(scope="session")
def finders(weights: None) -> Finders:
    """Both face finders, as `protect` uses them."""
    return Finders(YuNet(threshold=0.3), CenterFace(threshold=0.2))
