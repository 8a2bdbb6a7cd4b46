"""The pictures and the sound of one open clip: asked of confined workers, kept in memory that has no name."""

from __future__ import annotations

import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from safelight.errors import Cancelled, SafelightError
from safelight.geometry import Box
from safelight.inputs import Original
from safelight.media.facts import ClipFacts
from safelight.plan import Decision, Plan
from safelight.workers.messages import Proxied, ProxyJob, Waved, WaveJob
from safelight.workers.parent import run
from safelight.workers.viewer import Viewer, unpack_times
from safelight.workers.views import StillAsk, area

_KEPT = 48 << 20  # bytes of encoded stills
_PATIENCE = 600.0  # seconds without progress; a long clip on a busy machine is slow, not stuck


class Memory:
    """Bytes without a name on any disk, written by a worker and read here."""

    def __init__(self, label: str) -> None:
        self.descriptor = os.memfd_create(label, os.MFD_CLOEXEC)

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return os.fstat(self.descriptor).st_size

    def read(self, start: int, length: int) -> bytes:
        """Some of them."""
        return os.pread(self.descriptor, length, start)

    def close(self) -> None:
        """Give the memory back."""
        os.close(self.descriptor)


class Pictures:
    """Stills, thumbnails, proxy and peaks of one clip. Everything starts when it is first asked for."""

    def __init__(self, original: Original, plan: Plan) -> None:
        """``original`` belongs to this object from now on."""
        self._original = original
        self._first = plan
        self.stills = Viewer(original.descriptor)
        self._thumbs = Viewer(original.descriptor)
        self._cancel = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[int, bytes]] = OrderedDict()
        self._times: list[int] = []
        self._sure = self._thumbs_know = False
        self._facts: ClipFacts | None = None
        self.film: Memory | None = None
        self.peaks: Memory | None = None
        self.proxy_done = 0
        self.proxy_failed = ""

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

    def start_proxy(self) -> None:
        """Begin to make peaks and proxy in the background, once."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._make_proxy, daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End all workers and give the memory back."""
        self._cancel.set()
        if self._thread is not None:
            self._thread.join()
        self.stills.close()
        self._thumbs.close()
        for memory in (self.film, self.peaks):
            if memory is not None:
                memory.close()
        os.close(self._original.descriptor)

    def _make_proxy(self) -> None:
        # Linux keeps a priority a thread, and its workers inherit it: the picture in view comes first.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        film, times, peaks = Memory("proxy"), Memory("times"), Memory("peaks")
        try:
            waved = self._run(WaveJob(peaks=peaks.descriptor), (peaks.descriptor,), lambda done, total: None)
            assert isinstance(waved, Waved)
            self.peaks = peaks
            job = ProxyJob(film=film.descriptor, times=times.descriptor)
            made = self._run(job, (film.descriptor, times.descriptor), self._progress)
            assert isinstance(made, Proxied)
            sure = unpack_times(times.read(0, times.size))
            with self._lock:
                if sure != self._times:
                    self._count()
            self.film = film
        except SafelightError as error:
            self.proxy_failed = str(error)
        except Cancelled:
            pass  # the clip was closed
        finally:
            times.close()
            if self.film is None:
                film.close()
            if self.peaks is None:
                peaks.close()

    def _run(
        self, job: ProxyJob | WaveJob, others: tuple[int, ...], progress: Callable[[int, int | None], None]
    ) -> object:
        with tempfile.TemporaryDirectory(prefix="safelight-proxy-") as folder:
            return run(
                job,
                self._original.descriptor,
                Path(folder),
                progress=progress,
                cancel=self._cancel,
                others=others,
                patience=_PATIENCE,
            )

    def _progress(self, done: int, total: int | None) -> None:
        self.proxy_done = done


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
