from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from safelight.find.detect import detections, nms
from safelight.geometry import Box
from safelight.plan import Kind

corner = st.integers(0, 60)
side = st.integers(1, 40)
boxes = st.lists(st.tuples(corner, corner, side, side, st.integers(0, 5)), max_size=25)


def by_hand(scored: list[tuple[Box, float]], overlap: float) -> list[int]:
    """The definition, one pair at a time."""
    kept: list[int] = []
    for i in sorted(range(len(scored)), key=lambda i: (-scored[i][1], i)):
        if all(scored[i][0].overlap(scored[k][0]) <= overlap for k in kept):
            kept.append(i)
    return kept


@given(boxes, st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_nms_is_what_its_definition_says(raw: list[tuple[int, int, int, int, int]], overlap: float) -> None:
    scored = [(Box(x, y, x + w, y + h), score / 5) for x, y, w, h, score in raw]
    array = np.array([box for box, _ in scored], dtype=np.float64).reshape(-1, 4)
    scores = np.array([score for _, score in scored], dtype=np.float64)
    assert nms(array, scores, overlap).tolist() == by_hand(scored, overlap)


def test_detections_are_plain_numbers() -> None:
    (one,) = detections(np.array([[1, 2, 3, 4]], np.float32), np.array([1.0000001], np.float32), "f", Kind.FACE)
    assert one.box == Box(1, 2, 3, 4)
    assert type(one.box.x1) is float
    assert one.score == 1.0
