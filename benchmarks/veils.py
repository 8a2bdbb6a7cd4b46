"""People without a face to find, made by computer: labelled photographs draped with cloth, drawn figures in veils, and
people of a street, enlarged. Nothing of it is real cloth; see docs/people.md for what that means.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
from skimage import data

from benchmarks.film import Film, Hand, Image, Points, grid, moved
from safelight.geometry import Box

SIZE = 576, 1024  # an upright telephone
FRAMES = 48
MARKS = Path(__file__).with_name("street.json")
CLOTHS = ((18, 16, 16), (46, 34, 30), (60, 62, 66), (38, 52, 84), (28, 40, 30))  # blue, green, red


class Face(NamedTuple):
    """Centres of the two eyes in a labelled photograph."""

    left: Points
    right: Points

    @property
    def apart(self) -> float:
        """Distance of the eyes in pixels."""
        return float(np.hypot(*(self.right - self.left)))


def photographs(media: Path) -> Iterator[tuple[str, Image, list[Face]]]:
    """The photographs of `stills/dlib_faces` whose faces are labelled: name, picture, faces."""
    folder = media / "stills" / "dlib_faces"
    for part in ("training", "testing"):
        for entry in ET.parse(folder / f"{part}_with_face_landmarks.xml").getroot().iter("image"):
            faces = []
            for box in entry.iter("box"):
                marks = {int(p.get("name", "")): (float(p.get("x", "")), float(p.get("y", ""))) for p in box}
                faces.append(
                    Face(*(np.mean([marks[i] for i in eye], axis=0) for eye in (range(36, 42), range(42, 48))))
                )
            picture = cv2.imread(str(folder / entry.get("file", "")))
            if picture is None:
                raise FileNotFoundError(folder / entry.get("file", ""))
            yield Path(entry.get("file", "")).stem, np.asarray(picture, np.uint8), faces


def draped(picture: Image, faces: list[Face], random: np.random.Generator) -> tuple[Image, list[Points]]:
    """The photograph with cloth over every labelled face but its eyes, and the eyes' bands that still show."""
    out = picture.copy()
    owner = np.full(picture.shape[:2], -1)
    bands = []
    for number, face in sorted(enumerate(faces), key=lambda item: item[1].apart):  # the far ones first
        across = (face.right - face.left) / face.apart
        down = np.array([-across[1], across[0]])
        middle, unit = (face.left + face.right) / 2, face.apart

        def at(x: float, y: float, m: Points = middle, u: float = unit, a: Points = across, d: Points = down) -> Points:
            return m + u * (x * a + y * d)

        cloth = np.zeros(picture.shape[:2], np.uint8)
        turn = float(np.degrees(np.arctan2(across[1], across[0])))
        axes = round(1.35 * unit), round(1.75 * unit)
        cv2.ellipse(cloth, tuple(int(v) for v in at(0, 0.25)), axes, turn, 0, 360, 255, -1)
        outline = [
            at(*p)
            for p in ((-1.2, 0.5), (1.2, 0.5), (2.4, 2.6), (2.9, 5), (3.2, 12), (-3.2, 12), (-2.9, 5), (-2.4, 2.6))
        ]
        cv2.fillPoly(cloth, [np.array(outline).round().astype(np.int32)], 255)
        slit = np.zeros_like(cloth)
        cv2.ellipse(
            slit,
            tuple(int(v) for v in at(0, 0)),
            (round(0.98 * unit), max(round(0.3 * unit), 2)),
            turn,
            0,
            360,
            255,
            -1,
        )
        out[slit > 0] = picture[slit > 0]  # eyes, and not the cloth of somebody behind
        _lay(
            out,
            cv2.GaussianBlur(cloth & ~slit, (0, 0), max(0.04 * unit, 0.6)),
            CLOTHS[random.integers(len(CLOTHS))],
            unit,
            random,
        )
        owner[(cloth > 0)] = number
        x, y = np.meshgrid(np.linspace(-0.8, 0.8, 12), np.linspace(-0.2, 0.2, 6))
        bands.append((number, np.array([at(u, v) for u, v in zip(x.ravel(), y.ravel(), strict=True)])))
    height, width = owner.shape
    kept = []
    for number, band in bands:
        column, row = band.round().astype(int).T.clip(0, [[width - 1], [height - 1]])
        if (owner[row, column] == number).mean() > 0.9:
            kept.append(band)
    return out, kept


