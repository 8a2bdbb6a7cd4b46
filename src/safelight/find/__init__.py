"""Finding: from the pictures of a clip to a plan of what to hide. Never changes a pixel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from typing import Protocol

import numpy as np

from safelight import __version__
from safelight.errors import Code, SafelightError
from safelight.find.cover import regions
from safelight.find.cuts import Showable
from safelight.find.looks import EFFORTS, Finders
from safelight.find.search import Search
from safelight.media.facts import ClipFacts
from safelight.plan import Asked, Clip, Hide, Origin, Plan

__all__ = ["Finders", "Readable", "find", "make_ready"]

_MARGIN = 0.3  # seconds covered before a track begins and after it ends


class Readable(Protocol):
    """What `find` needs of :class:`safelight.media.read.Reader`."""

    @property
    def facts(self) -> ClipFacts:
        """What probing said."""

    def pictures(self) -> Iterable[Showable]:
        """All pictures in order, once."""


def find(
    reader: Readable,
    *,
    sha256: str,
    finders: Finders,
    versions: Mapping[str, str] | None = None,
    asked: Asked | None = None,
    progress: Callable[[int], None] = lambda frames: None,
) -> Plan:
    """Look through a clip once and plan what to hide.

    ``sha256``: of the clip's file, hexadecimal. ``versions``: finder names and what identifies their weights,
    for the plan's origin. ``asked``: what to look for, how hard. ``progress`` gets the number of frames done.
    Raises SafelightError SL-NO-FRAMES for a clip without pictures, and whatever reading raises.
    """
    asked = asked or Asked()
    facts = reader.facts
    width, height = facts.raster.shown_size
    search = _search(facts, finders, asked)
    found = search.run(reader.pictures(), progress)
    if not found.pts:
        raise SafelightError(Code.NO_FRAMES, "No picture could be read.")
    margin = max(round(_MARGIN * _rate(facts)), 1)
    return Plan(
        clip=Clip.of(sha256, (width, height), facts.time_base, found.pts, still=facts.still),
        origin=Origin(safelight=__version__, finders=dict(versions or {}), asked=asked),
        cuts=found.cuts,
        regions=regions(found.tracks, found.cuts, found.pts, width, height, margin) + search.beside(found, margin),
    )


def make_ready(facts: ClipFacts, finders: Finders, asked: Asked, pool: Executor) -> None:
    """Have finders do in ``pool`` what each does once for a size of picture, while the first pictures are read.

    They are shown black pictures. What one cannot do is raised when it is to look at the clip.
    """
    for finder, (width, height) in _search(facts, finders, asked).first():
        pool.submit(finder.find, np.zeros((height, width, 3), np.uint8))


def _search(facts: ClipFacts, finders: Finders, asked: Asked) -> Search:
    width, height = facts.raster.shown_size
    effort, whole = EFFORTS[asked.effort], asked.hide is Hide.BODIES
    return Search(width, height, _rate(facts), effort, finders, whole=whole, text=asked.text)


def _rate(facts: ClipFacts) -> float:
    return min(max(facts.rate or 25.0, 1.0), 120.0)
