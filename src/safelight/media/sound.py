"""The sound track of a copy: mono AAC at 48 kHz, written in step with the pictures and exactly as long as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame
from av.codec.context import Flags
from av.container import OutputContainer
from numpy.typing import NDArray

RATE = 48000  # samples a second of every copy
Samples = NDArray[np.float32]  # (n,), mono, -1 to 1, RATE a second

_CHUNK = 1024  # samples of one AAC frame
_PIECE, _MOST = 8 * _CHUNK, 256 * _CHUNK  # samples written at a time, at least and at most
_BITS = 64000


def channels_of(frame: AudioFrame) -> NDArray[np.float32]:
    """A packed frame ("flt") as (channels, samples).

    Frames with a plane for each channel must be packed first: of the ninth on, PyAV reads where nothing is.
    """
    return np.ascontiguousarray(np.asarray(frame.to_ndarray(), np.float32).reshape(-1, frame.layout.nb_channels).T)


class Flow:
    """Blocks of any length, taken in any other; silence without end after the last."""

    def __init__(self, blocks: Iterable[Samples]) -> None:
        self._blocks: Iterator[Samples] = iter(blocks)
        self._held = np.zeros(0, np.float32)

    def take(self, count: int) -> Samples:
        """The next ``count`` samples."""
        parts, have = [self._held], len(self._held)
        while have < count:
            block = next(self._blocks, None)
            if block is None:
                block = np.zeros(count - have, np.float32)
            parts.append(block)
            have += len(block)
        joined = np.concatenate(parts)
        self._held = joined[count:]
        return joined[:count]


class SoundTrack:
    """The copy's sound, from its time 0 to the end of its last picture; the same samples give the same bytes."""

    def __init__(self, container: OutputContainer, sound: Iterable[Samples]) -> None:
        self._container = container
        self._flow = Flow(sound)
        self._stream = container.add_stream("aac", rate=RATE)
        context = self._stream.codec_context
        context.layout = "mono"
        context.format = "fltp"
        context.bit_rate = _BITS
        context.flags |= Flags.bitexact | Flags.global_header
        context.thread_count = 1
        self._next = 0

    def until(self, seconds: float) -> None:
        """Write what is due up to a time of the copy's time line, in pieces worth the trouble."""
        while (due := int(seconds * RATE) - self._next) >= _PIECE:
            self._write(min(due - due % _CHUNK, _MOST))

    def finish(self, seconds: float) -> None:
        """Write the rest, up to the end of the copy."""
        end = round(seconds * RATE)
        while self._next < end:
            self._write(min(end - self._next, _MOST))
        self._container.mux(self._stream.encode(None))

    def _write(self, count: int) -> None:
        samples = np.clip(self._flow.take(count), -1, 1)
        frame = AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._next, Fraction(1, RATE)
        self._next += count
        self._container.mux(self._stream.encode(frame))
