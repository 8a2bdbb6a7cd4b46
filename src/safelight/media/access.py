"""Any picture of a clip by its number, in any order: what the desk shows while a person edits. Runs inside a worker.

The numbers must be those that :class:`safelight.media.read.Reader` gives, or an edit would lie on another frame than
was seen. A film is therefore entered at its key frames only when its packets tell the same number of pictures
and the same times as the plan; otherwise it is read from its beginning, slowly and surely.
"""

from __future__ import annotations

import bisect
import io
import itertools
import os
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import av
import av.logging
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from safelight.errors import Code, SafelightError
from safelight.media import colour, tracks
from safelight.media.facts import ClipFacts
from safelight.media.read import Picture, Reader
from safelight.media.scale import Scaler
from safelight.media.source import MAX_PIXELS, Complaints, open_container

KEPT = 192 << 20  # bytes of decoded pictures kept, for stepping backwards
_AHEAD = 48  # pictures that are rather decoded than jumped over


class Window(io.RawIOBase):
    """A file of its own place over a shared descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._at = descriptor, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer from the current place."""
        data = os.pread(self._descriptor, len(buffer), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the place."""
        base = (0, self._at, os.fstat(self._descriptor).st_size)[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """The current place."""
        return self._at


def opened(descriptor: int) -> io.BufferedReader:
    """A readable file over a descriptor that others read as well."""
    return io.BufferedReader(Window(descriptor), 1 << 16)


class Access:
    """The pictures of one clip in any order. ``times`` holds the presentation time of each, as far as it is known."""

    facts: ClipFacts

    def __init__(self, descriptor: int) -> None:
        """Open the clip. Raises SafelightError like :class:`safelight.media.read.Reader`."""
        self._descriptor = descriptor
        with Reader(opened(descriptor), accept_damaged=True) as reader:
            self.facts = reader.facts
            self._mirrored = reader.mirrored
        self._scaler = Scaler()
        self._kept: OrderedDict[int, Picture] = OrderedDict()
        self._source: _Film | _Whole = _Whole(self)
        self.times: list[int] = []

    def survey(self) -> list[int]:
        """Presentation times told by the packets alone, without decoding; empty where they cannot be trusted."""
        if self.facts.still:
            return []
        film = _Film(self)
        if not film.times:
            return []
        self._source, self.times = film, film.times
        return self.times

    def count(self) -> list[int]:
        """Presentation times by reading the whole clip; from now on pictures are found that way too."""
        self._kept.clear()
        self._source = _Whole(self)
        with Reader(opened(self._descriptor), accept_damaged=True) as reader:
            self.times = [picture.pts for picture in reader.pictures()]
        return self.times

    def picture(self, index: int) -> Picture:
        """The picture with that number. Raises SL-NOT-FOUND when there is none, SL-DAMAGED when it cannot be read."""
        kept = self._kept.get(index)
        if kept is not None:
            self._kept.move_to_end(index)
            return kept
        for picture in self._source.towards(index):
            self._keep(picture)
            if picture.index == index:
                return picture
        if isinstance(self._source, _Film):
            self._source = _Whole(self)
            return self.picture(index)
        raise SafelightError(Code.NOT_FOUND, f"There is no frame {index}.")

    def shown(self, index: int, pts: int, frame: VideoFrame) -> Picture:
        """A decoded frame as a picture, its colours settled as for the whole film."""
        layout = frame.format
        if not (layout.is_rgb or layout.has_palette):
            frame.colorspace = self.facts.matrix
        frame.color_primaries = frame.color_trc = colour.UNSPECIFIED
        return Picture(index, pts, False, frame, self.facts, self._mirrored, self._scaler)

    @property
    def descriptor(self) -> int:
        """Of the clip."""
        return self._descriptor

    def _keep(self, picture: Picture) -> None:
        size = self.facts.stored_width * self.facts.stored_height * 3
        self._kept[picture.index] = picture
        self._kept.move_to_end(picture.index)
        while len(self._kept) > max(KEPT // size, 4):
            self._kept.popitem(last=False)


class _Whole:
    """Pictures counted from the beginning; going back means beginning again."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._pictures: Iterator[Picture] = iter(())
        self._next = -1

    def towards(self, index: int) -> Iterator[Picture]:
        """Pictures up to that number."""
        if not 0 <= self._next <= index:
            self._pictures = Reader(opened(self._access.descriptor), accept_damaged=True).pictures()
            self._next = 0
        for picture in self._pictures:
            self._next = picture.index + 1
            yield picture
            if picture.index >= index:
                return


class _Film:
    """Pictures reached through key frames."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._container = open_container(opened(access.descriptor), Complaints())
        # Two threads decode, and they must not wait for Python to hear their complaints.
        av.logging.set_level(None)
        self._track: VideoStream = tracks.choose(self._container)
        context = self._track.codec_context
        context.thread_count, context.thread_type = 2, "FRAME"
        context.options = {"max_pixels": str(MAX_PIXELS)}
        # AVI has no presentation times; without reordering the n-th picture is the n-th packet
        self._by_place = self._container.format.name == "avi"
        self.times: list[int] = []
        self._keys: list[int] = []
        self._numbers: dict[int, int] = {}
        self._survey(context.has_b_frames)
        self._decoding: Iterator[Picture] = iter(())
        self._next = -1

    def _survey(self, reordered: bool) -> None:
        stamps: list[int] = []
        keys: list[int] = []
        try:
            for packet in self._container.demux(self._track):
                if packet.stream_index != self._track.index or not packet.size or packet.is_discard:
                    continue
                stamp = packet.dts if self._by_place else packet.pts
                if stamp is None:
                    return
                stamps.append(stamp)
                if packet.is_keyframe:
                    keys.append(stamp)
        except (av.error.FFmpegError, OSError, IndexError):
            return
        ordered = sorted(stamps)
        if not ordered or not keys or any(a == b for a, b in itertools.pairwise(ordered)):
            return
        if self._by_place and (reordered or ordered != stamps):
            return
        self._numbers = {stamp: number for number, stamp in enumerate(ordered)}
        self._keys = sorted(self._numbers[key] for key in keys)
        self.times = ordered

    def towards(self, index: int) -> Iterator[Picture]:
        """Pictures up to that number, from where decoding stands or from the key frame before it."""
        if not 0 <= index < len(self.times):
            return
        place = bisect.bisect_right(self._keys, index) - 1
        if place < 0:
            return
        key = self._keys[place]
        if not (0 <= self._next <= index and (index - self._next <= _AHEAD or key <= self._next)):
            self._decoding, self._next = self._from(key), key
        for picture in self._decoding:
            self._next = picture.index + 1
            yield picture
            if picture.index >= index:
                return

    def _from(self, key: int) -> Iterator[Picture]:
        """Pictures from a key frame on. Ends early when what is decoded does not fit the times surveyed."""
        expected = key
        for packet in self._packets(key):
            try:
                frames = self._track.codec_context.decode(packet)
            except av.error.FFmpegError:
                return
            for frame in frames:
                stamp = frame.dts if self._by_place else frame.pts
                number = self._numbers.get(stamp) if stamp is not None else None
                if number is None or number > expected:
                    return
                if number == expected:  # earlier ones lean on what was not decoded
                    expected += 1
                    yield self._access.shown(number, self.times[number], frame)

    def _packets(self, key: int) -> Iterator[Packet[Any]]:
        """The film's packets from a key frame on; formats that jump too far are asked for an earlier place."""
        before = self._keys[max(self._keys.index(key) - 1, 0)]
        for target in dict.fromkeys((key, before, self._keys[0])):
            self._container.seek(self.times[target], stream=self._track, backward=True)
            self._track.codec_context.flush_buffers()
            packets = (p for p in self._container.demux(self._track) if p.stream_index == self._track.index)
            first = next(packets, None)
            stamp = None if first is None else first.dts if self._by_place else first.pts
            if first is not None and stamp is not None and stamp <= self.times[key]:
                yield first
                yield from packets
                return
