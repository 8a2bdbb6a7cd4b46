"""The clips of a source on one line of time, and every reason to doubt it.

Three clocks can tell when a clip began: one that is burnt into the picture, a tag in the file, and the file's own time,
which is when the camera closed it. The first that seems to have been set is believed; what the others say is told, and
where they disagree, that is a doubt. Nothing here changes a time: a clock that went wrong stays on the line where it
says it is, marked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

from safelight.custody.catalogue import Arrival, Clip
from safelight.custody.near import clock as place
from safelight.custody.trace import Clock, Trace

LOOSE = timedelta(seconds=3)  # what two clocks of one camera may differ by; cards keep times to two seconds
ZONE = timedelta(minutes=15)  # zones differ by whole multiples of it, and by less than
_WIDEST = timedelta(hours=27)
_OLDEST = datetime(2001, 1, 2)  # no camera that writes such files is older; clocks that were never set say less
_NUMBERED = re.compile(r"(.*?)(\d{3,})\D*")


@dataclass
class Moment:
    """One clip on the line. ``begin``: as believed, by ``basis``; ``gap``: seconds since the one before ended, less
    than none when they overlap; ``burnt_in``, ``tag``, ``file``: what each clock says of its beginning.
    """

    clip: str
    path: str
    begin: datetime
    end: datetime
    basis: str
    burnt_in: datetime | None
    tag: datetime | None
    file: datetime
    seconds: float | None
    gap: float | None = None
    doubts: list[str] = field(default_factory=list)


def line(arrivals: Iterable[tuple[Arrival, Clip, Trace | None]]) -> list[Moment]:
    """The clips that came from one source, by time. ``arrivals``: each with its clip, and its trace if it has one."""
    moments: dict[int, Moment] = {}
    for arrival, clip, trace in arrivals:
        if clip.number not in moments:
            moments[clip.number] = _moment(arrival, clip, trace)
            continue
        known, came = moments[clip.number], _file_time(arrival)
        if abs(came - _length(trace) - known.file) > LOOSE:
            known.doubts.append(f"it came again as {arrival.path} with the file time {came:%Y-%m-%d %H:%M:%S}")
    _order_of_names(list(moments.values()))
    ordered = sorted(moments.values(), key=lambda moment: (moment.begin, moment.clip))
    _gaps(ordered)
    return ordered


def _moment(arrival: Arrival, clip: Clip, trace: Trace | None) -> Moment:
    doubts: list[str] = []
    file, tag, burnt_in = _file_time(arrival) - _length(trace), None, None
    if trace is None:
        doubts.append("it was not looked at: its length and its clocks are not known")
    else:
        if trace.refused is not None:
            doubts.append(f"it could not be read ({trace.refused}): its length is not known")
        tags = [_plain(told.time) for told in trace.told]
        tag = min((time for time in tags if not _unset(time)), default=min(tags, default=None))
        burnt_in = _burnt_in(trace, file, doubts)
    clocks = {"burnt in": burnt_in, "tag": tag, "file time": file}
    told = {name: time for name, time in clocks.items() if time is not None}
    sealed = datetime.strptime(clip.sealed, "%Y-%m-%dT%H:%M:%SZ")
    unset = {name: _unset(time) or _ahead(time, sealed) for name, time in told.items()}
    doubts += [f"{name} {told[name]:%Y-%m-%d %H:%M:%S}: {why}" for name, why in unset.items() if why]
    basis = next((name for name in told if not unset[name]), next(iter(told)))
    for name, time in told.items():
        if name != basis and not unset[name] and not unset[basis]:
            doubts += _disagreement(basis, name, told[basis], time)
    return Moment(
        clip=clip.name,
        path=arrival.path,
        begin=told[basis],
        end=told[basis] + _length(trace),
        basis=basis,
        burnt_in=burnt_in,
        tag=tag,
        file=file,
        seconds=trace.seconds if trace and trace.refused is None else None,
        doubts=doubts,
    )


def _length(trace: Trace | None) -> timedelta:
    return timedelta(seconds=trace.seconds if trace else 0)


def _file_time(arrival: Arrival) -> datetime:
    return datetime.fromtimestamp(arrival.taken_ns / 1e9, UTC).replace(tzinfo=None)


def _plain(time: datetime) -> datetime:
    """On the line: UTC if the zone is known, else as the clock showed it."""
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time


def _unset(time: datetime) -> str:
    """Why a clock seems never to have been set; cameras begin to count on some first of January."""
    if time < _OLDEST:
        return "a clock that was never set"
    return "the first of January, may be a clock that was never set" if (time.month, time.day) == (1, 1) else ""


def _ahead(time: datetime, sealed: datetime) -> str:
    return "later than it was sealed" if time > sealed + _WIDEST else ""


def _burnt_in(trace: Trace, file: datetime, doubts: list[str]) -> datetime | None:
    """When the clip began by the clock in its pictures; jumps of that clock are doubts."""
    begins = [(read.at, _day(read, file) - timedelta(seconds=read.at)) for read in trace.clocks]
    if not begins:
        return None
    before = begins[0][1]
    for at, begin in begins[1:]:
        if abs(begin - before) > LOOSE:
            doubts.append(f"the burnt-in clock jumps by {span(begin - before)} before {place(at)}")
        before = begin
    if any(read.either for read in trace.clocks):
        doubts.append("the burnt-in date may have day and month exchanged")
    return begins[0][1]


def _day(read: Clock, file: datetime) -> datetime:
    """A burnt-in time; where day and month may be exchanged, the way that is nearer to the file's own time."""
    time = _plain(read.time)
    ways = [time, time.replace(month=time.day, day=time.month)] if read.either else [time]
    return min(ways, key=lambda way: abs(way - file))


