"""What mutants found, made anew and small: each file here once gave an error nobody foresaw."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from examples.clip import scene as somebody
from PIL import Image

from tests.fuzz.herd import examine
from tests.fuzz.whole import drive_files
from tests.media.build import clip, scene


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


def test_an_avi_that_claims_four_thousand_million_pictures(tmp_path: Path) -> None:
    """The claim was handed on as what is to be expected, more than a worker may say, and the worker died of it."""
    path = clip(tmp_path / "a.avi", codec="mjpeg", pixels="yuvj420p", frames=4, width=64, height=48)
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"strh") + 8 + 32, 0xFFFF0006)
    tally = drive_files([(1, bytes(data))])
    assert not tally.findings
    assert dict(tally.outcomes) == {"protected": 1}


def test_a_film_with_a_moment_of_sound(tmp_path: Path) -> None:
    """An attacker expected at least a tenth of a second of it."""
    path = clip(tmp_path / "a.mkv", codec="ffv1", frames=4, width=64, height=48, sound=0.05, sound_codec="pcm_s16le")
    tally = drive_files([(0, path.read_bytes())])
    assert not tally.findings
    assert dict(tally.outcomes) == {"protected": 1}


@pytest.mark.parametrize("kind", ["png", "bmp", "tiff", "jpeg"])
def test_a_still_of_every_kind_has_a_copy(kind: str) -> None:
    """Copies in PNG could not be listened to, so none was published; a JPEG's own tables were taken for words."""
    still = io.BytesIO()
    picture, _ = next(iter(somebody(320, 240, 1)))
    Image.fromarray(picture).save(still, kind)
    tally = drive_files([(0, still.getvalue())])
    assert not tally.findings
    assert dict(tally.outcomes) == {"protected": 1}


def test_a_photo_with_a_thumbnail_has_a_copy() -> None:
    """The thumbnail has the same tables once more, in a part that is read for words."""
    still, small = io.BytesIO(), io.BytesIO()
    picture, _ = next(iter(somebody(320, 240, 1)))
    Image.fromarray(picture).save(still, "jpeg")
    Image.fromarray(scene(1, 80, 60)).save(small, "jpeg")
    assert b"CDEFGHIJSTUVWXYZ" in small.getvalue()
    thumbnail = b"\xff\xeb" + (len(small.getvalue()) + 2).to_bytes(2, "big") + small.getvalue()
    tally = drive_files([(0, still.getvalue()[:2] + thumbnail + still.getvalue()[2:])])
    assert not tally.findings
    assert dict(tally.outcomes) == {"protected": 1}


def test_a_long_thin_picture_takes_no_longer_than_others() -> None:
    """Turned whole for the look at leaning faces it was 15 megapixels of black in strips of a few pixels: minutes."""
    still = io.BytesIO()
    Image.fromarray(np.tile(scene(1, 64, 64), (128, 1, 1))).save(still, "jpeg")
    tally = drive_files([(0, still.getvalue())], 20.0)
    assert not tally.findings
    assert set(tally.outcomes) <= {"protected", "SL-LEAK"}  # the finest detail of so few columns may stay
