"""The camera's own noise: treated copies hold, untreated and half-treated ones do not; bent copies can be compared."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from safelight.attack.fill import Fill
from safelight.attack.prnu import Tally, block_z, pce, residual
from safelight.attack.run import attack
from safelight.attack.sensor import Sensor
from safelight.attack.timing import Timing
from safelight.attack.verdict import Finding, Outcome
from safelight.geometry import Box
from safelight.hide.apply import apply
from safelight.hide.sensor import RECIPES
from safelight.hide.warp import KEY_BYTES
from safelight.media.read import Reader
from safelight.plan import Plan, Shape
from safelight.plan import Sensor as Strength
from tests.attack import plant
from tests.hide.clips import Format, plan_for, region, write_clip

KEY = bytes(range(KEY_BYTES))
FRAMES = 48


def paint(index: int, planes: list[NDArray[np.uint8] | NDArray[np.uint16]]) -> None:
    """A calm wall, some structure, something that moves, and the noise of a small camera."""
    height, width = planes[0].shape
    rows, columns = np.mgrid[0:height, 0:width]
    picture = 120 + 50 * np.sin(columns / 90) * np.cos(rows / 70)
    picture += 25 * np.sin(columns / 3) * (rows > height * 0.75)
    cv2.circle(picture, (60 + 8 * index, 120), 40, 200.0, -1)
    for x in range(40, width, 80):
        cv2.rectangle(picture, (x, 200), (x + 30, 235), 60.0, 3)
    noise = np.random.default_rng(index).normal(0, 1.2, picture.shape)
    planes[0][:] = np.clip(np.rint(picture + noise), 16, 235)
    planes[1][:], planes[2][:] = 118, 135


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Plan]:
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    write_clip(path, Format("film", "mkv", "ffv1", width=768, height=576), paint, FRAMES)
    box = {0: Box(300, 80, 460, 300), FRAMES - 1: Box(420, 100, 580, 330)}
    plan = plan_for(path, [region("a", box, Shape.ELLIPSE)], sensor=Strength.DEFAULT)
    with path.open("rb") as file:
        plan.clip.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return path, plan


def copy_of(film: tuple[Path, Plan], target: Path, strength: Strength, key: bytes | None = KEY) -> Path:
    plan = film[1].model_copy(deep=True)
    plan.settings.sensor = strength
    with film[0].open("rb") as file, Reader(file) as reader:
        return apply(reader, plan, target, key=key).copy


def tried(film: tuple[Path, Plan], copy: Path, strength: Strength, key: bytes | None, *who: type) -> dict[str, Finding]:
    plan = film[1].model_copy(deep=True)
    plan.settings.sensor = strength
    with copy.open("rb") as shown, film[0].open("rb") as original:
        verdict = attack(shown, original=original, plan=plan, sensor_key=key, attackers=who or (Sensor,))
    return {finding.attacker: finding for finding in verdict.findings}


@pytest.mark.parametrize("strength", [Strength.DEFAULT, Strength.STRONG])
@pytest.mark.parametrize("key", [KEY, None])
def test_a_treated_copy_holds_and_can_be_compared(
    film: tuple[Path, Plan], strength: Strength, key: bytes | None, tmp_path: Path
) -> None:
    """With the lots exactly, without them by registration: the bend is no reason to block a copy."""
    copy = copy_of(film, tmp_path / "copy", strength)
    findings = tried(film, copy, strength, key, Sensor, Timing, Fill)
    for finding in findings.values():
        assert finding.outcome is Outcome.HELD, finding.sentence
    figures = {figure.name: figure.value for figure in findings["sensor"].figures}
    assert figures["pictures tried"] >= FRAMES - 6
    assert figures["the original's fine detail left in calm places"] < 30
    likeness = figures.get("likeness to the treated original, worst picture")
    assert (likeness is None) == (key is None)
    assert likeness is None or likeness > 0.9


@pytest.mark.parametrize("key", [KEY, None])
def test_an_untreated_copy_that_should_be_treated_is_broken(
    film: tuple[Path, Plan], key: bytes | None, tmp_path: Path
) -> None:
    copy = copy_of(film, tmp_path / "copy", Strength.OFF)
    findings = tried(film, copy, Strength.DEFAULT, key, Sensor, Timing)
    assert Outcome.BROKEN in {finding.outcome for finding in findings.values()}
    if key is None:
        assert findings["sensor"].outcome is Outcome.BROKEN, findings["sensor"].sentence


def test_a_copy_treated_with_other_lots_is_not_the_one_asked_for(film: tuple[Path, Plan], tmp_path: Path) -> None:
    copy = copy_of(film, tmp_path / "copy", Strength.DEFAULT, KEY[::-1])
    finding = tried(film, copy, Strength.DEFAULT, KEY)["sensor"]
    assert finding.outcome is Outcome.BROKEN
    assert "lots" in finding.sentence


@pytest.mark.parametrize(
    "change",
    [
        {"luma": (), "chroma": (), "grain": 0.2, "quality": 16},  # bent only
        {"reach": 0.01, "luma": (), "grain": 1.5, "quality": 16},  # cropped, turned, grained
    ],
)
def test_half_a_treatment_is_broken(
    film: tuple[Path, Plan], change: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The known camera is found when the noise is left in, however the picture is bent."""
    half = dataclasses.replace(RECIPES[Strength.DEFAULT], **change)  # type: ignore[arg-type]
    monkeypatch.setitem(RECIPES, Strength.DEFAULT, half)
    copy = copy_of(film, tmp_path / "copy", Strength.DEFAULT)
    finding = tried(film, copy, Strength.DEFAULT, KEY)["sensor"]
    assert finding.outcome is Outcome.BROKEN
    assert any("known camera" in item.what for item in finding.evidence)


