"""A worker that does its job and lies about it: the lie costs the clip, and nothing is published.

The whole of `protect` with real, locked workers; only what one of them says or leaves is changed, as somebody would who
has taken it over and wants a copy that shows, or tells, what it must not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.media.build import clip
from tests.workers.takeover import taken_over

from safelight import spread
from safelight.account import Options
from safelight.batch import Result, attempt
from safelight.errors import Code
from safelight.outputs import Names
from safelight.plan import Asked, Effort
from safelight.workers.crew import Hands

FIND = """
honest = jobs.find
def find(job, clip, report):
    done = honest(job, clip, report)
    plan = Plan.load(jobs.PLAN)
    {lie}
    jobs.PLAN.write_text(plan.to_json())
    return done
jobs.find = find
"""
HIDE = """
honest = jobs.hide
def hide(job, clip, report):
    return honest(job, clip, report).model_copy(update=dict({lie}))
jobs.hide = hide
"""
ATTACK = """
honest = jobs.attack
def attack(job, clip, report):
    done = honest(job, clip, report)
    told = json.loads(jobs.VERDICT.read_text())
    {lie}
    jobs.VERDICT.write_text(json.dumps(told))
    return done
jobs.attack = attack
"""


def region(more: str) -> str:
    """A region over the whole picture for a second, as a worker would write it down."""
    keys = "[Keyframe(frame=n, pts=plan.clip.first_pts, x=0, y=0, width=64, height=48) for n in (0, 1)]"
    return f"Region(id='all', kind='free', shape='box', {more}, keyframes={keys})"


Liar = Callable[[str, Options], Result]


class _Quiet:
    def stage(self, name: str) -> None: ...

    def progress(self, done: int, total: int | None) -> None: ...


@pytest.fixture
def lying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Liar:
    """Protect a film of 30 pictures with workers whose program has a text put in."""
    program = taken_over(tmp_path, monkeypatch)
    film = clip(tmp_path / "film.mp4", frames=30, width=64, height=48, sound=1.2)

    def protect(text: str, options: Options) -> Result:
        start = "import json\nfrom safelight.plan import *\nfrom safelight.workers import child, jobs\n"
        program.write_text(f"{start}{text}\nraise SystemExit(child.main())\n")
        names = Names(tmp_path / "out", "film")
        return attempt(film, names, options, _Quiet(), threading.Event(), Hands())

    return protect


def options(**more: object) -> Options:
    return Options.model_validate({"asked": Asked(effort=Effort.QUICK)} | more)


def test_who_says_the_truth_is_believed(lying: Liar) -> None:
    result = lying("", options(trim=True))
    assert result.refusal is None
    assert result.outcome is not None
    assert result.outcome.account.frames.written == 25


@pytest.mark.parametrize(
    ("lie", "more"),
    [
        ("plan.regions.append(" + region("decision=Decision.REVEAL") + ")", {"curtain": True}),
        ("plan.regions.append(" + region("decision=Decision.REVEAL, decided_by='the desk'") + ")", {"curtain": True}),
        ("plan.regions.append(" + region("decided_by='the desk'") + ")", {}),
        ('plan.sounds.append(Sound(start=0, end=1, action="keep", decided_by="the desk", reason="a song"))', {}),
        ('plan.sounds.append(Sound(start=0, end=1, action="disguise"))', {}),
        ("plan.settings.sensor = Sensor.OFF", {}),
        ("plan.clip.still = True", {}),
    ],
)
def test_a_finder_cannot_decide_what_only_a_person_may(lying: Liar, lie: str, more: dict[str, object]) -> None:
    """Curtain and silence hold whatever finders see; a worker that was taken over must not lift them."""
    _is_refused(lying(FIND.format(lie=lie), options(**more)))


@pytest.mark.parametrize(
    ("lie", "more"),
    [
        ("frames_written=20", {"trim": True}),
        ("frames_written=29", {"trim": True}),
        ("copy_width=66", {}),
        ("frames_hidden=30", {}),
        ("share_mean=0.5, share_max=0.4", {}),
        ("copy_name='copy.png'", {}),
    ],
)
def test_figures_of_a_copy_are_held_against_the_plan_and_the_copy(
    lying: Liar, lie: str, more: dict[str, object]
) -> None:
    """How many pictures were cut off with the ends is nowhere else than in the copy itself."""
    _is_refused(lying(HIDE.format(lie=lie), options(**more)))


@pytest.mark.parametrize(
    "lie",
    [
        "told['findings'] = [f for f in told['findings'] if f['attacker'] != 'faces']",
        "told['findings'][1]['attacker'] = 'faces'",
        "told['had_original'] = False",
        "told['had_plan'] = False",
        "told['weights'] = {}",
        "told['copy']['frames'] -= 1",
        "told['copy']['size'] -= 1",
    ],
)
def test_a_verdict_is_that_of_all_attackers_about_all_they_were_given(lying: Liar, lie: str) -> None:
    _is_refused(lying(ATTACK.format(lie=lie), options()))


@pytest.mark.parametrize(
    "lie",
    [
        # one group: an attacker is missing, another one's finding is there too or instead, or somebody's twice
        "if 'fill' in job.attackers: told['findings'] = [f for f in told['findings'] if f['attacker'] != 'fill']",
        "if 'fill' in job.attackers: told['findings'].append(told['findings'][0] | {'attacker': other})",
        "if 'fill' in job.attackers: told['findings'][0]['attacker'] = other",
        "if 'fill' in job.attackers: told['findings'].append(told['findings'][0])",
        # it is about other bytes, or the groups saw different copies
        "told['copy']['sha256'] = '0' * 64",
        "if 'fill' in job.attackers: told['copy']['seconds'] += 1",
        "if 'faces' in job.attackers: told['copy']['frames'] -= 1",
        # a picture of somebody else's
        """jobs.VERDICT.with_name('moment-00.png').write_bytes(PNG)
    told['moments'] = [dict(attacker=other, frame=0, seconds=0, why='x', picture='moment-00.png')]""",
    ],
    ids=["missing", "another", "instead", "twice", "bytes", "length", "fewer", "picture"],
)
def test_a_group_of_attackers_is_that_which_was_asked(lying: Liar, monkeypatch: pytest.MonkeyPatch, lie: str) -> None:
    monkeypatch.setattr(spread, "SECONDS_A_PIECE", 0.4)  # so that the film is long
    lie = "other = next(name for name in jobs.NAMES if name not in job.attackers)\n    " + lie
    _is_refused(lying(ATTACK.format(lie=lie).replace("PNG", repr(_png())), options()))


def test_a_group_that_dies_costs_the_clip(lying: Liar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "SECONDS_A_PIECE", 0.4)
    _is_refused(
        lying(ATTACK.format(lie="if 'fill' in job.attackers: raise SystemExit(3)"), options()), Code.WORKER_DIED
    )


def test_groups_that_say_the_truth_are_believed(lying: Liar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "SECONDS_A_PIECE", 0.4)
    result = lying(ATTACK.format(lie="assert len(job.attackers) < 9"), options())
    assert result.refusal is None


def test_attackers_cannot_propose_to_reveal(lying: Liar) -> None:
    lie = f"""plan = Plan.load(jobs.PLAN)
    told["proposals"] = [{region("decision=Decision.REVEAL, decided_by='attack'")}.model_dump(mode="json")]
    told["findings"][0]["outcome"] = told["outcome"] = 'broken'"""
    _is_refused(lying(ATTACK.format(lie=lie), options(curtain=True)))


def test_words_of_a_worker_cannot_paint_on_the_terminal(lying: Liar) -> None:
    text = """
from safelight.errors import Code, SafelightError
def find(job, clip, report):
    raise SafelightError(Code.NOT_MEDIA, "\\x1b[2J\\u202emoc.live")
jobs.find = find
"""
    result = lying(text, options())
    assert result.refusal is not None
    assert result.refusal.code is Code.NOT_MEDIA
    assert result.refusal.detail == "\\x1b[2J\\u202emoc.live"


def _png() -> bytes:
    """A picture as workers make them."""
    done, data = cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))
    assert done
    return bytes(data)


def _is_refused(result: Result, code: Code = Code.WORKER_LIED) -> None:
    assert result.refusal is not None
    assert result.refusal.code is code, result.refusal
    folder = result.path.parent / "out"
    assert not [path for path in folder.iterdir() if path.suffix == ".mp4" or path.name == "film.safelight.json"]
