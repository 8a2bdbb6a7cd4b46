"""A long copy is attacked by several workers, each with some of the roster: the verdict is that of one worker."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from examples.clip import write_clip

from safelight import spread, trial
from safelight.account import Options
from safelight.attack.moments import Glimpse, heaviest, worst
from safelight.attack.run import attack
from safelight.attack.shares import groups
from safelight.attack.sound import Sound
from safelight.attack.verdict import MAX_MOMENTS, NAMES, Outcome, Verdict
from safelight.errors import Cancelled
from safelight.inputs import Original
from safelight.outputs import Names
from safelight.plan import Asked, Effort, Plan, SoundDefault
from safelight.protect import protect
from safelight.scale.comrades import Comrades
from safelight.spread import Spread
from safelight.trial import tried
from safelight.workers.crew import Crew, Hands, Work
from safelight.workers.messages import FindJob, HideJob

KEY = "5" * 64


class Quiet:
    """An observer that keeps to itself."""

    def stage(self, name: str) -> None: ...

    def progress(self, done: int, total: int | None) -> None: ...


@dataclass(frozen=True)
class Made:
    """A film, its plan, a copy that hides what it should, and one that hides nothing."""

    film: Path
    plan: Plan
    copy: Path
    bare: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("attacked")
    film = folder / "film.mp4"
    write_clip(film, 256, 144, 3.0, keys=10)
    with Original(film) as original:
        team = Spread(original, Hands(), Quiet(), threading.Event())
        team.find(FindJob(sha256=original.sha256(), asked=Asked(effort=Effort.QUICK)), folder)
        plan = Plan.load(folder / "plan.json")
        copies = []
        for name, regions in (("copy", plan.regions), ("bare", [])):
            room = folder / name
            room.mkdir()
            asked = plan.model_copy(update={"regions": regions})
            (room / "plan.json").write_text(asked.to_json())
            team.hide(HideJob(sensor_key=KEY), asked, room)
            copies.append(room / "copy.mp4")
    assert plan.regions
    return Made(film, plan, *copies)


def attacked(made: Made, copy: Path, plan: Plan, room: Path, crew: Crew | None) -> tuple[bytes, bytes]:
    """The two documents of an attack: the verdict and the report."""
    room.mkdir()
    with Original(copy) as opened, Original(made.film) as original:
        done = tried(
            opened,
            original,
            plan,
            room,
            names=[["Eileen Collins"]],
            sensor_key=KEY,
            crew=crew,
            progress=lambda pictures, of: None,
            cancel=threading.Event(),
        )
    assert done.verdict.copy_.sha256
    return done.document.read_bytes(), done.page.read_bytes()


class Counting:
    """A crew that remembers what it was asked."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self.asked: list[tuple[str, ...]] = []

    def hands(self) -> int:
        return self.crew.hands()

    def each(self, clip: Original, works: list[Work], told: object, cancel: threading.Event) -> list[object]:
        self.asked += [work.job.attackers for work in works]
        return self.crew.each(clip, works, told, cancel)


