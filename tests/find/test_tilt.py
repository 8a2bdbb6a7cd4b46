"""Faces that lean, since the camera hangs askew: found, followed and hidden whole."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from safelight.find import Finders, find
from safelight.find.detect import Detection
from safelight.find.faces import CenterFace, YuNet
from safelight.find.view import View
from safelight.geometry import Box
from tests.find.clips import HEIGHT, WIDTH, Clip, Image, bare, face, scenery
from tests.find.test_view import Bright, Painted, painted

FRAMES = 40


def leaning(degrees: float, width: int) -> Clip:
    """Somebody moves to the right; everything leans by so many degrees."""
    clip, person = Clip(), face(width)
    for frame in range(FRAMES):
        clip.add(scenery(3), [(person, 250 + 2.5 * frame, 170.0)])
    move = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), degrees, 1.0)
    for number, picture in enumerate(clip.frames):
        turned = cv2.warpAffine(picture, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT_101)
        clip.frames[number] = np.asarray(turned, np.uint8)
        (box,) = clip.faces[number]
        x, y = (move @ (*box.centre, 1.0)).tolist()
        half = min(box.width, box.height) / 2  # what is face for certain, however it leans
        clip.faces[number] = [Box(x - half, y - half, x + half, y + half)]
    return clip


class Upright:
    """A finder that knows faces only where the picture, as it is given, shows them upright."""

    def __init__(self, finder: YuNet | CenterFace) -> None:
        self.name = finder.name
        self._finder = finder

    def find(self, bgr: Image) -> list[Detection]:
        """What it sees of this picture and not of the same turned to either side."""
        middle = bgr.shape[1] / 2, bgr.shape[0] / 2
        size = bgr.shape[1::-1]
        askew = [cv2.warpAffine(bgr, cv2.getRotationMatrix2D(middle, d, 1.0), size) for d in (-35, 35)]
        best = [max((d.score for d in self._finder.find(np.asarray(a, np.uint8))), default=0.0) for a in askew]
        return [d for d in self._finder.find(bgr) if d.score > max(best)]


@pytest.mark.parametrize("degrees", [-50, -40, 40, 50])
def test_a_face_that_leans_is_hidden_in_every_frame(finders: Finders, degrees: float) -> None:
    assert isinstance(finders.light, YuNet)
    assert isinstance(finders.strong, CenterFace)
    clip = leaning(degrees, 60)
    only = Finders(Upright(finders.light), Upright(finders.strong))
    assert bare(find(clip, sha256="0" * 64, finders=only), clip) == []


@pytest.mark.parametrize("tilt", [-40.0, 40.0])
@pytest.mark.parametrize("size", [(640, 360), (1920, 1080), (576, 1024)])
def test_what_is_seen_in_the_turned_picture_comes_back_to_its_place(size: tuple[int, int], tilt: float) -> None:
    """As a square around it: how the thing lies in it is not known."""
    width, height = size
    side = min(size) // 12
    for x, y in ((width // 8, height // 8), (width // 2, height // 2), (width * 7 // 8, height // 6)):
        thing = Box(float(x - side), float(y - side), float(x + side), float(y + side))
        view = View(Painted(painted(width, height, (x - side, y - side, x + side, y + side))), width, height)
        for seen in (*view.leaning(Bright(), size, tilt), *view.part(thing, 50 / side, 160, tilt).seen(Bright())):
            assert seen.tilt == tilt
            assert np.hypot(seen.box.centre[0] - x, seen.box.centre[1] - y) < 0.1 * side
            assert seen.box.width == pytest.approx(seen.box.height)
            assert seen.box.intersection(thing).area > 0.95 * thing.area
        assert view.part(thing, 50 / side, 160, tilt).seen(Bright())


@pytest.mark.parametrize("size", [(43, 5540), (5540, 43), (16, 15000), (300, 800), (64, 48), (1, 1)])
def test_a_long_thin_picture_is_turned_in_pieces(size: tuple[int, int]) -> None:
    """All of it is looked at, a few times over at most, and things are where they were."""
    width, height = size
    for share in (0.01, 0.3, 0.52, 0.98):
        x, y, side = width * share, height * share, min(min(size) // 3, 20)
        if not side:
            continue
        x, y = min(max(x, side), width - side), min(max(y, side), height - side)
        thing = round(x - side), round(y - side), round(x + side), round(y + side)
        finder = Bright()
        seen = View(Painted(painted(width, height, thing)), width, height).leaning(finder, size, 40.0)
        assert sum(across * down for across, down in finder.sizes) < 15e6  # it was 950 for the first of them
        assert seen
        for detection in seen:
            assert np.hypot(detection.box.centre[0] - x, detection.box.centre[1] - y) < 0.2 * side + 2


def test_a_leaning_face_that_one_finder_alone_sees_once_is_no_head(finders: Finders) -> None:
    """The turned picture shows more things that are none: a second finder has to agree, or it must come again."""

    class Once:
        """Sees a face in the first leaning picture it is given: the others are upright, enlarged, or on their side."""

        name = "once"

        def __init__(self) -> None:
            self.left = 1

        def find(self, bgr: np.ndarray) -> list:  # type: ignore[type-arg]
            height, width = bgr.shape[:2]
            straight = width * HEIGHT == height * WIDTH or height * HEIGHT == width * WIDTH
            if not self.left or straight or height == width:
                return []
            self.left -= 1
            return Bright().find(painted(bgr.shape[1], bgr.shape[0], (300, 200, 340, 240)))

    clip = Clip()
    for _ in range(FRAMES):
        clip.add(scenery(3), [])
    once = Once()
    plan = find(clip, sha256="0" * 64, finders=Finders(once, finders.strong))
    assert once.left == 0
    assert plan.regions == []
