"""The main job, run as a person runs it. Copies compared byte by byte are made without the treatment against sensor
noise, which draws lots that nobody keeps.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from examples.clip import write_clip

from program import COMMAND, safelight
from safelight import models
from safelight import protect as main_job
from safelight.account import Account, Options
from safelight.attack.verdict import Outcome, Verdict
from safelight.errors import Code, SafelightError
from safelight.geometry import Box
from safelight.outputs import PRIVATE, names_for
from safelight.plan import Kind, Plan, Sensor
from safelight.scale.table import FILE


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Box]]:
    path = tmp_path_factory.mktemp("originals") / "portrait.mp4"
    return path, write_clip(path, 320, 180, 2.0)


@pytest.fixture(scope="module")
def protected(portrait: tuple[Path, list[Box]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the finished results for the portrait; tests must not change it."""
    folder = tmp_path_factory.mktemp("protected")
    before = portrait[0].read_bytes()
    ran = safelight("protect", "--sensor", "off", "--json", "-o", folder, portrait[0])
    assert ran.status == 0, ran.err
    assert portrait[0].read_bytes() == before
    return folder


class Quiet:
    """An observer that keeps to itself."""

    def stage(self, name: str) -> None: ...

    def progress(self, done: int, total: int | None) -> None: ...


def files(folder: Path) -> dict[str, bytes]:
    """Everything in a folder but the job table, which is written anew by every run."""
    found = (p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(FILE))
    return {str(p.relative_to(folder)): p.read_bytes() for p in found}


def test_everything_lies_beside_the_copy_and_nothing_else_does(protected: Path) -> None:
    assert sorted(files(protected)) == [
        "portrait.safelight-plan.json",
        "portrait.safelight-report.html",
        "portrait.safelight-report.json",
        "portrait.safelight-sheet.png",
        "portrait.safelight.json",
        "portrait.safelight.mp4",
    ]


def test_the_face_is_covered_in_every_frame(protected: Path, portrait: tuple[Path, list[Box]]) -> None:
    plan = Plan.load(protected / "portrait.safelight-plan.json")
    for frame, face in enumerate(portrait[1]):
        seen = face.clipped(320, 180)
        around = [box for _, box in plan.covers(frame)]
        assert any(
            box.x1 <= seen.x1 and box.y1 <= seen.y1 and box.x2 >= seen.x2 and box.y2 >= seen.y2 for box in around
        ), f"frame {frame}"


def test_the_account_tells_what_was_done(protected: Path) -> None:
    account = Account.load(protected / "portrait.safelight.json")
    assert account is not None
    assert account.frames.read == account.frames.written == account.frames.hidden == 50
    assert account.tracks.hidden >= 1
    assert 0.01 < account.share_hidden_mean < 0.5
    assert "silence" in account.sound
    assert set(account.weights) >= {"yunet", "centerface"}
    assert account.copy_.sha256 != account.source.sha256
    assert account.attack is not None
    assert account.attack.rounds == 1
    assert {answer.attacker: answer.outcome for answer in account.attack.answers}["faces"] == "held"
    assert account.attack.not_tried
    assert Verdict.model_validate_json((protected / account.attack.verdict.name).read_bytes()).copy_.sha256 == (
        account.copy_.sha256
    )


def test_the_copy_has_the_frames_and_the_length_of_the_original(
    protected: Path, portrait: tuple[Path, list[Box]]
) -> None:
    with av.open(str(portrait[0])) as a, av.open(str(protected / "portrait.safelight.mp4")) as b:
        assert [s.type for s in b.streams] == ["video", "audio"]
        times = [[f.time for f in file.decode(video=0)] for file in (a, b)]
    assert times[0] == pytest.approx(times[1], abs=1e-3)


def test_a_second_run_has_nothing_to_do(protected: Path, portrait: tuple[Path, list[Box]]) -> None:
    before = files(protected)
    ran = safelight("protect", "--sensor", "off", "--json", "-o", protected, portrait[0])
    assert ran.status == 0
    assert [result["status"] for result in ran.results] == ["already done"]
    assert files(protected) == before


