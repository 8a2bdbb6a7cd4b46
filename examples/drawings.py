"""The pictures and the film of the example story: drawn here, of no place and no person that exists."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image, ImageDraw, ImageFilter

SIZE = (1200, 800)
_SKY = {"dawn": ((243, 190, 150), (96, 112, 150)), "noon": ((222, 230, 228), (120, 164, 190)),
        "dusk": ((226, 140, 104), (52, 52, 92)), "night": ((40, 44, 70), (12, 14, 30))}  # fmt: skip
_INK = (34, 32, 36)
Draw = ImageDraw.ImageDraw


def sky(size: tuple[int, int], hour: str) -> Image.Image:
    """A picture with nothing but the light of an hour."""
    low, high = _SKY[hour]
    column = Image.new("RGB", (1, size[1]))
    for y in range(size[1]):
        part = (y / size[1]) ** 0.8
        column.putpixel((0, y), tuple(round(h + (b - h) * part) for h, b in zip(high, low, strict=True)))
    return column.resize(size)


def _hills(draw: Draw, size: tuple[int, int], height: float, colour: tuple[int, int, int], seed: int) -> None:
    chance = random.Random(seed)
    waves = [(chance.uniform(0.5, 3), chance.uniform(0, 6), chance.uniform(0.01, 0.05)) for _ in range(4)]
    points = [(x, size[1] * (height - sum(a * math.sin(x / size[0] * 6 * f + p) for f, p, a in waves)))
              for x in range(0, size[0] + 1, 8)]  # fmt: skip
    draw.polygon([(0, size[1]), *points, (size[0], size[1])], fill=colour)


def _houses(draw: Draw, size: tuple[int, int], ground: float, seed: int, lit: float) -> None:
    chance = random.Random(seed)
    x = -20.0
    while x < size[0]:
        width, height = chance.uniform(50, 120), chance.uniform(90, 260)
        shade = chance.randint(58, 96)
        top = size[1] * ground - height
        draw.rectangle((x, top, x + width, size[1]), fill=(shade + 22, shade + 10, shade))
        for row in range(int(height // 46)):
            for column in range(int(width // 34)):
                left, upper = x + 12 + column * 34, top + 16 + row * 46
                bright = chance.random() < lit
                draw.rectangle((left, upper, left + 14, upper + 22), fill=(248, 210, 120) if bright else (40, 38, 46))
        x += width + chance.choice((0, 0, 6, 24))


def _lorry(draw: Draw, x: float, y: float, scale: float, colour: tuple[int, int, int]) -> None:
    def box(x1: float, y1: float, x2: float, y2: float, fill: tuple[int, int, int]) -> None:
        draw.rectangle((x + x1 * scale, y - y2 * scale, x + x2 * scale, y - y1 * scale), fill=fill)

    box(0, 12, 96, 62, colour)
    box(100, 12, 134, 48, (70, 70, 78))
    box(112, 30, 130, 44, (180, 200, 210))
    for wheel in (18, 74, 116):
        draw.ellipse((x + (wheel - 11) * scale, y - 20 * scale, x + (wheel + 11) * scale, y + 2 * scale), fill=_INK)


def _harbour(size: tuple[int, int]) -> Image.Image:
    picture = sky(size, "dawn")
    draw = ImageDraw.Draw(picture)
    w, h = size
    draw.rectangle((0, h * 0.62, w, h), fill=(70, 96, 116))
    for row in range(26):
        y = h * (0.64 + row * 0.014)
        draw.line((w * 0.5 - 240 + row * 6, y, w * 0.5 + 200 - row * 5, y), fill=(236, 180, 140), width=2)
    draw.ellipse((w * 0.46, h * 0.48, w * 0.54, h * 0.6), fill=(252, 226, 180))
    hull = [(w * 0.16, h * 0.56), (w * 0.44, h * 0.56), (w * 0.41, h * 0.66), (w * 0.19, h * 0.66)]
    draw.polygon(hull, fill=(60, 44, 46))
    draw.rectangle((w * 0.2, h * 0.46, w * 0.26, h * 0.56), fill=(226, 222, 214))
    for n in range(5):
        draw.rectangle((w * (0.28 + n * 0.03), h * 0.51, w * (0.305 + n * 0.03), h * 0.56), fill=(150, 70 + n * 12, 54))
    draw.rectangle((0, h * 0.84, w, h), fill=(58, 54, 56))
    for n in range(9):
        draw.rectangle((w * (0.62 + n % 3 * 0.07), h * (0.8 - n // 3 * 0.06), w * (0.685 + n % 3 * 0.07),
                        h * (0.855 - n // 3 * 0.06)), fill=(214 - n * 5, 200 - n * 5, 170))  # fmt: skip
    return picture


def _road(size: tuple[int, int]) -> Image.Image:
    picture = sky(size, "noon")
    draw = ImageDraw.Draw(picture)
    w, h = size
    _hills(draw, size, 0.52, (128, 124, 104), 2)
    _hills(draw, size, 0.64, (150, 134, 100), 5)
    draw.polygon([(w * 0.47, h * 0.56), (w * 0.5, h * 0.56), (w * 0.86, h), (w * 0.2, h)], fill=(84, 82, 84))
    for n in range(7):
        y = h * (0.58 + n * n * 0.009)
        draw.line(
            (w * (0.487 + n * 0.006), y, w * (0.489 + n * 0.0064), y + 6 + n * 5), fill=(230, 224, 200), width=2 + n
        )
    for n, x in enumerate((0.55, 0.62, 0.71)):
        _lorry(draw, w * x - 60, h * (0.66 + n * 0.07), 0.8 + n * 0.35, (150 - n * 20, 90, 70))
    return picture


def _oven(size: tuple[int, int]) -> Image.Image:
    picture = sky(size, "night")
    draw = ImageDraw.Draw(picture)
    w, h = size
    _houses(draw, size, 0.62, 11, 0.05)
    draw.rectangle((0, h * 0.76, w, h), fill=(54, 48, 46))
    draw.pieslice((w * 0.3, h * 0.38, w * 0.7, h * 1.14), 180, 360, fill=(142, 88, 66))
    chance = random.Random(4)
    for n in range(90):
        x, y = w * chance.uniform(0.31, 0.68), h * chance.uniform(0.42, 0.75)
        if ((x / w - 0.5) / 0.2) ** 2 + ((y / h - 0.76) / 0.36) ** 2 < 0.92:
            draw.rectangle((x, y, x + 44, y + 18), fill=(150 + n % 40, 92 + n % 20, 70))
    draw.pieslice((w * 0.43, h * 0.58, w * 0.57, h * 0.94), 180, 360, fill=(250, 150, 60))
    draw.pieslice((w * 0.46, h * 0.64, w * 0.54, h * 0.88), 180, 360, fill=(255, 224, 130))
    smoke = Image.new("L", size)
    pen = ImageDraw.Draw(smoke)
    for n in range(16):
        x, y, r = w * 0.5 + 40 * math.sin(n), h * 0.38 - n * 20, 20 + n * 5
        pen.ellipse((x - r, y - 24, x + r, y + 26), fill=90 - n * 4)
    picture.paste((190, 180, 176), mask=smoke.filter(ImageFilter.GaussianBlur(16)))
    return picture


def _shelf(size: tuple[int, int]) -> Image.Image:
    picture = Image.new("RGB", size, (206, 214, 210))
    draw = ImageDraw.Draw(picture)
    w, h = size
    draw.rectangle((w * 0.14, h * 0.06, w * 0.86, h * 0.96), fill=(240, 242, 238), outline=(120, 130, 130), width=8)
    count = 0
    for row in range(4):
        y = h * (0.27 + row * 0.22)
        draw.rectangle((w * 0.16, y, w * 0.84, y + 12), fill=(160, 170, 168))
        for column in range(12):
            if (row, column) in {(1, 2), (1, 3), (2, 7), (3, 0), (3, 1), (3, 9)}:
                x = w * (0.18 + column * 0.054)
                draw.rounded_rectangle(
                    (x, y - 96, x + 46, y), 12, fill=(176, 206, 220), outline=(96, 130, 150), width=3
                )
                count += 1
    return picture


def _queue(size: tuple[int, int]) -> Image.Image:
    picture = sky(size, "dusk")
    draw = ImageDraw.Draw(picture)
    w, h = size
    _hills(draw, size, 0.6, (84, 66, 74), 8)
    draw.rectangle((0, h * 0.78, w, h), fill=(62, 54, 58))
    for n in range(7):
        _lorry(draw, w * (0.01 + n * 0.145), h * 0.84, 1.15, ((120 + n * 14) % 200, 84, 72))
    draw.rectangle((w * 0.9, h * 0.5, w * 0.915, h * 0.86), fill=(220, 216, 208))
    for n in range(8):
        shade = (190, 50, 44) if n % 2 else (236, 232, 224)
        draw.rectangle((w * (0.915 - (n + 1) * 0.022), h * 0.62, w * (0.915 - n * 0.022), h * 0.645), fill=shade)
    return picture


def _night(size: tuple[int, int]) -> Image.Image:
    picture = sky(size, "night")
    draw = ImageDraw.Draw(picture)
    w, h = size
    chance = random.Random(9)
    for _ in range(120):
        x, y = chance.randrange(w), chance.randrange(h // 2)
        draw.ellipse((x, y, x + 2, y + 2), fill=(220, 220, 230))
    _houses(draw, size, 0.66, 21, 0.0)
    _houses(draw, size, 0.84, 33, 0.02)
    draw.ellipse((w * 0.47, h * 0.7, w * 0.5, h * 0.745), fill=(250, 206, 110))
    glow = Image.new("L", size)
    ImageDraw.Draw(glow).ellipse((w * 0.41, h * 0.6, w * 0.56, h * 0.84), fill=70)
    picture.paste((250, 206, 110), mask=glow.filter(ImageFilter.GaussianBlur(40)))
    return picture


def _nets(size: tuple[int, int]) -> Image.Image:
    picture = sky(size, "noon")
    draw = ImageDraw.Draw(picture)
    w, h = size
    draw.rectangle((0, h * 0.5, w, h * 0.72), fill=(92, 136, 150))
    draw.rectangle((0, h * 0.72, w, h), fill=(196, 180, 146))
    for x in (0.12, 0.5, 0.88):
        draw.rectangle((w * x - 8, h * 0.3, w * x + 8, h * 0.9), fill=(96, 72, 52))
    for left, right in ((0.12, 0.5), (0.5, 0.88)):
        for n in range(15):
            part = left + (right - left) * n / 14
            draw.line((w * part, h * 0.36, w * (part + 0.02), h * 0.8), fill=(70, 90, 96), width=2)
            y = 0.36 + 0.44 * n / 14
            sag = 0.03 * math.sin(math.pi * n / 14)
            draw.line(
                [(w * left, h * y), (w * (left + right) / 2, h * (y + sag)), (w * right, h * y)],
                fill=(70, 90, 96),
                width=2,
            )
    return picture


def _yard(size: tuple[int, int]) -> Image.Image:
    picture = sky(size, "dawn")
    draw = ImageDraw.Draw(picture)
    w, h = size
    _houses(draw, size, 0.6, 41, 0.1)
    draw.rectangle((0, h * 0.7, w, h), fill=(172, 150, 120))
    for row in range(2):
        for n in range(10):
            x, y = w * (0.08 + n * 0.086 + row * 0.03), h * (0.79 + row * 0.1)
            draw.ellipse((x, y, x + 66, y + 40), fill=(204, 150, 92), outline=(150, 100, 60), width=4)
    draw.rectangle((w * 0.04, h * 0.86, w * 0.96, h * 0.875), fill=(110, 80, 56))
    return picture


PICTURES: dict[str, Callable[[tuple[int, int]], Image.Image]] = {
    "harbour": _harbour,
    "road": _road,
    "oven": _oven,
    "shelf": _shelf,
    "queue": _queue,
    "night": _night,
    "nets": _nets,
    "yard": _yard,
}


def write_pictures(folder: Path) -> None:
    """Draw every picture as PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        draw(SIZE).save(folder / f"{name}.png", optimize=True)


