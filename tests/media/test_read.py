"""Every kind of film comes out with all its pictures, at their times, the right way up."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from safelight.errors import Code, SafelightError
from safelight.media.read import Reader
from tests.media.build import busy, clip, scene
from tests.media.helpers import read, times

KINDS: list[tuple[str, dict[str, Any]]] = [
    ("a.mp4", {}),
    ("a.mov", {}),
    ("a.mkv", {}),
    ("a.avi", {"codec": "mpeg4"}),
    ("a.ts", {}),
    ("a.mts", {"format": "mpegts", "container": {"mpegts_m2ts_mode": "1"}}),
    ("a.3gp", {"codec": "mpeg4"}),
    ("a.webm", {"codec": "libvpx"}),
    ("9.webm", {"codec": "libvpx-vp9"}),
    ("a.flv", {}),
    ("a.wmv", {"codec": "wmv2"}),
    ("a.mpg", {"codec": "mpeg2video"}),
    ("m.avi", {"codec": "mjpeg", "pixels": "yuvj422p"}),
    ("h.avi", {"codec": "huffyuv", "pixels": "yuv422p"}),
    ("r.mkv", {"codec": "rawvideo", "pixels": "yuyv422"}),
    ("f.mkv", {"codec": "ffv1", "pixels": "yuv422p10le"}),
    ("p.mov", {"codec": "prores_ks", "pixels": "yuv422p10le"}),
    ("a.dv", {"codec": "dvvideo", "width": 720, "height": 576}),
    ("a.gif", {"codec": "gif", "pixels": "rgb8"}),
    ("a.apng", {"codec": "apng", "pixels": "rgb24"}),
    ("a.mjpeg", {"codec": "mjpeg", "pixels": "yuvj420p"}),
    ("a.h264", {}),
    ("h.mkv", {"codec": "libx265", "options": {"x265-params": "log-level=none"}}),
    ("b.avi", {"codec": "libx264"}),
]


@pytest.mark.parametrize(("name", "recipe"), KINDS, ids=[k[0] for k in KINDS])
def test_kinds_of_film(tmp_path: Path, name: str, recipe: dict[str, Any]) -> None:
    path = clip(tmp_path / name, frames=12, **recipe)
    bare = tmp_path / "no extension"
    path.rename(bare)
    facts, pictures, missing = read(bare)
    assert not missing
    assert [p.index for p in pictures] == list(range(12))
    seconds = [float((p.pts - pictures[0].pts) * facts.base) for p in pictures]
    assert np.allclose(seconds, np.arange(12) / 25, atol=0.0011)
    width, height = facts.raster.shown_size
    expected = scene(6, facts.stored_width, facts.stored_height).astype(int)
    shown = pictures[6].bgr(width, height)[..., ::-1].astype(int)
    if (width, height) == (facts.stored_width, facts.stored_height):
        assert np.abs(shown - expected).mean() < 14
    planes = pictures[0].planes()
    assert planes.y.shape == (facts.stored_height, facts.stored_width)
    if planes.u is not None and planes.v is not None:
        rows, columns = -(-facts.stored_height // planes.sub_y), -(-facts.stored_width // planes.sub_x)
        assert planes.u.shape == planes.v.shape == (rows, columns)


def test_variable_rate_is_kept(tmp_path: Path) -> None:
    pts = list(np.cumsum([3000, 1500, 9000, 3003, 2997, 45000, 1, 3000]))
    path = clip(tmp_path / "a.mp4", frames=8, base=Fraction(1, 90000), pts=[int(p) for p in pts], sound=1.0)
    facts, pictures, _ = read(path)
    assert [p.pts - pictures[0].pts for p in pictures] == [int(p - pts[0]) for p in pts]
    assert facts.picture_start == pytest.approx(pts[0] / 90000, abs=1e-3)


@pytest.mark.parametrize("rate", [1, Fraction(1, 10)])
def test_few_pictures_a_second_coded_out_of_order(tmp_path: Path, rate: int | Fraction) -> None:
    """Steps back of seconds are no clock set back where pictures last as long: nothing is missing."""
    options = {"bf": "3", "b_strategy": "0"}
    path = clip(tmp_path / "a.mp4", frames=40, rate=Fraction(rate), codec="libx264", options=options)
    with path.open("rb") as file, Reader(file) as reader:
        assert len(list(reader.pictures())) == 40
        assert not reader.missing


def test_late_picture_and_late_sound(tmp_path: Path) -> None:
    late = clip(tmp_path / "a.mp4", frames=10, pts=list(range(20, 30)), sound=1.0)
    facts, _, _ = read(late)
    assert facts.picture_start == pytest.approx(0.8, abs=1e-3)
    assert facts.sound is not None
    assert facts.sound.start == pytest.approx(0, abs=1e-3)
    late = clip(tmp_path / "b.mkv", frames=10, sound=1.0, sound_start=0.6)
    facts, _, _ = read(late)
    assert facts.picture_start == pytest.approx(0, abs=1e-3)
    assert facts.sound is not None
    assert facts.sound.start == pytest.approx(0.6, abs=0.03)


@pytest.mark.parametrize("angle", [0, 90, 180, 270, 85, -3])
@pytest.mark.parametrize("hflip", [False, True])
def test_the_right_way_up(tmp_path: Path, angle: int, hflip: bool) -> None:
    """The display matrix turns the stored picture, then mirrors it; expected is what numpy makes of it."""
    path = clip(tmp_path / "a.mp4", frames=3, rotate=float(angle), hflip=hflip, width=160, height=96)
    facts, pictures, _ = read(path)
    stored = scene(0, 160, 96)
    expected = np.rot90(stored, round(angle / 90) % 4)
    expected = expected[:, ::-1] if hflip else expected
    width, height = facts.raster.shown_size
    assert (height, width) == expected.shape[:2]
    shown = pictures[0].bgr(width, height)[..., ::-1].astype(int)
    assert np.abs(shown - expected).mean() < 12
    y = pictures[0].planes().y
    assert y.shape == (96, 160)
    grey = np.rot90(y, -facts.turn).astype(float)
    assert np.corrcoef(grey.ravel(), expected.astype(float).mean(axis=2).ravel())[0, 1] > 0.8


def test_pixel_shape(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", frames=2, aspect=Fraction(16, 11))
    facts, pictures, _ = read(path)
    assert facts.pixel_aspect == pytest.approx(16 / 11)
    assert pictures[0].bgr(*facts.raster.shown_size).shape == (96, 233, 3)


def test_two_readers_paint_without_touching_each_other(tmp_path: Path) -> None:
    """Painting on planes() never reaches the decoder: the following pictures come out as if nothing had happened."""
    path = clip(tmp_path / "a.mp4", frames=20, options={"bf": "2", "refs": "3"})
    clean = [p.planes().y for p in read(path)[1]]
    with path.open("rb") as file, Reader(file) as reader:
        for picture, expected in zip(reader.pictures(), clean, strict=True):
            planes = picture.planes()
            assert np.array_equal(planes.y, expected)
            planes.y[:] = 0
            assert planes.u is not None
            planes.u[:] = 0
            assert np.array_equal(picture.planes().y, expected)


def test_pictures_can_be_read_once(tmp_path: Path) -> None:
    with clip(tmp_path / "a.mp4", frames=2).open("rb") as file, Reader(file) as reader:
        list(reader.pictures())
        with pytest.raises(ValueError, match="once"):
            list(reader.pictures())


def test_the_film_is_chosen_not_its_cover(tmp_path: Path) -> None:
    def cover(out: Any) -> None:
        track = out.add_stream("mjpeg", rate=1)
        track.width, track.height, track.pix_fmt = 640, 480, "yuvj420p"
        track.disposition = av.stream.Disposition.attached_pic
        out.cover = track

    path = tmp_path / "a.mkv"
    clip(path, frames=5, sound=0.2)
    facts, pictures, _ = read(path)
    assert len(pictures) == 5
    assert facts.codec == "h264"


def test_what_is_dropped_is_counted_by_kind(tmp_path: Path) -> None:
    def more(out: Any) -> None:
        out.add_attachment("secret.txt", "text/plain", b"secret")

    path = clip(
        tmp_path / "a.mkv",
        frames=5,
        sound=0.2,
        tags={"title": "secret", "artist": "secret"},
        track_tags={"title": "secret"},
        chapters=[{"id": 1, "start": 0, "end": 100, "time_base": Fraction(1, 1000), "metadata": {"title": "secret"}}],
        extra=more,
    )
    facts, _, _ = read(path)
    kinds = {d.kind: d.count for d in facts.dropped}
    assert kinds["chapter"] == 1
    assert kinds["attachment"] == 1
    assert kinds["sound track"] == 1
    assert kinds["tag of the file"] >= 2
    assert "secret" not in facts.model_dump_json()


@pytest.mark.parametrize("flag", ["tff", "bff"])
def test_field_order(tmp_path: Path, flag: str) -> None:
    from av.filter import Graph

    from tests.media.build import Recipe, _frame

    recipe = Recipe(codec="libx264", frames=4, options={"x264-params": "interlaced=1"})

    def field(index: int) -> Any:
        frame = _frame(recipe, index)
        frame.time_base = Fraction(1, 25)
        graph = Graph()
        source = graph.add_buffer(width=160, height=96, format=frame.format, time_base=Fraction(1, 25))
        graph.link_nodes(source, graph.add("setfield", flag), graph.add("buffersink")).configure()
        graph.push(frame)
        return graph.vpull()

    recipe.frame = field
    facts, _, _ = read(clip(tmp_path / "a.mkv", recipe))
    assert facts.interlaced
    assert facts.bottom_first == (flag == "bff")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tiff", "a.webp"])
def test_stills_the_right_way_up(tmp_path: Path, name: str, orientation: int) -> None:
    from PIL import ImageOps

    image = Image.fromarray(scene(0, 61, 40))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / name, exif=exif)
    with Image.open(tmp_path / name) as stored:
        upright = ImageOps.exif_transpose(stored)
        assert upright is not None
        expected = np.asarray(upright.convert("RGB")).astype(int)
    facts, pictures, _ = read(tmp_path / name)
    assert facts.still
    assert len(pictures) == 1
    width, height = facts.raster.shown_size
    assert (height, width) == expected.shape[:2]
    shown = pictures[0].bgr(width, height)[..., ::-1].astype(int)
    assert np.abs(shown - expected).mean() < 6


def test_modern_stills(tmp_path: Path) -> None:
    image = Image.fromarray(scene(0, 64, 48))
    image.save(tmp_path / "a.avif", quality=90)
    facts, pictures, _ = read(tmp_path / "a.avif")
    assert facts.still
    assert np.abs(pictures[0].bgr(64, 48)[..., ::-1].astype(int) - np.asarray(image).astype(int)).mean() < 8


def test_transparent_parts_stay_hidden(tmp_path: Path) -> None:
    """What a picture hides by transparency must not come to light."""
    pixels = np.full((32, 32, 4), 200, np.uint8)
    pixels[:16, :, 3] = 0
    pixels[16:, :, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    _, pictures, _ = read(tmp_path / "a.png")
    shown = pictures[0].bgr(32, 32)
    assert shown[:15].max() <= 1
    assert shown[17:].min() >= 198


def test_memory_is_flat(tmp_path: Path) -> None:
    """Ten times the pictures need no more memory."""
    import subprocess
    import sys

    program = (
        "import sys, resource\n"
        "from safelight.media.read import Reader\n"
        "with open(sys.argv[1], 'rb') as f, Reader(f) as r:\n"
        "    for p in r.pictures(): p.planes(); p.bgr(64, 48)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    peaks = []
    for frames in (100, 1000):
        path = clip(tmp_path / f"{frames}.mp4", frames=frames, options={"preset": "ultrafast"})
        done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] * 1.1


SMALL = [("yuv420p", (320, 180)), ("yuv420p", (214, 121)), ("yuv422p", (200, 150)), ("yuvj420p", (131, 73)),
         ("yuv444p", (320, 180)), ("gray", (320, 180)), ("yuv420p10le", (214, 121))]  # fmt: skip


@pytest.mark.parametrize(("pixels", "size"), SMALL, ids=[f"{p} {w}x{h}" for p, (w, h) in SMALL])
def test_small_pictures_show_the_same_at_the_same_place(tmp_path: Path, pixels: str, size: tuple[int, int]) -> None:
    """The quick way to a small picture, plane by plane, gives what averaging the whole picture gives."""
    codec = "mjpeg" if pixels.startswith("yuvj") else "ffv1"
    recipe: dict[str, Any] = {"codec": codec, "pixels": pixels, "width": 646, "height": 362, "frames": 2}
    _, pictures, _ = read(clip(tmp_path / "a.mkv", **recipe))
    whole = pictures[0].bgr(646, 362)
    small = pictures[0].bgr(*size)
    wanted = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(float) - wanted).mean() < 4.0
    a, b = (
        cv2.GaussianBlur(cv2.cvtColor(p, cv2.COLOR_BGR2GRAY).astype(np.float32), (0, 0), 1) for p in (small, wanted)
    )
    slopes = np.stack([slope.ravel() for slope in np.gradient(b)], axis=1)
    shift, *_ = np.linalg.lstsq(slopes, (b - a).ravel(), rcond=None)  # least squares: how far a lies off b, pixels
    assert np.abs(shift).max() < 0.12


def test_real_clips(shared_media: Path) -> None:
    for name, frames in (("short_hamilton_clip.mp4", 275), ("vtest.avi", 795), ("WolfgangLanger_Pexels.mp4", 472)):
        path = shared_media / "video" / name
        count = 0
        with path.open("rb") as file, Reader(file) as reader:
            told = [float(p.pts * reader.facts.base) for p in reader.pictures()]
            count = len(told)
            assert reader.missing == []
        assert count == frames
        if path.suffix == ".mp4":
            assert np.allclose(told, times(path))


def test_rare_colour_codes(tmp_path: Path) -> None:
    """Reserved codes are read like silence; matrices that would come out wrong are refused."""
    for matrix, fine in ((3, True), (10, True), (8, False)):
        path = clip(tmp_path / f"{matrix}.mkv", frames=2, codec="ffv1", colour=(1, matrix, 1, 1))
        if fine:
            facts, pictures, _ = read(path)
            assert pictures[0].bgr(80, 48).shape == (48, 80, 3)
            assert facts.matrix in (1, 5, 6, 9)
        else:
            with pytest.raises(SafelightError) as caught:
                read(path)
            assert caught.value.code is Code.UNSUPPORTED


def test_exif_inside_a_film(tmp_path: Path) -> None:
    """Cameras that film in Motion JPEG put Exif data into each picture."""
    exif = Image.Exif()
    exif[0x010F] = "maker"
    data = b""
    for index in range(3):
        Image.fromarray(scene(index, 64, 48)).save(tmp_path / "a.jpg", exif=exif)
        data += (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.mjpeg").write_bytes(data)
    facts, pictures, _ = read(tmp_path / "a.mjpeg")
    assert len(pictures) == 3
    assert facts.dropped


def test_a_track_that_turns_up_midway(tmp_path: Path) -> None:
    """A transport stream may gain a sound track long after its start."""
    bare = clip(tmp_path / "a.ts", frames=250, picture=busy).read_bytes()
    both = clip(tmp_path / "b.ts", frames=25, sound=1.0, pts=list(range(250, 275))).read_bytes()
    (tmp_path / "c.ts").write_bytes(bare + both)
    _, pictures, _ = read(tmp_path / "c.ts", accept_damaged=True)
    assert len(pictures) == 275
