"""The pictures and the sound of one open clip: asked of confined workers, kept in memory that has no name."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict

from safelight.desk.reel import Reel
from safelight.geometry import Box
from safelight.inputs import Original
from safelight.media.facts import ClipFacts
from safelight.plan import Decision, Plan
from safelight.workers.viewer import Viewer
from safelight.workers.views import StillAsk, area

_KEPT = 48 << 20  # bytes of encoded stills


class Pictures:
    """Stills, thumbnails, film and sound of one clip. Everything starts when it is first asked for."""

    def __init__(self, original: Original, plan: Plan) -> None:
        """``original`` belongs to this object from now on."""
        self.original = original
        self._first = plan
        self.stills = Viewer(original.descriptor)
        self._thumbs = Viewer(original.descriptor)
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[int, bytes]] = OrderedDict()
        self._times: list[int] = []
        self._sure = self._thumbs_know = False
        self._facts: ClipFacts | None = None
        self.reel = Reel(original.descriptor, self.times, self._recount)

    def facts(self) -> ClipFacts:
        """What probing said."""
        if self._facts is None:
            self._facts = self.stills.facts()
        return self._facts

    def times(self) -> list[int]:
        """The presentation time of every frame: from the packets where they fit the plan, else by reading all."""
        with self._lock:
            if not self._times:
                self._times = self.stills.times()
                if not _fits(self._times, self._first):
                    self._count()
            return self._times

    def still(self, plan: Plan, index: int, width: int | None, *, bare: bool, exact: bool) -> tuple[int, bytes]:
        """A frame as the copy of this plan would show it, or ``bare``; with its presentation time."""
        self.times()
        ask = _ask(plan, index).model_copy(update={"width": width, "bare": bare, "exact": exact})
        return self._asked(self.stills, ask)

    def thumb(self, plan: Plan, index: int, cut: Box, width: int) -> bytes:
        """A part of a frame, as the copy would show it."""
        self.times()
        with self._lock:
            if not (self._sure or self._thumbs_know):
                self._thumbs.times()
                self._thumbs_know = True
        ask = _ask(plan, index).model_copy(update={"width": width, "cut": tuple(cut)})
        return self._asked(self._thumbs, ask)[1]

    def _count(self) -> None:
        """What the packets tell cannot be trusted: count by reading, for stills and thumbnails."""
        self._times = self.stills.times(sure=True)
        self._thumbs.times(sure=True)
        self._sure = True
        self._kept.clear()

    def _asked(self, viewer: Viewer, ask: StillAsk) -> tuple[int, bytes]:
        key = ask.model_dump_json()
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = viewer.still(ask)
        with self._lock:
            self._kept[key] = made
            while sum(len(data) for _, data in self._kept.values()) > _KEPT:
                self._kept.popitem(last=False)
        return made

    def close(self) -> None:
        """End all workers and give the memory back."""
        self.reel.close()
        self.stills.close()
        self._thumbs.close()
        os.close(self.original.descriptor)

    def _recount(self) -> None:
        with self._lock:
            self._count()


def _ask(plan: Plan, index: int) -> StillAsk:
    revealed = plan.covers(index, Decision.REVEAL) if plan.settings.curtain else ()
    return StillAsk(
        index=index,
        hidden=[area(region.form_at(index), box) for region, box in plan.covers(index)],
        revealed=[area(region.form_at(index), box) for region, box in revealed],
        look=plan.settings.look,
        curtain=plan.settings.curtain,
    )


def _fits(times: list[int], plan: Plan) -> bool:
    """Whether these times are those the plan was made with, as far as it tells."""
    clip = plan.clip
    if len(times) != clip.frames or (times[0], times[-1]) != (clip.first_pts, clip.last_pts):
        return False
    return all(times[key.frame] == key.pts for region in plan.regions for key in region.keyframes)
