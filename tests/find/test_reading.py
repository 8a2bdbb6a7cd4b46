"""What is written in a picture is read well enough to find a name in it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import features

from safelight.find.reading import TextReader
from tests.find.written import compressed, ink, scenery, window, write

NATIVE = "خديجة الهاشمي"
DARK, BOARD = (25, 25, 35), (225, 235, 235)


@pytest.fixture(scope="module")
def reader() -> TextReader:
    return TextReader()


def test_lines_come_from_above_to_below_and_from_left_to_right(reader: TextReader) -> None:
    picture = window(scenery(1), 300, 100)
    write(picture, ink("Second line", 18), 60, 200, DARK, BOARD)
    write(picture, ink("Khadija", 18), 60, 80, DARK, BOARD)
    write(picture, ink("al-Hashimi", 18), 260, 80, DARK, BOARD)
    assert reader.read(compressed(picture)).text.splitlines() == ["Khadija al-Hashimi", "Second line"]


def test_a_word_on_its_side_is_read(reader: TextReader) -> None:
    picture = window(scenery(1), 300, 100)
    write(picture, ink("Mill Street", 24), 200, 150, DARK, BOARD)
    turned = np.ascontiguousarray(np.rot90(picture, -1))
    assert "Mill Street" in reader.read(turned).text


def test_small_words_of_a_large_picture_are_read_also_between_its_pieces(reader: TextReader) -> None:
    picture = cv2.resize(window(scenery(2), 300, 100), (1920, 1080))
    for x, y in ((40, 40), (880, 60), (1600, 1000), (860, 520)):
        write(picture, ink("Khadija", 14), x, y, DARK, BOARD)
    assert reader.read(compressed(picture)).text.count("Khadija") == 4


def test_a_picture_that_is_too_large_is_made_smaller(reader: TextReader) -> None:
    picture = cv2.resize(window(scenery(2), 300, 100), (4000, 2250))
    write(picture, ink("Khadija", 60), 3000, 300, DARK, BOARD)
    assert "Khadija" in reader.read(picture).text


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 900, 3), (400, 3, 3)])
def test_nothing_is_read_where_nothing_is(reader: TextReader, shape: tuple[int, int, int]) -> None:
    assert reader.read(np.full(shape, 128, np.uint8)).text == ""


def test_what_is_likely_is_joined_and_what_is_unsure_is_dropped(reader: TextReader) -> None:
    likely = np.full((7, len(reader._letters)), 0.001, np.float32)
    h, i = reader._letters.index("h"), reader._letters.index("i")
    for step, best in enumerate((0, h, h, 0, i, 0, i)):
        likely[step, best] = 0.9
    assert reader.decode(likely) == "hii"
    assert reader.decode(likely * 0.5) == ""


@pytest.mark.parametrize("scripts", [False, True])
def test_arabic_writing_is_read_where_tesseract_is_or_else_told(
    reader: TextReader, monkeypatch: pytest.MonkeyPatch, scripts: bool
) -> None:
    if not features.check("raqm"):
        pytest.skip("Pillow has no raqm here, which joins Arabic letters")
    try:
        letters = ink(NATIVE, 20, "DejaVuSans.ttf")
    except OSError:
        pytest.skip("the font DejaVu Sans is not installed; it has Arabic letters")
    if scripts and reader._scripts is None:
        pytest.skip("tesserocr is not installed; it reads Arabic writing")
    if not scripts:
        monkeypatch.setattr(reader, "_scripts", None)
    picture = window(scenery(1), 300, 100)
    write(picture, letters, 90, 150, DARK, BOARD)
    read = reader.read(compressed(picture))
    assert (NATIVE in read.text) is scripts
    assert scripts or read.unread > 0


@pytest.mark.parametrize("seed", range(4))
def test_scenery_is_no_unread_writing(reader: TextReader, seed: int) -> None:
    assert reader.read(compressed(window(scenery(seed), 300, 100))).unread == 0
