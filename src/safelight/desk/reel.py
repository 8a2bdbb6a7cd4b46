"""The film to play, and its sound: made by confined workers, kept in memory that has no name.

A long film is made in pieces, each when somebody is near it: playing can begin after seconds, and memory does not grow
with the film's length. A film that cannot be cut (see :mod:`safelight.media.survey`) is made as one.
"""

from __future__ import annotations

import bisect
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from safelight.errors import Cancelled, Code, SafelightError
from safelight.media.pieces import Part
from safelight.workers.messages import Job, Proxied, ProxyJob, Surveyed, SurveyJob, Waved, WaveJob
from safelight.workers.parent import run
from safelight.workers.viewer import unpack_times

SECONDS_A_PIECE = 10.0
KEPT = 192 << 20  # bytes of pieces
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


class Reel:
    """Makes what is wanted, in a thread of its own. Safe to use from several threads."""

    def __init__(self, source: int, times: Callable[[], list[int]], differ: Callable[[], None]) -> None:
        """``source``: descriptor of the clip, which stays open. ``times``: of all pictures. ``differ`` is called when
        a worker that read the pictures saw other times: then no piece can be trusted.
        """
        self._source, self._times, self._differ = source, times, differ
        self._change = threading.Condition()
        self._cancel = threading.Event()
        self._thread: threading.Thread | None = None
        self._want = 0  # frame
        self._parts: list[Part | None] = []  # [None]: the whole film as one
        self._made: dict[int, Memory] = {}
        self.peaks: Memory | None = None
        self.sound: Memory | None = None
        self.done = self.total = 0
        self.failed = ""

    @property
    def starts(self) -> list[int]:
        """The first frame of every piece; empty until it is known where the film can be cut."""
        return [part.first if part is not None else 0 for part in self._parts]

    @property
    def ready(self) -> list[int]:
        """Numbers of the pieces that can be played."""
        with self._change:
            return sorted(self._made)

    def want(self, frame: int) -> None:
        """Somebody is at that frame: make the piece around it next, then the one after it."""
        with self._change:
            self._want = frame
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
            self._change.notify()

    @contextmanager
    def lent(self, piece: int) -> Iterator[int]:
        """The descriptor of a piece, as long as it is entered. Raises SL-NOT-READY."""
        with self._change:
            if piece not in self._made:
                raise SafelightError(Code.NOT_READY, "There is no film to play here yet.")
            yield self._made[piece].descriptor

    def close(self) -> None:
        """End the worker and give all memory back."""
        self._cancel.set()
        with self._change:
            self._change.notify()
        if self._thread is not None:
            self._thread.join()
        with self._change:
            for memory in (*self._made.values(), self.peaks, self.sound):
                if memory is not None:
                    memory.close()
            self._made.clear()

    # ------------------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        # Linux keeps a priority a thread, and its workers inherit it: the picture in view comes first.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        try:
            self._parts = self._survey()
            while not self._cancel.is_set():
                with self._change:
                    near = self._near()
                    missing = next((piece for piece in near if piece not in self._made), None)
                    unheard = self.peaks is None
                    if missing is None and not unheard:
                        self._change.wait()
                        continue
                # of a film in one piece, which takes long, the waveform comes first
                if unheard and (missing is None or missing != near[0] or self._parts == [None]):
                    self._wave()
                elif missing is not None:
                    self._make(missing)
        except SafelightError as error:
            self.failed = str(error)
        except Cancelled:
            pass  # the clip was closed

    def _near(self) -> list[int]:
        here = max(bisect.bisect_right(self.starts, self._want) - 1, 0)
        return [piece for piece in (here, here + 1) if piece < len(self._parts)]

    def _survey(self) -> list[Part | None]:
        told = self._run(SurveyJob(seconds=SECONDS_A_PIECE, overlap=0), ())
        assert isinstance(told, Surveyed)
        parts: list[Part | None] = [piece.own for piece in told.pieces]
        whole = len(self._times())
        return parts if told.pieces and told.pieces[-1].own.stop == whole else [None]

    def _wave(self) -> None:
        peaks, sound = Memory("peaks"), Memory("sound")
        try:
            waved = self._run(WaveJob(peaks=peaks.descriptor, sound=sound.descriptor), (peaks, sound))
            assert isinstance(waved, Waved)
        except BaseException:
            peaks.close()
            sound.close()
            raise
        with self._change:
            self.peaks, self.sound = peaks, sound

    def _make(self, piece: int) -> None:
        part = self._parts[piece]
        times = self._times()
        self.done, self.total = 0, part.frames if part is not None else len(times)
        film, told = Memory("proxy"), Memory("times")
        kept = False
        try:
            job = ProxyJob(film=film.descriptor, times=told.descriptor, part=part)
            made = self._run(job, (film, told), self._progress)
            assert isinstance(made, Proxied)
            sure = unpack_times(told.read(0, told.size))
            if sure != (times if part is None else times[part.first : part.stop]):
                self._differ()
                kept = part is None
            else:
                kept = True
        except SafelightError:
            if part is None:
                raise
        finally:
            told.close()
            if not kept:
                film.close()
        with self._change:
            if kept:
                self._made[piece] = film
                self._forget()
            else:  # its pieces are not what its packets promise: as one it is read from its beginning
                for memory in self._made.values():
                    memory.close()
                self._made.clear()
                self._parts = [None]

    def _forget(self) -> None:
        """Let pieces go that are farthest from where somebody is."""
        near = self._near()
        while sum(memory.size for memory in self._made.values()) > KEPT:
            farthest = max(self._made, key=lambda piece: abs(piece - near[0]))
            if farthest in near:
                return
            self._made.pop(farthest).close()

    def _run(
        self,
        job: Job,
        others: tuple[Memory, ...],
        progress: Callable[[int, int | None], None] = lambda _done, _total: None,
    ) -> object:
        with TemporaryDirectory(prefix="safelight-proxy-") as folder:
            return run(
                job,
                self._source,
                Path(folder),
                progress=progress,
                cancel=self._cancel,
                others=tuple(memory.descriptor for memory in others),
                patience=_PATIENCE,
            )

    def _progress(self, done: int, total: int | None) -> None:
        self.done = done