def test_who_asks_for_no_treatment_is_told_and_not_blocked(film: tuple[Path, Plan], tmp_path: Path) -> None:
    copy = copy_of(film, tmp_path / "copy", Strength.OFF)
    finding = tried(film, copy, Strength.OFF, None)["sensor"]
    assert finding.outcome is Outcome.NOT_ASKED
    assert "camera" in finding.sentence


def test_the_key_is_in_no_word_of_the_verdict(film: tuple[Path, Plan], tmp_path: Path) -> None:
    copy = copy_of(film, tmp_path / "copy", Strength.DEFAULT)
    finding = tried(film, copy, Strength.DEFAULT, KEY)["sensor"]
    assert KEY.hex() not in finding.model_dump_json()


def test_a_dropped_picture_of_a_treated_copy_is_noticed(scene: plant.Scene, tmp_path: Path) -> None:
    """Straightening must not help a copy over what it lost."""
    plan = scene.plan.model_copy(deep=True)
    plan.settings.sensor = Strength.DEFAULT
    with scene.original.open("rb") as file, Reader(file) as reader:
        copy = apply(reader, plan, tmp_path / "copy", key=KEY).copy
    short = plant.without_picture(copy, tmp_path / "short.mp4", 5)
    for key in (KEY, None):
        with short.open("rb") as shown, scene.original.open("rb") as original:
            verdict = attack(shown, original=original, plan=plan, sensor_key=key, attackers=(Timing,))
        assert verdict.outcome is Outcome.BROKEN


def test_a_sensor_is_found_where_it_is_and_nowhere_else() -> None:
    lot = np.random.default_rng(0)
    pattern, other = (lot.standard_normal((240, 320)).astype(np.float32) * 0.01 for _ in range(2))
    every = Tally()
    bursts = []
    for _ in range(8):
        light = np.full((240, 320), 120.0) * (1 + pattern) + lot.normal(0, 2, (240, 320))
        luma = np.clip(np.rint(light), 0, 255).astype(np.uint8)
        one = Tally()
        for tally in (every, one):
            tally.add(residual(luma), luma.astype(np.float32))
        bursts.append(one.pattern())
    found = every.pattern()
    assert pce(pattern, found, anywhere=False) > 500
    assert pce(np.roll(pattern, (5, 9), (0, 1)), found, anywhere=True) > 500
    assert pce(other, found, anywhere=True) < 45
    assert abs(pce(other, found, anywhere=False)) < 20
    assert block_z(pattern, bursts)[0] > 10
    assert abs(block_z(other, bursts)[0]) < 4