def test_other_settings_or_a_touched_copy_are_done_again(
    protected: Path, portrait: tuple[Path, list[Box]], tmp_path: Path
) -> None:
    folder = tmp_path / "again"
    shutil.copytree(protected, folder)
    whole = (folder / "portrait.safelight.mp4").read_bytes()
    (folder / "portrait.safelight.mp4").write_bytes(whole[:-1])
    assert (
        safelight("protect", "--sensor", "off", "--json", "-o", folder, portrait[0]).results[0]["status"] == "protected"
    )
    assert (folder / "portrait.safelight.mp4").read_bytes() == whole
    solid = safelight("protect", "--sensor", "off", "--json", "--look", "solid", "-o", folder, portrait[0])
    assert solid.results[0]["status"] == "protected"
    assert (folder / "portrait.safelight.mp4").read_bytes() != whole


def test_find_and_hide_give_what_protect_gives(
    protected: Path, portrait: tuple[Path, list[Box]], tmp_path: Path
) -> None:
    assert safelight("find", portrait[0], "-o", tmp_path).status == 0
    assert sorted(files(tmp_path)) == ["portrait.safelight-plan.json"]
    plan = tmp_path / "portrait.safelight-plan.json"
    assert safelight("hide", portrait[0], "--plan", plan, "--sensor", "off", "-o", tmp_path).status == 0
    one, other = files(tmp_path), files(protected)
    account = Account.load(tmp_path / "portrait.safelight.json")
    assert account is not None
    assert account.attack is None
    assert any("Nobody attacked this copy" in warning for warning in account.warnings)
    assert one["portrait.safelight.mp4"] == other["portrait.safelight.mp4"]
    assert one["portrait.safelight-plan.json"] == other["portrait.safelight-plan.json"]


def test_by_default_the_camera_is_taken_out_with_lots_that_are_kept_nowhere(
    protected: Path, portrait: tuple[Path, list[Box]], tmp_path: Path
) -> None:
    copies = []
    for folder in (tmp_path / "one", tmp_path / "other"):
        shutil.copytree(protected, folder)  # with its plan, so nothing is searched for again
        ran = safelight("protect", "--json", "-o", folder, portrait[0])
        assert [result["status"] for result in ran.results] == ["protected"], ran.err
        copies.append(files(folder))
    one, other = copies
    assert one["portrait.safelight.mp4"] != other["portrait.safelight.mp4"]
    for name in ("portrait.safelight-plan.json", "portrait.safelight-sheet.png"):
        assert one[name] == other[name]
    account = Account.load(tmp_path / "one" / "portrait.safelight.json")
    assert account is not None
    assert "secret" in account.sensor
    assert account.options.sensor is Plan.from_json(one["portrait.safelight-plan.json"]).settings.sensor
    text = "".join(one[name].decode() for name in one if name.endswith(".json"))
    attack = account.attack
    assert attack is not None
    known = {account.source.sha256, account.copy_.sha256, account.plan.sha256, *account.weights.values()}
    known |= {attack.report.sha256, attack.verdict.sha256, *attack.weights.values()}
    assert not set(re.findall(r"[0-9a-f]{32,}", text)) - known  # nothing that could be a key
    again = safelight("protect", "--json", "-o", tmp_path / "one", portrait[0])
    assert [result["status"] for result in again.results] == ["already done"]


def test_where_the_camera_is_found_the_treatment_becomes_strong(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:480, :640]
    wall = 200 + 20 * np.sin(columns / 90) + 15 * np.cos(rows / 70)  # so smooth that its detail is left at default
    picture = tmp_path / "wall.png"
    cv2.imwrite(str(picture), cv2.merge([wall.astype(np.uint8)] * 3))
    ran = safelight("protect", "--json", "-o", tmp_path / "out", picture)
    assert [result["status"] for result in ran.results] == ["protected"], ran.err
    account = Account.load(tmp_path / "out" / "wall.safelight.json")
    assert account is not None
    assert account.attack is not None
    assert account.attack.rounds == 2
    assert account.options.sensor is Sensor.DEFAULT  # what was asked for, so that a second run has nothing to do
    assert "strong, since at default the attacker found the camera" in account.sensor
    assert Plan.load(tmp_path / "out" / "wall.safelight-plan.json").settings.sensor is Sensor.STRONG
    assert (account.width, account.height) == (320, 240)
    again = safelight("protect", "--json", "-o", tmp_path / "out", picture)
    assert [result["status"] for result in again.results] == ["already done"]


