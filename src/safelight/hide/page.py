"""Drawing the contact sheet: a dark page of rows, each with words on the left and pictures beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from safelight.geometry import Box

_PAGE, _PANEL, _TEXT, _QUIET, _LINE, _SHADE = "#14161a", "#1d2026", "#eceef2", "#9aa1ad", "#f2b134", "#000000"
_MARGIN, _GAP, _WORDS, _LABEL = 32, 12, 196, 22
_LINE_HEIGHT = 20
_FINE = 3  # the outline is drawn so many times larger and scaled down, to be smooth


@dataclass
class Tile:
    """One picture. ``pixels``: RGB. ``box``: the region in pixels of the tile; ``ellipse``: its shape.

    ``outlined``: with the region's outline; drawn at once, while other threads work, not when all wait for the sheet.
    """

    pixels: NDArray[np.uint8]
    box: Box
    ellipse: bool
    label: str
    outlined: Image.Image = field(init=False)

    def __post_init__(self) -> None:
        """Draw the outline."""
        self.outlined = _outlined(self)


@dataclass
class Row:
    """One region: its name, a few lines about it, and its pictures (at most 4), all of one size."""

    name: str
    lines: list[str]
    tiles: list[Tile]


def draw(title: str, notes: list[str], rows: list[Row]) -> Image.Image:
    """The page as an RGB image; two columns when there are more than five rows."""
    width, height = next(((t.pixels.shape[1], t.pixels.shape[0]) for r in rows for t in r.tiles), (224, 168))
    most = max((len(row.tiles) for row in rows), default=1)
    panel_width = _WORDS + 2 * _GAP + most * (width + _GAP)
    panel_height = _LABEL + height + 2 * _GAP
    columns = 2 if len(rows) > 5 else 1
    lines = -(-len(rows) // columns)
    head = _MARGIN + 44 + _LINE_HEIGHT * len(notes) + 2 * _GAP
    page_width = max(2 * _MARGIN + columns * panel_width + (columns - 1) * _GAP, 900)
    page = Image.new("RGB", (page_width, head + lines * (panel_height + _GAP) + _MARGIN), _PAGE)
    pen = ImageDraw.Draw(page)
    pen.text((_MARGIN, _MARGIN - 6), title, _TEXT, _font(30))
    for number, note in enumerate(notes):
        pen.text((_MARGIN, _MARGIN + 40 + number * _LINE_HEIGHT), note, _QUIET, _font(15))
    for number, row in enumerate(rows):
        # Downwards first: the column on the left holds what deserves a look most.
        x = _MARGIN + number // lines * (panel_width + _GAP)
        y = head + number % lines * (panel_height + _GAP)
        pen.rounded_rectangle((x, y, x + panel_width - 1, y + panel_height - 1), 6, _PANEL)
        _draw_row(page, pen, row, x + _GAP, y + _GAP)
    return page


def _draw_row(page: Image.Image, pen: ImageDraw.ImageDraw, row: Row, x: int, y: int) -> None:
    pen.text((x, y - 2), _fitting(pen, row.name, 17), _TEXT, _font(17))
    for number, line in enumerate(row.lines):
        pen.text((x, y + 26 + number * _LINE_HEIGHT), _fitting(pen, line, 14), _QUIET, _font(14))
    for number, tile in enumerate(row.tiles):
        left = x + _WORDS + number * (tile.pixels.shape[1] + _GAP)
        pen.text((left, y - 2), tile.label, _QUIET, _font(14))
        page.paste(tile.outlined, (left, y + _LABEL))


def _outlined(tile: Tile) -> Image.Image:
    """The picture with the region's outline on it, thin and readable on light and on dark."""
    image = Image.fromarray(tile.pixels)
    large = Image.new("L", (image.width * _FINE, image.height * _FINE), 0)
    shade = large.copy()
    corners = [round(value * _FINE) for value in tile.box]
    for layer, grow, thickness in ((shade, 2, 7), (large, 0, 3)):
        outline = [corners[0] - grow, corners[1] - grow, corners[2] + grow, corners[3] + grow]
        pen = ImageDraw.Draw(layer)
        (pen.ellipse if tile.ellipse else pen.rectangle)(outline, outline=255, width=thickness)
    for layer, colour, strength in ((shade, _SHADE, 0.45), (large, _LINE, 1.0)):
        mask = layer.resize(image.size, Image.Resampling.BOX).point([round(v * strength) for v in range(256)])
        image.paste(colour, (0, 0, *image.size), mask)
    return image


def _fitting(pen: ImageDraw.ImageDraw, text: str, size: int) -> str:
    """The text, shortened to the width of the words' column."""
    if pen.textlength(text, _font(size)) <= _WORDS - _GAP:
        return text
    while text and pen.textlength(text + "…", _font(size)) > _WORDS - _GAP:
        text = text[:-1]
    return text + "…"


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
