"""Damage that FFmpeg does not tell: what stands in the packets is held against what can stand there.

FFmpeg conceals. A transport stream with packets missing, a film in AVI with a stretch of zeros, a picture that others
need and that is not there: it goes on, often without a word, and what it gives looks like a picture. Runs inside a
worker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, BinaryIO

from av.packet import Packet
from av.video.stream import VideoStream

from safelight.media.avc import (
    FILLING,
    FORBIDDEN,
    HEADER_BYTES,
    IDR,
    PICTURES,
    SEQUENCE,
    SLICE,
    NotAvcError,
    Sets,
    Slice,
    UnknownAvcError,
    by_lengths,
)
from safelight.media.chunks import Chunks
from safelight.media.transport import Transport

# Codecs in which zero bytes in a row stand before the beginning of a unit only (with them, MPEG-2 fills up as well).
_NO_ZEROS = frozenset({"h264", "hevc", "mpeg4", "mpeg2video", "mpeg1video"})
# A run is looked at from its first byte only: from each of them, megabytes of zeros would take hours.
_ZEROS = re.compile(rb"(?<!\x00)\x00{8,}+[^\x00\x01]")
_FILLED_UP = frozenset({"h264", "hevc"})  # a picture of these does not end with zeros
_START_CODE = b"\0\0\1"
# What careless programs leave at the end of a unit with a length: a few zeros, the mark that a stream ends (7.3.2.5).
_ENDING = re.compile(rb"\x00{0,8}(?:\x00\x00\x01[\x0a\x0b]\x00{0,8})?\Z")
_MOMENT = 10  # seconds
_MOST_WAITED = 600  # packets without a picture that needs no other


class Watch:
    """Looks at a film's packets in the order in which they are coded."""

    def __init__(self, source: BinaryIO, container: str, track: VideoStream) -> None:
        context = track.codec_context
        self._codec = context.codec.canonical_name
        extra = bytes(context.extradata or b"")
        self.transport = Transport(source, track.id, self._codec) if container == "mpegts" else None
        self._chunks = Chunks(source) if container == "avi" else None
        self._lengths = (extra[4] & 3) + 1 if extra[:1] == b"\1" and len(extra) > 6 else 0  # bytes of a unit's length
        self._avc = Order(extra) if self._codec == "h264" else None
        self._zeros = False  # whether the picture before ended with zeros
        rate = track.average_rate or track.guessed_rate
        self._step = 1 / rate if rate else Fraction(1, 25)
        self._coded: Fraction | None = None  # when the packet before is due to be decoded, in seconds

    def hurt(self, packet: Packet[Any]) -> str | None:
        """What is wrong with a packet; None if nothing is known."""
        reason = self._place(packet)
        if self._codec not in _NO_ZEROS:
            return reason
        data = bytes(packet)
        told = self._avc.hurt(data, self._lengths) if self._avc is not None else None
        return reason or self._zeroed(data) or told

    @property
    def cut_off(self) -> bool:
        """Whether nothing shows that the last picture ends where the file does; asked at the last packet."""
        return self.transport is not None and not self.transport.whole

    def forget(self) -> None:
        """Packets will come from another place."""
        if self._avc is not None:
            self._avc.frame = None

    def _place(self, packet: Packet[Any]) -> str | None:
        start, before = packet.pos, self._coded
        if packet.dts is not None and packet.time_base:
            self._coded = packet.dts * packet.time_base
        if start is None or start < 0:
            return None
        if self._chunks is not None and self._chunks.broken(start):
            return "The file is broken before a picture"
        if self.transport is None:
            return None
        reason = self.transport.hurt(start)
        if self.transport.joined(start):
            self.forget()
            # Another recording seldom goes on a moment later; where pictures are missing, the clock shows it.
            if before is not None and self._coded and 1.5 * self._step < self._coded - before < _MOMENT:
                reason = reason or "Pictures are missing"
        return reason

    def _zeroed(self, data: bytes) -> str | None:
        if self._lengths:
            return None  # zeros would stand inside a unit
        if _ZEROS.search(data):
            return "A picture holds zeros"
        before, self._zeros = self._zeros, self._codec in _FILLED_UP and filled_up(data)
        # A camera that fills up does so with every picture.
        return "A picture ends with zeros" if self._zeros and not before else None


