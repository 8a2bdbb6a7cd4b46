"""The program's side of a worker that shows pictures: one that stays, is asked, and is started anew when it dies."""

from __future__ import annotations

import itertools
import os
import selectors
import struct
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from safelight.errors import Code, SafelightError
from safelight.media.facts import ClipFacts
from safelight.workers import jpeg, png
from safelight.workers.confine import Bounds, require
from safelight.workers.messages import MAX_LINE, Failure, ViewJob
from safelight.workers.parent import died
from safelight.workers.process import Process, started
from safelight.workers.views import REPLY, Ask, FactsAsk, Payload, StillAsk, TimesAsk

SECONDS_PER_ANSWER = 60.0
SECONDS_FOR_ALL = 3600.0  # reading a whole clip


class Viewer:
    """Asks one worker about one clip, one question at a time; safe to use from several threads. A context manager's
    resource: :meth:`close` ends the worker.
    """

    def __init__(self, source: int) -> None:
        """``source``: readable descriptor of the clip, which must stay open."""
        self._source = source
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._process: Process | None = None
        self._errors: IO[bytes] | None = None
        self._rest = bytearray()

    def facts(self) -> ClipFacts:
        """What probing says. Raises SafelightError like every question: the worker's refusal, or why it is gone."""
        try:
            return ClipFacts.model_validate_json(self._ask(FactsAsk(), SECONDS_PER_ANSWER)[1])
        except ValidationError as error:
            raise SafelightError(Code.WORKER_LIED, "The worker's answer could not be understood.") from error

    def times(self, *, sure: bool = False) -> list[int]:
        """Presentation times of all pictures; empty where packets do not tell, unless ``sure``: then all is read."""
        payload = self._ask(TimesAsk(sure=sure), SECONDS_FOR_ALL)[1]
        return unpack_times(payload)

    def still(self, ask: StillAsk) -> tuple[int, bytes]:
        """A picture as JPEG or PNG, plain, since a browser opens it; and its presentation time."""
        pts, picture = self._ask(ask, SECONDS_PER_ANSWER)
        (png if ask.exact else jpeg).require_plain(picture, "The picture")
        return pts, picture

    def close(self) -> None:
        """End the worker."""
        with self._lock:
            self._end()

    # ------------------------------------------------------------------------------------------------------------

    def _ask(self, ask: Ask, patience: float) -> tuple[int, bytes]:
        with self._lock:
            process = self._running()
            try:
                return self._answer(process, ask, time.monotonic() + patience)
            except SafelightError as error:
                if error.code in (Code.WORKER_DIED, Code.WORKER_LIED, Code.WORKER_TIMEOUT, Code.BUG):
                    self._end()
                raise

    def _answer(self, process: Process, ask: Ask, deadline: float) -> tuple[int, bytes]:
        assert process.stdin is not None
        assert self._errors is not None
        with suppress(BrokenPipeError):  # it has ended, and may have said why
            process.stdin.write(ask.model_dump_json().encode() + b"\n")
            process.stdin.flush()
        while b"\n" not in self._rest:
            if len(self._rest) > MAX_LINE:
                raise SafelightError(Code.WORKER_LIED, "The worker answered without end.")
            self._more(process, deadline)
        line, _, rest = bytes(self._rest).partition(b"\n")
        try:
            reply = REPLY.validate_json(line)
        except ValidationError as error:
            raise SafelightError(Code.WORKER_LIED, "The worker's answer could not be understood.") from error
        self._rest = bytearray(rest)
        if isinstance(reply, Failure):
            raise SafelightError(reply.code, reply.detail)
        return reply.pts, self._payload(process, reply, deadline)

    def _payload(self, process: Process, reply: Payload, deadline: float) -> bytes:
        while len(self._rest) < reply.size:
            self._more(process, deadline)
        payload = bytes(self._rest[: reply.size])
        del self._rest[: reply.size]
        if self._rest:
            raise SafelightError(Code.WORKER_LIED, "The worker said more than it was asked.")
        return payload

    def _more(self, process: Process, deadline: float) -> None:
        assert process.stdout is not None
        assert self._errors is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(max(deadline - time.monotonic(), 0)):
                raise SafelightError(Code.WORKER_TIMEOUT, "The worker did not answer in time.")
        data = os.read(process.stdout.fileno(), 1 << 20)
        if not data:
            raise died(process, self._errors)
        self._rest += data

    def _running(self) -> Process:
        if self._process is None:
            require()
            bounds = Bounds.for_clip(os.fstat(self._source).st_size)
            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="safelight-view-")))
            self._errors = errors = self._stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - so it is closed
            os.lseek(self._source, 0, os.SEEK_SET)
            self._process = self._stack.enter_context(started(self._source, (), folder, errors, bounds))
            assert self._process.stdin is not None
            self._process.stdin.write(ViewJob().model_dump_json().encode() + b"\n")
        return self._process

    def _end(self) -> None:
        self._process = None
        self._rest.clear()
        self._stack.close()


def unpack_times(payload: bytes) -> list[int]:
    """64-bit integers as a list. Raises SL-WORKER-LIED when they are no rising times."""
    if len(payload) % 8:
        raise SafelightError(Code.WORKER_LIED, "The times are cut off.")
    times = list(struct.unpack(f"<{len(payload) // 8}q", payload))
    if any(b <= a for a, b in itertools.pairwise(times)):
        raise SafelightError(Code.WORKER_LIED, "The times do not rise.")
    return times
