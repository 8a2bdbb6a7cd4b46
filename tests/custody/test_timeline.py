"""Clips on one line of time, with what speaks against it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from benchmarks.killing import write_case

from custody.conftest import Desk
from custody.moving import film
from program import safelight
from safelight.custody.catalogue import Arrival, Clip
from safelight.custody.timeline import Moment, line
from safelight.custody.trace import Clock, Told, Trace
from safelight.errors import Code

NOON = datetime(2024, 5, 3, 12)


def came(
    number: int, ended: datetime, *, seconds: float = 60, path: str = "", **more: object
) -> tuple[Arrival, Clip, Trace]:
    """A clip with a file time, and what its trace says besides."""
    taken = ended.replace(tzinfo=UTC)
    clip = Clip(number, "o", 1, "i", 9, "s", "b", "2026-01-01T00:00:00Z", [], path, "S1", "")
    arrival = Arrival(number, number, path or f"{number}.mp4", "S1", 9, int(taken.timestamp()) * 10**9)
    return arrival, clip, Trace.model_validate({"seconds": seconds, **more})


def doubts(*arrivals: tuple[Arrival, Clip, Trace]) -> list[str]:
    return [doubt for moment in line(arrivals) for doubt in moment.doubts]


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_clips_stand_in_their_order_with_gaps_and_no_doubt() -> None:
    first, second, third = line([came(3, after(20)), came(1, after(1)), came(2, after(2))])
    assert [moment.clip for moment in (first, second, third)] == ["clip-0001", "clip-0002", "clip-0003"]
    assert (first.begin, first.end, first.basis) == (NOON, after(1), "file time")
    assert [moment.gap for moment in (first, second, third)] == [None, 0, 17 * 60]
    assert not doubts(came(3, after(20)), came(1, after(1)), came(2, after(2)))


def test_one_camera_cannot_record_twice_at_once() -> None:
    (doubt,) = doubts(came(1, after(5), seconds=300), came(2, after(3)))
    assert doubt == "overlaps clip-0001 by 3:00 min"
    assert not doubts(came(1, after(1)), came(2, after(2) - timedelta(seconds=2)))  # a card's times are that coarse


def test_a_clock_that_is_burnt_in_is_believed_before_tags_and_those_before_file_times() -> None:
    clock = Clock(at=10, time=NOON + timedelta(seconds=10))
    tag = Told(where="tag", time=after(3).replace(tzinfo=UTC))
    moments = line([came(1, after(61), clocks=[clock], told=[tag])])
    assert (moments[0].begin, moments[0].basis) == (NOON, "burnt in")
    assert moments[0].doubts == ["tag is 3:00 min off burnt in", "file time is 1:00:00 h off burnt in: another zone?"]
    assert line([came(1, after(4), told=[tag])])[0].basis == "tag"


@pytest.mark.parametrize("year", [1904, 1970, 1980, 2000, 2010])
def test_clocks_that_were_never_set_are_marked_and_another_is_believed(year: int) -> None:
    tag = Told(where="tag", time=datetime(year, 1, 1, 0, 4, 5, tzinfo=UTC))
    (moment,) = line([came(1, after(1), told=[tag])])
    assert (moment.basis, moment.begin) == ("file time", NOON)
    assert len(moment.doubts) == 1
    assert f"{year}-01-01" in moment.doubts[0]
    (moment,) = line([came(1, datetime(1980, 1, 1, 0, 2))])
    assert "never set" in moment.doubts[0]


def test_a_time_after_the_sealing_is_marked() -> None:
    assert "later than it was sealed" in doubts(came(1, datetime(2031, 5, 5)))[0]


def test_a_clock_that_was_set_back_shows_in_the_order_of_names() -> None:
    names = ["DCIM/MOV_0001.mp4", "DCIM/MOV_0002.mp4", "DCIM/MOV_0003.mp4"]
    told = doubts(
        came(1, after(600), path=names[0]), came(2, after(5), path=names[1]), came(3, after(700), path=names[2])
    )
    assert told == ["its name comes after clip-0001, its time before"]


def test_a_burnt_in_clock_that_jumps_is_marked() -> None:
    steady = [Clock(at=at, time=NOON + timedelta(seconds=at)) for at in (0, 1, 4, 16)]
    assert not doubts(came(1, after(1), clocks=steady))
    jumped = [*steady, Clock(at=50, time=NOON + timedelta(hours=2))]
    assert doubts(came(1, after(1), clocks=jumped)) == ["the burnt-in clock jumps by 1:59:10 h before 0:50"]


def test_day_and_month_are_taken_the_way_that_other_times_speak_for() -> None:
    clock = Clock(at=0, time=datetime(2024, 3, 5, 12), either=True)
    (moment,) = line([came(1, after(1), clocks=[clock])])
    assert (moment.begin, moment.doubts) == (NOON, ["the burnt-in date may have day and month exchanged"])


def test_what_could_not_be_read_or_came_twice_is_told() -> None:
    arrival, clip, _ = came(1, after(1))
    assert "not looked at" in line([(arrival, clip, None)])[0].doubts[0]
    assert "SL-TRUNCATED" in doubts(came(1, after(1), seconds=0, refused=Code.TRUNCATED))[0]
    again = came(1, after(90), path="backup/1.mp4")
    assert doubts(came(1, after(1)), again) == ["it came again as backup/1.mp4 with the file time 2024-05-03 13:30:00"]


def test_a_case_tells_its_line(tmp_path: Path) -> None:
    """Film, tags and clock through the confined worker, sealed, and told again."""
    card = tmp_path / "card"
    card.mkdir()
    film(card / "MOV_0001.mp4", 1, seconds=4, size=(640, 360), clock="2024-05-03 22:11:{}")
    film(
        card / "MOV_0002.mp4",
        2,
        seconds=3,
        tags={"creation_time": "2024-05-03T22:12:00Z", "comment": "0001-01-01T00:00:00Z"},
    )
    for path in card.iterdir():
        os.utime(path, (1e9, 1e9))
    desk = Desk(*write_case(tmp_path), card)
    ran = safelight("intake", card, "--case", desk.case, "--source", "S1", "--identity", desk.key)
    assert ran.status == 0, ran.err
    ran = safelight("case", "timeline", desk.case, "--identity", desk.key, "--json")
    (source,) = json.loads(ran.out)["sources"]
    first, second = source["clips"]
    assert (source["source"], first["basis"], second["basis"]) == ("S1", "burnt in", "tag")
    assert first["begin"].startswith("2024-05-03T22:11:0")
    assert second["gap"] == pytest.approx(56, abs=3)
    assert any("file time is" in doubt for doubt in first["doubts"])
    shown = safelight("case", "timeline", desk.case, "--identity", desk.key)
    assert "Source S1" in shown.out
    assert "2024-05-03 22:12:00" in shown.out


def test_every_field_of_a_moment_is_told() -> None:
    (moment,) = line([came(1, after(1))])
    assert isinstance(moment, Moment)
    assert (moment.burnt_in, moment.tag, moment.file, moment.seconds) == (None, None, NOON, 60)
