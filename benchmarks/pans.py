"""Films of a camera that is thrown round: people pass at up to 80 pixels a picture, blurred or (bright light) sharp."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from skimage import data

from benchmarks.film import Film, Image, oval
from safelight.geometry import Box

SIZE = 640, 360
FACE = Box(172, 65, 276, 202)  # brow to chin in scikit-image's astronaut
EVERY = 430  # pixels between two people
LONG = 4200


def scene(width: int, seed: int) -> tuple[Image, list[Box]]:
    """A wide picture with somebody every few steps, and the boxes of the faces."""
    rooms = [
        data.coffee(),
        data.stereo_motorcycle()[0],
        data.rocket(),
        data.coffee()[::-1, ::-1],
        data.rocket()[:, ::-1],
    ]
    rooms += [data.stereo_motorcycle()[0][:, ::-1]]
    wide = np.hstack([cv2.resize(r[..., ::-1], (LONG // 6, SIZE[1]), interpolation=cv2.INTER_CUBIC) for r in rooms])
    portrait = data.astronaut()[:, 40:400, ::-1]
    scale = width / FACE.width
    person = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    random = np.random.default_rng(seed)
    faces = []
    for left in range(120, LONG - 700, EVERY):
        top = int(random.integers(0, SIZE[1] - round(1.6 * FACE.y2 * scale)))
        shown = person[: SIZE[1] - top]
        mirrored = random.random() < 0.5
        wide[top : top + shown.shape[0], left : left + shown.shape[1]] = shown[:, ::-1] if mirrored else shown
        face = FACE.grown(40, 0, -40, 0).scaled(scale, scale)
        if mirrored:
            face = Box(person.shape[1] - face.x2, face.y1, person.shape[1] - face.x1, face.y2)
        faces.append(face.grown(-left, -top, left, top))
    return wide, faces


def pans() -> Iterator[Film]:
    """Films in which the camera stands, is thrown to the right, stands, and is thrown back."""
    for speed, width, shutter in (
        (40, 28, 0.1),
        (40, 50, 0.1),
        (40, 50, 0.5),
        (80, 50, 0.1),
        (80, 90, 0.1),
        (80, 90, 0.5),
    ):
        wide, faces = scene(width, speed + width)
        film = Film(f"{speed} pixels a picture, faces of {width}, blurred by {round(speed * shutter)}")
        end = (LONG - SIZE[0] - 700) // speed
        pace = [0.0] * 8 + [speed * min(1.0, (i + 1) / 3) for i in range(end)] + [0.0] * 8
        way = np.cumsum([*pace, *(-v for v in pace)])
        for before, at in zip([0.0, *way[:-1]], way, strict=True):
            open_ = [before + (at - before) * (1 - shutter * i / 15) for i in range(16)]
            shots = [wide[:, round(x) : round(x) + SIZE[0]].astype(np.float32) for x in open_]
            middle = open_[8]
            film.add(
                np.mean(shots, axis=0).astype(np.uint8), [oval(f.grown(middle, 0, -middle, 0)) for f in faces], 0.3
            )
        yield film
