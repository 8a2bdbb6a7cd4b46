"""Bringing copy and original together, picture by picture, by presentation time and in flat memory."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import BinaryIO

import numpy as np

from safelight.attack.protocol import Notes, Pair, View
from safelight.attack.straight import Straightener
from safelight.media.ahead import ahead
from safelight.media.facts import ClipFacts
from safelight.media.read import Picture, Reader
from safelight.plan import Plan

_TRIED = 40  # pictures by which two time lines are laid over each other
_SMALL = (64, 36)
_SAME_START = 0.02  # seconds
_WAITING = 2  # decoded pictures of either film that wait to be looked at

Timed = Iterator[tuple[Picture, float]]
"""Pictures in order, each with its time since the first, seconds."""


def offset(copy: BinaryIO, original: BinaryIO, *, accept_damaged: bool = False) -> float:
    """Seconds to add to the copy's times, counted from its first picture, to have the original's.

    Usually 0. Tools that drop the sound, or fill the time before the first picture, shift the time line; of the two
    ways in which they do, the one counts with which the pictures are more alike. Raises what reading raises.
    """
    with Reader(copy) as shown, Reader(original, accept_damaged=accept_damaged) as source:
        late = shown.facts.picture_start - source.facts.picture_start
        if abs(late) < _SAME_START:
            return 0.0
        ours = [(seconds, picture.bgr(*_SMALL)) for picture, seconds in islice(_timed(shown), _TRIED)]
        theirs = [(seconds, picture.bgr(*_SMALL)) for picture, seconds in islice(_timed(source), _TRIED)]

    def unlike(shift: float) -> float:
        errors = []
        for seconds, seen in ours:
            _, other = min(theirs, key=lambda candidate: abs(candidate[0] - seconds - shift))
            errors.append(float(np.abs(seen.astype(np.int16) - other).mean()))
        return float(np.mean(errors))

    return min((0.0, late), key=unlike)


def pairs(
    copy: Reader,
    original: Reader | None,
    notes: Notes,
    straightener: Straightener,
    shift: float = 0.0,
    plan: Plan | None = None,
) -> Generator[Pair]:
    """Every picture of the copy, each with the original's picture nearest in time.

    Times count from the first picture of each file; ``shift`` seconds are added to the copy's (:func:`offset`). Where
    the ``plan`` cuts the ends off, only what lies between them counts of the original, and the first picture there is
    the copy's first. How many pictures the original has after the last pair, and how much was cut off before the
    first, is left in ``notes``. Both films are decoded ahead, in threads: close this before the readers are closed.
    Raises what reading raises.
    """
    with ExitStack() as threads:
        pictures = threads.enter_context(ahead(_timed(copy), _WAITING))
        if original is None:
            yield from _alone(pictures, notes, straightener, plan)
            return
        source = threads.enter_context(ahead(_timed(original), _WAITING))
        size = original.facts.raster.shown_size
        yield from _together(pictures, source, size, notes, straightener, shift, plan)


def _alone(pictures: Timed, notes: Notes, straightener: Straightener, plan: Plan | None) -> Iterator[Pair]:
    cut = 0
    if plan is not None and plan.ends is not None:
        notes.cut, cut = float(plan.ends[0]), math.ceil(plan.ends[0] / plan.step)  # if pictures come evenly
    for picture, seconds in pictures:
        yield Pair(picture.index, seconds, straightener.view(picture, None), cut=cut)


def _together(
    pictures: Timed,
    source: Timed,
    size: tuple[int, int],
    notes: Notes,
    straightener: Straightener,
    shift: float,
    plan: Plan | None,
) -> Generator[Pair]:
    """``size``: of the original's pictures as shown."""
    ends = plan.ends if plan is not None else None
    if ends is not None:
        first, end = map(float, ends)
        source = ((picture, seconds) for picture, seconds in source if first <= seconds < end)
    here = next(source, None)
    coming = next(source, None)
    last = -1
    if ends is not None and here is not None:
        last, shift = here[0].index - 1, here[1]
        notes.cut = shift
    view: View | None = None
    for picture, at in pictures:
        seconds = at + shift
        while here is not None and coming is not None and abs(coming[1] - seconds) <= abs(here[1] - seconds):
            here, coming = coming, next(source, None)
        if here is None:
            yield Pair(picture.index, at, straightener.view(picture, None))
            continue
        if view is None or view.picture is not here[0]:
            view = View(here[0], size)
        index = here[0].index
        shown = straightener.view(picture, view)
        yield Pair(picture.index, at, shown, view, seconds - here[1], max(index - last - 1, 0), index == last)
        last = index
    while coming is not None:
        notes.originals_left += 1
        coming = next(source, None)


def _timed(reader: Reader) -> Timed:
    base = reader.facts.base
    first: int | None = None
    for picture in reader.pictures():
        first = picture.pts if first is None else first
        yield picture, float((picture.pts - first) * base)


def picture_count(facts: ClipFacts) -> int | None:
    """How many pictures a clip claims to have, for progress only."""
    if facts.frames_expected:
        return facts.frames_expected
    return round(facts.rate * facts.duration) if facts.rate and facts.duration else None
