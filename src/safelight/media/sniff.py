"""Telling still pictures from films by how a file begins; names are not asked."""

from __future__ import annotations

from typing import BinaryIO

from safelight.media.source import head

_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif"})
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\x00", b"MM\x00*", b"BM")
_INSIDE_SCAN = frozenset([b"\x00", b"\xff", *(bytes([m]) for m in range(0xD0, 0xD8))])


def is_still(source: BinaryIO) -> bool:
    """Whether the file begins like a still picture; leaves the position at the start."""
    start = head(source, 64)
    if start[4:8] == b"ftyp":
        return start[8:12] in _BRANDS
    if start[:4] == b"RIFF":
        return start[8:12] == b"WEBP"
    if start.startswith(b"BM"):
        return start[6:10] == bytes(4)
    if start.startswith(_MAGIC[0]):
        return not _is_motion_jpeg(source)
    return start.startswith(_MAGIC) and not _is_moving_png(source)


def _is_moving_png(source: BinaryIO) -> bool:
    start = head(source, 4096)
    return start.startswith(_MAGIC[1]) and b"acTL" in start


def _is_motion_jpeg(source: BinaryIO) -> bool:
    """Whether a JPEG is followed at once by another of the same size: a film without container, not a photo."""
    source.seek(0)
    data = source.read(32 << 20)
    source.seek(0)
    size, end = _jpeg_frame(data, 0)
    return size is not None and _jpeg_frame(data, end)[0] == size


def _jpeg_frame(data: bytes, at: int) -> tuple[bytes | None, int]:
    """(height and width as stored, position after the picture) of the JPEG at a position; (None, at) when none is."""
    if data[at : at + 3] != _MAGIC[0]:
        return None, at
    size, at = None, at + 2
    while data[at : at + 1] == b"\xff" and at + 4 <= len(data):
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xD9:
            return size, at + 2
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            size = data[at + 5 : at + 9]
        at += 2 + length
        if marker == 0xDA:  # coded pixels: up to the next marker that is neither stuffing nor a restart
            while True:
                at = data.find(b"\xff", at)
                if at < 0:
                    return size, len(data)
                if data[at + 1 : at + 2] not in _INSIDE_SCAN:
                    break
                at += 2
    return size, at
