"""How the camera moved between two pictures, whatever the picture's shape."""

from __future__ import annotations

import numpy as np
import pytest

from safelight.find.cuts import glances
from tests.find.clips import scenery
from tests.find.test_view import Painted


@pytest.mark.parametrize("size", [(640, 360), (640, 292), (640, 324), (576, 1024), (540, 640), (300, 308)])
@pytest.mark.parametrize("moved", [(0, 0), (12, 0), (-8, 20)])
def test_the_shift_is_the_cameras(size: tuple[int, int], moved: tuple[int, int]) -> None:
    """Sides that suit no transform once gave half a small picture's pixel that nobody had moved."""
    width, height = size
    dx, dy = moved
    wide = scenery(7, width + 80, height + 80)
    views = [wide[40 - n * dy : 40 - n * dy + height, 40 - n * dx : 40 - n * dx + width] for n in range(3)]
    pictures = [Painted(np.ascontiguousarray(view), number, number) for number, view in enumerate(views)]
    seen = list(glances(pictures, width, height))
    scale = max(seen[0].luma.shape) / max(size)
    for glance in seen[1:]:
        assert np.abs(np.array(glance.shift) - np.array(moved) * scale).max() < 1.5
        assert not glance.cut