def _lay(picture: Image, alpha: Image, colour: tuple[int, int, int], unit: float, random: np.random.Generator) -> None:
    """Lay cloth with folds on a picture where ``alpha`` is not 0."""
    y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)
    phase, slant = random.uniform(0, 6, 3), random.uniform(-0.3, 0.3)
    folds = sum(np.sin((x + slant * y) / (unit * width) + p) for width, p in zip((0.21, 0.37, 0.9), phase, strict=True))
    shade = 1.0 + 0.12 * np.asarray(folds) + random.normal(0, 0.05, alpha.shape)
    part = (alpha / 255.0)[..., None]
    cloth = np.array(colour)[None, None] * shade[..., None] + 6
    picture[:] = np.clip(picture * (1 - part) + cloth * part, 0, 255).astype(np.uint8)


def drape_film(name: str, picture: Image, faces: list[Face], seed: int, light: float = 1.0) -> Film:
    """A photograph draped and filmed by hand: the camera passes from one person to another."""
    random = np.random.default_rng(seed)
    scene, bands = draped(picture, faces, random)
    hand, film = Hand(random, SIZE), Film(name)
    height, width = scene.shape[:2]
    scale = 1.12 * SIZE[1] / height
    order = sorted(float(band[:, 0].mean()) for band in bands) or [width / 2]
    room = SIZE[0] / scale / 2
    start, end = (min(max(x, room), max(width - room, room)) for x in (order[0], order[len(order) // 2]))
    for frame in range(FRAMES):
        t = frame / (FRAMES - 1)
        move = hand.move(frame, start + (end - start) * t, height / 2, scale)
        film.add(hand.taken(frame, scene, move, light), [moved(band, move) for band in bands])
    return film


# --- drawn figures ---------------------------------------------------------------------------------------------


def figure(view: str, colour: tuple[int, int, int], random: np.random.Generator) -> tuple[Image, Image, Points]:
    """A veiled figure (900, 420, 3), where it is (900, 420), and its eyes' band, for a back where it would be.

    ``view``: front, profile or back.
    """
    high, wide, middle = 900, 420, 210
    alpha = np.zeros((high, wide), np.uint8)
    head = (62, 78) if view != "profile" else (66, 76)
    cv2.ellipse(alpha, (middle, 100), head, 0, 0, 360, 255, -1)
    spread = 1.0 if view != "profile" else 0.72
    half = [(58, 110), (84, 170), (128 * spread, 220), (150 * spread, 330), (158 * spread, 560), (176 * spread, 900)]
    right = [(middle + x, y) for x, y in half]
    left = [(middle - x, y) for x, y in reversed(half)]
    cv2.fillPoly(alpha, [np.array(right + left).round().astype(np.int32)], 255)
    picture = np.full((high, wide, 3), 90, np.uint8)
    _lay(picture, alpha, colour, 60, random)
    if view == "front":  # arms
        for side in (-1, 1):
            cv2.line(
                picture, (middle + side * 92, 300), (middle + side * 70, 560), tuple(int(0.6 * c) for c in colour), 5
            )
    band = Box(middle - 40, 82, middle + 40, 104)
    skin = tuple(int(v) for v in random.uniform((90, 120, 160), (140, 175, 215)))
    if view == "front":
        cv2.ellipse(picture, (middle, 93), (46, 15), 0, 0, 360, skin, -1, cv2.LINE_AA)
        for side in (-1, 1):
            _eye(picture, (middle + side * 20, 94), 10)
            cv2.line(picture, (middle + side * 10, 83), (middle + side * 31, 82), (30, 30, 40), 3, cv2.LINE_AA)
    elif view == "profile":
        band = Box(middle + 22, 82, middle + 62, 104)
        cv2.ellipse(picture, (middle + 46, 93), (22, 14), 0, 0, 360, skin, -1, cv2.LINE_AA)
        cv2.fillPoly(
            picture, [np.array([(middle + 60, 86), (middle + 76, 106), (middle + 60, 106)])], skin, cv2.LINE_AA
        )
        cv2.fillPoly(alpha, [np.array([(middle + 56, 84), (middle + 76, 106), (middle + 56, 116)])], 255)
        _eye(picture, (middle + 52, 93), 7)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 1.2)
    return picture, np.asarray(alpha, np.uint8), grid(band)


def _eye(picture: Image, centre: tuple[int, int], size: int) -> None:
    cv2.ellipse(picture, centre, (size, size // 2), 0, 0, 360, (225, 228, 230), -1, cv2.LINE_AA)
    cv2.circle(picture, centre, max(size // 2, 2), (30, 40, 60), -1, cv2.LINE_AA)


def places() -> list[Image]:
    """Backgrounds without people, 1400 pixels high."""
    found = []
    for picture in (data.coffee(), data.brick(), data.rocket(), data.grass(), data.gravel()):
        colours = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
        scale = 1400 / colours.shape[0]
        found.append(
            np.asarray(
                cv2.resize(colours[..., ::-1], None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8
            )
        )
    return found


def drawn_film(view: str, number: int) -> Film:
    """A drawn figure that walks through a place."""
    random = np.random.default_rng(100 * number + {"front": 1, "profile": 2, "back": 3}[view])
    scene = places()[number % 5]
    picture, alpha, band = figure(view, CLOTHS[number % len(CLOTHS)], random)
    scale = (0.95, 0.7, 1.25, 0.5, 1.6)[number % 5]
    hand, film = Hand(random, SIZE), Film(f"drawn {view} {number}")
    height, width = scene.shape[:2]
    for frame in range(FRAMES):
        t = frame / (FRAMES - 1)
        x = width / 2 + (t - 0.5) * (160 if view == "profile" else 60)
        y = height / 2 + 12 * abs(np.sin(frame / 3.2))
        grown = scale * (1 + 0.12 * t)
        put = np.array([[grown, 0, x - grown * 210], [0, grown, y - grown * 330]])
        here = scene.copy()
        layer, cover = (cv2.warpAffine(p, put, (width, height), flags=cv2.INTER_AREA) for p in (picture, alpha))
        part = cover[..., None].astype(np.float32) / 255
        here = (here * (1 - part) + layer * part).astype(np.uint8)
        move = hand.move(frame, width / 2, height / 2, 1.0)
        film.add(hand.taken(frame, here, move), [moved(moved(band, put), move)])
    return film


# --- a street ---------------------------------------------------------------------------------------------------


def walkers(media: Path) -> Iterator[Film]:
    """People of a street seen from behind, four times enlarged; each source picture stands for two frames."""
    marks = json.loads(MARKS.read_text())["walkers"]
    scenes = street(
        media, {f for walker in marks.values() for f in range(walker["first"], walker["first"] + FRAMES // 2)}
    )
    for name, walker in marks.items():
        random = np.random.default_rng(walker["first"])
        hand, film = Hand(random, SIZE), Film(f"walker {name}")
        at, x, y = np.array(walker["heads"], float).T
        for frame in range(FRAMES):
            when = walker["first"] + frame // 2
            head = float(np.interp(when, at, x)), float(np.interp(when, at, y))
            smooth = [float(np.mean(np.interp(when + np.arange(-4, 5), at, v))) for v in (x, y)]
            move = hand.move(frame, smooth[0], smooth[1] + 70, 4.0)
            radius = walker["radius"]
            band = grid(
                Box(head[0] - 0.7 * radius, head[1] - 0.4 * radius, head[0] + 0.7 * radius, head[1] + 0.2 * radius)
            )
            film.add(hand.taken(frame, scenes[when], move), [moved(band, move)])
        yield film


def street(media: Path, wanted: set[int]) -> dict[int, Image]:
    """Frames of `video/vtest.avi`."""
    found = {}
    with av.open(str(media / "video" / "vtest.avi")) as clip:
        for number, frame in enumerate(clip.decode(video=0)):
            if number in wanted:
                found[number] = frame.to_ndarray(format="bgr24")
            if number > max(wanted):
                break
    return found
