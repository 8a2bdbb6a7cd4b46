"""Both recognisers know a face again, in other light and mirrored, and tell it from other people's."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from safelight.attack.align import Dlib, Points5, Recogniser, SFace, chip

Bgr = NDArray[np.uint8]
RECOGNISERS = (SFace, Dlib)


def chips(picture: Bgr) -> list[Bgr]:
    return [chip(picture, face.points) for face in Points5().find(picture, 0.7)]


@pytest.fixture(scope="module")
def astronaut() -> Bgr:
    return np.ascontiguousarray(np.asarray(data.astronaut())[:480, :, ::-1])


@pytest.fixture(scope="module")
def pair(astronaut: Bgr) -> tuple[Bgr, Bgr]:
    """One face in two pictures: as it is, and mirrored in other light."""
    other = np.asarray(cv2.convertScaleAbs(astronaut[:, ::-1], alpha=0.7, beta=20), np.uint8)
    return chips(astronaut)[0], chips(np.ascontiguousarray(other))[0]


@pytest.mark.parametrize("kind", RECOGNISERS)
def test_a_face_upside_down_is_farther_than_the_same_in_other_light(
    kind: type[Recogniser], pair: tuple[Bgr, Bgr]
) -> None:
    recogniser = kind()
    first, second, turned = (recogniser.embed(face) for face in (*pair, np.ascontiguousarray(pair[0][::-1])))
    assert np.isclose(np.linalg.norm(first), 1.0, atol=1e-5)
    assert np.linalg.norm(first - second) < 0.5 * np.linalg.norm(first - turned)


@pytest.mark.parametrize("kind", RECOGNISERS)
def test_strangers_are_farther_than_the_same_person(
    kind: type[Recogniser], pair: tuple[Bgr, Bgr], shared_media: Path
) -> None:
    recogniser = kind()
    first, second = (recogniser.embed(face) for face in pair)
    strangers = []
    for path in sorted((shared_media / "stills/dlib_faces").glob("*.jpg")):
        picture = cv2.imread(str(path))
        assert picture is not None
        strangers += [recogniser.embed(face) for face in chips(np.asarray(picture, np.uint8))[:4]]
    assert len(strangers) > 20
    nearest = min(float(np.linalg.norm(first - other)) for other in strangers)
    assert np.linalg.norm(first - second) < 0.6 * nearest
