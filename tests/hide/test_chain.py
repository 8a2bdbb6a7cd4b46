"""Non-interference through the whole chain: what differs only inside regions gives the same copy, byte for byte."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from safelight.geometry import Box, Raster
from safelight.hide import apply as apply_module
from safelight.hide.apply import apply
from safelight.media.develop import Developed, Developer
from safelight.media.planes import Planes, unpack
from safelight.media.read import Reader
from safelight.plan import Look, Plan, Region, Shape
from tests.hide.clips import FORMATS, FRAMES, LOSSLESS_H264, Format, plan_for, region, write_clip
from tests.hide.scenes import shared, touched


def regions_of(raster: Raster) -> list[Region]:
    """A moving ellipse, a box that crosses it and leaves the picture, and something small for a few frames."""
    width, height = raster.shown_size
    ellipse = {0: Box(10.3, 8.2, 40.7, 45.9), FRAMES - 1: Box(width - 45.5, 12, width - 9.1, 50.5)}
    box = {1: Box(-5, height - 30, 22, height + 4), 6: Box(width / 2, height / 2, width + 8.5, height + 1)}
    small = {3: Box(33, 31, 36.2, 33.4), 5: Box(34, 31, 37, 35)}
    return [region("a", ellipse), region("b", box, Shape.BOX), region("c", small)]


def hidden_at(plan: Plan, raster: Raster, index: int) -> NDArray[np.bool_]:
    hidden = np.zeros((raster.stored_height, raster.stored_width), bool)
    for each, box in plan.covers(index):
        hidden |= touched(raster.to_stored(box), each.shape, raster.stored_width, raster.stored_height)
    return hidden


def scrambled(path: Path, form: Format, plan: Plan, raster: Raster, seed: int) -> None:
    """The clip with other noise in every hidden sample, quite another in each version."""

    def paint(index: int, planes: list[NDArray[np.uint8] | NDArray[np.uint16]]) -> None:
        dice = np.random.default_rng([seed, index])
        hidden = hidden_at(plan, raster, index)
        for plane in planes:
            if plane.shape == hidden.shape:
                where = hidden
            else:
                where = shared(hidden, round(hidden.shape[1] / plane.shape[1]), round(hidden.shape[0] / plane.shape[0]))
            top = 1024 if plane.dtype == np.uint16 else 256
            plane[where] = ((dice.integers(0, top, plane.shape) * (seed % 2) + seed) % top)[where]

    write_clip(path, form, paint)


def copy_of(source: Path, plan: Plan, target: Path) -> tuple[bytes, bytes]:
    sheet = target.with_suffix(".sheet.png")
    with source.open("rb") as file, Reader(file) as reader:
        done = apply(reader, plan, target, sheet=sheet)
    assert done.frames_read == done.frames_written == plan.clip.frames
    return done.copy.read_bytes(), sheet.read_bytes()


@pytest.mark.parametrize(
    ("form", "look"),
    [(form, Look.VEIL) for form in FORMATS] + [(FORMATS[0], Look.SOLID), (FORMATS[-2], Look.SOLID)],
    ids=lambda value: value.value if isinstance(value, Look) else value.name,
)
def test_hidden_pixels_do_not_change_one_byte_of_the_copy(form: Format, look: Look, tmp_path: Path) -> None:
    one, other = tmp_path / f"one.{form.suffix}", tmp_path / f"other.{form.suffix}"
    write_clip(one, form, lambda index, planes: None)
    with one.open("rb") as file, Reader(file) as reader:
        raster = reader.facts.raster
        assert reader.facts.turn == form.turn
        assert reader.facts.interlaced == ("interlaced" in form.name)
    plan = plan_for(one, regions_of(raster), look)
    scrambled(one, form, plan, raster, 1)
    scrambled(other, form, plan, raster, 64)
    assert one.read_bytes() != other.read_bytes()
    first, second = copy_of(one, plan, tmp_path / "a"), copy_of(other, plan, tmp_path / "b")
    assert first[0] == second[0], "the copy depends on what is hidden"
    assert first[1] == second[1], "the contact sheet depends on what is hidden"


def test_a_visible_pixel_does_change_the_copy(tmp_path: Path) -> None:
    """The test above would pass for copies that show nothing at all; this one would not."""
    form = FORMATS[0]
    one, other = tmp_path / "one.mkv", tmp_path / "other.mkv"
    write_clip(one, form, lambda index, planes: None)

    def repaint(index: int, planes: list[NDArray[np.uint8] | NDArray[np.uint16]]) -> None:
        planes[0][60:64, 60:64] ^= 0x40

    write_clip(other, form, repaint)
    plan = plan_for(one, [region("a", {0: Box(10, 10, 40, 40), FRAMES - 1: Box(12, 10, 42, 40)})])
    assert copy_of(one, plan, tmp_path / "a")[0] != copy_of(other, plan, tmp_path / "b")[0]


def test_the_same_clip_and_plan_give_the_same_copy_every_time(tmp_path: Path) -> None:
    """Long and noisy enough for an encoder with a race in it to show it."""
    source = tmp_path / "clip.mkv"
    form = Format("large", width=320, height=240)
    write_clip(source, form, lambda index, planes: None, frames=90)
    plan = plan_for(source, [region("a", {0: Box(50, 40, 130, 140), 89: Box(170, 60, 260, 160)})])
    copies = {copy_of(source, plan, tmp_path / str(run))[0] for run in range(3)}
    assert len(copies) == 1


@pytest.mark.parametrize("look", Look)
@pytest.mark.parametrize("mode", ["RGB", "L", "I;16"])
def test_hidden_pixels_do_not_change_one_byte_of_a_still(mode: str, look: Look, tmp_path: Path) -> None:
    sources = []
    box = Box(11.5, 14.2, 60.3, 52)
    hidden = touched(box, Shape.ELLIPSE, 90, 70)
    for seed in (1, 2):
        kind = np.uint16 if mode == "I;16" else np.uint8
        size = (70, 90, 3) if mode == "RGB" else (70, 90)
        pixels = np.random.default_rng(0).integers(0, np.iinfo(kind).max, size).astype(kind)
        pixels[hidden] = np.random.default_rng(seed).integers(0, 250, size).astype(kind)[hidden]
        sources.append(tmp_path / f"{seed}.png")
        Image.fromarray(pixels).save(sources[-1])
    plan = plan_for(sources[0], [region("a", {0: box})], look)
    assert plan.clip.still
    first, second = (copy_of(source, plan, tmp_path / f"copy{n}") for n, source in enumerate(sources))
    assert first == second
    assert first[0].startswith(b"\x89PNG")


@pytest.mark.parametrize("look", Look)
def test_what_is_not_hidden_is_as_decoded(look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Filling must not reach the decoder's own pictures, which later pictures are predicted from."""
    source = tmp_path / "clip.mp4"
    form = Format("predicted", "mp4", "libx264", options=(("crf", "23"), ("bf", "3"), ("g", "50"), ("refs", "4")))

    def drift(index: int, planes: list[NDArray[np.uint8] | NDArray[np.uint16]]) -> None:
        for plane in planes:
            still = np.random.default_rng(5).integers(40, 200, (plane.shape[0], plane.shape[1] + 60))
            plane[:] = still[:, index * 2 : index * 2 + plane.shape[1]]

    write_clip(source, form, drift, frames=30)
    with av.open(str(source)) as container:
        frames = list(container.decode(video=0))
        assert {int(frame.pict_type) for frame in frames} >= {1, 2, 3}  # I, P and B pictures
        decoded = [unpack(frame) for frame in frames]
    plan = plan_for(source, [region("a", {0: Box(20, 10, 60, 60), 29: Box(30, 12, 72, 64)})], look)
    filled: list[Planes] = []

    class Watching(Developer):
        def develop(self, planes: Planes, pts: int) -> list[Developed]:
            filled.append(Planes(planes.y.copy(), planes.u, planes.v, 2, 2, 8, planes.full_range))
            return super().develop(planes, pts)

    monkeypatch.setattr(apply_module, "Developer", Watching)
    copy_of(source, plan, tmp_path / "copy")
    assert len(filled) == len(decoded) == 30
    raster = Raster(form.width, form.height)
    for index, (ours, plain) in enumerate(zip(filled, decoded, strict=True)):
        hidden = hidden_at(plan, raster, index)
        assert hidden.any()
        assert (ours.y == plain.y)[~hidden].all(), index
        assert (ours.y != plain.y)[hidden].mean() > 0.8


