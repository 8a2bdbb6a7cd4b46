"""Where a long film can be cut, so that its pieces are worked on apart: at key frames, told by its packets alone.

Only films of which every packet says which picture it is and when it is shown; all others stay whole. What a piece
says about its pictures is held against what is decoded, so a film that lies here is worked on whole.
"""

from __future__ import annotations

import bisect
import io
import itertools
from typing import Any, BinaryIO

import av
from av.packet import Packet

from safelight.media import tracks
from safelight.media.facts import ClipFacts
from safelight.media.pieces import MOST, Part, Piece
from safelight.media.source import Apart, Complaints, file_size, open_container, promised_size

_CONTAINERS = frozenset({"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"})
_CODECS = frozenset({"h264", "hevc", "mpeg2video", "mjpeg", "prores", "dnxhd", "ffv1"})  # one packet, one picture


def survey(source: BinaryIO, facts: ClipFacts, seconds: float, overlap: float) -> list[Piece]:
    """Pieces of at least ``seconds`` each, seen ``overlap`` seconds farther on either side; empty for a film that is
    shorter than two of them or must stay whole.

    ``source``: the opened film; its position is left alone.
    """
    plain = facts.container in _CONTAINERS and facts.codec in _CODECS and not facts.interlaced and not facts.still
    if not plain or (facts.duration or 0.0) < 2 * seconds:
        return []
    file = io.BufferedReader(Apart(source), 1 << 16)
    if promised_size(file, size := file_size(file)) != size:
        return []
    complaints = Complaints()
    with open_container(file, complaints) as container, complaints.heard():
        track = tracks.choose(container)
        times, keys = _told(container.demux(track), track.index)
    if complaints.count or not keys or keys[0] != times[0]:
        return []
    ticks, around = round(seconds / facts.base), round(overlap / facts.base)
    starts = [times[0]]
    for key in keys:
        if key - starts[-1] >= ticks and times[-1] - key >= ticks:
            starts.append(key)
    if not 2 <= len(starts) <= MOST:
        return []
    made = []
    for start, end in itertools.zip_longest(starts, starts[1:]):
        first = bisect.bisect_left(times, start)
        stop = len(times) if end is None else bisect.bisect_left(times, end)
        lead = keys[max(bisect.bisect_right(keys, start - around) - 1, 0)]
        seen = max(bisect.bisect_right(times, times[stop - 1] + around), stop)
        wide = Part(first=bisect.bisect_left(times, lead), pts=lead, stop=seen)
        made.append(Piece(own=Part(first=first, pts=start, stop=stop), wide=wide, last_pts=times[stop - 1]))
    return made


def _told(packets: Any, track: int) -> tuple[list[int], list[int]]:
    """Presentation times of all pictures and of the key frames, rising; none where the packets do not tell."""
    times: list[int] = []
    keys: list[int] = []
    packet: Packet[Any]
    try:
        for packet in packets:
            if packet.stream_index != track or not packet.size:
                continue
            if packet.pts is None or packet.is_discard or packet.is_corrupt:
                return [], []
            times.append(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
    except (av.error.FFmpegError, OSError, IndexError):
        return [], []
    times.sort()
    if any(a == b for a, b in itertools.pairwise(times)):
        return [], []
    return times, sorted(keys)
