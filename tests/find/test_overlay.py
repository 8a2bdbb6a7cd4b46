"""Burnt-in text is found over time and covered in every frame; text that belongs to the scene is not taken for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.find.detect import Detection
from safelight.find.overlay import Overlay, OverlayFinder
from safelight.find.text import TextFinder
from safelight.geometry import Box
from safelight.plan import Kind
from tests.find.written import HEIGHT, WIDTH, Mask, Picture, compressed, ink, scenery, window, write

SECONDS = 12


@pytest.fixture(scope="module")
def words(finder: TextFinder) -> TextFinder:
    return finder


def walk(seed: int = 1) -> Iterator[Picture]:
    """A camera that is carried along, one picture a second."""
    scene = scenery(seed)
    for second in range(SECONDS):
        yield window(scene, 60.0 * second, 100 + 40 * np.sin(second))


def tripod(seed: int = 2) -> Iterator[Picture]:
    """A camera that stands, and somebody who walks by."""
    scene = scenery(seed)
    rng = np.random.default_rng(seed)
    for second in range(SECONDS):
        picture = window(scene, 200, 100)
        picture[200:320, 40 * second + 60 : 40 * second + 110] = (30, 30, 60)
        yield np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)


def shots() -> Iterator[Picture]:
    """Three standing cameras, cut together."""
    for number in range(3):
        for picture, _ in zip(tripod(10 + number), range(4), strict=False):
            yield picture


@dataclass(frozen=True)
class Look:
    """How a clock is burnt in."""

    place: str = "bottom left"
    height: int = 13
    colour: tuple[int, int, int] = (255, 255, 255)
    box: tuple[int, int, int] | None = None
    blinks: bool = False
    shakes: bool = False

    def burn(self, picture: Picture, second: int) -> Mask:
        if self.blinks and second % 2:
            return np.zeros(picture.shape[:2], bool)
        letters = ink(f"2026-11-22 23:59:{48 + second % 12}", self.height)
        y = 8 if "top" in self.place else HEIGHT - letters.shape[0] - 8
        x = 8 if "left" in self.place else WIDTH - letters.shape[1] - 8
        if self.shakes:
            x, y = x + second % 3 - 1, y + (second // 2) % 3 - 1
        return write(picture, letters, x, y, self.colour, self.box)


def judge(
    pictures: Iterable[Picture],
    words: TextFinder,
    burn: Callable[[Picture, int], Mask] | None,
    cuts: Iterable[int] = (),
) -> tuple[list[Overlay], list[Mask]]:
    finder, letters = OverlayFinder(), []
    cuts = set(cuts)
    for second, picture in enumerate(pictures):
        if second in cuts:
            finder.cut(second)
        if burn is not None:
            letters.append(burn(picture, second))
        picture = compressed(picture)
        finder.look(picture, words.find(picture))
    return finder.finish(SECONDS), letters


def exposed(overlays: list[Overlay], letters: list[Mask]) -> int:
    """Pixels of ink that some frame shows."""
    count = 0
    for frame, mask in enumerate(letters):
        bare = mask.copy()
        for overlay in overlays:
            if overlay.first <= frame <= overlay.last:
                x1, y1, x2, y2 = overlay.box
                bare[int(np.ceil(y1)) : int(y2), int(np.ceil(x1)) : int(x2)] = False
        count += int(bare.sum())
    return count


LOOKS = [
    Look(),
    Look("top right", 10, (0, 255, 255)),
    Look("bottom right", 16, (0, 255, 0), shakes=True),
    Look("top left", 13, (255, 255, 255), box=(0, 0, 0)),
    Look("bottom left", 13, (255, 255, 255), blinks=True, shakes=True),
]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.place} {look.height}")
@pytest.mark.parametrize("scene", [walk, tripod], ids=["walk", "tripod"])
def test_a_clock_is_covered_in_every_frame(
    scene: Callable[[], Iterator[Picture]], look: Look, words: TextFinder
) -> None:
    overlays, letters = judge(scene(), words, look.burn)
    assert exposed(overlays, letters) == 0
    assert all((o.first, o.last, o.kind) == (0, SECONDS - 1, Kind.OVERLAY) for o in overlays)
    area = sum(o.box.area for o in overlays) / (WIDTH * HEIGHT)
    assert area < 0.08  # and not half the picture with it


def test_a_clock_goes_on_over_cuts(words: TextFinder) -> None:
    overlays, letters = judge(shots(), words, Look().burn, cuts=(4, 8))
    assert exposed(overlays, letters) == 0
    assert {(o.first, o.last) for o in overlays} == {(0, SECONDS - 1)}


def test_a_clock_that_only_one_shot_has_is_hidden_there(words: TextFinder) -> None:
    clock = Look()
    overlays, letters = judge(
        walk(),
        words,
        lambda picture, second: clock.burn(picture, second) if second >= 9 else np.zeros(picture.shape[:2], bool),
        cuts=(9,),
    )
    assert exposed(overlays, letters) == 0


def test_a_name_in_the_middle_of_a_moving_picture_is_found(words: TextFinder) -> None:
    def name(picture: Picture, second: int) -> Mask:
        return write(picture, ink("CAM 04", 14), 290, 170, (0, 255, 255))

    overlays, letters = judge(walk(), words, name)
    assert exposed(overlays, letters) == 0


@pytest.mark.parametrize("scene", [walk, tripod, shots])
def test_nothing_is_found_where_nothing_is_burnt_in(scene: Callable[[], Iterator[Picture]], words: TextFinder) -> None:
    assert judge(scene(), words, None)[0] == []


def test_a_sign_that_the_camera_passes_is_no_overlay(words: TextFinder) -> None:
    scene = scenery(1)
    for number in range(6):
        write(scene, ink("BAKERY", 16), 150 + 220 * number, 250 + 30 * (number % 3), (30, 30, 30), (220, 220, 220))
    pictures = (window(scene, 60.0 * second, 100 + 40 * np.sin(second)) for second in range(SECONDS))
    assert judge(pictures, words, None)[0] == []


def test_a_sign_in_the_middle_of_a_standing_picture_is_no_overlay(words: TextFinder) -> None:
    def sign(picture: Picture, second: int) -> Mask:
        return write(picture, ink("BAKERY", 16), 300, 90, (30, 30, 30), (220, 220, 220), slant=0.1)

    assert judge(tripod(), words, sign)[0] == []


def test_print_on_somebody_the_camera_follows_is_no_overlay(words: TextFinder) -> None:
    rng = np.random.default_rng(4)

    def shirt(picture: Picture, second: int) -> Mask:
        x, y = rng.integers(-12, 13, 2)
        return write(picture, ink("TEAM 7", 16), 290 + int(x), 170 + int(y), (240, 240, 240), (60, 40, 160))

    assert judge(walk(), words, shirt)[0] == []


def test_a_clip_without_a_look_has_no_overlays() -> None:
    finder = OverlayFinder()
    assert finder.finish(0) == []
    finder = OverlayFinder()
    finder.cut(5)
    assert finder.finish(10) == []


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.floats(-50, 150), st.floats(-50, 150), st.floats(0, 200), st.floats(0, 200), st.floats(0, 1)),
            max_size=4,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_whatever_a_finder_says_overlays_lie_inside_picture_and_clip(
    looks: list[list[tuple[float, float, float, float, float]]],
) -> None:
    finder = OverlayFinder()
    rng = np.random.default_rng(0)
    for frame, found in enumerate(looks):
        if frame % 3 == 2:
            finder.cut(frame)
        picture = rng.integers(0, 255, (90, 120, 3), dtype=np.uint8)
        finder.look(picture, [Detection(Box(x, y, x + w, y + h), s, "text", Kind.TEXT) for x, y, w, h, s in found])
    for overlay in finder.finish(len(looks)):
        assert overlay.box == overlay.box.clipped(120, 90)
        assert overlay.box.area > 0
        assert 0 <= overlay.first <= overlay.last < len(looks)
        assert 0 <= overlay.score <= 1
