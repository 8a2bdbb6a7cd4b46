"""Unpacking is pointwise: a stored sample reaches its own pixel and its own chroma sample, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from safelight.errors import Code, SafelightError
from safelight.media.planes import Planes, format_name, pack, unpack

_FORMATS_NAMES = """
yuv420p yuvj420p yuv422p yuv444p yuv410p yuv411p yuv440p yuv422p10le yuv420p10le yuv444p12le yuv420p16le
yuv420p10be yuv422p16be nv12 nv21 nv16 nv24 p010le p016le p210le p010be yuyv422 uyvy422 yvyu422 y210le
y212le vuyx gray gray10le gray12le gray16le gray16be rgb24 bgr24 rgb0 bgr0 0rgb gbrp gbrp10le gbrp12le
rgb48le rgb48be bgr48le rgb565le rgb555le rgb8 bgr8 x2rgb10le rgba bgra argb abgr rgba64le gbrap ya8 ya16le
yuva420p yuva422p yuva444p10le uyyvyy411 monob monow ayuv vuya
"""
FORMATS = _FORMATS_NAMES.split()


def noise(name: str, width: int = 32, height: int = 16, seed: int = 0) -> VideoFrame:
    """A frame of random stored bytes that are legal for the format."""
    frame = VideoFrame(width, height, name)
    chance = np.random.default_rng(seed)
    for plane in frame.planes:
        array = np.frombuffer(plane, np.uint8)
        array[:] = chance.integers(0, 256, array.size)
    _legal(frame)
    return frame


def _legal(frame: VideoFrame) -> None:
    """Clear the bits above the depth of right-aligned deep formats, and below it of left-aligned ones."""
    bits = max(part.bits for part in frame.format.components)
    if frame.format.name in ("x2rgb10le", "rgb565le", "rgb555le", "monob", "monow") or bits in (8, 16):
        return
    if bits < 8:
        return
    order = ">" if frame.format.is_big_endian else "<"
    for plane in frame.planes:
        array = np.frombuffer(plane, f"{order}u2")
        if frame.format.name.startswith(("p010", "p210", "y210", "y212")):
            array[:] = array >> (16 - bits) << (16 - bits)
        else:
            array[:] = array & ((1 << bits) - 1)


def parts(planes: Planes) -> list[NDArray[np.int64]]:
    return [p.astype(np.int64) for p in (planes.y, planes.u, planes.v) if p is not None]


@pytest.mark.parametrize("name", FORMATS)
def test_one_stored_byte_reaches_one_place(name: str) -> None:
    chance = np.random.default_rng(5)
    frame = noise(name)
    before = unpack(frame)
    for _ in range(60):
        index = int(chance.integers(len(frame.planes)))
        plane = frame.planes[index]
        array = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        used = min(plane.line_size, max(plane.width, frame.width // 8))  # bytes of a row that surely hold pixels
        row, column = int(chance.integers(plane.height)), int(chance.integers(used))
        old = array[row].copy()
        array[row, column] ^= 1 << int(chance.integers(8))
        _legal(frame)
        after = unpack(frame)
        array[row] = old
        places = set()
        for number, (a, b) in enumerate(zip(parts(before), parts(after), strict=True)):
            changed = np.argwhere(a != b)
            assert len(changed) <= 1, (index, row, column, number, changed[:4])
            for y, x in changed:
                places.add((y // before.sub_y, x // before.sub_x) if number == 0 else (y, x))
        assert len(places) <= 1


@pytest.mark.parametrize("name", ["yuyv422", "uyvy422", "nv12", "nv16", "p010le", "yuv422p10le", "y210le", "gray16le"])
def test_samples_come_out_as_stored(name: str) -> None:
    frame = noise(name)
    planes = unpack(frame)
    first = frame.planes[0]
    bytes_ = np.frombuffer(first, np.uint8).reshape(first.height, first.line_size)
    words = np.frombuffer(first, np.uint16).reshape(first.height, -1)
    expected = {
        "yuyv422": lambda: bytes_[:, 0:64:2],
        "uyvy422": lambda: bytes_[:, 1:64:2],
        "nv12": lambda: bytes_[:, :32],
        "nv16": lambda: bytes_[:, :32],
        "p010le": lambda: words[:, :32] >> 6,
        "yuv422p10le": lambda: words[:, :32],
        "y210le": lambda: words[:, 0:64:2] >> 6,
        "gray16le": lambda: words[:, :32],
    }[name]()
    assert np.array_equal(planes.y, expected)
    if name == "nv12":
        pairs = np.frombuffer(frame.planes[1], np.uint8).reshape(8, -1)
        assert planes.u is not None
        assert planes.v is not None
        assert np.array_equal(planes.u, pairs[:, 0:32:2])
        assert np.array_equal(planes.v, pairs[:, 1:32:2])


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p10le", "yuv444p", "gray", "gray12le", "yuv411p"])
@pytest.mark.parametrize("size", [(32, 16), (33, 17), (1, 1), (7, 5)])
def test_packing_gives_the_same_back(name: str, size: tuple[int, int]) -> None:
    planes = unpack(noise(name, *size))
    assert format_name(planes) == name
    again = unpack(pack(planes))
    assert all(np.array_equal(a, b) for a, b in zip(parts(planes), parts(again), strict=True))
    assert planes.y.shape == (size[1], size[0])


def test_a_copy_is_private() -> None:
    frame = noise("yuv420p")
    planes = unpack(frame)
    planes.y[:] = 7
    assert not np.array_equal(unpack(frame).y, planes.y)


def test_mirrored_chroma_stays_with_its_luma() -> None:
    """In a picture of odd width too: mark one chroma sample, its luma moves to where the sample moves."""
    for width in (32, 33):
        planes = unpack(noise("yuv420p", width, 16))
        assert planes.u is not None
        for column in range(planes.u.shape[1]):
            marked = Planes(planes.y * 0, planes.u * 0, planes.u * 0, 2, 2, 8, False)
            assert marked.u is not None
            marked.u[:, column] = 255
            marked.y[:, 2 * column : 2 * column + 2] = 255
            flipped = marked.mirrored()
            assert flipped.u is not None
            spread = np.repeat(np.repeat(flipped.u, flipped.sub_x, axis=1), flipped.sub_y, axis=0)
            assert np.array_equal(spread[:16, :width], flipped.y)


def test_rgb_keeps_its_colours() -> None:
    """White, black, red, green, blue in full-range BT.709 (ITU-R BT.709-6, item 3.3)."""
    colours = np.array([[[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    planes = unpack(VideoFrame.from_ndarray(np.repeat(colours, 2, axis=0), format="rgb24"))
    assert planes.full_range
    assert np.abs(planes.y[0].astype(int) - [255, 0, 54, 182, 18]).max() <= 1
    assert planes.u is not None
    assert np.abs(planes.u[0].astype(int) - [128, 128, 99, 30, 255]).max() <= 1


def test_sensor_mosaics_are_refused() -> None:
    with pytest.raises(SafelightError) as caught:
        unpack(VideoFrame(32, 16, "bayer_rggb8"))
    assert caught.value.code is Code.UNSUPPORTED
