"""The risk queue: every reason to look, when it is one, and what comes first."""

from __future__ import annotations

from desk.test_edits import TIMES, plan
from safelight.desk.risk import Hit, Item, Why, queue
from safelight.geometry import Box
from safelight.media.facts import Gap
from safelight.plan import Decision, How, Keyframe, Kind, Plan, Region, Stretch

RATE = 25.0
MIDDLE, EDGE = Box(200, 100, 260, 180), Box(0, 100, 60, 180)


def track(name: str, *told: tuple[int, int, How, float], box: Box = MIDDLE, score: float = 0.9) -> Region:
    first, last = told[0][0], told[-1][1]
    keys = [Keyframe.of(frame, TIMES[frame], box) for frame in sorted({first, last})]
    stretches = [Stretch(first=a, last=b, how=how, score=sure) for a, b, how, sure in told]
    return Region(id=name, kind=Kind.HEAD, score=score, keyframes=keys, stretches=stretches)


def reasons(told: Plan | Region) -> list[tuple[Why, int, int]]:
    """Why and where, by time. Cuts of the plan are at 50 and 120, it has 200 frames."""
    made = told if isinstance(told, Plan) else plan(told)
    return sorted((item.why, item.first, item.last) for item in queue(made, RATE))


def test_a_track_from_cut_to_cut_is_no_reason() -> None:
    assert reasons(track("a", (50, 119, How.FOUND, 0.9))) == []
    assert reasons(track("a", (0, 49, How.FOUND, 0.9))) == []
    assert reasons(track("a", (120, 199, How.FOUND, 0.9))) == []


def test_a_track_that_leaves_through_the_edge_is_no_reason_and_one_that_vanishes_is() -> None:
    assert reasons(track("a", (60, 100, How.FOUND, 0.9), box=EDGE)) == []
    assert reasons(track("a", (50, 100, How.FOUND, 0.9))) == [(Why.END, 75, 100)]
    assert reasons(track("a", (70, 119, How.FOUND, 0.9))) == [(Why.BEGIN, 70, 95)]
    assert len(reasons(track("a", (52, 118, How.FOUND, 0.9)))) == 0  # cuts are called to two frames


def test_moments_weak_scores_and_everything_the_machine_made_up_are_reasons() -> None:
    assert reasons(track("a", (60, 70, How.FOUND, 0.9), box=EDGE)) == [(Why.SHORT, 60, 70)]
    assert reasons(track("a", (50, 119, How.FOUND, 0.4), score=0.4)) == [(Why.WEAK, 50, 119)]
    assert reasons(track("a", (50, 70, How.FOUND, 0.9), (71, 80, How.FILLED, 0), (81, 119, How.FOUND, 0.9))) == [
        (Why.FILLED, 71, 80)
    ]
    assert reasons(track("a", (50, 70, How.FOUND, 0.9), (71, 73, How.FILLED, 0), (74, 119, How.FOUND, 0.9))) == []
    assert reasons(track("a", (50, 79, How.FOUND, 0.9), (80, 119, How.FOLLOWED, 0))) == [(Why.FOLLOWED, 80, 119)]
    assert reasons(track("a", (50, 79, How.FOUND, 0.9), (80, 119, How.HELD, 0))) == [(Why.HELD, 80, 119)]


def test_proposals_are_reasons_and_what_a_person_decided_is_none() -> None:
    made = track("a", (60, 100, How.FOUND, 0.9))
    assert reasons(made.model_copy(update={"decision": Decision.PROPOSE})) == [(Why.PROPOSED, 60, 100)]
    assert reasons(made.model_copy(update={"decision": Decision.REVEAL})) == []
    assert reasons(track("a", (60, 100, How.DRAWN, 0))) == []


def test_what_an_attack_hit_comes_first_then_damage_then_guesses() -> None:
    made = plan(track("a", (50, 79, How.FOUND, 0.9), (80, 100, How.HELD, 0)), track("b", (60, 70, How.FOUND, 0.9)))
    gap = Gap(after=180, frames=3, start=None, end=None, reason="lost")
    told: list[Item] = queue(made, RATE, [Hit(150, "")], [gap])
    assert [item.why for item in told][:2] == [Why.HIT, Why.DOUBTFUL]
    assert {item.region for item in told[2:]} == {"a", "b"}
    assert [item.weight for item in told] == sorted((item.weight for item in told), reverse=True)
