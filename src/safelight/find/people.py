"""The person finder: whole people, seen from any side, veiled or not; the head is worked out from them.

Faces say exactly where a head is, but a woman in a niqab and a back have none. A person finder sees both. It is looser
about where things are, and needs to be: what it was trained on (COCO) marks what is visible of a person.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.find.detect import Detection, detections, nms
from safelight.models import engine
from safelight.plan import Kind

_COARSEST = 32  # pixels per cell of the coarsest feature map
_SIDES, _BINS = 4, 11
_PERSON = 0  # place of the person among the 80 classes of COCO


class NanoDet:
    """The NanoDet-g object finder (RangiLyu, 2021), of which only the person is asked for.

    Three grids of cells, 8, 16 and 32 pixels wide. Each cell gives a score for each class and, for each of the four
    sides, a distribution over 0 to 10 cells that says how far the box reaches from the cell's middle; its mean is taken
    (Li et al.: "Generalized Focal Loss", 2020).
    """

    name = "nanodet"
    _STRIDES = (8, 16, 32)

    def __init__(self, *, threshold: float = 0.12, overlap: float = 0.6, side: int = 416, threads: int = 1) -> None:
        """Load the network.

        Args:
            threshold: least confidence, 0 to 1.
            overlap: boxes that overlap more than that are one person.
            side: longest side pictures are brought to, pixels; the network was trained at 416.
            threads: threads that work on one picture.

        Raises:
            SafelightError: the weights are missing or changed.
        """
        self.threshold = threshold
        self.overlap = overlap
        self._side = side
        self._network = engine.network("nanodet", threads=threads)

    def find(self, bgr: NDArray[np.uint8]) -> list[Detection]:
        """All people, best first, as far as they are visible. See :class:`safelight.find.detect.Finder`."""
        height, width = bgr.shape[:2]
        columns, rows = self.fitted(width, height)
        picture = bgr
        if (rows, columns) != (height, width):
            how = cv2.INTER_AREA if rows < height else cv2.INTER_LINEAR
            picture = np.asarray(cv2.resize(bgr, (columns, rows), interpolation=how), dtype=np.uint8)
        outputs = [output[0] for output in self._network(picture)]
        boxes, scores = [], []
        for stride, classes, reach in zip(self._STRIDES, outputs[:3], outputs[3:], strict=True):
            cells = np.flatnonzero(classes[:, _PERSON] >= self.threshold)
            row, column = np.divmod(cells, picture.shape[1] // stride)
            centre = np.stack([column, row], axis=1) + 0.5
            left_top, right_bottom = np.split(_expected(reach[cells].reshape(-1, _SIDES, _BINS)), 2, axis=1)
            boxes.append(np.hstack([centre - left_top, centre + right_bottom]) * stride)
            scores.append(classes[cells, _PERSON])
        found, score = np.vstack(boxes), np.hstack(scores)
        found *= np.tile([width / picture.shape[1], height / picture.shape[0]], 2)
        found = np.clip(found, 0, np.tile([width, height], 2))
        kept = nms(found, score, self.overlap)
        kept = kept[(found[kept, 2:] - found[kept, :2] > 1).all(axis=1)]
        return detections(found[kept], score[kept], self.name, Kind.BODY)

    def fitted(self, width: int, height: int) -> tuple[int, int]:
        """The size (width, height) at which the network sees a picture of that size; give it so and nothing is scaled.

        Sides are rounded up to whole cells, so shapes change a little: black bars would cost recall at the edges.
        """
        scale = self._side / max(height, width)
        columns, rows = (max(-int(-side * scale // _COARSEST), 1) * _COARSEST for side in (width, height))
        return columns, rows


def _expected(bins: NDArray[np.float32]) -> NDArray[np.floating]:
    """Means of distributions over 0 to 10 that are given, along the last axis, by the logarithms of their parts."""
    parts = np.exp(bins - bins.max(axis=-1, keepdims=True))
    mean: NDArray[np.floating] = (parts @ np.arange(_BINS, dtype=np.float32)) / parts.sum(axis=-1)
    return mean
