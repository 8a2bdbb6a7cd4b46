"""The silent sound track that stands for a clip's sound until voices can be disguised."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame
from av.codec.context import Flags
from av.container import OutputContainer

from safelight.media.facts import SoundFacts

RATE = 48000
_CHUNK = 1024  # samples of one AAC frame
_BITS = 64000


class SilentTrack:
    """Silence from the start to the end of the source's sound, mono, written in step with the pictures."""

    def __init__(self, container: OutputContainer, facts: SoundFacts) -> None:
        self._container = container
        self._stream = container.add_stream("aac", rate=RATE)
        context = self._stream.codec_context
        context.layout = "mono"
        context.format = "fltp"
        context.bit_rate = _BITS
        context.flags |= Flags.bitexact | Flags.global_header
        context.thread_count = 1
        self._next = max(round(facts.start * RATE), 0)
        self._end = self._next + round(facts.duration * RATE)

    def until(self, seconds: float) -> None:
        """Write the silence due up to a time of the copy's time line."""
        while self._next < min(seconds * RATE, self._end):
            self._write(min(_CHUNK, self._end - self._next))

    def finish(self) -> None:
        """Write the rest."""
        self.until(float("inf"))
        self._container.mux(self._stream.encode(None))

    def _write(self, samples: int) -> None:
        frame = AudioFrame.from_ndarray(np.zeros((1, samples), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._next, Fraction(1, RATE)
        self._next += samples
        self._container.mux(self._stream.encode(frame))
