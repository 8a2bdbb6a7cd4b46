"""The risk queue: the seconds of a clip where finding is least sure, worst first.

No finder is perfect. What a person must look at is not every frame but where a machine had to guess: filled gaps, boxes
that were held or followed, weak scores, tracks that flash by or end in the middle of the picture, what an attack hit,
frames decoded after damage, and everything only proposed.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from safelight.geometry import Box
from safelight.media.facts import Gap
from safelight.plan import Decision, How, Plan, Region

SHORT_SECONDS = 0.6
WEAK = 0.5
_LONG_FILL = 3  # frames; shorter gaps between two finds are nothing to doubt
_EDGE = 0.02  # of the picture's shorter side: a box that close to the edge leaves through it


class Why(StrEnum):
    """Why something deserves a look."""

    HIT = "hit"
    DOUBTFUL = "doubtful"
    HELD = "held"
    END = "end"
    BEGIN = "begin"
    FOLLOWED = "followed"
    FILLED = "filled"
    WEAK = "weak"
    SHORT = "short"
    PROPOSED = "proposed"


_WEIGHT = {
    Why.HIT: 10.0,
    Why.DOUBTFUL: 8.0,
    Why.HELD: 6.0,
    Why.END: 5.0,
    Why.BEGIN: 5.0,
    Why.FOLLOWED: 4.0,
    Why.FILLED: 4.0,
    Why.SHORT: 3.0,
    Why.WEAK: 3.0,
    Why.PROPOSED: 2.0,
}


class Item(BaseModel):
    """One thing to look at: ``first`` to ``last`` of a region, or of the whole picture when ``region`` is empty.

    ``frame``: where to look first. ``key``: stays the same as long as the doubt is the same.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    region: str
    why: Why
    first: int
    last: int
    frame: int
    weight: float


class Hit(NamedTuple):
    """A place where the attack of the copy succeeded."""

    frame: int
    region: str


def queue(plan: Plan, rate: float, hits: Iterable[Hit] = (), gaps: Sequence[Gap] = ()) -> list[Item]:
    """Everything worth a look in a plan, worst first. ``rate``: frames per second. ``gaps``: what could not be read."""
    items = [item for region in plan.regions for item in _joined(_of_region(region, plan, rate), rate)]
    where: dict[str, list[Item]] = {}  # hits in frame after frame are one place
    for hit in hits:
        where.setdefault(hit.region, []).append(_item(hit.region, Why.HIT, hit.frame, hit.frame, hit.frame))
    items += [item for told in where.values() for item in _joined(told, rate)]
    last = plan.clip.frames - 1
    for doubt in plan.doubts:
        items.append(_item("", Why.DOUBTFUL, doubt.first, doubt.last, doubt.first))
    for gap in gaps:
        if any(doubt.first - 1 <= gap.after <= doubt.last for doubt in plan.doubts):
            continue  # it is looked at together with what follows
        start = min(max(gap.after, 0), last)
        items.append(_item("", Why.DOUBTFUL, start, min(start + round(rate), last), min(start + 1, last)))
    unique = {item.key: item for item in items}
    return sorted(unique.values(), key=lambda item: (-item.weight, item.first, item.key))


def _joined(items: Iterable[Item], rate: float) -> Iterator[Item]:
    """Doubts about one track that lie close together are looked at together, under the name of the worst."""
    together: list[Item] = []
    for item in sorted(items, key=lambda item: (item.first, item.last)):
        if together and item.first > max(other.last for other in together) + rate / 2:
            yield _worst(together)
            together = []
        together.append(item)
    if together:
        yield _worst(together)


def _worst(items: list[Item]) -> Item:
    worst = max(items, key=lambda item: item.weight)
    first, last = min(item.first for item in items), max(item.last for item in items)
    return _item(worst.region, worst.why, first, last, worst.frame, worst.weight - _WEIGHT[worst.why])


def _item(region: str, why: Why, first: int, last: int, frame: int, more: float = 0.0) -> Item:
    key = f"{region}:{why.value}:{first}-{last}"
    return Item(key=key, region=region, why=why, first=first, last=last, frame=frame, weight=_WEIGHT[why] + more)


def _of_region(region: Region, plan: Plan, rate: float) -> Iterator[Item]:
    first, last = region.first, region.last
    if region.decision is Decision.REVEAL:
        return
    if region.decision is Decision.PROPOSE:
        yield _item(region.id, Why.PROPOSED, first, last, (first + last) // 2)
        return
    length = last - first + 1
    found = [s for s in region.stretches if s.how is not How.DRAWN]
    if found and length < SHORT_SECONDS * rate and length < plan.clip.frames:
        yield _item(region.id, Why.SHORT, first, last, (first + last) // 2)
    weak = [s.score for s in found if s.how is How.FOUND]
    if weak and max(weak) < WEAK and region.score < WEAK:
        yield _item(region.id, Why.WEAK, first, last, (first + last) // 2, 1 - max(weak))
    for stretch in found:
        if stretch.how is How.FILLED and stretch.last - stretch.first + 1 > _LONG_FILL:
            yield _stretch(region, Why.FILLED, stretch.first, stretch.last, rate)
        elif stretch.how is How.FOLLOWED:
            yield _stretch(region, Why.FOLLOWED, stretch.first, stretch.last, rate)
        elif stretch.how is How.HELD and stretch.last - stretch.first + 1 > rate * SHORT_SECONDS:
            yield _stretch(region, Why.HELD, stretch.first, stretch.last, rate)
    yield from _ends(region, plan, rate)


def _stretch(region: Region, why: Why, first: int, last: int, rate: float) -> Item:
    first, last = max(first, region.first), min(last, region.last)
    return _item(region.id, why, first, last, (first + last) // 2, min((last - first + 1) / rate / 10, 0.9))


def _ends(region: Region, plan: Plan, rate: float) -> Iterator[Item]:
    """A person does not vanish: a track that ends neither at a cut nor at the picture's edge was lost."""
    told = sorted(region.stretches, key=lambda stretch: stretch.first)
    second = max(round(rate), 1)
    if (not told or told[0].how is not How.DRAWN) and not _leaves(region, region.first, plan):
        end = min(region.first + second, region.last)
        yield _item(region.id, Why.BEGIN, region.first, end, region.first)
    if (not told or told[-1].how is not How.DRAWN) and not _leaves(region, region.last, plan):
        start = max(region.last - second, region.first)
        yield _item(region.id, Why.END, start, region.last, region.last)


def _leaves(region: Region, frame: int, plan: Plan) -> bool:
    if frame in (0, plan.clip.frames - 1) or plan.clip.still:
        return True
    cuts = sorted(plan.cuts)
    place = bisect.bisect_left(cuts, frame)
    if any(abs(cut - frame) <= 2 for cut in cuts[max(place - 1, 0) : place + 1]):
        return True
    box = region.box_at(frame) or Box(0, 0, 0, 0)
    width, height = plan.clip.width, plan.clip.height
    rim = _EDGE * min(width, height)
    return box.x1 <= rim or box.y1 <= rim or box.x2 >= width - rim or box.y2 >= height - rim
