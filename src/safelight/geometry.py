"""Boxes, and the one translation between the picture as stored in a file and the picture as people see it.

Everything a person or a plan speaks about is in **shown** coordinates: upright, square pixels, origin top left, in
pixels of the copy. **Stored** coordinates are those of the decoded raster before rotation and pixel shape are applied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Box(NamedTuple):
    """An axis-parallel box in pixels: left, top, right, bottom (right and bottom exclusive, may be fractional)."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.y2 - self.y1

    @property
    def area(self) -> float:
        """Area in square pixels, 0 for an empty box."""
        return max(self.width, 0.0) * max(self.height, 0.0)

    @property
    def centre(self) -> tuple[float, float]:
        """Centre (x, y)."""
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2

    def intersection(self, other: Box) -> Box:
        """The common part; may be empty (negative width or height)."""
        return Box(max(self.x1, other.x1), max(self.y1, other.y1), min(self.x2, other.x2), min(self.y2, other.y2))

    def union(self, other: Box) -> Box:
        """The smallest box around both."""
        return Box(min(self.x1, other.x1), min(self.y1, other.y1), max(self.x2, other.x2), max(self.y2, other.y2))

    def overlap(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        common = self.intersection(other).area
        return common / (self.area + other.area - common) if common > 0 else 0.0

    def grown(self, left: float, top: float, right: float, bottom: float) -> Box:
        """The box with each side moved outwards by that many pixels."""
        return Box(self.x1 - left, self.y1 - top, self.x2 + right, self.y2 + bottom)

    def scaled(self, sx: float, sy: float) -> Box:
        """The box in a picture whose axes are multiplied by ``sx`` and ``sy``."""
        return Box(self.x1 * sx, self.y1 * sy, self.x2 * sx, self.y2 * sy)

    def clipped(self, width: float, height: float) -> Box:
        """The part inside a picture of that size; may be empty."""
        return self.intersection(Box(0.0, 0.0, width, height))


@dataclass(frozen=True)
class Raster:
    """How the stored raster becomes the shown picture: squared pixels first, then a clockwise turn.

    ``stored_width``/``stored_height``: decoded pixels. ``pixel_aspect``: width of one stored pixel over its height.
    ``turn``: clockwise quarter turns (0 to 3) that bring the picture upright.
    """

    stored_width: int
    stored_height: int
    pixel_aspect: float = 1.0
    turn: int = 0

    @property
    def square_size(self) -> tuple[int, int]:
        """(width, height) after pixels were made square, before turning. Never smaller than stored."""
        if self.pixel_aspect >= 1.0:
            return max(round(self.stored_width * self.pixel_aspect), 1), self.stored_height
        return self.stored_width, max(round(self.stored_height / self.pixel_aspect), 1)

    @property
    def shown_size(self) -> tuple[int, int]:
        """(width, height) of the upright picture with square pixels."""
        width, height = self.square_size
        return (height, width) if self.turn % 2 else (width, height)

    def to_stored(self, box: Box) -> Box:
        """A shown box in stored coordinates (exact; round outwards before you paint)."""
        width, height = self.square_size
        x1, y1, x2, y2 = box
        if self.turn == 1:  # upright = stored turned clockwise once: x_up = height - y, y_up = x
            x1, y1, x2, y2 = y1, height - x2, y2, height - x1
        elif self.turn == 2:
            x1, y1, x2, y2 = width - x2, height - y2, width - x1, height - y1
        elif self.turn == 3:  # x_up = y, y_up = width - x
            x1, y1, x2, y2 = width - y2, x1, width - y1, x2
        return Box(x1, y1, x2, y2).scaled(self.stored_width / width, self.stored_height / height)

    def to_shown(self, box: Box) -> Box:
        """A stored box in shown coordinates; the inverse of :meth:`to_stored`."""
        width, height = self.square_size
        x1, y1, x2, y2 = box.scaled(width / self.stored_width, height / self.stored_height)
        if self.turn == 1:
            return Box(height - y2, x1, height - y1, x2)
        if self.turn == 2:
            return Box(width - x2, height - y2, width - x1, height - y1)
        if self.turn == 3:
            return Box(y1, width - x2, y2, width - x1)
        return Box(x1, y1, x2, y2)

    def turned(self, x: float, y: float) -> tuple[float, float]:
        """A point of a shown box, in shares of it, as the point of the same box in stored coordinates."""
        return ((x, y), (y, 1 - x), (1 - x, 1 - y), (1 - y, x))[self.turn]
