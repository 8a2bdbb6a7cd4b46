"""The contact sheet: what the copy shows where something is hidden, for a person's eye.

Its pictures are cut from developed pictures of the copy, so nothing that is hidden can be on it. They are collected
while the copy is being written, without decoding anything twice; how much is kept is bounded whatever the length of the
clip and however many regions it has.
"""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.errors import Code, SafelightError
from safelight.geometry import Box
from safelight.hide import page
from safelight.hide.tile import TILE_HEIGHT, TILE_WIDTH, surroundings
from safelight.media.develop import Developed
from safelight.media.planes import view
from safelight.plan import Decision, How, Plan, Region, Shape

MOST_ROWS = 48
# A sheet is looked at and thrown away, and its background is plain: harder squeezing takes a second a clip.
_SQUEEZED = {"compress_level": 1, "compress_type": zlib.Z_RLE}

# How little is known about a frame whose box came about so; a person should look at the worst first.
_DOUBT = {How.FOUND: 0.0, How.DRAWN: 0.0, How.FILLED: 0.4, How.FOLLOWED: 0.7, How.HELD: 1.0}
# Kr and Kb of the luma equation, by code point of ITU-T H.273; what a copy can have.
_MATRICES = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114)}


@dataclass
class _Track:
    """A region on the sheet: which of its frames are shown, and the pictures collected so far."""

    region: Region
    moments: dict[int, str]
    tiles: dict[int, page.Tile] = field(default_factory=dict)
    times: dict[int, int] = field(default_factory=dict)


class Sheet:
    """Collects pictures of the hidden regions of one plan while its copy is made, then writes them as one PNG."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        hidden = [region for region in plan.regions if region.decision is Decision.HIDE]
        hidden.sort(key=lambda region: (-risk(region), region.first, region.id))
        self._tracks = [_Track(region, moments(region)) for region in hidden[:MOST_ROWS]]
        self._left_over = len(hidden) - len(self._tracks)
        self._wanted: dict[int, list[_Track]] = {}
        for track in self._tracks:
            for frame in track.moments:
                self._wanted.setdefault(frame, []).append(track)

    def take(self, index: int, picture: Developed) -> None:
        """Look at picture ``index`` of the copy and keep what the sheet needs of it."""
        for track in self._wanted.get(index, ()):
            box = track.region.box_at(index)
            assert box is not None
            self._put(track, index, picture.pts, crop(picture, surroundings(box, picture.size)))

    def _put(self, track: _Track, index: int, pts: int, pixels: NDArray[np.uint8]) -> None:
        box = track.region.box_at(index)
        assert box is not None
        cut = surroundings(box, (self._plan.clip.width, self._plan.clip.height))
        label = "" if self._plan.clip.still else f"{track.moments[index]}  {self._when(pts)}"
        track.tiles[index] = page.Tile(pixels, _within(box, cut), track.region.shape is Shape.ELLIPSE, label)
        track.times[index] = pts

    def keep(self, path: Path) -> None:
        """Write what was collected so far, for :meth:`add`: NumPy's archive of tiles. Raises OSError."""
        tiles = {
            f"{track.region.id} {index} {track.times[index]}": tile.pixels
            for track in self._tracks
            for index, tile in track.tiles.items()
        }
        with path.open("xb") as file:
            np.savez(file, allow_pickle=False, **tiles)

    def add(self, path: Path) -> None:
        """Take over what another sheet collected, of the same plan or a part of it; tracks that are not on this sheet
        are left out. Raises SL-WORKER-LIED when it is no such thing.
        """
        rows = {track.region.id: track for track in self._tracks}
        try:
            with np.load(path, allow_pickle=False) as tiles:
                for name in tiles.files:
                    region, index, pts = name.split()
                    pixels = np.asarray(tiles[name], np.uint8)
                    if pixels.shape != (TILE_HEIGHT, TILE_WIDTH, 3):
                        raise ValueError("no tile")
                    if (track := rows.get(region)) is not None:
                        self._put(track, int(index), int(pts), pixels)
        except (ValueError, LookupError, EOFError, zipfile.BadZipFile) as error:
            raise SafelightError(Code.WORKER_LIED, "The pictures of a piece are not for its sheet.") from error

    def save(self, path: Path) -> None:
        """Write the sheet as PNG without any metadata. Raises OSError."""
        rows = [
            page.Row(*self._words(track.region), [track.tiles[i] for i in sorted(track.tiles)])
            for track in self._tracks
        ]
        page.draw(self._title(), self._notes(), rows).save(path, "PNG", **_SQUEEZED)

    def _words(self, region: Region) -> tuple[str, list[str]]:
        first, last = region.keyframes[0], region.keyframes[-1]
        frames = last.frame - first.frame + 1
        when = self._when(first.pts) if frames == 1 else f"{self._when(first.pts)} to {self._when(last.pts)}"
        lines = [f"{region.kind.value}, {region.shape.value}"]
        lines += [] if self._plan.clip.still else [when, _count(frames, "frame")]
        lines += [f"{how.value} {share:.0%}" for how, share in origins(region).items()]
        if region.score > 0:
            lines.append(f"score {region.score:.2f}")
        return region.id, lines

    def _title(self) -> str:
        decisions = Counter(region.decision for region in self._plan.regions)
        return f"{_count(decisions[Decision.HIDE], 'region')} hidden"

    def _notes(self) -> list[str]:
        clip = self._plan.clip
        kinds = Counter(r.kind.value for r in self._plan.regions if r.decision is Decision.HIDE)
        decisions = Counter(region.decision for region in self._plan.regions)
        facts = [_count(number, kind) for kind, number in kinds.most_common()]
        facts.append(f"{decisions[Decision.REVEAL]} shown on purpose")
        if decisions[Decision.PROPOSE]:
            facts.append(f"{decisions[Decision.PROPOSE]} undecided, not hidden")
        facts.append(
            "one still picture" if clip.still else f"{_count(clip.frames, 'frame')}, {self._when(clip.last_pts)}"
        )
        notes = [
            "  ·  ".join(facts),
            "The copy's pictures, before the treatment against sensor noise. What deserves a look comes first:",
            "followed or held boxes, low scores.",
        ]
        if self._left_over:
            notes.append(f"{self._left_over} more in the plan, which this sheet has no room for.")
        return notes

    def _when(self, pts: int) -> str:
        seconds = (pts - self._plan.clip.first_pts) * Fraction(*self._plan.clip.time_base)
        tenths = round(seconds * 10)
        return f"{tenths // 600:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


