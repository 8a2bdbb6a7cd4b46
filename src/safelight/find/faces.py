"""Face finders: YuNet, light enough for every frame, and CenterFace, the second opinion.

Both are fully convolutional and see faces from about 10 pixels; both miss faces that are turned away, and nearly all
faces of which only the eyes show.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.find.detect import Detection, detections, nms
from safelight.models import engine
from safelight.plan import Kind

_COARSEST = 32  # pixels per cell of the coarsest feature map of both networks


class YuNet:
    """The YuNet face finder (Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector", 2023).

    Three grids of cells, 8, 16 and 32 pixels wide. Each cell gives a class score and an objectness score, whose
    geometric mean is the confidence, and one box: centre as an offset from the cell's corner in cells, size as the
    logarithm of its length in cells.
    """

    name = "yunet"
    _STRIDES = (8, 16, 32)

    def __init__(self, *, threshold: float = 0.6, overlap: float = 0.3, threads: int = 1) -> None:
        """Load the network.

        Args:
            threshold: least confidence, 0 to 1.
            overlap: boxes that overlap more than that are one face.
            threads: threads that work on one picture.

        Raises:
            SafelightError: the weights are missing or changed.
        """
        self.threshold = threshold
        self.overlap = overlap
        self._network = engine.network("yunet", threads=threads)

    def find(self, bgr: NDArray[np.uint8]) -> list[Detection]:
        """All faces, best first: forehead to chin, ear to ear. See :class:`safelight.find.detect.Finder`."""
        picture = _padded(bgr)
        outputs = self._network(picture)
        boxes, scores = [], []
        for level, stride in enumerate(self._STRIDES):
            classes, objectness, shape = (output[0] for output in outputs[level::3])
            # of all cells only one comparison: a product of two numbers up to 1 is no larger than either
            cells = np.flatnonzero(classes[:, 0] > self.threshold**2)
            score = np.sqrt(np.clip(classes[cells, 0], 0, 1) * np.clip(objectness[cells, 0], 0, 1))
            sure = score > self.threshold
            cells, score = cells[sure], score[sure]
            row, column = np.divmod(cells, picture.shape[1] // stride)
            centre = (np.stack([column, row], axis=1) + shape[cells, :2]) * stride
            half = np.exp(shape[cells, 2:]) * stride / 2
            boxes.append(np.hstack([centre - half, centre + half]))
            scores.append(score)
        return _faces(np.vstack(boxes), np.hstack(scores), self.overlap, bgr, self.name)


class CenterFace:
    """The CenterFace face finder (Xu et al.: "CenterFace: Joint Face Detection and Alignment Using Face as Point").

    One grid of cells 4 pixels wide: a heat map of face centres (the confidence), the logarithm of height and width in
    cells, and the centre's offset (y, x) from the middle of its cell, in cells.
    """

    name = "centerface"
    _STRIDE = 4

    def __init__(self, *, threshold: float = 0.35, overlap: float = 0.3, threads: int = 1) -> None:
        """Load the network; arguments and errors as for :class:`YuNet`."""
        self.threshold = threshold
        self.overlap = overlap
        self._network = engine.network("centerface", threads=threads)

    def find(self, bgr: NDArray[np.uint8]) -> list[Detection]:
        """All faces, best first: brow to chin. See :class:`safelight.find.detect.Finder`."""
        heat, size, offset = (output[0] for output in self._network(_padded(bgr)))
        row, column = np.nonzero(heat[0] > self.threshold)
        centre = (np.stack([column, row], axis=1) + 0.5 + offset[::-1, row, column].T) * self._STRIDE
        half = np.exp(size[::-1, row, column].T) * self._STRIDE / 2
        return _faces(np.hstack([centre - half, centre + half]), heat[0, row, column], self.overlap, bgr, self.name)


def _padded(bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture with black added right and below, so that the coarsest cells fit a whole number of times."""
    height, width = bgr.shape[:2]
    below, right = -height % _COARSEST, -width % _COARSEST
    if not below and not right:
        return bgr
    return np.asarray(cv2.copyMakeBorder(bgr, 0, below, 0, right, cv2.BORDER_CONSTANT), dtype=np.uint8)


def _faces(
    boxes: NDArray[np.floating], scores: NDArray[np.floating], overlap: float, bgr: NDArray[np.uint8], finder: str
) -> list[Detection]:
    """One detection for each face from all cells that claim one; nothing that lies wholly in the padding."""
    kept = nms(boxes, scores, overlap)
    height, width = bgr.shape[:2]
    inside = (boxes[kept, :2] < (width, height)).all(axis=1) & (boxes[kept, 2:] > 0).all(axis=1)
    kept = kept[inside]
    return detections(boxes[kept], scores[kept], finder, Kind.FACE)
