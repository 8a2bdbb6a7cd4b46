"""Made-up clips of a real face whose place is known in every frame, and finders that see only what a test
lets them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.find.detect import Detection
from safelight.geometry import Box
from safelight.media.facts import ClipFacts
from safelight.plan import Kind, Plan

Image = NDArray[np.uint8]
WIDTH, HEIGHT, RATE = 640, 360, 25
_MARK = 8  # side of the square in the corner that bears a frame's number
_FACE = Box(172, 65, 276, 202)  # brow to chin in scikit-image's astronaut


def face(width: int) -> tuple[Image, Box]:
    """A head with its surroundings, scaled to a face that wide, and the face's box in it."""
    from skimage import data

    scale = width / _FACE.width
    part = _FACE.grown(60, 55, 60, 40)
    picture = np.asarray(data.astronaut())[int(part.y1) : int(part.y2), int(part.x1) : int(part.x2), ::-1]
    size = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
    inside = Box(*(v - o for v, o in zip(_FACE, (part.x1, part.y1) * 2, strict=True)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8), inside.scaled(scale, scale)


def scenery(seed: int, width: int = WIDTH, height: int = HEIGHT) -> Image:
    """A textured background without faces, always the same for a seed."""
    random = np.random.default_rng(seed)
    coarse = random.integers(30, 220, (height // 24 + 2, width // 24 + 2, 3)).astype(np.uint8)
    fine = random.normal(0, 10, (height, width, 3))
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth.astype(np.float64) + fine, 0, 255).astype(np.uint8)


@dataclass
class Clip:
    """Frames, and for each the boxes of the faces that must not be seen; the stand-in for a reader."""

    frames: list[Image] = field(default_factory=list)
    faces: list[list[Box]] = field(default_factory=list)

    def add(self, background: Image, places: Iterable[tuple[tuple[Image, Box], float, float]]) -> None:
        """One more frame: heads pasted so that their faces are centred at the places."""
        frame = background.copy()
        boxes = []
        for (picture, inside), x, y in places:
            left, top = round(x - inside.centre[0]), round(y - inside.centre[1])
            box = inside.grown(-left, -top, left, top).clipped(WIDTH, HEIGHT)
            paste(frame, picture, left, top)
            if box.width > 0.5 * inside.width and box.height > 0.5 * inside.height:
                boxes.append(box)
        frame[:_MARK, :_MARK] = len(self.frames), 7, 201  # the frame's number, so that a finder can know it
        self.frames.append(frame)
        self.faces.append(boxes)

    @property
    def facts(self) -> ClipFacts:
        return ClipFacts(
            container="none", codec="none", pixel_format="none", still=False, stored_width=WIDTH,
            stored_height=HEIGHT, pixel_aspect=1.0, turn=0, interlaced=False, hdr=False, time_base=(1, RATE
            * 10), frames_expected=None, rate=float(RATE), duration=None, picture_start=0.0, sound=None,
            dropped=[], )  # fmt: skip

    def pictures(self) -> Iterator[Shown]:
        for index, frame in enumerate(self.frames):
            yield Shown(index, index * 10, frame)


@dataclass
class Shown:
    """A picture as the media room gives it."""

    index: int
    pts: int
    frame: Image

    def bgr(self, width: int, height: int) -> Image:
        if self.frame.shape[1::-1] == (width, height):
            return self.frame.copy()
        return np.asarray(cv2.resize(self.frame, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

    def luma(self, width: int, height: int) -> Image:
        return np.asarray(cv2.cvtColor(self.bgr(width, height), cv2.COLOR_BGR2GRAY), np.uint8)


def paste(frame: Image, picture: Image, left: int, top: int) -> None:
    """Lay the oval in a picture on a frame, its corner there."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(left + width, WIDTH), min(top + height, HEIGHT)
    if x1 >= x2 or y1 >= y2:
        return
    mask = np.zeros((height, width, 1), np.float32)
    cv2.ellipse(mask, (width // 2, height // 2), (width // 2 - 1, height // 2 - 1), 0, 0, 360, 1.0, -1)
    part = np.s_[y1 - top : y2 - top, x1 - left : x2 - left]
    mixed = frame[y1:y2, x1:x2] * (1 - mask[part]) + picture[part] * mask[part]
    frame[y1:y2, x1:x2] = mixed.astype(np.uint8)


class Told:
    """A finder that knows the truth but tells it only for some frames, and only when it is shown the whole
    picture."""

    def __init__(
        self,
        clip: Clip,
        sees: Callable[[int], bool],
        *,
        score: float = 0.9,
        name: str = "told",
        kind: Kind = Kind.FACE,
    ) -> None:
        self.name = name
        self._sees, self._score, self._kind, self._faces = sees, score, kind, clip.faces

    def fitted(self, width: int, height: int) -> tuple[int, int]:
        return width, height

    def find(self, bgr: Image) -> list[Detection]:
        scale = bgr.shape[1] / WIDTH
        index, *sign = (int(v) for v in bgr[_MARK // 2, _MARK // 2])
        if scale < 0.5 or bgr.shape[0] / HEIGHT != scale or sign != [7, 201] or not self._sees(index):
            return []
        boxes = (box.scaled(scale, scale) for box in self._faces[index])
        return [Detection(box, self._score, self.name, self._kind) for box in boxes]


def hidden(plan: Plan, frame: int) -> NDArray[np.bool_]:
    """Which pixels the plan hides in a frame, from its ellipses alone."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    mask = np.zeros((HEIGHT, WIDTH), bool)
    for _, box in plan.covers(frame):
        cx, cy = box.centre
        mask |= ((x - cx) / (box.width / 2)) ** 2 + ((y - cy) / (box.height / 2)) ** 2 <= 1
    return mask


def bare(plan: Plan, clip: Clip, frames: Sequence[int] | None = None) -> list[tuple[int, float]]:
    """Frames in which less than 95 % of a face is hidden, with the part that is."""
    missed = []
    for frame in frames if frames is not None else range(len(clip.frames)):
        mask = hidden(plan, frame)
        for box in clip.faces[frame]:
            x1, y1, x2, y2 = (round(v) for v in box)
            part = float(mask[y1:y2, x1:x2].mean())
            if part < 0.95:
                missed.append((frame, round(part, 2)))
    return missed
