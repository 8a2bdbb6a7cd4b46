"""Pictures with writing on them, made for tests: scenes that move, signs in them, and burnt-in text."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]

WIDTH, HEIGHT = 640, 360


def scenery(seed: int, width: int = 1400, height: int = 700) -> Picture:
    """A busy picture without writing: clouds, and soft-edged things of all colours."""
    rng = np.random.default_rng(seed)
    small = rng.integers(60, 200, (height // 40, width // 40, 3), dtype=np.uint8)
    picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(60):
        centre = int(rng.integers(width)), int(rng.integers(height))
        axes = int(rng.integers(8, 70)), int(rng.integers(8, 70))
        colour = tuple(int(v) for v in rng.integers(0, 255, 3))
        cv2.ellipse(picture, centre, axes, float(rng.integers(180)), 0, 360, colour, -1, cv2.LINE_AA)
    grain = rng.normal(0, 3, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def window(scene: Picture, x: float, y: float) -> Picture:
    """What a camera sees of a scene."""
    move = np.array([[1, 0, -x], [0, 1, -y]], np.float32)
    return np.asarray(cv2.warpAffine(scene, move, (WIDTH, HEIGHT)), np.uint8)


def ink(text: str, height: int, font: str | None = None) -> NDArray[np.float32]:
    """Letters as coverage, 0 to 1. ``font`` None: Pillow's own, which has Latin letters only."""
    face = ImageFont.load_default(height * 1.35) if font is None else ImageFont.truetype(font, round(height * 1.35))
    arabic = {"direction": "rtl", "language": "ar"} if any(ord(c) > 0x600 for c in text) else {}
    left, top, right, bottom = (round(v) for v in face.getbbox(text, **arabic))
    page = Image.new("L", (right - left + 4, bottom - top + 4), 0)
    ImageDraw.Draw(page).text((2 - left, 2 - top), text, font=face, fill=255, **arabic)
    return np.asarray(page, np.float32) / 255


def write(
    picture: Picture,
    letters: NDArray[np.float32],
    x: int,
    y: int,
    colour: tuple[int, int, int],
    board: tuple[int, int, int] | None = None,
    slant: float = 0.0,
) -> Mask:
    """Put letters at a place, on a board if it has a colour, in perspective; gives the pixels with ink."""
    height, width = letters.shape
    pad = height // 2 if board else 0
    corners = np.array(
        [[-pad, -pad], [width + pad, -pad], [width + pad, height + pad], [-pad, height + pad]], np.float32
    )
    there = corners + (x, y) + np.array([[0, 0], [0, slant], [0, -slant], [0, 0]]) * height
    move = cv2.getPerspectiveTransform(corners, there.astype(np.float32))
    size = picture.shape[1], picture.shape[0]
    if board:
        cv2.fillConvexPoly(picture, there.round().astype(np.int32), board, cv2.LINE_AA)
    layer = cv2.warpPerspective(letters, move, size)[..., None]
    picture[:] = (picture * (1 - layer) + np.array(colour) * layer).round().astype(np.uint8)
    return np.asarray(layer[..., 0] > 0.3)


def compressed(picture: Picture, quality: int = 80) -> Picture:
    """The picture after JPEG."""
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
