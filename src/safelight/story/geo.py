"""A story's map: GeoJSON (RFC 7946) with areas, places and routes, and nothing else in it.

Properties are an allow-list: ``kind`` (area, place, route), ``status`` of areas (held, lost, contested), ``name`` and
``caption`` (a text, or one a language). What a mapping program left beside them is refused, not passed on.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any

from safelight.errors import Code, SafelightError
from safelight.names.people import Place
from safelight.story.places import line_at

MOST = 4 << 20  # bytes
_POINTS_MOST = 20_000
_SHAPES = {
    "Point": "place",
    "LineString": "route",
    "Polygon": "area",
    "MultiPolygon": "area",
}
_METRES = 111_320.0  # a degree of latitude
Position = tuple[float, float]  # longitude, latitude in degrees


class Status(StrEnum):
    """Who holds an area."""

    HELD = "held"
    LOST = "lost"
    CONTESTED = "contested"


@dataclass(frozen=True)
class Feature:
    """One thing on the map. ``lines``: rings of an area, the one line of a route, the one point of a place."""

    kind: str
    names: dict[str, str]
    captions: dict[str, str]
    lines: tuple[tuple[Position, ...], ...]
    status: Status | None = None


def read_map(path: Path, file: str, languages: list[str]) -> list[Feature]:
    """The features of a map, each named in every language.

    Raises SL-MAP-INVALID with the line, and the feature's number where it is one feature's mistake.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SafelightError(Code.NOT_FOUND, "The map cannot be read.", file=file) from error
    if len(data) > MOST:
        raise SafelightError(Code.MAP_INVALID, "The map is too large.", file=file)
    try:
        text = data.decode("utf-8-sig")
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        raise SafelightError(Code.MAP_INVALID, f"{error.msg}.", file=f"{file}:{error.lineno}") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SafelightError(Code.MAP_INVALID, "This is no JSON in UTF-8.", file=f"{file}:{line}") from error
    except RecursionError as error:
        raise SafelightError(Code.MAP_INVALID, "This is nested too deeply for a map.", file=f"{file}:1") from error
    features = whole.get("features") if isinstance(whole, dict) else None
    if not isinstance(features, list) or whole.get("type") != "FeatureCollection" or not features:
        raise SafelightError(Code.MAP_INVALID, "This is no FeatureCollection with features.", file=f"{file}:1")
    extra = whole.keys() - {"type", "features"}
    if extra:
        detail = f"`{min(extra)[:40]}` does not belong into a published map."
        raise SafelightError(Code.MAP_INVALID, detail, file=f"{file}:{line_at(text, (min(extra),))}")
    made = []
    for number, value in enumerate(features, 1):
        try:
            made.append(_feature(value, number, languages))
        except SafelightError as error:
            error.file = f"{file}:{line_of_feature(text, number)}"
            raise
    return made


def line_of_feature(text: str, number: int) -> int:
    """The line of a map's text on which a feature begins; both are counted from 1."""
    return line_at(text, ("features", number - 1))


def coarsened(position: Position, metres: float) -> Position:
    """The position moved to the nearest crossing of a grid, at most ``metres`` away; many places share a crossing."""
    if metres <= 0:
        return position
    longitude, latitude = position
    step = metres * math.sqrt(2) / _METRES
    north = round(latitude / step) * step
    east = step / max(math.cos(math.radians(min(abs(north), 89))), 1e-3)
    return round(longitude / east) * east, north


def too_near(features: list[Feature], places: list[Place]) -> Iterator[int]:
    """Numbers, from 1, of features of which any point is inside a protected radius: also one between two corners, and
    the middle of an area, where its name stands.
    """
    for number, feature in enumerate(features, 1):
        middles = [(centre_of(line),) for line in feature.lines if feature.kind == "area"]
        if any(
            _apart((place.longitude, place.latitude), line) <= place.radius
            for place in places
            for line in (*feature.lines, *middles)
        ):
            yield number


def centre_of(ring: tuple[Position, ...]) -> Position:
    """The mean of a ring's corners, the last of which is the first again."""
    corners = ring[:-1] or ring  # one that fell together when it was coarsened is a single point
    return sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners)


