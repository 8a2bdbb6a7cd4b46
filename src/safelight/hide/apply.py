"""Carry out a plan on a clip: read, fill, develop, treat, write; one picture at a time, in flat memory.

Runs in a worker.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from safelight.errors import Code, SafelightError
from safelight.geometry import Box, Raster
from safelight.hide.curtain import draw_curtain
from safelight.hide.picture import hide_areas
from safelight.hide.sensor import RECIPES, Treatment, draw_key
from safelight.hide.sheet import Sheet
from safelight.media.ahead import ahead
from safelight.media.develop import Developed, Developer
from safelight.media.facts import ClipFacts
from safelight.media.pieces import Part
from safelight.media.planes import Planes
from safelight.media.read import Picture, Reader
from safelight.media.sound import RATE, Samples
from safelight.media.write import QUALITY, Writer, write_still
from safelight.plan import Clip, Decision, Form, Plan, Sensor

Report = Callable[[int, int | None], None]

_WAITING = 2  # finished pictures that wait to be written
_NEAR = 64  # pictures for which the regions that matter are told from the others at a time


@dataclass(frozen=True)
class HideResult:
    """What was done. ``share_mean`` and ``share_max``: hidden part of the picture, 0 to 1, over all frames. ``size``:
    (width, height) of the copy's picture.
    """

    copy: Path
    size: tuple[int, int]
    frames_read: int
    frames_written: int
    frames_hidden: int
    share_mean: float
    share_max: float

    @property
    def copy_name(self) -> str:
        """File name of the copy, with the suffix that tells its format."""
        return self.copy.name


def apply(
    reader: Reader,
    plan: Plan,
    copy: Path,
    *,
    sound: Iterable[Samples] = (),
    sheet: Path | None = None,
    progress: Report | None = None,
    key: bytes | None = None,
    part: Part | None = None,
) -> HideResult:
    """Write the copy of a clip that a plan asks for, or of a ``part`` of it.

    The copy of a part is a film without sound that begins at time 0, to be joined by :mod:`safelight.media.join`; its
    contact sheet is only the pictures for one (see :meth:`Sheet.keep`).

    ``copy``: path without suffix; .mp4 is added for films, .jpg or .png for stills. ``sound``: what is heard in the
    copy, from :func:`safelight.hide.sound.track.copy_sound`; silence without it. ``sheet``: where to write the
    contact sheet (PNG), whose pictures are those of the copy before the treatment against sensor noise. ``progress`` is
    told (frames done, frames planned). ``key``: what that treatment draws its lots from; by default a fresh secret one.
    Whether the plan's hash is the clip's is for the caller to check; here the clip must have the plan's size, time
    base, number of frames and times.

    Raises SafelightError: SL-PLAN-OTHER-CLIP when they do not fit, SL-COPY-DIFFERS when not every picture read was
    written or cut off, and whatever the reader and the writer raise. Then no copy is left behind.
    """
    facts = reader.facts
    _require_fit(plan.clip, facts)
    copy = copy.with_name(copy.name + _suffix(facts))
    tally = _Tally()
    page = Sheet(plan)
    ends = _Ends(plan)
    expected = plan.clip.frames if part is None else part.frames
    treatment = _treatment(plan, facts, key)
    size = treatment.size if treatment is not None else _written_size(facts)
    if part is not None:
        facts = facts.model_copy(update={"picture_start": 0.0, "sound": None})
    with (
        _output(copy, facts, plan.settings.sensor, ends.sound(sound)) as output,
        ahead(_covered(reader, plan, tally, part), _WAITING) as covered,
        ahead(_bent(ends.pictures(_developed(covered, reader.facts)), treatment), _WAITING) as bent,
        ahead(_calmed(bent, treatment), _WAITING) as pictures,
    ):
        for index, developed, treated in pictures:
            output.picture(treated)
            page.take(index, developed)
            tally.written += 1
            if progress is not None:
                progress(tally.written, expected)
        if tally.read != expected:
            raise _other(f"it has {tally.read} frames and the plan is for {expected}")
        if tally.written != tally.read - ends.left_out:
            raise SafelightError(Code.COPY_DIFFERS, f"{tally.read} frames were read but {tally.written} were written.")
    if sheet is not None:
        (page.save if part is None else page.keep)(sheet)
    mean = tally.shares / max(tally.read, 1)
    return HideResult(copy, size, tally.read, tally.written, tally.hidden, mean, tally.largest)


def _written_size(facts: ClipFacts) -> tuple[int, int]:
    """(width, height) of an untreated copy: films have even sides."""
    width, height = facts.raster.shown_size
    return (width, height) if facts.still else (width + width % 2, height + height % 2)


def _treatment(plan: Plan, facts: ClipFacts, key: bytes | None) -> Treatment | None:
    """What takes the camera's noise out, if the plan asks for it."""
    if plan.settings.sensor is Sensor.OFF:
        return None
    return Treatment(
        facts.raster.shown_size,
        RECIPES[plan.settings.sensor],
        key or draw_key(),
        still=facts.still,
        base=facts.base,
        first=plan.clip.first_pts,
    )