def filled_up(data: bytes) -> bool:
    """Whether a picture ends with zeros."""
    return len(data) - len(data.rstrip(b"\0")) > FILLING


class Opening:
    """Where a transport stream can be entered: it, or a recording in a joined one, begins with a picture that needs no
    other, and those after it that are shown before it need what is not there. No player shows these.
    """

    def __init__(self, watch: Watch) -> None:
        self._transport = watch.transport
        self._passed = 0
        self._first: int | None = None  # when the picture is shown with which a recording begins
        self.waits = self._transport is not None

    def passes(self, packet: Packet[Any]) -> bool:
        """Whether a packet may be decoded."""
        if self._transport is None:
            return True
        self._passed += 1
        anew = packet.pos is not None and self._transport.joined(packet.pos)
        if (self.waits or anew) and packet.is_keyframe:
            self._first, self.waits = packet.pts, False
        elif self.waits:
            self.waits = self._passed < _MOST_WAITED  # a stream of another make; the decoder will tell
        elif packet.is_keyframe:
            self._first = None
        if self.waits:
            return False
        return self._first is None or packet.pts is None or packet.pts >= self._first


class Order:
    """H.264: whether each picture is whole as far as its units tell, and none is missing that others need."""

    def __init__(self, extra: bytes) -> None:
        self._sets = Sets()
        self.frame: int | None = None  # number of the last picture that others need
        try:
            if extra[:1] == b"\1":
                self._sets = Sets.of_record(extra)
            else:
                for unit in _between_codes(extra):
                    self._sets.take(unit)
        except (NotAvcError, IndexError):
            self._sets = Sets()  # such a record is the decoder's trouble; sets in the stream count

    def hurt(self, data: bytes, lengths: int) -> str | None:
        """What is wrong with a coded picture; ``lengths``: bytes of a unit's length, or 0 for start codes."""
        reason: str | None = None
        begun = seen = False
        for unit in by_lengths(data, lengths) if lengths else _between_codes(data):
            if unit is None:
                return "A picture's units do not fill it"
            kind = unit[0] & 31
            if kind not in (SLICE, IDR, SEQUENCE, PICTURES):
                continue
            if _holds_forbidden(unit) and not (lengths and not _holds_forbidden(_ENDING.sub(b"", unit, count=1))):
                reason = reason or "A picture holds bytes that cannot be"
            try:
                if kind in (SEQUENCE, PICTURES):
                    self._sets.take(unit)
                    continue
                told = self._sets.slice(unit[:HEADER_BYTES], len(unit))
            except UnknownAvcError:
                return reason
            except NotAvcError:
                reason = reason or "A picture's head cannot be"
                continue
            if told.spare:
                continue
            if told.first and self._missing(told):
                reason = reason or "A picture that others need is missing"
            seen, begun = True, begun or told.first
        if seen and not begun:
            reason = reason or "The beginning of a picture is missing"
        return reason

    def _missing(self, told: Slice) -> bool:
        """Whether a picture that others need was left out before this one (7.4.3, frame_num)."""
        before = self.frame
        if told.reference:
            self.frame = 0 if told.resets else told.frame
        if before is None or told.key or not told.counts:
            return False
        return (told.frame - before) % told.counts > 1


def _holds_forbidden(unit: bytes) -> bool:
    return any(pattern in unit for pattern in FORBIDDEN)


def _between_codes(data: bytes) -> Iterator[bytes]:
    for unit in data.split(_START_CODE)[1:]:
        plain = unit.rstrip(b"\0")
        if plain:
            yield plain
