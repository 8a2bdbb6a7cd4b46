"""A map as inline SVG: no tiles, no script. Every feature is a link, reachable by keyboard, to its line in the text
alternative. Areas differ by pattern as well as by colour. A small inset shows where in the world it is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

from safelight.story.geo import Feature, Position, centre_of, coarsened

WIDTH = 800.0  # units of the drawing
_MARGIN = 0.12  # of the larger side, around everything
_INSET = 24.0  # degrees the inset spans
_INSET_SIZE = 150.0
_LEAST = 0.002  # degrees a map spans at least
_TALL = 0.8  # height of a map at most, in widths
_LETTER, _LINE = 17.0, 38.0  # units a letter of a name is wide, a name is high, on the narrowest screen


@dataclass(frozen=True)
class Shape:
    """One feature, drawn: SVG path data, or the middle and radius of a circle; and where its label stands."""

    number: int
    kind: str
    status: str
    name: str
    caption: str
    path: str
    x: float
    y: float
    radius: float
    label: tuple[float, float, str]  # where its name stands, and which end of the name: start, middle, end


@dataclass(frozen=True)
class Drawing:
    """A map, ready for the page."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    inset: str
    inset_x: float
    inset_y: float
    inset_size: float


def draw(features: list[Feature], language: str, blur: float) -> Drawing:
    """Lay out a map; every coordinate is coarsened by ``blur`` metres before anything else is done with it."""
    moved = [[_thinned(coarsened(p, blur) for p in line) for line in feature.lines] for feature in features]
    everything = [p for lines in moved for line in lines for p in line]
    west, east = min(p[0] for p in everything), max(p[0] for p in everything)
    south, north = min(p[1] for p in everything), max(p[1] for p in everything)
    middle = (south + north) / 2
    squeeze = max(math.cos(math.radians(middle)), 0.05)
    span = max((east - west) * squeeze, north - south, _LEAST)
    around = span * _MARGIN
    scale = WIDTH / ((east - west) * squeeze + 2 * around)
    height = ((north - south) + 2 * around) * scale
    if height > WIDTH * _TALL:
        scale, height = scale * WIDTH * _TALL / height, WIDTH * _TALL
    left = (WIDTH - (east - west) * squeeze * scale) / 2

    def at(position: Position) -> tuple[float, float]:
        return left + (position[0] - west) * squeeze * scale, (north - position[1] + around) * scale

    height = max(height, 200.0)
    shapes: list[Shape] = []
    taken: list[tuple[float, float, float, float]] = []
    radius = min(max(blur / 111_320 * scale, 7.0), 60.0)
    for feature, lines in zip(features, moved, strict=True):
        if feature.kind == "place":  # no name stands on a place
            x, y = at(lines[0][0])
            taken.append((x - radius, y - radius, x + radius, y + radius))
    ordered = sorted(enumerate(zip(features, moved, strict=True), 1), key=lambda item: item[1][0].kind != "place")
    for number, (feature, lines) in ordered:  # names of places first: they can move least
        drawn = [[at(p) for p in line] for line in lines]
        shapes.append(_shape(number, feature, language, drawn, radius, height, taken))
    shapes.sort(key=lambda shape: shape.number)
    x, y = at(((west + east) / 2, middle))
    centre = ((west + east) / 2, middle)
    return Drawing(WIDTH, height, tuple(shapes), _locator(centre), x, y, _INSET_SIZE)


