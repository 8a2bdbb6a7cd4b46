"""Bringing copy and original together, picture by picture, by presentation time and in flat memory."""

from __future__ import annotations

from collections.abc import Iterator

from safelight.attack.protocol import Notes, Pair, View
from safelight.media.facts import ClipFacts
from safelight.media.read import Picture, Reader


def pairs(copy: Reader, original: Reader | None, notes: Notes) -> Iterator[Pair]:
    """Every picture of the copy, each with the original's picture nearest in time.

    How many pictures the original has after the last pair is left in ``notes``. Times count from the first picture of each file, so a copy that begins elsewhere on the time line still pairs up.
    Raises what reading raises.
    """
    pictures = _timed(copy)
    if original is None:
        for picture, seconds in pictures:
            yield Pair(picture.index, seconds, View(picture, copy.facts.raster.shown_size))
        return
    size = original.facts.raster.shown_size
    source = _timed(original)
    here = next(source, None)
    ahead = next(source, None)
    last = -1
    view: View | None = None
    for picture, seconds in pictures:
        while here is not None and ahead is not None and abs(ahead[1] - seconds) <= abs(here[1] - seconds):
            here, ahead = ahead, next(source, None)
        shown = View(picture, copy.facts.raster.shown_size)
        if here is None:
            yield Pair(picture.index, seconds, shown)
            continue
        if view is None or view.picture is not here[0]:
            view = View(here[0], size)
        index = here[0].index
        yield Pair(picture.index, seconds, shown, view, seconds - here[1], max(index - last - 1, 0), index == last)
        last = index
    while ahead is not None:
        notes.originals_left += 1
        ahead = next(source, None)


def _timed(reader: Reader) -> Iterator[tuple[Picture, float]]:
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
