"""The treatment against sensor noise: what it promises about hidden pixels, size, colour and quality."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from safelight.geometry import Box
from safelight.hide.apply import apply
from safelight.hide.denoise import noise_of, without_sparks
from safelight.hide.sensor import RECIPES, Treatment, copy_size
from safelight.hide.warp import KEY_BYTES
from safelight.media.colour import BT709, Colour
from safelight.media.develop import Developed
from safelight.media.planes import Planes, pack, view
from safelight.media.read import Reader
from safelight.plan import Look, Sensor, Shape
from tests.hide.clips import FORMATS, Format, plan_for, region, write_clip
from tests.hide.test_chain import regions_of, scrambled

KEY = bytes(range(KEY_BYTES))
Grey = NDArray[np.float32]


def carried_out(clip: Path, target: Path, sensor: Sensor, key: bytes | None = KEY, look: Look = Look.VEIL) -> Path:
    with clip.open("rb") as file, Reader(file) as reader:
        plan = plan_for(clip, regions_of(reader.facts.raster), look, sensor)
        return apply(reader, plan, target, key=key).copy


STRONG_TOO = [form for form in FORMATS if form.name in ("plain", "odd-size", "turned-once", "ten-bit")]


@pytest.mark.parametrize(
    ("form", "sensor"),
    [(form, Sensor.DEFAULT) for form in FORMATS] + [(form, Sensor.STRONG) for form in STRONG_TOO],
    ids=lambda value: getattr(value, "name", value),
)
def test_hidden_pixels_have_no_influence_on_a_treated_copy(form: Format, sensor: Sensor, tmp_path: Path) -> None:
    base = tmp_path / f"base.{form.suffix}"
    write_clip(base, form, lambda index, planes: None)
    with base.open("rb") as file, Reader(file) as reader:
        raster = reader.facts.raster
    plan = plan_for(base, regions_of(raster), Look.VEIL, sensor)
    copies = []
    for seed in (1, 2):
        clip = tmp_path / f"{seed}.{form.suffix}"
        scrambled(clip, form, plan, raster, seed)
        copies.append(carried_out(clip, tmp_path / f"copy{seed}", sensor).read_bytes())
    assert copies[0] == copies[1]
    one = tmp_path / f"1.{form.suffix}"
    assert carried_out(one, tmp_path / "other-key", sensor, KEY[::-1]).read_bytes() != copies[0]
    assert carried_out(one, tmp_path / "no-key", sensor, None).read_bytes() != copies[0]


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_hidden_pixels_have_no_influence_on_a_treated_still(suffix: str, tmp_path: Path) -> None:
    dice = np.random.default_rng(0)
    pixels = cv2.GaussianBlur(dice.integers(0, 256, (120, 161, 3), np.uint8), (0, 0), 2)
    copies = []
    for value in (20, 230):
        pixels[40:80, 48:96] = value
        path = tmp_path / f"{value}.{suffix}"
        # a JPEG stores whole blocks: the hidden part is made of whole blocks of every component
        Image.fromarray(pixels).save(path, **({"quality": 95} if suffix == "jpg" else {}))
        plan = plan_for(path, [region("a", {0: Box(32, 32, 112, 96)}, Shape.BOX)], Look.VEIL, Sensor.DEFAULT)
        with path.open("rb") as file, Reader(file) as reader:
            copies.append(apply(reader, plan, tmp_path / f"copy{value}", key=KEY).copy)
    assert copies[0].read_bytes() == copies[1].read_bytes()
    assert Image.open(copies[0]).size == copy_size((161, 120), RECIPES[Sensor.DEFAULT], even=False)


def scene(width: int, height: int, index: int = 0, noise: float = 0.0) -> NDArray[np.uint8]:
    """Something with edges, texture and calm places."""
    rows, columns = np.mgrid[0:height, 0:width]
    y = 90 + 40 * np.sin(columns / 37) + 30 * np.sin(rows / 23 + index / 9)
    y[height // 3 : height // 2, width // 4 : width // 2] += 50
    y += 12 * np.sin(columns / 2.7) * (columns > width * 0.7)
    y += np.random.default_rng(index).normal(0, noise, y.shape) if noise else 0
    return np.clip(np.rint(y), 16, 235).astype(np.uint8)


def developed(y: NDArray[np.uint8], pts: int = 0) -> Developed:
    height, width = y.shape
    chroma = (-(-height // 2), -(-width // 2))
    planes = Planes(y, np.full(chroma, 110, np.uint8), np.full(chroma, 140, np.uint8), 2, 2, 8, False)
    return Developed(pack(planes), pts, Colour(BT709, BT709, BT709), (width, height))


def treatment(size: tuple[int, int], sensor: Sensor = Sensor.DEFAULT, key: bytes = KEY) -> Treatment:
    return Treatment(size, RECIPES[sensor], key, still=False, base=Fraction(1, 25), first=0)


def similarity(a: Grey, b: Grey) -> float:
    """Structural similarity (Wang et al., 2004), mean over the picture."""

    def mean(x: Grey) -> Grey:
        return np.asarray(cv2.GaussianBlur(x, (11, 11), 1.5), np.float32)

    a, b = a.astype(np.float32), b.astype(np.float32)
    ma, mb = mean(a), mean(b)
    va, vb, both = mean(a * a) - ma * ma, mean(b * b) - mb * mb, mean(a * b) - ma * mb
    return float(
        (((2 * ma * mb + 6.5025) * (2 * both + 58.5225)) / ((ma**2 + mb**2 + 6.5025) * (va + vb + 58.5225))).mean()
    )


@pytest.mark.parametrize(("sensor", "least"), [(Sensor.DEFAULT, 0.92), (Sensor.STRONG, 0.88)])
def test_what_is_seen_stays(sensor: Sensor, least: float) -> None:
    how = treatment((1280, 720), sensor)
    for index in (0, 13, 61):
        y = scene(1280, 720, index)
        treated = view(how.treat(developed(y, index)).frame, 0)
        moved = cv2.remap(y, *how.warp.maps(index / 25), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        assert similarity(moved, treated) >= least
        assert abs(float(treated.mean()) - float(moved.mean())) < 0.5


def test_colours_and_times_stay() -> None:
    picture = developed(scene(640, 480), 7)
    picture.frame.colorspace = 1
    treated = treatment((640, 480)).treat(picture)
    assert treated.pts == treated.frame.pts == 7
    assert abs(float(view(treated.frame, 1).mean()) - 110) < 0.5
    assert abs(float(view(treated.frame, 2).mean()) - 140) < 0.5
    assert treated.frame.colorspace == picture.frame.colorspace
    assert treated.frame.color_range == picture.frame.color_range


def test_the_same_picture_is_treated_alike_whatever_came_before() -> None:
    one, other = treatment((640, 480)), treatment((640, 480))
    for index in range(0, 200, 11):
        other.treat(developed(scene(640, 480, index), index))
    picture = developed(scene(640, 480), 60)
    for index in range(3):
        assert np.array_equal(view(one.treat(picture).frame, index), view(other.treat(picture).frame, index))


def test_grain_is_fresh_in_every_picture_and_lies_on_all_of_it() -> None:
    how = treatment((1280, 720))
    flat = np.full((720, 1280), 90, np.uint8)
    grains = [view(how.treat(developed(flat, index)).frame, 0).astype(np.float32) - 90 for index in range(4)]
    assert abs(float(np.std(grains)) - RECIPES[Sensor.DEFAULT].grain) < 0.2
    for part in np.array_split(grains[0], 6, axis=1):
        assert abs(float(part.std()) - RECIPES[Sensor.DEFAULT].grain) < 0.2
    assert abs(np.corrcoef(grains[0].ravel(), grains[1].ravel())[0, 1]) < 0.01


def test_the_fill_carries_the_same_grain_as_the_rest(tmp_path: Path) -> None:
    """Inside a hidden area and beside it the coded copy is equally noisy: the cover does not look cut out."""
    clip = tmp_path / "clip.mkv"

    def paint(index: int, planes: list[NDArray[np.uint8] | NDArray[np.uint16]]) -> None:
        noise = np.random.default_rng([9, index]).normal(0, 1.5, planes[0].shape)
        planes[0][:] = np.clip(np.rint(100 + noise), 0, 255)
        planes[1][:], planes[2][:] = 120, 130

    write_clip(clip, Format("large", width=640, height=480), paint)
    plan = plan_for(clip, [region("a", {0: Box(160, 120, 320, 360), 7: Box(160, 120, 320, 360)}, Shape.BOX)])
    plan.settings.sensor = Sensor.DEFAULT
    with clip.open("rb") as file, Reader(file) as reader:
        copy = apply(reader, plan, tmp_path / "copy", key=KEY).copy
    with av.open(str(copy)) as film:
        pictures = [view(frame, 0).astype(np.float32) for frame in film.decode(video=0)]
    for picture in pictures[1:]:
        fine = picture - cv2.GaussianBlur(picture, (0, 0), 2)
        inside, outside = fine[140:340, 180:300].std(), fine[140:340, 360:480].std()
        assert 0.5 < inside / outside < 2  # both well under one grey level


@pytest.mark.parametrize(
    ("size", "sensor", "wanted"),
    [
        ((1920, 1080), Sensor.DEFAULT, (1268, 712)),
        ((1280, 720), Sensor.DEFAULT, (854, 480)),
        ((640, 360), Sensor.DEFAULT, (640, 360)),
        ((576, 1024), Sensor.DEFAULT, (480, 854)),
        ((1280, 720), Sensor.STRONG, (640, 360)),
        ((97, 73), Sensor.STRONG, (96, 72)),
    ],
)
def test_copies_get_smaller_but_not_too_small(size: tuple[int, int], sensor: Sensor, wanted: tuple[int, int]) -> None:
    got = copy_size(size, RECIPES[sensor], even=True)
    assert got[0] % 2 == got[1] % 2 == 0
    assert max(abs(a - b) for a, b in zip(got, wanted, strict=True)) <= 2


def test_noise_is_taken_and_detail_is_kept() -> None:
    calm = scene(640, 480)
    noisy = np.clip(calm + np.random.default_rng(3).normal(0, 1.5, calm.shape), 0, 255).round().astype(np.uint8)
    left = noisy.astype(np.int16) - noise_of(noisy, (4, 2, 1))
    flat = np.s_[20:140, 20:140]
    before, after = (np.std(p[flat].astype(np.float32) - calm[flat]) for p in (noisy, left))
    assert after < 0.5 * before
    text = np.full((80, 200), 60, np.uint8)
    cv2.putText(text, "Detail 0.5", (5, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 200, 2)
    kept = text.astype(np.int16) - noise_of(text, (4, 2, 1))
    assert int(np.abs(kept.astype(int) - text).max()) <= 7  # no more than the limits together


def test_the_plan_the_share_and_the_sheet_do_not_depend_on_the_treatment(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mkv"
    write_clip(clip, Format("plain"), lambda index, planes: None)
    results, sheets = [], []
    for sensor in Sensor:
        with clip.open("rb") as file, Reader(file) as reader:
            plan = plan_for(clip, regions_of(reader.facts.raster), Look.VEIL, sensor)
            sheet = tmp_path / f"{sensor}.png"
            results.append(apply(reader, plan, tmp_path / sensor.value, sheet=sheet))
            sheets.append(sheet.read_bytes())
    assert len({(r.share_mean, r.share_max, r.frames_hidden) for r in results}) == 1
    assert len(set(sheets)) == 1


def test_hot_and_dead_pixels_vanish_where_asked_and_lines_stay() -> None:
    plane = scene(320, 240)
    spotted = plane.copy()
    for y, x, change in ((30, 40, 120), (90, 200, -70), (0, 5, 90), (239, 319, 80), (150, 60, 60)):
        part = spotted[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
        part[:] = np.clip(part.astype(int) + change // 3, 0, 255)
        spotted[y, x] = np.clip(int(plane[y, x]) + change, 0, 255)
    spotted[100:103, 20:120] = 230  # a line as thick as a spot
    cleaned = without_sparks(spotted, 6)
    for y, x in ((30, 40), (90, 200), (0, 5), (239, 319), (150, 60)):
        assert abs(int(cleaned[y, x]) - int(plane[y, x])) <= 25 < abs(int(spotted[y, x]) - int(plane[y, x]))
    assert (cleaned[101, 30:110] >= 224).all()