class _Ends:
    """Leaves out what the plan cuts off at both ends, of pictures and sound."""

    def __init__(self, plan: Plan) -> None:
        self.left_out = 0
        self._plan = plan
        self._cut = Fraction(0)  # seconds from the clip's first picture to the copy's

    def pictures(self, pictures: Generator[tuple[int, Developed]]) -> Generator[tuple[int, Developed]]:
        """Those between the ends, with their index."""
        clip, ends = self._plan.clip, self._plan.ends
        began = False
        with closing(pictures):
            for index, developed in pictures:
                seconds = (developed.pts - clip.first_pts) * Fraction(*clip.time_base)
                if ends is not None and not ends[0] <= seconds < ends[1]:
                    self.left_out += 1
                    continue
                if not began:
                    began, self._cut = True, seconds
                yield index, developed

    def sound(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """The sound from the first picture that stays; to be asked for after it."""
        over = round(self._cut * RATE)
        for block in blocks:
            skipped = min(over, len(block))
            over -= skipped
            if skipped < len(block):
                yield block[skipped:]


def _bent(
    pictures: Iterator[tuple[int, Developed]], treatment: Treatment | None
) -> Generator[tuple[int, Developed, Developed]]:
    """Each picture with its index, before and after the first half of the treatment."""
    for index, developed in pictures:
        yield index, developed, developed if treatment is None else treatment.bend(developed)


def _calmed(
    pictures: Iterator[tuple[int, Developed, Developed]], treatment: Treatment | None
) -> Generator[tuple[int, Developed, Developed]]:
    """The same after the other half, which is in a thread of its own: none must have much more to do than others."""
    for item in pictures:
        if treatment is not None:
            treatment.calm(item[2])
        yield item


@dataclass
class _Tally:
    read: int = 0
    written: int = 0
    hidden: int = 0
    shares: float = 0.0
    largest: float = 0.0

    def count(self, share: float) -> None:
        self.read += 1
        self.hidden += share > 0
        self.shares += share
        self.largest = max(self.largest, share)


def _covered(reader: Reader, plan: Plan, tally: _Tally, part: Part | None) -> Generator[tuple[Picture, Planes]]:
    """The pictures of a clip, and their planes with all covered that the plan hides."""
    raster = reader.facts.raster
    times = _planned_times(plan)
    near, stretch = plan, -1
    with ahead((picture, picture.planes()) for picture in reader.pictures(part)) as pictures:
        for picture, planes in pictures:
            _require_time(picture, plan.clip, times)
            height, width = planes.y.shape
            if (width, height) != (raster.stored_width, raster.stored_height):
                raise SafelightError(Code.UNSUPPORTED, f"Frame {picture.index} has another size than the first.")
            if picture.index // _NEAR != stretch:
                stretch = picture.index // _NEAR
                near = _near(plan, stretch)
            hidden = cover(planes, near, picture.index, raster)
            tally.count(hidden / (width * height))
            yield picture, planes


def _developed(covered: Iterable[tuple[Picture, Planes]], facts: ClipFacts) -> Generator[tuple[int, Developed]]:
    """The pictures of the copy with their index, in order. Developing may hold some back; none may be lost."""
    developer = Developer(facts)
    waiting: deque[tuple[int, int]] = deque()

    def named(done: list[Developed]) -> Iterator[tuple[int, Developed]]:
        for developed in done:
            index, pts = waiting.popleft() if waiting else (-1, None)
            if developed.pts != pts:
                raise SafelightError(Code.COPY_DIFFERS, f"A picture with time {developed.pts} came out of order.")
            yield index, developed

    for picture, planes in covered:
        waiting.append((picture.index, picture.pts))
        yield from named(developer.develop(planes, picture.pts))
    yield from named(developer.finish())


def _near(plan: Plan, stretch: int) -> Plan:
    """The plan with the regions that matter in one stretch of `_NEAR` pictures, the first being number 0: a long film
    has thousands, and each picture asks all that the plan has.
    """
    first, end = stretch * _NEAR, (stretch + 1) * _NEAR
    regions = [region for region in plan.regions if region.first < end and region.last >= first]
    return plan.model_copy(update={"regions": regions})


def cover(planes: Planes, plan: Plan, index: int, raster: Raster, scale: tuple[float, float] = (1.0, 1.0)) -> int:
    """Hide, in place, what a plan hides in one picture; returns how many luma pixels are covered.

    ``raster``: of the planes. ``scale``: size (x, y) of the shown planes in relation to the clip's, for small pictures.
    """

    def areas(decision: Decision) -> list[tuple[Form, Box]]:
        return [(region.form_at(index), box.scaled(*scale)) for region, box in plan.covers(index, decision)]

    if plan.settings.curtain:
        return draw_curtain(planes, areas(Decision.REVEAL), areas(Decision.HIDE), raster)
    return hide_areas(planes, areas(Decision.HIDE), raster, plan.settings.look, index)


def _planned_times(plan: Plan) -> dict[int, int]:
    """Presentation times that the plan knows, by frame."""
    times = {0: plan.clip.first_pts, plan.clip.frames - 1: plan.clip.last_pts}
    for region in plan.regions:
        for key in region.keyframes:
            if times.setdefault(key.frame, key.pts) != key.pts:
                raise SafelightError(
                    Code.PLAN_INVALID, f"The plan has two times for frame {key.frame}, one of them in {region.id}."
                )
    return times


def _require_time(picture: Picture, clip: Clip, times: dict[int, int]) -> None:
    if picture.index >= clip.frames:
        raise _other(f"it has more than the {clip.frames} frames the plan is for")
    planned = times.get(picture.index)
    if planned is not None and planned != picture.pts:
        raise _other(f"frame {picture.index} is shown at {picture.pts} ticks and not at {planned} as planned")


def _require_fit(clip: Clip, facts: ClipFacts) -> None:
    if (clip.width, clip.height) != facts.raster.shown_size:
        width, height = facts.raster.shown_size
        raise _other(f"its picture is {width} x {height} and the plan is for {clip.width} x {clip.height}")
    if clip.time_base != facts.time_base:
        raise _other("it counts time in other units")
    if clip.still != facts.still:
        raise _other("one is a film and the other a still picture")


def _other(why: str) -> SafelightError:
    return SafelightError(Code.PLAN_OTHER_CLIP, f"The plan does not fit this clip: {why}.")


class _Output(Protocol):
    def picture(self, developed: Developed) -> None: ...


class _StillOutput:
    """A still picture, written when it comes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.made = False

    def picture(self, developed: Developed) -> None:
        write_still(self._path, developed)
        self.made = True


@contextmanager
def _output(path: Path, facts: ClipFacts, sensor: Sensor, sound: Iterable[Samples]) -> Iterator[_Output]:
    """Where the pictures of the copy go; an exception leaves no file behind."""
    if not facts.still:
        quality = QUALITY if sensor is Sensor.OFF else RECIPES[sensor].quality
        with Writer(path, facts, quality, sound) as writer:
            yield writer
        return
    still = _StillOutput(path)
    try:
        yield still
    except BaseException:
        if still.made:
            path.unlink(missing_ok=True)
        raise


def _suffix(facts: ClipFacts) -> str:
    if not facts.still:
        return ".mp4"
    return ".jpg" if facts.lossy else ".png"