def test_the_shapes_are_gone_from_the_developed_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anamorphic and turned: white under the regions, and after developing no white where the plan says so."""
    form = Format("both", "mp4", "libx264", pixel_aspect=Fraction(4, 3), turn=1, options=LOSSLESS_H264)
    source = tmp_path / "clip.mp4"

    def bright(index: int, planes: list[NDArray[np.uint8] | NDArray[np.uint16]]) -> None:
        planes[0][:] = 60

    write_clip(source, form, bright)
    with source.open("rb") as file, Reader(file) as reader:
        raster = reader.facts.raster
    assert raster.shown_size == (72, 128)
    plan = plan_for(source, [region("a", {0: Box(20.5, 30, 60, 90), FRAMES - 1: Box(10, 33, 44, 99.5)})])

    def paint(index: int, planes: list[NDArray[np.uint8] | NDArray[np.uint16]]) -> None:
        planes[0][:] = 60
        planes[0][hidden_at(plan, raster, index)] = 235

    write_clip(source, form, paint)
    pictures: list[Developed] = []

    class Watching(Developer):
        def develop(self, planes: Planes, pts: int) -> list[Developed]:
            done = super().develop(planes, pts)
            pictures.extend(done)
            return done

    monkeypatch.setattr(apply_module, "Developer", Watching)
    copy_of(source, plan, tmp_path / "copy")
    assert len(pictures) == FRAMES
    assert max(unpack(picture.frame).y.max() for picture in pictures) < 90