def test_a_mended_plan_is_used_and_not_written_over(
    protected: Path, portrait: tuple[Path, list[Box]], tmp_path: Path
) -> None:
    folder = tmp_path / "mended"
    shutil.copytree(protected, folder)
    path = folder / "portrait.safelight-plan.json"
    plan = Plan.load(path)
    drawn = plan.regions[0].model_copy(update={"id": "by-hand", "kind": Kind.FREE, "decided_by": "editor"})
    plan.regions.append(drawn)
    path.write_text(plan.to_json())
    ran = safelight("protect", "--sensor", "off", "--json", "-o", folder, portrait[0])
    assert ran.results[0]["status"] == "protected"
    assert "by-hand" in [region.id for region in Plan.load(path).regions]
    refused = safelight("protect", "--sensor", "off", "--json", "--thorough", "-o", folder, portrait[0])
    assert (refused.status, refused.results[0]["code"]) == (1, "SL-IN-THE-WAY")
    assert "by-hand" in path.read_text()


def _without_regions(protected: Path, folder: Path) -> Path:
    """A folder in which an earlier run seems to have ended after it had found nobody."""
    folder.mkdir()
    path = folder / "portrait.safelight-plan.json"
    plan = Plan.load(protected / path.name)
    plan.regions.clear()
    path.write_text(plan.to_json())
    return path


def test_what_the_attackers_see_is_hidden_too(
    protected: Path, portrait: tuple[Path, list[Box]], tmp_path: Path
) -> None:
    path = _without_regions(protected, tmp_path / "missed")
    ran = safelight("protect", "--json", "-o", path.parent, portrait[0])
    assert ran.status == 0, ran.err
    attack = ran.results[0]["figures"]["attack"]
    assert 1 < attack["rounds"] <= attack["rounds_most"]
    plan = Plan.load(path)
    assert plan.regions
    assert {region.decided_by for region in plan.regions} == {"attack"}
    assert attack["regions_added"] == len(plan.regions)
    for frame, face in enumerate(portrait[1]):
        x, y = face.clipped(320, 180).centre
        assert any(b.x1 < x < b.x2 and b.y1 < y < b.y2 for _, b in plan.covers(frame)), f"frame {frame}"
    again = safelight("protect", "--json", "-o", path.parent, portrait[0])
    assert [result["status"] for result in again.results] == ["already done"]


