"""The developed picture is what people would see of the source: upright, square, in the right colours."""

from __future__ import annotations

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from safelight.media.develop import Developed, Developer
from safelight.media.facts import ClipFacts
from safelight.media.planes import Planes, view
from tests.media.build import Recipe, clip, scene
from tests.media.helpers import developed, read


def facts(**changes: Any) -> ClipFacts:
    base: dict[str, Any] = {
        "container": "x", "codec": "x", "pixel_format": "x", "still": False, "stored_width": 64, "stored_height": 48,
        "pixel_aspect": 1.0, "turn": 0, "interlaced": False, "hdr": False, "time_base": (1, 25),
        "frames_expected": None, "rate": 25.0, "duration": None, "picture_start": 0.0, "sound": None, "dropped": [],
    }  # fmt: skip
    return ClipFacts(**{**base, **changes})


def shown(done: Developed) -> NDArray[np.int64]:
    width, height = done.frame.width, done.frame.height
    return done.bgr(width, height)[..., ::-1].astype(np.int64)


def test_an_ordinary_picture_is_not_touched() -> None:
    chance = np.random.default_rng(1)
    y = chance.integers(16, 235, (48, 64), np.uint8)
    u, v = (chance.integers(16, 240, (24, 32), np.uint8) for _ in range(2))
    (done,) = Developer(facts()).develop(Planes(y, u, v, 2, 2, 8, False), 7)
    assert done.pts == 7
    for index, samples in enumerate((y, u, v)):
        assert np.array_equal(view(done.frame, index), samples)


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("size", [(64, 48), (63, 48), (64, 47), (61, 45)])
@pytest.mark.parametrize("sub", [(1, 1), (2, 2)])
def test_turned_and_even(turn: int, size: tuple[int, int], sub: tuple[int, int]) -> None:
    """Odd sizes get one more column or row at the right or bottom, a copy of the last; nothing moves."""
    width, height = size
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    y = (40 + across + 2 * down).astype(np.uint8)
    chroma = np.full((-(-height // sub[1]), -(-width // sub[0])), 128, np.uint8)
    clip_facts = facts(stored_width=width, stored_height=height, turn=turn)
    (done,) = Developer(clip_facts).develop(Planes(y, chroma, chroma.copy(), *sub, 8, False), 0)
    expected = np.rot90(y, -turn)
    rows, columns = expected.shape
    assert done.size == (columns, rows) == clip_facts.raster.shown_size
    result = view(done.frame, 0)
    assert result.shape == (rows + rows % 2, columns + columns % 2)
    assert np.abs(result[:rows, :columns].astype(int) - expected).max() <= 1
    assert np.array_equal(result[rows:, :columns], result[rows - 1 : rows, :columns][: rows % 2])
    assert np.array_equal(result[:, columns:], result[:, columns - 1 : columns][:, : columns % 2])


@pytest.mark.parametrize("matrix", [1, 5, 6])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p10le", "yuv444p"])
def test_colours_survive(tmp_path: Path, matrix: int, full: bool, pixels: str) -> None:
    colour = (2 if full else 1, matrix, matrix, 6 if matrix != 1 else 1)
    path = clip(tmp_path / "a.mkv", frames=2, codec="ffv1", pixels=pixels, colour=colour)
    clip_facts, _, _ = read(path)
    assert clip_facts.matrix == matrix
    done = developed(path)[0]
    assert done.frame.color_range == 1
    assert done.frame.colorspace == matrix
    assert np.abs(shown(done) - scene(0, 160, 96)).mean() < 3
    assert np.abs(np.median(shown(done)[4:20, 4:36], axis=(0, 1)) - [220, 30, 30]).max() <= 4


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed to compare with")
@pytest.mark.parametrize(("matrix", "name"), [(1, "bt709"), (6, "bt601")])
@pytest.mark.parametrize("full", [False, True])
def test_numbers_agree_with_ffmpeg(tmp_path: Path, matrix: int, name: str, full: bool) -> None:
    colour = (2 if full else 1, matrix, matrix, 1)
    path = clip(tmp_path / "a.mkv", frames=1, codec="ffv1", pixels="yuv444p", colour=colour)
    exact = "flags=accurate_rnd+full_chroma_int+full_chroma_inp"
    chain = f"scale=in_color_matrix={name}:in_range={'pc' if full else 'tv'}:{exact},format=rgb24"
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-vf", chain, "-frames:v", "1", str(tmp_path / "a.png")]
    subprocess.run(command, check=True)
    expected = np.asarray(Image.open(tmp_path / "a.png").convert("RGB")).astype(int)
    assert np.abs(shown(developed(path)[0]) - expected).mean() < 2


def test_square_pixels(tmp_path: Path) -> None:
    for aspect, size in ((Fraction(16, 11), (234, 96)), (Fraction(1, 2), (160, 192))):
        path = clip(tmp_path / "a.mkv", frames=1, aspect=aspect)
        done = developed(path)[0]
        assert (done.frame.width, done.frame.height) == size
        wide = np.asarray(Image.fromarray(scene(0, 160, 96)).resize(done.size)).astype(int)
        assert np.abs(shown(done)[: wide.shape[0], : wide.shape[1]] - wide).mean() < 8


@pytest.mark.parametrize("first", ["top", "bottom"])
def test_de_interlacing_keeps_count_and_removes_combs(first: str) -> None:
    """A bright bar moves from field to field; woven together it has teeth, developed it has not."""
    height, width, frames = 96, 160, 12
    developer = Developer(
        facts(stored_width=width, stored_height=height, interlaced=True, bottom_first=first == "bottom")
    )
    result: list[Developed] = []
    combed = []
    for index in range(frames):
        y = np.full((height, width), 50, np.uint8)
        for field in range(2):
            parity = field if first == "top" else 1 - field
            x = 8 + 8 * (2 * index + field) % 120
            y[parity::2, x : x + 16] = 200
        combed.append(_teeth(y))
        chroma = np.full((height // 2, width // 2), 128, np.uint8)
        result += developer.develop(Planes(y, chroma, chroma.copy(), 2, 2, 8, False), index * 10)
    result += developer.finish()
    assert [done.pts for done in result] == [index * 10 for index in range(frames)]
    smooth = [_teeth(view(done.frame, 0)) for done in result[2:-2]]
    assert max(smooth) < 0.35 * min(combed)


def _teeth(y: NDArray[Any]) -> float:
    rows = y.astype(float)
    return float(np.abs(2 * rows[1:-1] - rows[:-2] - rows[2:]).mean())


@pytest.mark.parametrize("transfer", [16, 18])
def test_hdr_becomes_ordinary(transfer: int) -> None:
    """A ramp of grey rises without clipping early; reference white (203 nits, BT.2408) is bright, not white."""
    code = np.linspace(64, 940, 256).round().astype(np.uint16)
    y = np.repeat(code[None, :], 16, axis=0)
    chroma = np.full((8, 128), 512, np.uint16)
    developer = Developer(facts(stored_width=256, stored_height=16, hdr=True, matrix=9, primaries=9, transfer=transfer))
    (done,) = developer.develop(Planes(y, chroma, chroma.copy(), 2, 2, 10, False), 0)
    assert (done.frame.colorspace, done.frame.color_primaries, done.frame.color_trc) == (1, 1, 1)
    ramp = view(done.frame, 0)[8].astype(int)
    assert (np.diff(ramp) >= -1).all()
    assert ramp[0] <= 17
    reference = ramp[{16: 149, 18: 191}[transfer]]  # PQ 0.58 and HLG 0.75 are 203 nits
    assert 145 <= reference <= 215
    assert np.abs(view(done.frame, 1).astype(int) - 128).max() <= 2


def test_stills_keep_size_and_chroma(tmp_path: Path) -> None:
    picture = scene(0, 61, 41)
    picture[::2, 30] = (255, 0, 0)
    Image.fromarray(picture).save(tmp_path / "a.png")
    done = developed(tmp_path / "a.png")[0]
    assert done.frame.format.name == "yuv444p"
    assert np.abs(shown(done) - picture).max() <= 4


def test_odd_recipe_sizes_survive(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", Recipe(frames=2, codec="ffv1", width=97, height=65))
    done = developed(path)[0]
    assert (done.frame.width, done.frame.height) == (98, 66)
    assert np.abs(shown(done)[:65, :97] - scene(0, 97, 65)).mean() < 4
