"""JPEG pictures that a worker made, checked without decoding: nothing in there but a picture.

They are opened by browsers, at the desk and of whoever reads a story, and a worker may have been taken over. Such a
picture must be the plainest there is: the short JFIF note, tables of the right length, one header, one scan, an end;
no comment, no application's data, no thumbnail, nothing behind. What the scan says is known to who decodes it only.
(ITU-T T.81, annex B; JFIF 1.02.)
"""

from __future__ import annotations

import re

from safelight.workers.plain import MAX_PIXELS, Plain

_JFIF = re.compile(rb"JFIF\x00\x01[\x01\x02][\x00-\x02].{4}\x00\x00", re.DOTALL)  # version, density, no thumbnail
_MARKER = re.compile(rb"\xff[^\x00]")  # inside a scan every other FF is followed by 00
_APP0, _DQT, _SOF0, _DHT, _SOS, _EOI = 0xE0, 0xDB, 0xC0, 0xC4, 0xDA, 0xD9


def _wrong_with(data: bytes) -> str | None:
    """What is wrong with a JPEG, None if it is plain."""
    if data[:2] != b"\xff\xd8":
        return "it does not begin like one"
    at, kinds = 2, list[int]()
    while _SOS not in kinds:
        if len(data) < at + 4 or data[at] != 0xFF:
            return "it is cut off or broken"
        kind, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : end]
        if len(data) < end or not _fits(kind, body):
            return "a part of it is no part of a plain picture"
        if kind in kinds and kind in (_APP0, _SOF0):
            return "it has two headers"
        kinds.append(kind)
        at = end
    if kinds[0] != _APP0 or not {_DQT, _SOF0, _DHT} <= set(kinds) or len(kinds) > 12:
        return "its parts are not those of a picture"
    ending = _MARKER.search(data, at)
    if ending is None or ending.group()[1] != _EOI or ending.end() != len(data):
        return "it has no end, or something lies behind it"
    return None


def _fits(kind: int, body: bytes) -> bool:
    """Whether a part is one of those that a plain picture has, and as long as it says inside."""
    if kind == _APP0:
        return _JFIF.fullmatch(body) is not None
    if kind == _SOF0:
        if len(body) not in (9, 15) or body[0] != 8 or len(body) != 6 + 3 * body[5]:
            return False
        height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        return 0 < width * height <= MAX_PIXELS
    if kind == _DQT:
        return bool(body) and len(body) % 65 == 0 and all(number < 4 for number in body[::65])
    if kind == _DHT:
        return _is_huffman(body)
    return kind == _SOS and len(body) in (6, 10) and len(body) == 4 + 2 * body[0]


def _is_huffman(body: bytes) -> bool:
    """Whether this is one or more tables of codes, each with as many values as it has codes."""
    at = 0
    while at < len(body):
        if len(body) < at + 17 or body[at] not in (0x00, 0x01, 0x10, 0x11):
            return False
        at += 17 + sum(body[at + 1 : at + 17])
    return at == len(body) and at > 0


_PLAIN = Plain("JPEG", _wrong_with)
require_plain, jpeg_left = _PLAIN.require, _PLAIN.left
