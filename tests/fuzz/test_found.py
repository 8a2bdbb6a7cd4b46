"""What mutants found, made anew and small: each file here once gave an error nobody foresaw."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.fuzz.herd import examine
from tests.media.build import clip


@pytest.mark.parametrize("scale", [0xFFFFFFFF, 0x02000001])
def test_an_avi_of_one_picture_in_months(scale: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rate was rounded to nothing, and a copy was to be written with pictures of endless length."""
    path = clip(tmp_path / "a.avi", codec="mjpeg", pixels="yuvj420p", frames=4, width=64, height=48)
    data = bytearray(path.read_bytes())
    at = data.index(b"strh") + 8 + 20
    assert struct.unpack_from("<II", data, at) == (1, 25)
    struct.pack_into("<II", data, at, scale, 25)
    monkeypatch.chdir(tmp_path)
    assert examine(bytes(data)) == ("read", "")