def _shape(
    number: int,
    feature: Feature,
    language: str,
    drawn: list[list[tuple[float, float]]],
    radius: float,
    height: float,
    taken: list[tuple[float, float, float, float]],
) -> Shape:
    points = drawn[0]
    path = ""
    if feature.kind != "place":
        closing = "Z" if feature.kind == "area" else ""
        path = "".join("M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in line) + closing for line in drawn)
    x, y = points[len(points) // 2]
    if feature.kind == "area":
        x, y = centre_of(tuple(points))
    return Shape(
        number=number,
        kind=feature.kind,
        status=feature.status or "",
        name=feature.names[language],
        caption=feature.captions.get(language, ""),
        path=path,
        x=round(x, 1),
        y=round(y, 1),
        radius=round(radius, 1),
        label=_label(feature, points, (x, y), radius, len(feature.names[language]) * _LETTER, height, taken),
    )


def _label(
    feature: Feature,
    points: list[tuple[float, float]],
    middle: tuple[float, float],
    radius: float,
    width: float,
    height: float,
    taken: list[tuple[float, float, float, float]],
) -> tuple[float, float, str]:
    """The first place for a name where it stands on no other name and inside the drawing; else the first of all."""
    x, y = middle
    wanted: list[tuple[float, float, str]] = []
    if feature.kind == "place":
        wanted = [(x + radius + 6, y + 7, "start"), (x - radius - 6, y + 7, "end")]
        wanted += [(x, y - radius - 12, "middle"), (x, y + radius + 30, "middle")]
    elif feature.kind == "area":
        wanted = [(x, y + 7 + step, "middle") for step in (0, 36, -36, 72, -72)]
        west, east = min(p[0] for p in points), max(p[0] for p in points)
        wanted += [(east + 8, y + 7, "start"), (west - 8, y + 7, "end")]
    else:
        for px, py in (points[-1], points[0], middle):
            wanted += [(px + 14, py + 7, "start"), (px - 14, py + 7, "end"), (px, py - 12, "middle")]
    boxes = []
    for left, base, end in wanted:
        begin = left - {"start": 0.0, "middle": width / 2, "end": width}[end]
        boxes.append((begin, base - _LINE * 0.75, begin + width, base + _LINE * 0.25))
    free = (
        n for n, (x1, y1, x2, y2) in enumerate(boxes)
        if x1 > 4 and x2 < WIDTH - 4 and y1 > 2 and y2 < height - 2
        and not any(x1 < b[2] and b[0] < x2 and y1 < b[3] and b[1] < y2 for b in taken)
    )  # fmt: skip
    chosen = next(free, 0)
    taken.append(boxes[chosen])
    left, base, end = wanted[chosen]
    return round(left, 1), round(base, 1), end


def _thinned(line: Iterable[Position]) -> list[Position]:
    """Without positions that fell together."""
    kept: list[Position] = []
    for position in line:
        if not kept or position != kept[-1]:
            kept.append(position)
    return kept


def _locator(centre: Position) -> str:
    """Path data of the land around a position, in a square of 100 units."""
    west, south = centre[0] - _INSET / 2, centre[1] - _INSET / 2
    scale = 100 / _INSET
    paths = []
    for ring in _world():
        for shift in (-360.0, 0.0, 360.0):
            points = [(x + shift - west, y - south) for x, y in ring]
            clipped = _clipped(points, _INSET)
            if len(clipped) > 2:
                paths.append("M" + "L".join(f"{x * scale:.1f},{100 - y * scale:.1f}" for x, y in clipped) + "Z")
    return "".join(paths)


@cache
def _world() -> list[list[Position]]:
    text = resources.files(__package__).joinpath("world.json").read_text(encoding="utf-8")
    return [[(x, y) for x, y in ring] for ring in json.loads(text)["rings"]]


def _clipped(ring: list[Position], size: float) -> list[Position]:
    """A ring cut to the square from 0 to ``size`` (Sutherland and Hodgman 1974)."""
    for axis, limit, keep_above in ((0, 0.0, True), (0, size, False), (1, 0.0, True), (1, size, False)):
        ring = list(_half(ring, axis, limit, keep_above))
        if not ring:
            break
    return ring


def _half(ring: list[Position], axis: int, limit: float, keep_above: bool) -> Iterator[Position]:
    for place, point in enumerate(ring):
        before = ring[place - 1]
        inside = (point[axis] >= limit) is keep_above
        was = (before[axis] >= limit) is keep_above
        if inside is not was:
            part = (limit - before[axis]) / (point[axis] - before[axis])
            yield tuple(b + part * (p - b) for b, p in zip(before, point, strict=True))  # type: ignore[misc]
        if inside:
            yield point
