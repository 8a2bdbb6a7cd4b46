"""How a file says which way up its picture is, as a mirror and clockwise quarter turns."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import cast

from av.buffer import Buffer
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame

# Exif 2.3, tag 0x0112: which mirror and turn make the stored picture upright, for the values 1 to 8.
_EXIF = {
    1: (False, 0),
    2: (True, 0),
    3: (False, 2),
    4: (True, 2),
    5: (True, 3),
    6: (False, 1),
    7: (True, 1),
    8: (False, 3),
}


def from_matrix(matrix: bytes) -> tuple[bool, int]:
    """(mirrored, clockwise quarter turns) of a display matrix (ISO/IEC 14496-12, 6.2.2: nine fixed-point numbers).

    The mirror comes first. Angles between quarter turns are rounded to the nearest; a matrix without area is ignored.
    """
    a, b, _, c, d = struct.unpack("=5i", matrix[:20])
    determinant = a * d - b * c
    if determinant == 0:
        return False, 0
    mirrored = determinant < 0
    if mirrored:
        a, b = -a, -b
    return mirrored, round(math.atan2(b, a) / (math.pi / 2)) % 4


def from_exif(orientation: int) -> tuple[bool, int]:
    """(mirrored, clockwise quarter turns) of an Exif orientation; unknown values mean upright."""
    return _EXIF.get(orientation, (False, 0))


def of_frame(frame: VideoFrame) -> tuple[bool, int]:
    """(mirrored, clockwise quarter turns) that a decoded picture asks for."""
    found = notes(frame)
    if found is None:
        return False, round(-frame.rotation / 90) % 4
    if Type.DISPLAYMATRIX not in found:
        return False, 0
    return from_matrix(bytes(found[Type.DISPLAYMATRIX]))


def notes(frame: VideoFrame) -> Mapping[Type, Buffer] | None:
    """What the decoder attached to a picture; None when a kind is among it that the binding cannot name (Exif)."""
    try:
        return cast(Mapping[Type, Buffer], frame.side_data)  # the binding's stub knows one key only
    except ValueError:
        return None
