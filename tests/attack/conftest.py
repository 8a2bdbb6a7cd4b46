from __future__ import annotations

from pathlib import Path

import pytest

from safelight import models
from safelight.errors import SafelightError
from tests.attack import plant


@pytest.fixture(scope="session")
def weights() -> None:
    """Skip where the attackers' networks have not been fetched."""
    try:
        models.require("find")
        models.require("attack")
    except SafelightError as error:
        pytest.skip(f"{error.code}: run `safelight models fetch`")


@pytest.fixture(scope="session")
def scene(shared_media: Path, tmp_path_factory: pytest.TempPathFactory) -> plant.Scene:
    """Twelve pictures of a singer and a pianist, with sound, tags and a plan."""
    return plant.scene(
        tmp_path_factory.mktemp("scene"),
        shared_media / "video" / "short_hamilton_clip.mp4",
        shared_media / "groundtruth" / "hamilton_stage.faces.json",
        100,
        12,
    )


@pytest.fixture(scope="session")
def clean(scene: plant.Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy that the plan asks for."""
    return plant.copy_of(scene, tmp_path_factory.mktemp("clean") / "clean.mp4")
