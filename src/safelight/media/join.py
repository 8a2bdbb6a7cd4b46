"""One film from the copies of its pieces: their packets as they are, their places on the time line, the sound whole.

Each piece begins with a picture that needs no other and was coded with the same settings, so nothing is coded anew and
the file is made as :mod:`safelight.media.write` makes it. Runs inside a worker: whoever made a piece may have lied.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from safelight.errors import Code, SafelightError
from safelight.media.facts import ClipFacts
from safelight.media.pieces import Part
from safelight.media.sound import Samples
from safelight.media.write import Writer

_SLICES = (1, 5)  # NAL unit types of pictures: those that need others, and those that need none (H.264, table 7-1)


def join(
    target: Path, facts: ClipFacts, pieces: Sequence[tuple[Path, Part]], sound: Iterable[Samples]
) -> Iterator[int]:
    """Write the film; yields the number of pictures joined so far, after each: the sound up to it may have taken
    long to make. ``pieces``: copies with what they are copies of.

    Raises SafelightError: SL-WORKER-LIED when a piece is not what it should be, and what :class:`Writer` raises; then
    nothing is left.
    """
    with Joiner(target, facts, sound=sound) as writer:
        for path, part in pieces:
            yield from writer.piece(path, part, pieces[0][1].pts)


class Joiner(Writer):
    """Writes packets instead of pictures."""

    _extra: bytes | None = None
    _delay = 0  # packets by which a picture is coded before it is shown, at most
    _times: list[int]

    def piece(self, path: Path, part: Part, first: int) -> Iterator[int]:
        """Add the next piece. ``first``: when the film's first picture is shown. Yields how many pictures there are."""
        offset = part.pts - first + round(self._facts.picture_start / self._facts.base)
        try:
            with av.open(str(path), format="mp4") as file:
                times = sorted(offset + self._ticks(p) for p in self._packets(file) if p.pts is not None)
            if len(times) != part.frames or times[0] != offset:
                raise ValueError("other pictures")
            with av.open(str(path), format="mp4") as file:
                yield from self._copy(file, times, offset)
        except (ValueError, av.error.FFmpegError) as error:
            raise SafelightError(Code.WORKER_LIED, f"A piece of the copy cannot be joined: {error}.") from error

    def _copy(self, file: InputContainer, times: list[int], offset: int) -> Iterator[int]:
        track = file.streams.video[0]
        packets = self._packets(file)
        first = next(packets)
        if self._extra is None:
            self._take_over(track)
            self._times = []
            assert first.dts is not None
            self._delay = bisect.bisect_left(times, times[0] - self._ticks(first, first.dts))
        if bytes(track.codec_context.extradata or b"") != self._extra or not first.is_keyframe:
            raise ValueError("it was coded otherwise")
        done = len(self._times)
        self._times += times
        lead = self._times[min(self._delay, len(self._times) - 1)] - self._times[0]
        step = self._times[-1] - self._times[-2] if len(self._times) > 1 else self._step
        for number, packet in enumerate((first, *packets), done):
            shown = offset + self._ticks(packet)
            coded = self._times[number - self._delay] if number >= self._delay else self._times[number] - lead
            if coded > shown:
                raise ValueError("its pictures are in another order")
            packet.pts, packet.dts, packet.time_base = shown, coded, self._facts.base
            following = bisect.bisect_right(self._times, shown)
            packet.duration = (self._times[following] if following < len(self._times) else shown + step) - shown
            if self._sound is not None:
                with self._failures():
                    self._sound.until(float(coded * self._facts.base))
            _require_slices(bytes(packet))
            self._put([packet])
            yield number + 1
        self._end = float((self._times[-1] + step) * self._facts.base)

    def _take_over(self, track: VideoStream) -> None:
        video = self._container.add_stream_from_template(track)
        assert isinstance(video, VideoStream)
        video.time_base = self._facts.base
        self._extra = bytes(track.codec_context.extradata or b"")
        self._begin(video)

    def _packets(self, file: InputContainer) -> Iterator[Packet[Any]]:
        return (packet for packet in file.demux(file.streams.video[0]) if packet.size)

    def _ticks(self, packet: Packet[Any], at: int | None = None) -> int:
        """A packet's time in ticks of the film, from the beginning of the piece."""
        told = packet.pts if at is None else at
        assert told is not None
        assert packet.time_base is not None
        ticks: Fraction = told * packet.time_base / self._facts.base
        if ticks.denominator != 1:
            raise ValueError("its clock is another")
        return int(ticks)


def _require_slices(data: bytes) -> None:
    """Raise ValueError when a packet holds anything but coded pictures (NAL units with lengths, ISO/IEC 14496-15)."""
    place = 0
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        if not 0 < size <= len(data) - place - 4 or data[place + 4] & 31 not in _SLICES:
            raise ValueError("it holds something that is no picture")
        place += 4 + size