def risk(region: Region) -> float:
    """How much a region deserves a person's look, 0 to 2: how its boxes came about, and how sure the finder was."""
    doubt = sum(_DOUBT[how] * share for how, share in origins(region).items())
    return doubt + (1 - region.score)


def origins(region: Region) -> dict[How, float]:
    """Share of a region's frames by how their boxes came about, largest first; what is not told is left out."""
    counted: Counter[How] = Counter()
    for stretch in region.stretches:
        counted[stretch.how] += stretch.last - stretch.first + 1
    total = max(region.last - region.first + 1, counted.total())
    return {how: number / total for how, number in counted.most_common()}


def moments(region: Region) -> dict[int, str]:
    """The frames of a region worth showing, each once, with what is special about it."""
    widest = max(region.keyframes, key=lambda key: key.box.area)
    middle = (region.first + region.last) // 2
    named = {region.first: "first", region.last: "last"} if region.last > region.first else {region.first: "only"}
    named.setdefault(widest.frame, "largest")
    named.setdefault(middle, "middle")
    return named


def crop(picture: Developed, cut: Box) -> NDArray[np.uint8]:
    """A part of a developed picture as an RGB tile, shape (TILE_HEIGHT, TILE_WIDTH, 3); dark outside the picture."""
    width, height = picture.size
    planes = [view(picture.frame, index) for index in range(3)]
    scale_x, scale_y = TILE_WIDTH / cut.width, TILE_HEIGHT / cut.height
    channels = []
    for plane, rest in zip(planes, (16, 128, 128), strict=True):
        # Rounded up: half as many chroma samples, and a padding column or row does not count.
        sub_x, sub_y = round(picture.frame.width / plane.shape[1]), round(picture.frame.height / plane.shape[0])
        part = np.ascontiguousarray(plane[: -(-height // sub_y), : -(-width // sub_x)])
        turn = np.array(
            [
                [sub_x * scale_x, 0, (0.5 * sub_x - cut.x1) * scale_x - 0.5],
                [0, sub_y * scale_y, (0.5 * sub_y - cut.y1) * scale_y - 0.5],
            ]
        )
        channels.append(_warped(part, turn, rest))
    return _rgb(channels, picture.colour.matrix)


def _warped(plane: NDArray[np.uint8], affine: NDArray[np.float64], rest: int) -> NDArray[np.float32]:
    """The plane through an affine map onto a tile; averaged first when it is made much smaller."""
    shrink = 1
    while affine[0, 0] * shrink * 2 <= 1:
        shrink *= 2
    if shrink > 1:
        size = (-(-plane.shape[1] // shrink), -(-plane.shape[0] // shrink))
        padded = cv2.copyMakeBorder(
            plane, 0, size[1] * shrink - plane.shape[0], 0, size[0] * shrink - plane.shape[1], cv2.BORDER_REPLICATE
        )
        plane = cv2.resize(padded, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        affine = affine.copy()
        affine[:, 2] += affine[:, :2].sum(axis=1) * (shrink - 1) / 2
        affine[:, :2] *= shrink
    tile = cv2.warpAffine(
        plane,
        affine,
        (TILE_WIDTH, TILE_HEIGHT),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=rest,
    )
    return tile.astype(np.float32)


def _rgb(channels: list[NDArray[np.float32]], matrix: int) -> NDArray[np.uint8]:
    """Y, U and V of limited range as RGB (ITU-T H.273, equations for a luma equation with Kr and Kb)."""
    kr, kb = _MATRICES.get(matrix, _MATRICES[1])
    y, u, v = (channels[0] - 16) / 219, (channels[1] - 128) / 224, (channels[2] - 128) / 224
    red, blue = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    pixels: NDArray[np.uint8] = np.clip(np.rint(np.dstack([red, green, blue]) * 255), 0, 255).astype(np.uint8)
    return pixels


def _within(box: Box, cut: Box) -> Box:
    """A box of the picture in the pixels of a tile that shows ``cut``."""
    moved = Box(box.x1 - cut.x1, box.y1 - cut.y1, box.x2 - cut.x1, box.y2 - cut.y1)
    return moved.scaled(TILE_WIDTH / cut.width, TILE_HEIGHT / cut.height)


def _count(number: int, what: str) -> str:
    """The number with its noun, in the plural where it must be; what has no plural stays."""
    plural = {"body": "bodies", "text": "text", "free": "free"}.get(what, what + "s")
    return f"{number:,} {what if number == 1 else plural}"
