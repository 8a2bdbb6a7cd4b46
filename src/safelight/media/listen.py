"""Listening to a file's sound, in flat memory. Runs inside a worker.

Copies have a silent track, or one day a disguised one; this is for those who check them, never for making them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from safelight.errors import Code, SafelightError
from safelight.media.sniff import is_still
from safelight.media.sound import channels_of
from safelight.media.source import Complaints, open_container
from safelight.media.tracks import sound_of


@dataclass(frozen=True)
class Heard:
    """A stretch of sound. ``seconds``: of its first sample on the container's time line. ``samples``: (channels, n),
    -1 to 1, at ``rate`` samples a second.
    """

    seconds: float
    rate: int
    samples: NDArray[np.float32]


def sound_tracks(source: BinaryIO) -> int:
    """How many sound tracks a file has. Raises like :class:`safelight.media.read.Reader` when it cannot be opened."""
    if is_still(source):  # some kinds FFmpeg is not even let at
        return 0
    with open_container(source, Complaints()) as container:
        return len(container.streams.audio)


def listen(source: BinaryIO, *, track: int | None = None, rate: int | None = None) -> Iterator[Heard]:
    """A sound track from its beginning.

    ``track``: its number among the sound tracks; None: the one that stands for the clip's sound. ``rate``: samples a
    second, mixed to one channel; None: as they are, every channel by itself (mixed, opposite ones would cancel out).

    Raises SafelightError SL-DAMAGED when it cannot be decoded to its end, and like Reader when it cannot be opened.
    """
    with open_container(source, Complaints()) as container:
        stream = sound_of(container) if track is None else container.streams.audio[track]
        if stream is None:
            return
        if stream.codec_context is None:
            raise SafelightError(Code.UNSUPPORTED, "The sound is coded in a way Safelight does not read.")
        resampler = AudioResampler(format="flt", layout=None if rate is None else "mono", rate=rate)
        try:
            frames = cast(Iterator[AudioFrame], container.decode(stream))
            for frame in itertools.chain(frames, (None,)):  # None: what the resampler holds back
                for part in resampler.resample(frame):
                    if part is not None:
                        yield Heard(part.time or 0.0, part.sample_rate, channels_of(part))
        except av.error.FFmpegError as error:
            raise SafelightError(Code.DAMAGED, "The sound cannot be decoded to its end.") from error