@pytest.mark.parametrize("what", ["copy", "bare", "missed"])
def test_several_workers_come_to_the_very_verdict_of_one(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Byte by byte, also where the copy is broken: a face left bare that the plan hides, and one that it missed; and
    however the roster is split.
    """
    copy = made.copy if what == "copy" else made.bare
    plan = made.plan.model_copy(update={"regions": []}) if what == "missed" else made.plan
    alone = attacked(made, copy, plan, tmp_path / "alone", None)
    for split in (groups(plan, 2), [(name,) for name in reversed(NAMES)]):
        monkeypatch.setattr(trial, "groups", lambda plan, most, split=split: split)
        crew = Counting(Hands(2))
        assert attacked(made, copy, plan, tmp_path / str(len(split)), crew) == alone
        assert crew.asked == split
        assert len(split) > 1
    verdict = Verdict.model_validate_json(alone[0])
    assert verdict.moments
    assert verdict.outcome is (Outcome.HELD if what == "copy" else Outcome.BROKEN)
    broken = {finding.attacker for finding in verdict.findings if finding.outcome is Outcome.BROKEN}
    assert {"copy": broken == set(), "bare": "fill" in broken, "missed": broken == {"faces"}}[what]
    assert bool(verdict.proposals) is (what == "missed")


def test_a_cluster_comes_to_it_too(made: Made, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    alone = attacked(made, made.copy, made.plan, tmp_path / "alone", None)
    room = {"processes": False, "n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}

    def there() -> tuple[tuple[bytes, bytes], int]:
        crew = Counting(Comrades())
        return attacked(made, made.copy, made.plan, tmp_path / "there", crew), len(crew.asked)

    with distributed.LocalCluster(**room) as cluster, distributed.Client(cluster) as client:
        documents, groups_asked = client.submit(there, pure=False).result()
        assert documents == alone
        assert groups_asked == 2
        assert client.submit(Comrades().hands, pure=False).result() == 2, "its own thread, and one that does nothing"
        busy = client.submit(time.sleep, 10, pure=False)
        assert client.submit(Comrades().hands, pure=False).result() == 1, "the other one has another clip"
        assert not busy.done()


@pytest.mark.parametrize(("jobs", "asked"), [(1, 0), (2, 2)])
def test_a_long_film_is_attacked_by_as_many_as_there_are_hands(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int, asked: int
) -> None:
    monkeypatch.setattr(spread, "SECONDS_A_PIECE", 1.4)
    hands = Hands(jobs)
    crew = Counting(hands)
    options = Options(asked=Asked(effort=Effort.QUICK))
    with hands.hold():
        done = protect(
            made.film, Names(tmp_path, "film"), options, observer=Quiet(), cancel=threading.Event(), crew=crew
        )
    assert len(crew.asked) == asked
    verdict = Verdict.model_validate_json(done.names.verdict.read_bytes())
    assert tuple(finding.attacker for finding in verdict.findings) == NAMES
    assert not list(tmp_path.glob(".safelight-*"))


def test_a_short_film_is_attacked_by_one(made: Made, tmp_path: Path) -> None:
    crew = Counting(Hands(3))
    options = Options(asked=Asked(effort=Effort.QUICK))
    protect(made.film, Names(tmp_path, "film"), options, observer=Quiet(), cancel=threading.Event(), crew=crew)
    assert crew.asked == []


def test_calling_it_off_ends_all_attackers(made: Made, tmp_path: Path) -> None:
    cancel = threading.Event()
    with Original(made.copy) as copy, Original(made.film) as original, pytest.raises(Cancelled):
        tried(
            copy,
            original,
            made.plan,
            tmp_path,
            crew=Hands(2),
            progress=lambda pictures, of: cancel.set(),
            cancel=cancel,
        )
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


@pytest.mark.parametrize("frames", [100, 6000, 90_000])
@pytest.mark.parametrize("sound", list(SoundDefault))
def test_nobody_is_left_out_and_nobody_attacks_twice(made: Made, frames: int, sound: SoundDefault) -> None:
    plan = made.plan.model_copy(
        update={
            "clip": made.plan.clip.model_copy(update={"frames": frames}),
            "settings": made.plan.settings.model_copy(update={"sound": sound}),
        }
    )
    assert groups(plan, 1) == [NAMES]
    for most in range(1, 12):
        split = groups(plan, most)
        assert 1 <= len(split) <= most
        assert all(split)
        assert sorted(name for group in split for name in group) == sorted(NAMES)
        assert all(list(group) == sorted(group, key=NAMES.index) for group in split)


def test_who_listens_elsewhere_is_relied_on(made: Made) -> None:
    """Sound that can be heard blocks unless somebody judges it; in another worker is good enough."""
    others = [name for name in NAMES if name != "sound"]
    for elsewhere, outcome in (((), Outcome.COULD_NOT_RUN), (others, Outcome.NOT_ASKED)):
        with made.film.open("rb") as copy:
            (finding,) = attack(copy, attackers=(Sound,), elsewhere=elsewhere).findings
        assert finding.outcome is outcome


def glimpses() -> Iterator[list[Glimpse]]:
    """What attackers offer, many of it equally heavy, in the order in which one worker meets it."""
    for seed in range(40):
        dice = random.Random(seed)
        yield [
            Glimpse(dice.choice([1.0, 2.0, 2.0, 90.0]), name, frame, frame / 25, f"{number}", b"")
            for frame in range(dice.choice([20, 200]))
            for name in ("faces", "fill")
            for number in range(dice.randrange(3))
        ]


def test_the_moments_of_several_are_those_of_one() -> None:
    for offered in glimpses():
        kept: list[Glimpse] = []
        for one in offered:  # as an attacker's notes do it
            if len(kept) < MAX_MOMENTS or one.weight > kept[-1].weight:
                kept = heaviest([*kept, one])
        assert kept == heaviest(offered)
        apart = [heaviest(one for one in offered if one.attacker == name) for name in ("fill", "faces")]
        assert worst([one for part in apart for one in part]) == worst(kept)