def _disagreement(one: str, other: str, begin: datetime, time: datetime) -> list[str]:
    apart = time - begin
    if abs(apart) <= LOOSE:
        return []
    rest = abs(apart) % ZONE
    if abs(apart) <= _WIDEST and min(rest, ZONE - rest) <= LOOSE:
        return [f"{other} is {span(apart)} off {one}: another zone?"]
    return [f"{other} is {span(apart)} off {one}"]


def _order_of_names(moments: list[Moment]) -> None:
    """Cameras count upwards: a clip that is earlier than the one whose number is lower is in doubt."""
    series: dict[tuple[str, str], list[tuple[int, Moment]]] = {}
    for moment in moments:
        path = PurePosixPath(moment.path)
        match = _NUMBERED.fullmatch(path.stem)
        if match:
            series.setdefault((str(path.parent), match[1]), []).append((int(match[2]), moment))
    for numbered in series.values():
        numbered.sort(key=lambda pair: pair[0])
        latest: Moment | None = None
        for _, moment in numbered:
            if latest is not None and moment.begin < latest.begin - LOOSE:
                moment.doubts.append(f"its name comes after {latest.clip}, its time before")
            else:
                latest = moment


def _gaps(ordered: list[Moment]) -> None:
    """One camera cannot record twice at once."""
    before: Moment | None = None
    for moment in ordered:
        if before is not None:
            moment.gap = (moment.begin - before.end).total_seconds()
            if moment.begin < before.end - LOOSE:
                moment.doubts.append(f"overlaps {before.clip} by {span(before.end - moment.begin)}")
        if before is None or moment.end > before.end:
            before = moment


def span(time: timedelta) -> str:
    """A length of time in words, whatever its direction."""
    seconds = abs(round(time.total_seconds()))
    if seconds >= 2 * 86_400:
        return f"{seconds // 86_400} days"
    if seconds >= 3600:
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02} h"
    return f"{seconds // 60}:{seconds % 60:02} min" if seconds >= 60 else f"{seconds} s"
