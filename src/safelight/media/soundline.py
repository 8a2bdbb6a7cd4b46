"""The original's sound on the copy's time line, mono, in flat memory: only what may pass, zero everywhere else.

What may not pass is made zero at the original's own rate, before anything mixes neighbouring samples; otherwise what is
hidden would ring into what is not. Time stamps are believed over counting: gaps become silence, overlaps are cut, and a
sound whose clock runs off from its stamps is set right whenever it is 20 ms out. Runs inside a worker.
"""

from __future__ import annotations

import bisect
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer

from safelight.errors import Code, SafelightError
from safelight.media import tracks
from safelight.media.facts import SoundFacts
from safelight.media.sound import RATE, Samples, channels_of
from safelight.media.source import Apart, Complaints, open_container

Span = tuple[float, float]  # seconds of the copy's time line, start before end

_SLIP = 0.02  # seconds
_GAP_BLOCK = 1 << 16  # samples
_MAX_RATE = 400_000


@dataclass(frozen=True)
class SoundSource:
    """The sound of an opened clip. ``file``: the clip, a real file; its position is neither used nor moved."""

    file: BinaryIO
    facts: SoundFacts
    accept_damaged: bool = False


def sound_line(source: SoundSource, passages: Sequence[Span], rate: int = RATE) -> Iterator[Samples]:
    """The sound from time 0 of the copy to the end of the track, in blocks, at ``rate`` samples a second.

    ``passages``: disjoint, rising; what lies outside is zero. Channels are averaged.

    Raises SafelightError SL-DAMAGED when it cannot be decoded to its end (unless damage is accepted: then silence),
    SL-UNSUPPORTED for a codec that is not read or a rate that changes midway.
    """
    with open_container(io.BufferedReader(Apart(source.file), 1 << 16), Complaints()) as container:
        convert: AudioResampler | None = None
        own = 0
        for own, block in _placed(container, source, passages):
            if own == rate:
                yield block
                continue
            if convert is None:
                convert = AudioResampler(format="flt", layout="mono", rate=rate)
            frame = AudioFrame.from_ndarray(block[None], format="flt", layout="mono")
            frame.sample_rate = own
            yield from (_samples(part) for part in convert.resample(frame))
        if convert is not None:
            yield from (_samples(part) for part in convert.resample(None))


def _placed(container: InputContainer, source: SoundSource, passages: Sequence[Span]) -> Iterator[tuple[int, Samples]]:
    """Gated blocks at the sound's own rate, without gap or overlap from time 0 on, with that rate."""
    gate = Gate(passages)
    packed = AudioResampler(format="flt")
    rate, done, zero = 0, 0, None
    for frame in _frames(container, source):
        if not rate:
            rate = frame.sample_rate
            if not 1000 <= rate <= _MAX_RATE:
                raise SafelightError(Code.UNSUPPORTED, f"The sound has {rate} samples a second.")
        if frame.sample_rate != rate:
            raise SafelightError(Code.UNSUPPORTED, "The sound changes its rate midway.")
        if zero is None:
            zero = _zero(container, frame, source.facts)
        try:
            parts = [channels_of(part).mean(axis=0) for part in packed.resample(frame)]
        except (ValueError, av.error.FFmpegError) as error:
            raise SafelightError(Code.UNSUPPORTED, "The sound changes its channels midway.") from error
        mono = np.concatenate(parts) if parts else np.zeros(0, np.float32)
        mono = np.clip(np.nan_to_num(mono), -1, 1)
        due = done if frame.time is None else round((frame.time - zero) * rate)
        if abs(due - done) <= _SLIP * rate and (done or due > 0):
            due = done
        while due > done:
            count = min(due - done, _GAP_BLOCK)
            yield rate, np.zeros(count, np.float32)
            done += count
        mono = mono[done - due :]
        if len(mono):
            yield rate, gate(mono, done, rate)
            done += len(mono)


def _frames(container: InputContainer, source: SoundSource) -> Iterator[AudioFrame]:
    track = tracks.sound_of(container)
    if track is None or track.codec_context is None:
        raise SafelightError(Code.UNSUPPORTED, "The sound is coded in a way Safelight does not read.")
    try:
        for packet in container.demux(track):
            try:
                for frame in packet.decode():
                    if isinstance(frame, AudioFrame):
                        yield frame
            except av.error.FFmpegError as error:
                if not source.accept_damaged:
                    raise _damaged() from error
    except av.error.FFmpegError as error:
        if not source.accept_damaged:
            raise _damaged() from error
    except IndexError:
        return  # the binding stumbles at the end when a track turned up midway; all packets were delivered


def _damaged() -> SafelightError:
    return SafelightError(Code.DAMAGED, "The sound cannot be decoded to its end.")


def _zero(container: InputContainer, first: AudioFrame, facts: SoundFacts) -> float:
    """The container's time of the copy's time 0."""
    track = tracks.sound_of(container)
    start = tracks.seconds(track.start_time, track.time_base) if track is not None else None
    return (start if start is not None else first.time or 0.0) - facts.start


class Gate:
    """Lets the samples of some spans pass and makes the others zero; only whole samples inside a span pass."""

    def __init__(self, passages: Sequence[Span]) -> None:
        self._passages = list(passages)

    def __call__(self, samples: Samples, first: int, rate: int) -> Samples:
        """``samples``: the first of them is number ``first`` at ``rate`` a second. A new array."""
        out = np.zeros(len(samples), np.float32)
        begin, until = first / rate, (first + len(samples)) / rate
        nearest = bisect.bisect_right(self._passages, begin, key=lambda span: span[1])
        for start, end in self._passages[nearest:]:
            if start >= until:
                break
            a = max(math.ceil(start * rate) - first, 0)
            b = min(math.floor(min(end, until + 1) * rate) - first, len(samples))
            if a < b:
                out[a:b] = samples[a:b]
        return out


def _samples(frame: AudioFrame) -> Samples:
    return np.asarray(frame.to_ndarray(), np.float32).reshape(-1)
