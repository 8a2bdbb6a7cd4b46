from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from safelight.names.people import Place
from safelight.story.drawing import WIDTH, draw
from safelight.story.geo import Feature, coarsened, distance, read_map, too_near
from tests.story.folders import city

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
