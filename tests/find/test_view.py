"""One picture looked at in tiles and in enlarged parts: whatever the way, boxes come back to where the thing is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from safelight.find.detect import Detection
from safelight.find.tiles import seen_in_tiles, tile_size
from safelight.find.view import View, in_tiles
from safelight.geometry import Box
from safelight.plan import Kind

OVERLAP, MOST = 96, 1100


class Bright:
    """A finder of what is bright: one box around each patch, as much of it as the picture shows."""

    name = "bright"

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []

    def find(self, bgr: NDArray[np.uint8]) -> list[Detection]:
        self.sizes.append((bgr.shape[1], bgr.shape[0]))
        _, _, patches, _ = cv2.connectedComponentsWithStats((bgr[..., 0] > 127).astype(np.uint8))
        return [
            Detection(Box(float(x), float(y), float(x + w), float(y + h)), 0.9, self.name, Kind.FACE)
            for x, y, w, h, _ in patches[1:]
        ]


@dataclass
class Painted:
    """A picture that is all there is of its clip."""

    pixels: NDArray[np.uint8]
    index: int = 0
    pts: int = 0

    def bgr(self, width: int, height: int) -> NDArray[np.uint8]:
        return np.asarray(cv2.resize(self.pixels, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def luma(self, width: int, height: int) -> NDArray[np.uint8]:
        return self.bgr(width, height)[..., 0]


def painted(width: int, height: int, *boxes: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    picture = np.zeros((height, width, 3), np.uint8)
    for x1, y1, x2, y2 in boxes:
        picture[y1:y2, x1:x2] = 255
    return picture


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_what_is_no_larger_than_the_overlap_is_seen_once_wherever_it_lies(data: st.DataObject) -> None:
    width, height = data.draw(st.integers(200, 2000)), data.draw(st.integers(200, 1300))
    across, down = data.draw(st.integers(4, OVERLAP - 2)), data.draw(st.integers(4, OVERLAP - 2))
    x, y = data.draw(st.integers(1, width - across - 1)), data.draw(st.integers(1, height - down - 1))
    finder = Bright()
    seen = seen_in_tiles(
        finder,
        painted(width, height, (x, y, x + across, y + down)),
        tile_size((width, height), MOST, OVERLAP),
        OVERLAP,
    )
    assert [tuple(d.box) for d in seen] == [(x, y, x + across, y + down)]


@pytest.mark.parametrize("size", [(1520, 855), (1920, 1080), (855, 1520), (1101, 1101), (4000, 300)])
def test_tiles_are_of_one_size_for_which_a_network_is_made_ready_once(size: tuple[int, int]) -> None:
    finder = Bright()
    tile = tile_size(size, MOST, OVERLAP)
    seen_in_tiles(finder, painted(*size), tile, OVERLAP)
    assert in_tiles(size)
    assert max(tile) <= MOST + 32
    assert len({(-(-w // 32), -(-h // 32)) for w, h in finder.sizes}) == 1


def test_what_a_seam_cuts_is_no_face() -> None:
    """Half of a face is no place for a head: what is larger than the overlap is left to looks at smaller pictures."""
    size = (1600, 300)
    tile = tile_size(size, MOST, OVERLAP)
    seen = seen_in_tiles(Bright(), painted(*size, (600, 100, 1000, 200), (40, 40, 90, 90)), tile, OVERLAP)
    assert [tuple(d.box) for d in seen] == [(40, 40, 90, 90)]


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (1920, 1080)])
@pytest.mark.parametrize("scale", [0.2, 0.45, 1.0, 3.0])
def test_a_box_seen_in_a_part_comes_back_to_its_place(size: tuple[int, int], scale: float) -> None:
    side = round(min(60 / scale, size[1] / 2))
    x, y = size[0] // 3, size[1] // 4
    box = Box(float(x), float(y), float(x + side), float(y + side))
    view = View(Painted(painted(*size, (x, y, x + side, y + side))), *size)
    (seen,) = view.part(box, scale, 160).seen(Bright())
    assert np.abs(np.array(seen.box) - np.array(box)).max() <= 2.5 / scale
    assert seen.box.overlap(box) > 0.85


def test_a_large_head_is_cut_out_of_a_picture_that_is_at_hand() -> None:
    """Making the whole picture's colours costs more than looking at them."""
    asked: list[tuple[int, int]] = []

    class Counted(Painted):
        def bgr(self, width: int, height: int) -> NDArray[np.uint8]:
            asked.append((width, height))
            return super().bgr(width, height)

    view = View(Counted(painted(1920, 1080, (600, 200, 1200, 800))), 1920, 1080)
    view.seen(Bright(), (653, 367))
    view.part(Box(600, 200, 1200, 800), 0.2, 160)
    assert asked == [(653, 367)]
    view.part(Box(600, 200, 700, 300), 0.8, 160)
    assert asked[1:] == [(1920, 1080)]


@pytest.mark.parametrize("tilt", [0.0, 30.0])
def test_where_edges_are_vague_what_is_seen_is_made_larger(tilt: float) -> None:
    picture = Painted(painted(640, 360, (200, 100, 260, 160)))
    box = Box(200, 100, 260, 160)
    exact, vague = (View(picture, 640, 360, vague) for vague in (0.0, 4.0))
    for seen in (
        lambda view: view.seen(Bright(), (640, 360)),
        lambda view: view.part(box, 1.0, 160, tilt).seen(Bright()),
        lambda view: view.turned(1).seen(Bright(), (360, 640)),
    ):
        (one,), (other,) = seen(exact), seen(vague)
        assert tuple(other.box) == pytest.approx(one.box.grown(4, 4, 4, 4))
