"""What of a picture a tile of the contact sheet shows, and a thumbnail of the desk: numbers only, no picture."""

from __future__ import annotations

from safelight.geometry import Box

TILE_WIDTH, TILE_HEIGHT = 224, 168
_SURROUNDINGS = 2.2  # a tile is that many times as wide and high as the region in it ...
_LEAST = 72.0  # ... and at least so many pixels high, lest a small face be blown up to nothing but its own veil


def surroundings(box: Box, size: tuple[int, int]) -> Box:
    """What a tile shows of a picture of that (width, height): the box and what is around it, in the tile's shape.

    Moved into the picture where it fits; where the region is larger than that, the tile has an empty rim.
    """
    seen = box.clipped(*size)
    height = max(seen.height * _SURROUNDINGS, seen.width * _SURROUNDINGS * TILE_HEIGHT / TILE_WIDTH, _LEAST)
    height = min(height, max(float(size[1]), size[0] * TILE_HEIGHT / TILE_WIDTH))
    width = height * TILE_WIDTH / TILE_HEIGHT
    centre_x, centre_y = seen.centre
    left, top = (
        (whole - part) / 2 if part > whole else min(max(centre - part / 2, 0.0), whole - part)
        for centre, part, whole in ((centre_x, width, size[0]), (centre_y, height, size[1]))
    )
    return Box(left, top, left + width, top + height)
