"""The contact sheet: the right frames, the right cut, nothing unhidden, bounded, without metadata."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from safelight.geometry import Box
from safelight.hide import apply as apply_module
from safelight.hide.apply import apply
from safelight.hide.sheet import MOST_ROWS, Sheet, moments, risk
from safelight.hide.tile import TILE_HEIGHT, TILE_WIDTH, surroundings
from safelight.media.develop import Developed, Developer
from safelight.media.facts import ClipFacts
from safelight.media.planes import Planes
from safelight.media.read import Reader
from safelight.plan import Clip, Decision, How, Origin, Plan, Region, Shape, Stretch
from tests.hide.clips import FRAMES, Format, plan_for, region, write_clip


def sheet_of(clip: Path, plan: Plan, tmp_path: Path) -> Path:
    path = tmp_path / "sheet.png"
    with clip.open("rb") as file, Reader(file) as reader:
        apply(reader, plan, tmp_path / "copy", sheet=path)
    return path


def test_moments_are_first_middle_largest_and_last() -> None:
    small, large = Box(0, 0, 10, 10), Box(0, 0, 30, 30)
    assert moments(region("a", {3: small})) == {3: "only"}
    assert moments(region("a", {2: small, 5: large, 12: small})) == {2: "first", 12: "last", 5: "largest", 7: "middle"}
    assert moments(region("a", {2: large, 4: small})) == {2: "first", 4: "last", 3: "middle"}


def test_doubtful_tracks_come_first() -> None:
    def track(name: str, how: How, score: float) -> Region:
        made = region(name, {0: Box(0, 0, 9, 9), 9: Box(0, 0, 9, 9)}, score=score)
        made.stretches = [Stretch(first=0, last=9, how=how)]
        return made

    tracks = [track("sure", How.FOUND, 0.95), track("held", How.HELD, 0.9), track("weak", How.FOUND, 0.3)]
    assert [t.id for t in sorted(tracks, key=risk, reverse=True)] == ["held", "weak", "sure"]


@pytest.mark.parametrize(
    "box", [Box(100, 90, 140, 150), Box(-20, -10, 30, 40), Box(0, 0, 640, 360), Box(630, 350, 650, 362)]
)
def test_a_tile_shows_the_region_in_its_shape_without_stretching(box: Box) -> None:
    cut = surroundings(box, (640, 360))
    assert cut.width / cut.height == pytest.approx(TILE_WIDTH / TILE_HEIGHT)
    seen = box.clipped(640, 360)
    assert cut.union(seen) == cut
    if cut.width <= 640:
        assert cut.x1 >= 0
        assert cut.x2 <= 640 + 1e-6


def test_tiles_show_the_place_they_say(tmp_path: Path) -> None:
    """A red block beside the region must appear beside it in the tile, at its place, in its colour."""
    planes = Planes(
        np.full((240, 320), 60, np.uint8),
        np.full((120, 160), 128, np.uint8),
        np.full((120, 160), 128, np.uint8),
        2,
        2,
        8,
        False,
    )
    box, red = Box(100, 80, 140, 130), (slice(90, 110), slice(144, 160))
    planes.y[red], planes.u[45:55, 72:80], planes.v[45:55, 72:80] = 63, 102, 240  # red in BT.709  # type: ignore[index]
    developed = _developed(planes)
    plan = _plan([region("a", {0: box})], 1)
    sheet = Sheet(plan)
    sheet.take(0, developed)
    [tile] = sheet._tracks[0].tiles.values()
    cut = surroundings(box, (320, 240))
    scale = TILE_WIDTH / cut.width
    x, y = round((152 - cut.x1) * scale), round((100 - cut.y1) * scale)
    assert tile.pixels[y, x].astype(int) == pytest.approx([254, 0, 0], abs=6)
    assert tile.pixels[5, 5].max() - tile.pixels[5, 5].min() < 3
    left = round((142 - cut.x1) * scale)
    assert tile.pixels[y, left].max() < 90
    assert tile.box == pytest.approx(Box(*((v - o) * scale for v, o in zip(box, (cut.x1, cut.y1) * 2, strict=True))))


def test_nothing_unhidden_is_on_the_sheet(tmp_path: Path) -> None:
    """White under the regions, black around: no tile may hold anything bright but the outline."""
    clip = tmp_path / "clip.mkv"
    box = Box(30, 20, 60, 55)

    def paint(index: int, planes: list[NDArray[np.uint8] | NDArray[np.uint16]]) -> None:
        planes[0][:], planes[1][:], planes[2][:] = 16, 128, 128
        planes[0][20:55, 30:60] = 235

    write_clip(clip, Format("plain"), paint)
    plan = plan_for(clip, [region("a", {0: box, FRAMES - 1: box}, Shape.BOX)])
    seen: list[int] = []

    class Looking(Sheet):
        def take(self, index: int, picture: Developed) -> None:
            super().take(index, picture)
            seen.extend(int(t.pixels.max()) for t in self._tracks[0].tiles.values())

    sheet = Looking(plan)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apply_module, "Sheet", lambda plan: sheet)
        path = sheet_of(clip, plan, tmp_path)
    assert path.exists()
    assert seen
    assert max(seen) < 80


def test_the_file_is_a_png_of_pixels_only(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mkv"
    write_clip(clip, Format("plain"), lambda index, planes: None)
    plan = plan_for(clip, [region("a", {0: Box(5, 5, 40, 40), FRAMES - 1: Box(9, 9, 40, 40)})])
    data = sheet_of(clip, plan, tmp_path).read_bytes()
    place, chunks = 8, set()
    while place < len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        chunks.add(kind)
        place += 12 + length
    assert chunks == {b"IHDR", b"IDAT", b"IEND"}


def test_five_hundred_tracks_stay_readable_and_small(tmp_path: Path) -> None:
    tracks = [region(f"head-{n}", {0: Box(n % 200, 9, n % 200 + 20, 40), 5: Box(9, 9, 50, 50)}) for n in range(500)]
    tracks.append(region("shown", {0: Box(9, 9, 50, 50)}, decision=Decision.REVEAL))
    sheet = Sheet(_plan(tracks, 6))
    planes = Planes(np.full((240, 320), 60, np.uint8), None, None, 1, 1, 8, False)
    for index in range(6):
        sheet.take(index, _developed(planes, index))
    sheet.save(tmp_path / "sheet.png")
    image = Image.open(tmp_path / "sheet.png")
    assert image.height < 6000
    assert image.width < 3000
    assert sum(len(track.tiles) for track in sheet._tracks) == MOST_ROWS * 3
    assert any(f"{500 - MOST_ROWS} more" in note for note in sheet._notes())
    assert sheet._title() == "500 regions hidden"


def test_a_sheet_without_regions_says_so(tmp_path: Path) -> None:
    sheet = Sheet(_plan([], 3))
    sheet.save(tmp_path / "sheet.png")
    assert Image.open(tmp_path / "sheet.png").size[0] >= 900
    assert sheet._title() == "0 regions hidden"


def _plan(regions: list[Region], frames: int) -> Plan:
    clip = Clip(
        sha256="0" * 64, width=320, height=240, frames=frames, time_base=(1, 25), first_pts=0, last_pts=frames - 1
    )
    return Plan(clip=clip, origin=Origin(safelight="0"), regions=regions)


def _developed(planes: Planes, pts: int = 0) -> Developed:
    facts = ClipFacts(
        container="x", codec="x", pixel_format="x", still=False, stored_width=320, stored_height=240, pixel_aspect=1.0,
        turn=0, interlaced=False, hdr=False, time_base=(1, 25), frames_expected=None, rate=25.0, duration=None,
        picture_start=0.0, sound=None, dropped=[],
    )  # fmt: skip
    [developed] = Developer(facts).develop(planes, pts)
    return developed
