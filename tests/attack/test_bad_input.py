from __future__ import annotations

import io
from pathlib import Path

import pytest

from safelight.attack.bytes import Bytes
from safelight.attack.faces import Faces
from safelight.attack.pairs import offset
from safelight.attack.protocol import Attacker
from safelight.attack.run import attack
from safelight.attack.timing import Timing
from safelight.attack.verdict import Outcome
from safelight.errors import Code, SafelightError
from tests.attack import plant


def test_copy_that_cannot_be_read():
    for data in (b"", b"not media at all"):
        with pytest.raises(SafelightError) as refused:
            attack(io.BytesIO(data), attackers=(Bytes,))
        assert refused.value.code in (Code.EMPTY, Code.NOT_MEDIA)


def test_plan_of_another_original(scene: plant.Scene, clean: Path):
    clip = scene.plan.clip.model_copy(update={"sha256": "0" * 64})
    plan = scene.plan.model_copy(update={"clip": clip})
    with clean.open("rb") as copy, scene.original.open("rb") as original, pytest.raises(SafelightError) as refused:
        attack(copy, original=original, plan=plan, attackers=(Bytes,))
    assert refused.value.code is Code.PLAN_OTHER_CLIP


def test_copy_of_another_clip(scene: plant.Scene, shared_media: Path, tmp_path: Path):
    video, labels = shared_media / "video", shared_media / "groundtruth"
    other = plant.scene(tmp_path, video / "vtest.avi", labels / "pexels_woman.faces.json", 200, 30)
    longer = plant.scene(tmp_path, video / "short_hamilton_clip.mp4", labels / "hamilton_stage.faces.json", 0, 30)
    with (
        longer.original.open("rb") as copy,
        other.original.open("rb") as original,
        pytest.raises(SafelightError) as refused,
    ):
        attack(copy, original=original, attackers=(Timing,))
    assert refused.value.code is Code.COPY_OTHER_CLIP


def test_missing_weights_block(clean: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SAFELIGHT_WEIGHTS", str(tmp_path))
    with clean.open("rb") as copy:
        verdict = attack(copy, attackers=(Faces, Timing))
    assert verdict.outcome is Outcome.COULD_NOT_RUN
    assert verdict.findings[0].sentence.startswith("SL-WEIGHTS-MISSING")


def test_without_an_original_nothing_is_claimed(clean: Path):
    with clean.open("rb") as copy:
        verdict = attack(copy, attackers=(Bytes, Timing))
    assert [finding.outcome for finding in verdict.findings] == [Outcome.HELD, Outcome.NOT_ASKED]
    assert any("No original" in line for line in verdict.findings[0].not_tried)


def test_offset_of_a_copy_that_begins_elsewhere(scene: plant.Scene, clean: Path):
    with clean.open("rb") as copy, scene.original.open("rb") as original:
        assert offset(copy, original) == 0


def test_attackers_have_names_and_questions():
    for kind in (Faces, Bytes, Timing):
        assert issubclass(kind, Attacker)
        assert kind.name
        assert kind.tries
