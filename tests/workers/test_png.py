"""A picture that a worker leaves for a person is nothing but pixels, or the clip has no copy."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from safelight.errors import Code, SafelightError
from safelight.workers.png import picture_left


def made(**options: object) -> bytes:
    out = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 255, (300, 200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(out, "png", **options)
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header(width: int, height: int, *rest: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, *(rest or (8, 2, 0, 0, 0))))


def checked(data: bytes, folder: Path, limit: int = 1 << 20) -> None:
    (folder / "sheet.png").write_bytes(data)
    picture_left(folder / "sheet.png", limit)


START, END = b"\x89PNG\r\n\x1a\n", chunk(b"IEND", b"")


def test_pictures_of_our_own_libraries_are_plain(tmp_path: Path) -> None:
    checked(made(), tmp_path)
    checked(cv2.imencode(".png", np.zeros((40, 30, 3), np.uint8))[1].tobytes(), tmp_path)
    checked(START + header(2, 1) + chunk(b"IDAT", zlib.compress(bytes(7))) + END, tmp_path)


def noted() -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "of the original")
    return made(pnginfo=notes)


def behind_the_stream() -> bytes:
    return START + header(2, 1) + chunk(b"IDAT", zlib.compress(bytes(7)) + b"hidden") + END


@pytest.mark.parametrize(
    ("why", "data"),
    [
        ("no picture", b"<html><script>"),
        ("cut off", made()[:-8]),
        ("cut off in the middle", made()[:5000]),
        ("broken", made()[:300] + b"x" + made()[301:]),
        ("text inside", noted()),
        ("something behind", made() + b"PK\x03\x04"),
        ("a second picture behind", made() + made()),
        ("something behind the pixels", behind_the_stream()),
        ("a bomb", START + header(2, 1) + chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + END),
        ("too few pixels", START + header(2, 2) + chunk(b"IDAT", zlib.compress(bytes(7))) + END),
        ("a lie about size", START + header(1 << 30, 1 << 30) + chunk(b"IDAT", b"") + END),
        ("no pixels", START + header(0, 1) + chunk(b"IDAT", zlib.compress(b"")) + END),
        ("interlaced", START + header(2, 1, 8, 2, 0, 0, 1) + chunk(b"IDAT", zlib.compress(bytes(7))) + END),
        ("pixels first", START + chunk(b"IDAT", zlib.compress(bytes(7))) + header(2, 1) + END),
        ("a foreign part", START + header(2, 1) + chunk(b"IDAT", zlib.compress(bytes(7))) + chunk(b"eXIf", b"x") + END),
        ("empty", b""),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, why: str, data: bytes) -> None:
    with pytest.raises(SafelightError) as refused:
        checked(data, tmp_path)
    assert refused.value.code is Code.WORKER_LIED


def test_links_and_giants_are_refused(tmp_path: Path) -> None:
    (tmp_path / "real.png").write_bytes(made())
    (tmp_path / "sheet.png").symlink_to(tmp_path / "real.png")
    with pytest.raises(SafelightError):
        picture_left(tmp_path / "sheet.png")
    with pytest.raises(SafelightError):
        picture_left(tmp_path / "real.png", limit=100)