def _frames(size: tuple[int, int], count: int) -> Iterator[Image.Image]:
    behind = sky(size, "dawn")
    draw = ImageDraw.Draw(behind)
    _hills(draw, size, 0.55, (112, 100, 104), 14)
    draw.rectangle((0, size[1] * 0.74, size[0], size[1]), fill=(86, 80, 80))
    for n in range(12):
        draw.rectangle((n * 60, size[1] * 0.86, n * 60 + 30, size[1] * 0.87), fill=(226, 220, 196))
    for index in range(count):
        part = index / count
        picture = behind.copy()
        draw = ImageDraw.Draw(picture)
        y = size[1] * (0.56 - 0.3 * part)
        draw.ellipse((size[0] * 0.7, y, size[0] * 0.7 + 44, y + 44), fill=(252, 224, 170))
        draw.rectangle((0, size[1] * 0.6, size[0], size[1] * 0.74), fill=(128, 108, 92))
        _lorry(draw, -160 + part * (size[0] + 180), size[1] * 0.85, 1.0, (150, 84, 66))
        _lorry(draw, size[0] - part * (size[0] * 0.8), size[1] * 0.97, 1.3, (84, 108, 120))
        yield picture


def write_film(path: Path, *, seconds: float = 8.0, rate: int = 12) -> None:
    """Draw a silent film of two lorries and a sunrise as MP4."""
    with av.open(str(path), "w") as file:
        film = file.add_stream("libx264", rate=rate, options={"crf": "23", "preset": "veryfast"})
        film.width, film.height, film.pix_fmt = 640, 360, "yuv420p"
        film.time_base = Fraction(1, rate)
        for picture in _frames((640, 360), round(seconds * rate)):
            file.mux(film.encode(av.VideoFrame.from_image(picture)))
        file.mux(film.encode())
