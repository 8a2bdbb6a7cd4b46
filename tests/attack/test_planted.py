"""Leaks planted on purpose: each attacker must find its own, and nobody may cry wolf at the clean copy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from safelight.attack.bytes import Bytes
from safelight.attack.faces import Faces
from safelight.attack.fill import Fill
from safelight.attack.protocol import Attacker
from safelight.attack.run import attack
from safelight.attack.sound import Sound
from safelight.attack.timing import Timing
from safelight.attack.verdict import Finding, Outcome
from safelight.plan import Corners, Decision, Region, Shape
from tests.attack import plant


def run(copy: Path, made: plant.Scene, kind: type[Attacker], **options) -> Finding:
    with copy.open("rb") as shown, made.original.open("rb") as original:
        verdict = attack(shown, original=original, plan=made.plan, attackers=(kind,), **options)
    return verdict.findings[0]


@pytest.mark.usefixtures("weights")
def test_clean_copy_holds(scene: plant.Scene, clean: Path, tmp_path: Path):
    with clean.open("rb") as shown, scene.original.open("rb") as original:
        verdict = attack(
            shown, original=original, plan=scene.plan, names=[[plant.NAME]], file_name="clean.mp4", moments=tmp_path
        )
    assert verdict.outcome is Outcome.HELD, [(f.attacker, f.sentence, f.evidence) for f in verdict.findings]
    assert {f.attacker: f.outcome for f in verdict.findings}["sensor"] is Outcome.NOT_ASKED
    assert not verdict.proposals
    text = verdict.to_json()
    assert plant.NAME not in text
    assert plant.TITLE not in text


def singer_of(scene: plant.Scene) -> Region:
    return max(scene.plan.regions, key=lambda region: region.keyframes[0].height)


def test_one_face_uncovered_in_one_picture(scene: plant.Scene, tmp_path: Path):
    singer = singer_of(scene)
    copy = plant.copy_of(scene, tmp_path / "bare.mp4", bare=(singer.id, 6))
    with copy.open("rb") as shown, scene.original.open("rb") as original:
        verdict = attack(shown, original=original, plan=scene.plan, attackers=(Fill,), moments=tmp_path)
    finding = verdict.findings[0]
    assert finding.outcome is Outcome.BROKEN
    assert {item.frame for item in finding.evidence} == {6}
    assert singer.id in finding.evidence[0].what
    assert any((tmp_path / moment.picture).read_bytes().startswith(b"\x89PNG") for moment in verdict.moments)


@pytest.mark.usefixtures("weights")
def test_a_face_that_the_plan_missed_becomes_a_proposal(scene: plant.Scene, tmp_path: Path):
    singer = singer_of(scene)
    others = [region for region in scene.plan.regions if region is not singer]
    missed = plant.Scene(scene.original, scene.plan.model_copy(update={"regions": others}))
    copy = plant.copy_of(missed, tmp_path / "missed.mp4")
    with copy.open("rb") as shown, scene.original.open("rb") as original:
        verdict = attack(shown, original=original, plan=missed.plan, attackers=(Faces,), moments=tmp_path)
    assert verdict.findings[0].outcome is Outcome.BROKEN
    for frame in range(scene.plan.clip.frames):
        box = singer.box_at(frame)
        assert box is not None
        assert any((found := region.box_at(frame)) and found.overlap(box) > 0.3 for region in verdict.proposals)
    times = {key.frame: key.pts for region in scene.plan.regions for key in region.keyframes}
    for region in verdict.proposals:
        assert all(times.get(key.frame, key.pts) == key.pts for key in region.keyframes)
    revealed = singer.model_copy(update={"decision": Decision.REVEAL})
    on_purpose = missed.plan.model_copy(update={"regions": [*others, revealed]})
    assert run(copy, plant.Scene(scene.original, on_purpose), Faces).outcome is Outcome.HELD


OCTAGON = ((0.29, 0.0), (0.71, 0.0), (1.0, 0.29), (1.0, 0.71), (0.71, 1.0), (0.29, 1.0), (0.0, 0.71), (0.0, 0.29))
BORDER = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.05), (0.05, 0.05), (0.05, 1.0), (0.0, 1.0))  # along two sides of the box


def as_polygon(scene: plant.Scene, name: str, corners: Corners) -> plant.Scene:
    """The scene with one region as a polygon in the same boxes."""
    regions = []
    for region in scene.plan.regions:
        if region.id == name:
            keys = [key.model_copy(update={"corners": corners}) for key in region.keyframes]
            region = region.model_copy(update={"shape": Shape.POLYGON, "keyframes": keys})
        regions.append(region)
    return plant.Scene(scene.original, scene.plan.model_copy(update={"regions": regions}))


@pytest.mark.usefixtures("weights")
def test_a_polygon_is_held_against_what_it_covers_and_not_against_its_box(scene: plant.Scene, tmp_path: Path):
    singer = singer_of(scene)
    whole = as_polygon(scene, singer.id, OCTAGON)
    for kind in (Fill, Faces):
        finding = run(plant.copy_of(whole, tmp_path / "whole.mp4"), whole, kind)
        assert finding.outcome is Outcome.HELD, finding.evidence
    bare = run(plant.copy_of(whole, tmp_path / "bare.mp4", bare=(singer.id, 6)), whole, Fill)
    assert bare.outcome is Outcome.BROKEN
    assert {item.frame for item in bare.evidence} == {6}
    beside = as_polygon(scene, singer.id, BORDER)  # the face lies in the box, and bare
    assert run(plant.copy_of(beside, tmp_path / "beside.mp4"), beside, Faces).outcome is Outcome.BROKEN


@pytest.mark.usefixtures("weights")
def test_a_bare_face_under_a_cover_is_seen_without_the_original_too(scene: plant.Scene, tmp_path: Path):
    copy = plant.copy_of(scene, tmp_path / "bare.mp4", bare=(singer_of(scene).id, 6))
    with copy.open("rb") as shown:
        verdict = attack(shown, plan=scene.plan, attackers=(Faces,))
    assert [item.frame for item in verdict.findings[0].evidence] == [6]


def test_the_curtain_open_in_one_picture(scene: plant.Scene, tmp_path: Path):
    """Everything is to be hidden but the singer; in one picture a part of the stage shows."""
    singer = singer_of(scene)
    revealed = singer.model_copy(update={"decision": Decision.REVEAL, "id": "shown"})
    settings = scene.plan.settings.model_copy(update={"curtain": True})
    plan = scene.plan.model_copy(update={"regions": [revealed], "settings": settings})
    made = plant.Scene(scene.original, plan)
    for open_at, outcome in ((None, Outcome.HELD), (4, Outcome.BROKEN)):
        copy = plant.curtained(made, tmp_path / f"{open_at}.mp4", open_at)
        finding = run(copy, made, Fill)
        assert finding.outcome is outcome, finding.evidence
        assert {item.frame for item in finding.evidence} == ({open_at} if open_at is not None else set())
        timing = run(
            copy, made, Timing
        )  # what the curtain covers is no reason to say that the copy shows something else
        assert timing.outcome is Outcome.HELD, timing.evidence


@pytest.mark.parametrize("number", [0, 1])
def test_fill_that_reads_a_twentieth(scene: plant.Scene, tmp_path: Path, number: int):
    copy = plant.copy_of(scene, tmp_path / "leaky.mp4", tamper=plant.leaky(scene, 0.05, number))
    assert run(copy, scene, Fill).outcome is Outcome.BROKEN


@pytest.mark.parametrize(
    ("shade", "where", "outcome"),
    [
        (9, range(12), Outcome.BROKEN),  # another fill, all the time
        (30, range(4, 5), Outcome.BROKEN),  # and once, but plainly
        (9, range(4, 5), Outcome.HELD),  # what grain and encoder make of a small area now and then
    ],
)
def test_fill_of_another_shade(scene: plant.Scene, tmp_path: Path, shade: int, where: range, outcome: Outcome):
    def lighter(index, filled, before):
        if index in where:
            covered = filled.y != before.y
            filled.y[covered] = np.clip(filled.y[covered].astype(int) + shade, 0, 255)

    finding = run(plant.copy_of(scene, tmp_path / "other.mp4", tamper=lighter), scene, Fill)
    assert finding.outcome is outcome, finding.sentence
    assert any("something else" in item.what for item in finding.evidence) is (outcome is Outcome.BROKEN)


def test_fill_of_a_clean_copy_holds(scene: plant.Scene, clean: Path):
    finding = run(clean, scene, Fill)
    assert finding.outcome is Outcome.HELD
    assert finding.figures[0].value >= scene.plan.clip.frames
    assert finding.figures[3].value == scene.plan.clip.frames


@pytest.mark.parametrize("number", range(5))
def test_tag_left(scene: plant.Scene, clean: Path, tmp_path: Path, number: int):
    copy = plant.with_tag(clean, tmp_path / "tag.mp4", number)
    finding = run(copy, scene, Bytes)
    assert finding.outcome is Outcome.BROKEN
    assert any("value of the original" in item.what for item in finding.evidence)


@pytest.mark.parametrize("number", [0, 1])
def test_name_in_a_free_part(scene: plant.Scene, clean: Path, tmp_path: Path, number: int):
    finding = run(plant.with_name(clean, tmp_path / "name.mp4", number), scene, Bytes, names=[[plant.NAME]])
    assert {"a protected name in UTF-16", "free space that is not empty: free"} & {
        item.what.split(",")[0] for item in finding.evidence
    } == {"a protected name in UTF-16", "free space that is not empty: free"}


def test_name_in_the_file_name(scene: plant.Scene, clean: Path):
    finding = run(clean, scene, Bytes, names=[["Yasmin"]], file_name="2024 yasmin 1.mp4")
    assert [item.what for item in finding.evidence] == ["a protected name, in the file name"]


@pytest.mark.parametrize("drop", [0, 5, 11])
def test_lost_picture(scene: plant.Scene, tmp_path: Path, drop: int):
    copy = plant.copy_of(scene, tmp_path / "lost.mp4", drop=drop)
    assert run(copy, scene, Timing).outcome is Outcome.BROKEN


def test_frozen_picture(scene: plant.Scene, tmp_path: Path):
    kept: list = []

    def freeze(index, filled, before):
        kept.append((filled.y.copy(), filled.u.copy(), filled.v.copy()))
        if index == 7:
            filled.y[:], filled.u[:], filled.v[:] = kept[6]

    copy = plant.copy_of(scene, tmp_path / "frozen.mp4", tamper=freeze)
    finding = run(copy, scene, Timing)
    assert finding.outcome is Outcome.BROKEN
    assert [item.frame for item in finding.evidence] == [7]


@pytest.mark.parametrize("late", [2, -2])
def test_shifted_sound(scene: plant.Scene, clean: Path, tmp_path: Path, late: int):
    copy = plant.with_late_sound(clean, tmp_path / "late.mp4", late)
    assert run(copy, scene, Timing).outcome is Outcome.BROKEN


def test_sound_that_can_be_heard_blocks(scene: plant.Scene, clean: Path):
    assert run(scene.original, scene, Sound).outcome is Outcome.COULD_NOT_RUN
    assert run(clean, scene, Sound).outcome is Outcome.HELD
