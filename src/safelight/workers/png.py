"""Pictures that a worker left for a person's eyes, checked without decoding: nothing in there but pixels.

A browser or viewer at the desk will open them, and a worker may have been taken over. A PNG must be the plainest there
is: one header, its pixels, an end; right checksums, exactly as many bytes of pixels as the header says, nothing behind.
(W3C, Portable Network Graphics, third edition, sections 5 and 11.)
"""

from __future__ import annotations

import struct
import zlib

from safelight.workers.plain import MAX_PIXELS, Plain

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3}  # grey, RGB


def _wrong_with(data: bytes) -> str | None:
    """What is wrong with a PNG, None if it is plain."""
    if not data.startswith(_SIGNATURE):
        return "it does not begin like one"
    at, row, rows, got = len(_SIGNATURE), 0, 0, 0
    kinds: list[bytes] = []
    pixels = zlib.decompressobj()
    try:
        while at < len(data):
            (length,) = struct.unpack_from(">I", data, at)
            kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
            (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
            if zlib.crc32(body, zlib.crc32(kind)) != checksum:
                return "a checksum is wrong"
            at += 12 + length
            if kind == b"IHDR" and not kinds:
                width, rows, depth, colour, *methods = struct.unpack(">IIBBBBB", body)
                if depth != 8 or colour not in _CHANNELS or any(methods):
                    return "its header asks for more than plain pixels"
                if not 0 < width * rows <= MAX_PIXELS:
                    return "its size makes no sense"
                row = 1 + width * _CHANNELS[colour]
            elif kind == b"IDAT" and kinds and kinds[-1] in (b"IHDR", b"IDAT"):
                got += len(pixels.decompress(body, row * rows - got + 1))
                if got > row * rows or pixels.unconsumed_tail:
                    return "it holds more pixels than its header says"
            elif kind != b"IEND" or length or not kinds or kinds[-1] != b"IDAT":
                return "it holds something else than pixels"
            kinds.append(kind)
    except (struct.error, zlib.error):
        return "it is cut off or broken"
    if not kinds or kinds[-1] != b"IEND" or kinds.count(b"IEND") != 1:
        return "it has no end, or something lies behind it"
    if got != row * rows or not pixels.eof or pixels.unused_data:
        return "it holds other pixels than its header says"
    return None


_PLAIN = Plain("PNG", _wrong_with)
require_plain, picture_left = _PLAIN.require, _PLAIN.left
