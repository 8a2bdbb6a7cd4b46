"""The inner part of a hidden area: what the encoder's and the scaling's mixing with the surroundings does not reach."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.geometry import Box
from safelight.hide.polygon import contains, placed
from safelight.plan import Form, Shape


def inner_part(form: Form, box: Box, inner: Box, window: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """Pixels of a window (left, top, right, bottom) inside ``inner`` whose middle lies in the inner part of a form.

    ``inner``: the form's box, made smaller. A polygon's inner part keeps as far from its rim, but never farther than
    half way to its thickest place: the thinnest one is looked at too.
    """
    left, top, right, bottom = window
    columns, rows = np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5
    if form is Shape.ELLIPSE:
        x, y = inner.centre
        away = ((columns[None] - x) / (inner.width / 2)) ** 2 + ((rows[:, None] - y) / (inner.height / 2)) ** 2
        return np.asarray(away < 1.0, np.bool_)
    if isinstance(form, Shape):
        return np.ones((bottom - top, right - left), np.bool_)
    inside = contains(placed(form, box), columns, rows)
    # Beyond the window there is more of the polygon, or of its box's rim, which the window leaves out already.
    padded = np.pad(inside.astype(np.uint8), 1, mode="edge")
    deep = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    rim = min(inner.x1 - box.x1, inner.y1 - box.y1)
    return np.asarray(inside & (deep > min(rim, float(deep.max()) / 2)), np.bool_)