def test_a_copy_that_does_not_hold_is_not_published(
    protected: Path, portrait: tuple[Path, list[Box]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one round nothing can be mended: the copy shows the face, and all that is left is why there is none."""
    monkeypatch.setattr(main_job, "ROUNDS", 1)
    folder = _without_regions(protected, tmp_path / "leak").parent
    for name in ("portrait.safelight.mp4", "portrait.safelight.json"):
        shutil.copy(protected / name, folder / name)  # of an earlier run
    names = names_for(portrait[0], folder, set())
    with pytest.raises(SafelightError) as refused:
        main_job.protect(portrait[0], names, Options(), observer=Quiet(), cancel=threading.Event())
    assert refused.value.code is Code.LEAK
    assert "portrait.safelight-report.html" in refused.value.detail
    assert sorted(files(folder)) == [
        "portrait.safelight-plan.json",
        "portrait.safelight-report.html",
        "portrait.safelight-report.json",
    ]
    verdict = Verdict.model_validate_json(names.verdict.read_bytes())
    assert verdict.outcome is Outcome.BROKEN
    assert {region.decided_by for region in Plan.load(names.plan).regions} == {"attack"}
    monkeypatch.undo()
    assert safelight("protect", "--json", "-o", folder, portrait[0]).results[0]["status"] == "protected"


def test_a_copy_that_could_not_be_attacked_is_not_published(
    portrait: tuple[Path, list[Box]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recogniser's weights went away after the start: nobody knows whether the copy would hold."""
    few = tmp_path / "weights"
    few.mkdir()
    for weight in models.store.folder().iterdir():
        if not weight.name.startswith("dlib-resnet"):
            shutil.copy(weight, few)
    monkeypatch.setenv("SAFELIGHT_WEIGHTS", str(few))
    folder = tmp_path / "out"
    folder.mkdir()
    names = names_for(portrait[0], folder, set())
    with pytest.raises(SafelightError) as refused:
        main_job.protect(portrait[0], names, Options(), observer=Quiet(), cancel=threading.Event())
    assert refused.value.code is Code.NOT_ATTACKED
    assert "portrait.safelight.mp4" not in files(folder)
    verdict = Verdict.model_validate_json(names.verdict.read_bytes())
    assert {f.attacker for f in verdict.findings if f.outcome is Outcome.COULD_NOT_RUN} == {"likeness"}


def test_a_plan_for_another_clip_is_refused_and_nothing_is_written(
    protected: Path, portrait: tuple[Path, list[Box]], tmp_path: Path
) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(portrait[0].read_bytes() + b"\0")
    ran = safelight("hide", other, "--plan", protected / "portrait.safelight-plan.json", "-o", tmp_path / "out")
    assert ran.status == 1
    assert "SL-PLAN-OTHER-CLIP" in ran.err
    assert not files(tmp_path / "out")


@pytest.mark.parametrize("moment", [0.3, 1.0, 2.0, 3.0, 4.5, 6.0, 7.5, 9.0])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_killed_at_any_time_nothing_half_done_is_left_and_the_next_run_finishes(
    portrait: tuple[Path, list[Box]], tmp_path: Path, moment: float, number: signal.Signals, protected: Path
) -> None:
    words = [*COMMAND, "protect", "-q", "--sensor", "off", "-o", str(tmp_path), str(portrait[0])]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        time.sleep(moment)
        process.send_signal(number)
        status = process.wait(timeout=30)
    if number is signal.SIGINT and moment >= 1:
        assert status in (0, 130, -signal.SIGINT)  # the last: before the program had begun to listen
    left = [name for name in files(tmp_path) if not name.startswith(PRIVATE)]
    for name in left:  # what has its final name is whole
        if name.endswith(".mp4"):
            assert (tmp_path / name).read_bytes() == files(protected)[name]
        if name.endswith(".json"):
            json.loads((tmp_path / name).read_text())
    if number is signal.SIGINT:
        assert not list(tmp_path.glob(PRIVATE + "*"))
    assert safelight("protect", "--sensor", "off", "-o", tmp_path, portrait[0]).status == 0
    assert set(files(tmp_path)) == set(files(protected))
    assert files(tmp_path)["portrait.safelight.mp4"] == files(protected)["portrait.safelight.mp4"]


def test_no_worker_outlives_the_program(portrait: tuple[Path, list[Box]], tmp_path: Path) -> None:
    words = [*COMMAND, "protect", "-q", "--sensor", "off", "-o", str(tmp_path), str(portrait[0])]

    def below(pid: int) -> set[int]:
        """Processes that another one started, and what these started."""
        parents: dict[int, int] = {}
        for place in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                state, parent = (place / "stat").read_text().rpartition(")")[2].split()[:2]
                if state != "Z":
                    parents[int(place.name)] = int(parent)
        found = {pid}
        while more := {child for child, parent in parents.items() if parent in found} - found:
            found |= more
        return found & parents.keys()

    with subprocess.Popen(words, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 30
        while len(started := below(process.pid)) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(started) >= 3  # the program, what starts workers, a worker
        process.kill()
        process.wait()
    while left := {pid for one in started for pid in below(one)}:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
