"""Damage in a transport stream: packets that are missing or spoilt, found in the stream's own bytes.

FFmpeg steps over such packets and at most says so in a warning. ISO/IEC 13818-1, 2.4.3: a packet begins with 0x47, says
itself when it could not be received, and packets of one track are counted from 0 to 15. A stream that was joined from
recordings counts anew where the next begins. That is no damage if the one before ended with a whole picture and the
next begins with one that needs no other. Runs inside a worker.
"""

from __future__ import annotations

from collections import deque
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from safelight.media.source import ALIKE, SYNC, UNITS, unit_of

_BLOCK = 2048  # packets read at once
_START_CODE = b"\0\0\1"
# The first unit of a picture that needs no other: parameter sets or such a picture (H.264, H.265), a sequence header.
_BEGINNINGS = {
    "h264": frozenset({5, 7}),
    "hevc": frozenset({16, 17, 18, 19, 20, 21, 32, 33}),
    "mpeg2video": frozenset({0xB3}),
    "mpeg1video": frozenset({0xB3}),
}


class Transport:
    """Reads along in a transport stream. ``track``: the number of the film's packets; ``codec``: FFmpeg's name."""

    def __init__(self, source: BinaryIO, track: int, codec: str) -> None:
        self._source, self._track = source, track
        self._beginnings = _BEGINNINGS.get(codec, frozenset())
        self._codec = codec
        start = self._bytes(0, 2048)
        # Cut out of a longer stream it can begin inside a packet.
        skipped = next((n for n in range(UNITS[-1][0] + 1) if unit_of(start[n:])), 0)
        found = unit_of(start[skipped:])
        self._unit, self._sync = found or UNITS[0]
        self._at = skipped  # bytes up to which was read; the beginning of a packet if the stream is in order
        self._in_order = found is not None
        self._ended = False
        self._starts: deque[tuple[int, bool]] = deque()  # pictures or parts: where, whether a unit begins right there
        self._hurts: deque[tuple[int, str]] = deque()
        self._joins: deque[int] = deque()
        self._count: int | None = None
        self._filled = True  # the last packet of the film was filled up: a picture ended with it

    def hurt(self, start: int) -> str | None:
        """What is wrong with the picture whose packets begin at byte ``start``; None if nothing is known."""
        stop = self._next(start)
        while stop is None and not self._ended:
            self._read()
            stop = self._next(start)
        while self._starts and self._starts[0][0] < start:
            self._starts.popleft()
        while self._hurts and self._hurts[0][0] < start:
            self._hurts.popleft()
        if self._hurts and (stop is None or self._hurts[0][0] < stop):
            return self._hurts[0][1]
        return None

    def joined(self, start: int) -> bool:
        """Whether another recording begins with the picture that begins at byte ``start``; asked after :meth:`hurt`."""
        while self._joins and self._joins[0] < start:
            self._joins.popleft()
        return bool(self._joins) and self._joins[0] < start + self._unit

    @property
    def whole(self) -> bool:
        """Whether the film's last packet shows that its last picture ends there; asked at the end."""
        return self._filled

    def _next(self, start: int) -> int | None:
        """Where the next picture begins. A picture can begin inside a part; then the part after it counts too."""
        return next((at for at, unit in self._starts if at >= start + self._unit and unit), None)

    # -- reading -------------------------------------------------------------------------------------------------

    def _bytes(self, start: int, count: int) -> bytes:
        kept = self._source.tell()
        try:
            self._source.seek(start)
            return self._source.read(count)
        finally:
            self._source.seek(kept)

    def _read(self) -> None:
        data = self._bytes(self._at, self._unit * _BLOCK)
        if not self._in_order:
            self._find(data)
            return
        count = (len(data) - self._sync + self._unit - 188) // self._unit
        if count <= 0:
            self._ended = True
            return
        whole = np.frombuffer(data[: count * self._unit].ljust(count * self._unit, b"\0"), np.uint8)
        packets = whole.reshape(count, self._unit)[:, self._sync : self._sync + 188]
        bad = np.flatnonzero(packets[:, 0] != SYNC)
        good = int(bad[0]) if len(bad) else count
        self._look(packets[:good])
        self._at += good * self._unit
        if len(bad):
            self._hurts.append((self._at, "Packets of the stream are spoilt"))
            self._in_order = False

    def _find(self, data: bytes) -> None:
        """Go to the next place from which packets follow each other."""
        first = data.find(bytes([SYNC]), self._sync)
        while first >= 0:
            places = range(first, min(first + ALIKE * self._unit, len(data)), self._unit)
            if all(data[place] == SYNC for place in places) and (len(places) == ALIKE or self._last(len(data))):
                self._at += first - self._sync
                self._in_order = True
                return
            first = data.find(bytes([SYNC]), first + 1)
        self._ended = self._last(len(data))
        self._at += max(len(data) - ALIKE * self._unit, 1)

    def _last(self, got: int) -> bool:
        return got < self._unit * _BLOCK

    def _look(self, packets: NDArray[np.uint8]) -> None:
        tracks = (packets[:, 1].astype(np.uint16) & 0x1F) << 8 | packets[:, 2]
        hurts = [
            (self._at + int(place) * self._unit, "A packet was not received whole")
            for place in np.flatnonzero(packets[:, 1] & 0x80)
        ]
        mine = np.flatnonzero(tracks == self._track)
        if not len(mine):
            self._hurts.extend(hurts)
            return
        own = packets[mine]
        begins, loaded = (own[:, 1] & 0x40) > 0, (own[:, 3] & 0x10) > 0
        counts = (own[:, 3] & 15).astype(np.int16)
        before = np.concatenate([[counts[0] if self._count is None else self._count], counts[:-1]])
        expected = (before + loaded) & 15
        odd = counts != expected
        odd[0] &= self._count is not None
        for place in np.flatnonzero(odd | begins):
            at = self._at + int(mine[place]) * self._unit
            packet = own[place].tobytes()
            if odd[place] and not _says_so(packet):
                filled = self._filled if place == 0 else _filled(own[place - 1].tobytes())
                if filled and begins[place] and self._begins_anew(packet):
                    self._joins.append(at)
                else:
                    # What is missing may belong to the picture before; hurt where its last packet was.
                    last = self._at + int(mine[place - 1]) * self._unit if place else max(at - self._unit, 0)
                    hurts += [(hurt, "Packets of the stream are missing") for hurt in (last, at)]
            if begins[place]:
                load = _load(packet)
                if load[:3] == _START_CODE and len(load) > 9:
                    self._starts.append((at, load[9 + load[8] :].lstrip(b"\0")[:1] == b"\1"))
                else:
                    hurts.append((at, "A picture's packets begin wrongly"))
        self._hurts.extend(sorted(hurts))
        self._count = int(counts[-1])
        self._filled = _filled(own[-1].tobytes())

    def _begins_anew(self, packet: bytes) -> bool:
        if packet[3] & 0x20 and packet[4] and packet[5] & 0x40:
            return True  # random_access_indicator
        load = _load(packet)
        units = (unit[:1] for unit in load[9 + load[8] if len(load) > 8 else 0 :].split(_START_CODE)[1:])
        return any(self._kind(unit[0]) in self._beginnings for unit in units if unit)

    def _kind(self, first: int) -> int:
        """The kind of a unit by its first byte."""
        return {"h264": first & 31, "hevc": first >> 1 & 63}.get(self._codec, first)


def _says_so(packet: bytes) -> bool:
    """Whether a packet says itself that the count begins anew (discontinuity_indicator)."""
    return bool(packet[3] & 0x20 and packet[4] and packet[5] & 0x80)


def _filled(packet: bytes) -> bool:
    """Whether a packet was filled up: only the last of a picture is (2.4.3.4, adaptation field)."""
    if not packet[3] & 0x20:
        return False
    flags, used = packet[5] if packet[4] else 0, 1
    used += 6 * (flags >> 4 & 1) + 6 * (flags >> 3 & 1) + (flags >> 2 & 1)
    for present in (flags & 2, flags & 1):
        if present and 5 + used < len(packet):
            used += 1 + packet[5 + used]
    return packet[4] == 0 or packet[4] > used


def _load(packet: bytes) -> bytes:
    return packet[4 + (1 + packet[4] if packet[3] & 0x20 else 0) :] if packet[3] & 0x10 else b""
