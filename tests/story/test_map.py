from __future__ import annotations

import json
import math
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from safelight.names.people import Place
from safelight.story.drawing import WIDTH, draw
from safelight.story.geo import Feature, Position, Status, coarsened, read_map, too_near
from tests.story.folders import city


def distance(one: Position, other: Position) -> float:
    """Metres between two positions on a sphere (haversine)."""
    (lon1, lat1), (lon2, lat2) = one, other
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    a = math.sin((phi2 - phi1) / 2) ** 2
    a += math.cos(phi1) * math.cos(phi2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * 6_371_000 * math.asin(min(math.sqrt(a), 1.0))


Degrees = st.tuples(st.floats(-179, 179), st.floats(-80, 80))


@given(Degrees, st.floats(1, 20_000))
def test_coarsening_moves_by_no_more_than_it_says_and_forgets_the_rest(position: tuple[float, float], metres: float):
    moved = coarsened(position, metres)
    assert distance(position, moved) <= metres * 1.02 + 0.5
    assert distance(coarsened(moved, metres), moved) < 1  # neighbours of a crossing are told as the crossing itself


def test_two_near_places_are_told_as_one():
    assert coarsened((36.2765, 33.5138), 5000) == coarsened((36.2790, 33.5120), 5000)


def features(tmp_path: Path) -> list[Feature]:
    path = tmp_path / "city.geojson"
    path.write_text(json.dumps(city()))
    return read_map(path, "city.geojson", ["en", "ar"])


def test_no_exact_position_is_drawn(tmp_path: Path):
    *others, place = features(tmp_path)
    told = [*others, place]
    ((x, y),) = (place.lines[0][0],)
    moved = [*others, Feature(place.kind, place.names, place.captions, (((x + 1e-3, y),),))]
    assert draw(told, "en", 2000) == draw(moved, "en", 2000)
    assert draw(told, "en", 0) != draw(moved, "en", 0)


def test_everything_lies_inside_the_drawing(tmp_path: Path):
    drawing = draw(features(tmp_path), "ar", 300)
    assert [shape.name for shape in drawing.shapes] == ["شيء"] * 3
    for shape in drawing.shapes:
        assert 0 <= shape.x <= WIDTH
        assert 0 <= shape.y <= drawing.height
    assert len({shape.label for shape in drawing.shapes}) == 3


def test_the_inset_shows_the_land_around(tmp_path: Path):
    assert draw(features(tmp_path), "en", 0).inset == ""  # nothing but sea
    damascus = Feature("place", {"en": "A place"}, {}, (((36.3, 33.5),),))
    inset = draw([damascus], "en", 0).inset
    assert inset.startswith("M")
    assert len(inset) < 5000


def test_a_line_near_a_protected_place_is_told(tmp_path: Path):
    told = features(tmp_path)
    assert list(too_near(told, [Place(latitude=24.1, longitude=-29.9, radius=100)])) == [2]
    assert list(too_near(told, [Place(latitude=25, longitude=-29.9, radius=100)])) == []


def test_a_road_that_passes_a_protected_place_between_its_corners_is_told(tmp_path: Path):
    told = features(tmp_path)  # the road runs from 24.0, -30.0 to 24.1, -29.9: its middle is nobody's corner
    assert list(too_near(told, [Place(latitude=24.05, longitude=-29.95, radius=50)])) == [1, 2]  # the area's corner too
    assert list(too_near(told, [Place(latitude=24.075, longitude=-29.925, radius=50)])) == [2]
    assert list(too_near(told, [Place(latitude=24.075, longitude=-29.945, radius=50)])) == []


def test_an_area_drawn_around_a_protected_place_is_told():
    ring = ((0.0, 10.0), (0.1, 10.0), (0.1, 10.1), (0.0, 10.1), (0.0, 10.0))
    around = [Feature("area", {"en": "A quarter"}, {}, (ring,), Status.HELD)]
    assert list(too_near(around, [Place(latitude=10.051, longitude=0.049, radius=500)])) == [1]
    assert list(too_near(around, [Place(latitude=10.02, longitude=0.02, radius=500)])) == []  # somewhere in the town


@given(st.floats(-179.9, 179.9), st.floats(-70, 70), st.floats(0, 360), st.floats(100, 20_000))
def test_near_is_measured_in_metres_anywhere(longitude: float, latitude: float, bearing: float, metres: float):
    east = math.sin(math.radians(bearing)) * metres / 111_320 / math.cos(math.radians(latitude))
    other = ((longitude + east + 180) % 360 - 180, latitude + math.cos(math.radians(bearing)) * metres / 111_320)
    away = distance((longitude, latitude), other)
    point = [Feature("place", {"en": "A place"}, {}, ((other,),))]
    assert list(too_near(point, [Place(latitude=latitude, longitude=longitude, radius=away * 1.02)])) == [1]
    assert list(too_near(point, [Place(latitude=latitude, longitude=longitude, radius=away * 0.98)])) == []


def test_what_falls_together_when_it_is_coarsened_is_still_drawn(tmp_path: Path):
    drawing = draw(features(tmp_path), "en", 100_000)
    assert [shape.kind for shape in drawing.shapes] == ["area", "route", "place"]
    assert all(0 <= shape.x <= WIDTH and 0 <= shape.y <= drawing.height for shape in drawing.shapes)