def _apart(place: Position, line: tuple[Position, ...]) -> float:
    """Metres between a place and a line: on a plane around the place, good to a hundredth within 100 km."""
    east = _METRES * math.cos(math.radians(place[1]))
    around = [
        ((((longitude - place[0]) + 180) % 360 - 180) * east, (latitude - place[1]) * _METRES)
        for longitude, latitude in line
    ]
    near = min(math.hypot(x, y) for x, y in around)
    for (x1, y1), (x2, y2) in pairwise(around):
        dx, dy = x2 - x1, y2 - y1
        along = dx * dx + dy * dy
        part = min(max(-(x1 * dx + y1 * dy) / along, 0.0), 1.0) if along else 0.0
        near = min(near, math.hypot(x1 + part * dx, y1 + part * dy))
    return near


def _feature(value: Any, number: int, languages: list[str]) -> Feature:
    def wrong(detail: str) -> SafelightError:
        return SafelightError(Code.MAP_INVALID, f"Feature {number}: {detail}.")

    if not isinstance(value, dict) or value.get("type") != "Feature" or value.keys() - {
        "type", "geometry", "properties"
    }:  # fmt: skip
        raise wrong("this is no feature of type, geometry and properties alone")
    properties, geometry = value.get("properties"), value.get("geometry")
    if not isinstance(properties, dict) or not isinstance(geometry, dict):
        raise wrong("it has no properties or no geometry")
    extra = properties.keys() - {"kind", "status", "name", "caption"}
    if extra:
        raise wrong("it has a property besides kind, status, name and caption")
    shape = str(geometry.get("type"))
    kind = _SHAPES.get(shape)
    if kind is None or properties.get("kind", kind) != kind:
        raise wrong("an area is a Polygon, a place a Point, a route a LineString; this is something else")
    if kind == "area" and properties.get("status") not in list(Status):
        raise wrong("an area's status is held, lost or contested")
    lines = tuple(_lines(shape, geometry.get("coordinates"), wrong))
    if sum(len(line) for line in lines) > _POINTS_MOST:
        raise wrong("it has too many points")
    return Feature(
        kind=kind,
        names=_texts(properties.get("name"), "name", languages, wrong),
        captions=_texts(properties["caption"], "caption", languages, wrong) if "caption" in properties else {},
        lines=lines,
        status=Status(properties["status"]) if kind == "area" else None,
    )


def _texts(value: Any, key: str, languages: list[str], wrong: Any) -> dict[str, str]:
    texts = dict.fromkeys(languages, value) if isinstance(value, str) else value
    if not isinstance(texts, dict):
        raise wrong(f"it has no {key}")
    for language in languages:
        text = texts.get(language)
        if not isinstance(text, str) or not text.strip() or len(text) > 500:
            raise wrong(f"its {key} is missing in {language}")
    return {language: " ".join(texts[language].split()) for language in languages}


def _lines(shape: str, value: Any, wrong: Any) -> Iterator[tuple[Position, ...]]:
    if shape == "Point":
        yield (_position(value, wrong),)
        return
    groups = value if isinstance(value, list) else []
    if shape == "LineString":
        groups = [groups]
    elif shape == "MultiPolygon":
        groups = [ring for polygon in groups if isinstance(polygon, list) for ring in polygon]
    if not groups:
        raise wrong("it has no coordinates")
    for group in groups:
        line = tuple(_position(position, wrong) for position in (group if isinstance(group, list) else []))
        if len(line) < (2 if shape == "LineString" else 4) or (shape != "LineString" and line[0] != line[-1]):
            raise wrong("a route needs two points; a ring needs four and ends where it began")
        yield line


def _position(value: Any, wrong: Any) -> Position:
    if not isinstance(value, list) or len(value) < 2:
        raise wrong("a position is [longitude, latitude]")
    longitude, latitude = value[0], value[1]
    for number, most in ((longitude, 180), (latitude, 90)):
        if not isinstance(number, int | float) or isinstance(number, bool) or not abs(number) <= most:
            raise wrong("a position is [longitude, latitude] in degrees")
    return float(longitude), float(latitude)
