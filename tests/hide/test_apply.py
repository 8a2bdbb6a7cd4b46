"""Carrying out a plan: what is counted, what is refused, what is left alone."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from safelight.errors import Code, SafelightError
from safelight.geometry import Box
from safelight.hide import apply as apply_module
from safelight.hide.apply import HideResult, apply
from safelight.media.develop import Developed, Developer
from safelight.media.planes import Planes
from safelight.media.read import Reader
from safelight.plan import Decision, Plan, Sensor, Shape
from tests.hide.clips import FRAMES, Format, plan_for, region, write_clip


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mkv"
    write_clip(path, Format("plain"), lambda index, planes: None)
    return path


def carry_out(clip: Path, plan: Plan, target: Path) -> HideResult:
    with clip.open("rb") as file, Reader(file) as reader:
        return apply(reader, plan, target)


def lumas(clip: Path, plan: Plan, target: Path, monkeypatch: pytest.MonkeyPatch) -> list[NDArray[np.uint8]]:
    """The filled luma planes, before developing."""
    seen: list[NDArray[np.uint8]] = []

    class Watching(Developer):
        def develop(self, planes: Planes, pts: int) -> list[Developed]:
            seen.append(planes.y.astype(np.uint8))
            return super().develop(planes, pts)

    monkeypatch.setattr(apply_module, "Developer", Watching)
    carry_out(clip, plan, target)
    return seen


@pytest.mark.parametrize("stretch", [1, 2, 3])
def test_a_region_is_hidden_wherever_the_stretches_of_a_film_meet(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stretch: int
) -> None:
    box, other = Box(10, 10, 40, 60), Box(50, 5, 80, 40)
    plan = plan_for(clip, [region("a", {0: box, 2: box}), region("b", {1: other, 5: box}), region("c", {6: box})])
    whole = lumas(clip, plan, tmp_path / "whole", monkeypatch)
    monkeypatch.setattr(apply_module, "_NEAR", stretch)
    pieces = lumas(clip, plan, tmp_path / "pieces", monkeypatch)
    assert len(whole) == FRAMES
    assert [plane.tobytes() for plane in pieces] == [plane.tobytes() for plane in whole]


def test_frames_and_shares_are_counted(clip: Path, tmp_path: Path) -> None:
    half, quarter = Box(0, 0, 48, 72), Box(0, 0, 48, 36)
    plan = plan_for(
        clip, [region("a", {1: half, 2: half}, Shape.BOX), region("b", {2: quarter, 4: quarter}, Shape.BOX)]
    )
    told: list[tuple[int, int | None]] = []
    with clip.open("rb") as file, Reader(file) as reader:
        done = apply(reader, plan, tmp_path / "copy", progress=lambda n, total: told.append((n, total)))
    assert (done.frames_read, done.frames_written, done.frames_hidden) == (FRAMES, FRAMES, 4)
    assert done.share_max == 0.5
    assert done.share_mean == pytest.approx((0.5 + 0.5 + 0.25 + 0.25) / FRAMES)
    assert done.copy == tmp_path / "copy.mp4"
    assert done.copy_name == "copy.mp4"
    assert told == [(n + 1, FRAMES) for n in range(FRAMES)]


def test_a_plan_without_regions_still_makes_a_copy(clip: Path, tmp_path: Path) -> None:
    done = carry_out(clip, plan_for(clip, []), tmp_path / "copy")
    assert (done.frames_written, done.frames_hidden, done.share_max) == (FRAMES, 0, 0.0)


def test_only_regions_to_be_hidden_are_hidden(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = {0: Box(20, 20, 50, 50), FRAMES - 1: Box(20, 20, 50, 50)}
    plain = lumas(clip, plan_for(clip, []), tmp_path / "plain", monkeypatch)
    for decision in (Decision.REVEAL, Decision.PROPOSE):
        plan = plan_for(clip, [region("a", box, Shape.BOX, decision)])
        shown = lumas(clip, plan, tmp_path / decision.value, monkeypatch)
        assert all((a == b).all() for a, b in zip(plain, shown, strict=True))


def test_revealing_never_uncovers_another_region(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide = region("hide", {0: Box(20, 20, 50, 50), FRAMES - 1: Box(20, 20, 50, 50)}, Shape.BOX)
    reveal = region("reveal", {0: Box(10, 10, 60, 60), FRAMES - 1: Box(10, 10, 60, 60)}, Shape.BOX, Decision.REVEAL)
    alone = lumas(clip, plan_for(clip, [hide]), tmp_path / "alone", monkeypatch)
    both = lumas(clip, plan_for(clip, [reveal, hide]), tmp_path / "both", monkeypatch)
    assert all((a == b).all() for a, b in zip(alone, both, strict=True))


@pytest.mark.parametrize(
    "change",
    [
        {"frames": FRAMES + 1},
        {"frames": FRAMES - 1},
        {"width": 95},
        {"height": 73},
        {"time_base": (1, 999)},
        {"first_pts": 1},
        {"last_pts": 10_000},
        {"still": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_plan_for_another_clip_is_refused(clip: Path, tmp_path: Path, change: dict[str, object]) -> None:
    plan = plan_for(clip, [])
    plan.clip = plan.clip.model_copy(update=change)
    with pytest.raises(SafelightError) as refusal:
        carry_out(clip, plan, tmp_path / "copy")
    assert refusal.value.code is Code.PLAN_OTHER_CLIP
    assert not (tmp_path / "copy.mp4").exists()


def test_a_key_frame_at_another_time_is_refused(clip: Path, tmp_path: Path) -> None:
    plan = plan_for(clip, [region("a", {0: Box(5, 5, 20, 20), 3: Box(5, 5, 20, 20)})])
    plan.regions[0].keyframes[1].pts += 1
    with pytest.raises(SafelightError) as refusal:
        carry_out(clip, plan, tmp_path / "copy")
    assert refusal.value.code is Code.PLAN_OTHER_CLIP
    assert not (tmp_path / "copy.mp4").exists()


def test_a_plan_with_two_times_for_one_frame_is_refused(clip: Path, tmp_path: Path) -> None:
    plan = plan_for(clip, [region("a", {3: Box(5, 5, 20, 20)}), region("b", {3: Box(5, 5, 20, 20)})])
    plan.regions[1].keyframes[0].pts += 1
    with pytest.raises(SafelightError) as refusal:
        carry_out(clip, plan, tmp_path / "copy")
    assert refusal.value.code is Code.PLAN_INVALID


def test_a_lost_picture_is_noticed(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Losing(Developer):
        def develop(self, planes: Planes, pts: int) -> list[Developed]:
            done = super().develop(planes, pts)
            return [] if pts and len(done) and done[0].pts == self.lost else done

        lost = 0

    plan = plan_for(clip, [])
    for lost in (plan.clip.first_pts + 120, plan.clip.last_pts):
        monkeypatch.setattr(Losing, "lost", lost)
        monkeypatch.setattr(apply_module, "Developer", Losing)
        with pytest.raises(SafelightError) as refusal:
            carry_out(clip, plan, tmp_path / "copy")
        assert refusal.value.code is Code.COPY_DIFFERS
        assert not (tmp_path / "copy.mp4").exists()


@pytest.mark.parametrize("sensor", [Sensor.OFF, Sensor.DEFAULT])
def test_what_stops_the_writer_is_what_is_told(sensor: Sensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are read and treated ahead in threads; none of them may be left behind, or hide the reason."""
    clip = tmp_path / "clip.mkv"
    write_clip(clip, Format("plain"), lambda index, planes: None, 60)
    plan = plan_for(clip, [], sensor=sensor)

    def full(self: object, developed: Developed) -> None:
        raise SafelightError(Code.DISK_FULL, "The disk is full.")

    monkeypatch.setattr(apply_module.Writer, "picture", full)
    before = threading.active_count()
    for _ in range(5):
        with pytest.raises(SafelightError, match="disk is full"):
            carry_out(clip, plan, tmp_path / "copy")
    assert threading.active_count() == before
