"""Notes inside the picture stream: SEI messages of H.264 that coders and cameras write and players never show.

Runs inside a worker.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import av

from safelight.errors import Code, SafelightError
from safelight.media import tracks
from safelight.media.sniff import is_still
from safelight.media.source import Complaints, open_container

_SEI, _FILLER = 6, 12  # NAL unit types (H.264, table 7-1)
_PICTURE = frozenset({1, 5, 7, 8, 9, 10, 11})  # slices, parameter sets, delimiters, ends
_NAMES = {4: "a registered note (such as captions)", 5: "a free note (such as a coder's signature)"}
_TIMES = frozenset({0, 1, 6})  # buffering, picture timing, recovery point: how to decode, nothing else


def notes_of(source: BinaryIO) -> Iterator[tuple[str, int]]:
    """(what, number of the packet) of everything in an H.264 stream that is neither picture nor its parameters.

    Other codecs and stills give nothing. Raises SafelightError like Reader when the file cannot be opened.
    """
    source.seek(0)
    if is_still(source):
        return
    with open_container(source, Complaints()) as container:
        film = tracks.choose(container)
        if film.codec_context.codec.canonical_name != "h264":
            return
        extra = film.codec_context.extradata or b""
        width = (extra[4] & 3) + 1 if len(extra) > 6 and extra[0] == 1 else 0  # 14496-15, 5.3.3.1
        try:
            for number, packet in enumerate(container.demux(film)):
                for unit in _units(bytes(packet), width):
                    yield from ((what, number) for what in _notes(unit))
        except av.error.FFmpegError as error:
            raise SafelightError(Code.DAMAGED, "The copy cannot be read to its end.") from error


def _units(data: bytes, width: int) -> Iterator[bytes]:
    """NAL units of a packet: with lengths of ``width`` bytes before them, or after start codes when it is 0.

    Of each only the first 64 bytes, which is all that is looked at.
    """
    if not width:
        parts = data.split(b"\x00\x00\x01")[1:]
        yield from (part[:64] for part in parts if part)
        return
    start = 0
    while start + width < len(data):
        length = int.from_bytes(data[start : start + width], "big")
        start += width
        yield data[start : start + min(length, 64)]
        start += length


def _notes(unit: bytes) -> Iterator[str]:
    kind = unit[0] & 31 if unit else 0
    if kind == _SEI:
        payload = unit[1] if len(unit) > 1 else 0
        if payload not in _TIMES:
            yield _NAMES.get(payload, "a note") + " inside the picture stream"
    elif kind == _FILLER:
        yield "filler inside the picture stream"
    elif kind not in _PICTURE:
        yield "data of an unknown kind inside the picture stream"
