"""Words are found whole, in two scripts, and hardly where there are none."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import ImageFont, features

from safelight.find.detect import Detection
from safelight.find.text import SIDE, TextFinder, look_size, next_look, words
from safelight.plan import Kind
from tests.find.written import HEIGHT, WIDTH, Mask, Picture, compressed, ink, scenery, window, write


def covered(found: list[Detection], letters: Mask) -> float:
    """Share of the ink that lies in boxes."""
    mask = np.zeros_like(letters)
    for detection in found:
        x1, y1, x2, y2 = detection.box
        mask[int(y1) : int(np.ceil(y2)), int(x1) : int(np.ceil(x2))] = True
    return float(mask[letters].mean())


@pytest.mark.parametrize("height", [10, 14, 20, 32])
@pytest.mark.parametrize("text", ["Market Street", "AMINA H.", "POLICE 112"])
def test_latin_words_are_found_whole(finder: TextFinder, text: str, height: int) -> None:
    picture = window(scenery(height), 300, 100)
    letters = write(picture, ink(text, height), 200, 150, (30, 30, 40), (215, 225, 230), slant=0.15)
    found = finder.find(compressed(picture))
    assert covered(found, letters) > 0.97
    assert all(d.kind is Kind.TEXT and d.finder == "text" and 0.5 <= d.score <= 1 for d in found)


@pytest.mark.parametrize("height", [14, 20, 32])
@pytest.mark.parametrize("text", ["صيدلية", "شارع الرشيد", "فاطمة الزهراء", "دمشق ٢٣٤٥٦٧"])
def test_arabic_words_are_found_whole(finder: TextFinder, text: str, height: int) -> None:
    if not features.check("raqm"):
        pytest.skip("this Pillow cannot shape Arabic letters")
    try:
        ImageFont.truetype("DejaVuSans.ttf", 10)
    except OSError:
        pytest.skip("no font with Arabic letters on this machine (DejaVu Sans)")
    picture = window(scenery(height), 300, 100)
    letters = write(picture, ink(text, height, "DejaVuSans.ttf"), 200, 150, (30, 30, 40), (215, 225, 230), slant=0.1)
    assert covered(finder.find(compressed(picture)), letters) > 0.97


@pytest.mark.parametrize("board", [(235, 235, 235), (60, 205, 240)])
def test_a_licence_plate_is_found(finder: TextFinder, board: tuple[int, int, int]) -> None:
    picture = window(scenery(5), 200, 200)
    letters = write(picture, ink("7 GHT 392", 12), 320, 240, (20, 20, 20), board, slant=0.1)
    assert covered(finder.find(compressed(picture)), letters) > 0.97


def test_little_is_found_where_nothing_is_written(finder: TextFinder, shared_media: Path) -> None:
    with av.open(str(shared_media / "video/WolfgangLanger_Pexels.mp4")) as clip:
        frames = [f.to_ndarray(format="bgr24") for i, f in enumerate(clip.decode(video=0)) if i % 60 == 0]
    assert sum(len(finder.find(frame)) for frame in frames) <= 1


@pytest.mark.parametrize("size", [(1, 1), (33, 17), (640, 352), (97, 203)])
def test_any_size_is_taken_and_boxes_stay_inside(finder: TextFinder, size: tuple[int, int]) -> None:
    width, height = size
    picture = cv2.resize(scenery(1), size)
    for detection in finder.find(picture):
        assert detection.box == detection.box.clipped(width, height)


def test_outlines_grow_by_area_over_length() -> None:
    probabilities = np.zeros((100, 200), np.float32)
    probabilities[40:51, 30:131] = 0.9  # the outline runs through pixel centres: 100 by 10, length 220
    ((box, score),) = words(probabilities)
    grown = 101 * 11 * 1.6 / 220
    assert score == pytest.approx(0.9, abs=1e-6)
    assert box == pytest.approx((30 - grown, 40 - grown, 131 + grown, 51 + grown), abs=1e-3)


def test_specks_are_no_words() -> None:
    probabilities = np.zeros((100, 200), np.float32)
    probabilities[10:12, 10:60] = 1.0
    assert words(probabilities) == []


def test_very_large_letters_must_be_sure() -> None:
    """Faces and cups pass for large letters at scores that words of a usual size have."""

    def network(score: float, tall: int) -> TextFinder:
        answer = np.zeros((1, 1, 384, 640), np.float32)
        answer[..., 100 : 100 + tall, 100:400] = score
        return TextFinder(lambda picture: [answer])

    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    assert network(0.8, 12).find(picture)
    assert not network(0.8, 120).find(picture)
    assert network(0.97, 120).find(picture)


def test_look_size_keeps_the_shape_and_enlarges_only_small_pictures() -> None:
    assert look_size(1920, 1080) == (SIDE, 540)
    assert look_size(1080, 1920) == (540, SIDE)
    assert look_size(640, 360) == (640, 360)
    assert look_size(320, 240) == (640, 480)
    assert look_size(100000, 1) == (SIDE, 1)


def test_looks_come_twice_a_second_then_once() -> None:
    assert next_look(0, 30.0, closely=False) == 15
    assert next_look(0, 30.0, closely=True) == 15
    assert next_look(300, 30.0, closely=True) == 330
    assert next_look(300, 30.0, closely=False) == 420
    assert next_look(0, 0.5, closely=False) == 1


def test_a_picture_is_not_changed(finder: TextFinder) -> None:
    picture: Picture = window(scenery(2), 0, 0)
    before = picture.copy()
    finder.find(picture)
    assert np.array_equal(picture, before)
