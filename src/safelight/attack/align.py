"""Faces brought to one place and size, and turned into numbers by two recognisers that know nothing of each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.attack.dlib_resnet import SIDE, DlibResNet
from safelight.geometry import Box
from safelight.models import engine

Bgr = NDArray[np.uint8]
Points = NDArray[np.float32]

CHIP = 176
"""Width and height of an aligned face with its surroundings, pixels."""

# Where eyes, nose tip and corners of the mouth of an upright face lie in 112 x 112 pixels (Deng et al., ArcFace, 2019).
_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float32
)
_MARGIN = 32  # pixels around that picture in a chip
FACE = Box(_MARGIN + 14, _MARGIN + 4, _MARGIN + 98, _MARGIN + 112)
"""Where the face lies in a chip: forehead to chin, ear to ear."""

# dlib's chips (padding 0.25): middle of either eye and the tip of the nose, as shares of the side.
_DLIB = np.array([[0.3182, 0.3141], [0.6685, 0.3141], [0.4934, 0.55]], np.float32) * SIDE


@dataclass(frozen=True)
class Face:
    """A face in a picture: confidence 0 to 1, and five points (5, 2): eyes, nose, mouth, in pixels."""

    score: float
    points: Points

    @property
    def box(self) -> Box:
        """Roughly forehead to chin and ear to ear, from the points."""
        move = _similarity(_TEMPLATE + _MARGIN, self.points)
        corners = np.array([[FACE.x1, FACE.y1], [FACE.x2, FACE.y1], [FACE.x1, FACE.y2], [FACE.x2, FACE.y2]])
        seen = corners @ move[:, :2].T + move[:, 2]
        return Box(*map(float, (*seen.min(axis=0), *seen.max(axis=0))))


class Points5:
    """Finds faces with their five points (YuNet; Wu, Peng, Yu, 2023)."""

    _STRIDES = (8, 16, 32)

    def __init__(self) -> None:
        """Load the network. Raises SafelightError when the weights are missing or changed."""
        self._network = engine.network("yunet-points")

    def find(self, bgr: Bgr, least: float = 0.6) -> list[Face]:
        """Faces with a score of at least ``least``, best first; of several on one face only the best."""
        height, width = bgr.shape[:2]
        picture = cv2.copyMakeBorder(bgr, 0, -height % 32, 0, -width % 32, cv2.BORDER_CONSTANT)
        outputs = self._network(np.asarray(picture, np.uint8))
        faces: list[Face] = []
        for level, stride in enumerate(self._STRIDES):
            classes, objects, places = (output[0] for output in outputs[level::3])
            scores = np.sqrt(np.clip(classes[:, 0], 0, 1) * np.clip(objects[:, 0], 0, 1))
            for cell in np.flatnonzero(scores >= least):
                row, column = divmod(int(cell), picture.shape[1] // stride)
                points = (places[cell].reshape(5, 2) + np.array([column, row])) * stride
                faces.append(Face(float(scores[cell]), np.asarray(points, np.float32)))
        kept: list[Face] = []
        for face in sorted(faces, key=lambda face: -face.score):
            if all(face.box.overlap(other.box) < 0.3 for other in kept):
                kept.append(face)
        return kept


def chip(bgr: Bgr, points: Points) -> Bgr:
    """A face with its surroundings, upright and of one size: (CHIP, CHIP, 3)."""
    move = _similarity(points, _TEMPLATE + _MARGIN)
    return np.asarray(cv2.warpAffine(bgr, move, (CHIP, CHIP), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _similarity(source: Points, target: Points) -> NDArray[np.float64]:
    """The shift, turn and scale that bring ``source`` nearest to ``target`` (least squares), as a 2 x 3 matrix."""
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    scale = max(float(np.square(a).sum()), 1e-6)
    c = float((a * b).sum()) / scale
    s = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / scale
    turn = np.array([[c, -s], [s, c]])
    return np.hstack([turn, (target.mean(axis=0) - turn @ source.mean(axis=0))[:, None]])


class Recogniser(Protocol):
    """Says how alike two faces are."""

    name: str

    def embed(self, face: Bgr) -> NDArray[np.float32]:
        """Numbers for a chip, of length 1; the product of two is their likeness, -1 to 1."""


class SFace:
    """Zhong et al.: SFace, 2021."""

    name = "SFace"

    def __init__(self) -> None:
        self._network = engine.network("sface")

    def embed(self, face: Bgr) -> NDArray[np.float32]:
        """See :class:`Recogniser`."""
        inner = face[_MARGIN : _MARGIN + 112, _MARGIN : _MARGIN + 112]
        return _unit(self._network(np.ascontiguousarray(inner))[0].reshape(-1))


class Dlib:
    """King, 2017."""

    name = "dlib"

    def __init__(self) -> None:
        self._network = DlibResNet()
        eyes_and_nose = _TEMPLATE[:3] + _MARGIN
        self._move = _similarity(eyes_and_nose, _DLIB)

    def embed(self, face: Bgr) -> NDArray[np.float32]:
        """See :class:`Recogniser`."""
        return _unit(self._network.embed(np.asarray(cv2.warpAffine(face, self._move, (SIDE, SIDE)), np.uint8)))


def _unit(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-9), np.float32)
