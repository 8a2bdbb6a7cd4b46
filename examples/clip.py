"""A short clip with a real, moving human face and sound, made from pictures inside scikit-image's wheel.

The face is NASA's portrait of astronaut Eileen Collins (a work of the US government, public domain), the places behind
it are scikit-image's coffee cup (CC0 by Rachel Michetti) and rocket (CC0 by SpaceX). Two shots with a cut
between them: a face that drifts and grows, then a smaller one in a camera pan.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from safelight.geometry import Box

Image = NDArray[np.uint8]

FACE = Box(175, 66, 273, 198)  # in the portrait, forehead to chin, ear to ear
PORTRAIT = Box(60, 0, 400, 400)  # what of the portrait is shown
SOUND_RATE = 44_100


def scene(width: int, height: int, frames: int) -> Iterator[tuple[Image, Box]]:
    """Yield ``frames`` RGB pictures (height, width, 3) and the box of the face in each."""
    portrait = data.astronaut()[int(PORTRAIT.y1) : int(PORTRAIT.y2), int(PORTRAIT.x1) : int(PORTRAIT.x2)]
    face = Box(FACE.x1 - PORTRAIT.x1, FACE.y1 - PORTRAIT.y1, FACE.x2 - PORTRAIT.x1, FACE.y2 - PORTRAIT.y1)
    room = cv2.resize(data.coffee(), (width, height), interpolation=cv2.INTER_CUBIC)
    field = cv2.resize(data.rocket(), (width * 2, height), interpolation=cv2.INTER_CUBIC)
    cut = frames * 3 // 5
    for index in range(frames):
        if index < cut:
            t = index / max(cut - 1, 1)
            scale = height * (0.75 + 0.35 * t) / portrait.shape[0]
            left = width * (0.10 + 0.50 * t + 0.03 * math.sin(9 * t))
            top = height * (0.20 - 0.10 * t)
            behind = room
        else:
            t = (index - cut) / max(frames - cut - 1, 1)
            scale = height * 0.4 / portrait.shape[0]
            left = width * (0.75 - 0.6 * t)
            top = height * 0.55
            behind = field[:, int(width * t * 0.9) :][:, :width]
        picture = np.ascontiguousarray(behind).copy()
        to_picture = np.array([[scale, 0, left], [0, scale, top]], np.float32)
        cv2.warpAffine(
            portrait,
            to_picture,
            (width, height),
            dst=picture,
            flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
        shown = face.scaled(scale, scale)
        yield picture, Box(shown.x1 + left, shown.y1 + top, shown.x2 + left, shown.y2 + top)


def _murmur(seconds: float) -> NDArray[np.float32]:
    """Something that sounds a little like a voice in the next room: (1, samples), -1 to 1."""
    t = np.arange(int(seconds * SOUND_RATE)) / SOUND_RATE
    pitch = 2 * np.pi * np.cumsum(140 + 30 * np.sin(2 * np.pi * 0.7 * t)) / SOUND_RATE
    voice = sum(np.sin(k * pitch) / k for k in range(1, 9))
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * t), 0, 1)
    return (0.15 * voice * syllables).astype(np.float32)[None]


def write_clip(
    path: Path,
    width: int = 640,
    height: int = 360,
    seconds: float = 8.0,
    rate: int = 25,
    *,
    sound: bool = True,
    keys: int = 250,
) -> list[Box]:
    """Write the clip as MP4 (H.264, AAC) and return the face's box in every frame, in pixels. ``keys``: pictures from
    one key frame to the next, at most.
    """
    boxes = []
    with av.open(str(path), "w") as file:
        film = file.add_stream("libx264", rate=rate, options={"crf": "20", "preset": "veryfast", "g": str(keys)})
        film.width, film.height, film.pix_fmt = width, height, "yuv420p"
        film.time_base = Fraction(1, rate)
        voice = file.add_stream("aac", rate=SOUND_RATE, layout="mono") if sound else None
        for picture, box in scene(width, height, round(seconds * rate)):
            file.mux(film.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            boxes.append(box)
        file.mux(film.encode())
        if voice is not None:
            frame = av.AudioFrame.from_ndarray(_murmur(seconds), format="fltp", layout="mono")
            frame.sample_rate = SOUND_RATE
            file.mux(voice.encode(frame))
            file.mux(voice.encode())
    return boxes
