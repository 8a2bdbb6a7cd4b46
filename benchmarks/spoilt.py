"""What a hidden camera, its wearer, bad light and cheap coding do to a film. Places of heads move along."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import av
import cv2
import numpy as np
from skimage import data

from benchmarks.film import Film, Image, Points, moved

Random = np.random.Generator
Spoil = Callable[[Film, Random], Film]

_VISIBLE = 0.3  # part of the light of a place that must come through for it to count as seen
_SOME = 0.4  # part of a face that is enough to know somebody by
_FLASHES = {5: 255, 9: 0, 17: 255, 18: 0}  # frames of every 24 that are wholly white or black


def _each(film: Film, change: Callable[[int, Image], Image]) -> Film:
    """The film with every picture changed, and nothing moved."""
    out = Film(film.name, film.rate)
    for number, (frame, places) in enumerate(zip(film.frames, film.places, strict=True)):
        out.add(np.clip(change(number, frame), 0, 255).astype(np.uint8), places)
    return out


def _chosen(film: Film, order: Iterator[int] | list[int], rate: float | None = None) -> Film:
    """The film's frames in another order."""
    out = Film(film.name, rate or film.rate)
    for number in order:
        out.add(film.frames[number], film.places[number])
    return out


def _warped(film: Film, move: Callable[[int], np.ndarray], size: tuple[int, int] | None = None) -> Film:
    """The film with every picture moved by a transformation (2, 3); of faces cut off at the edge the rest counts."""
    out = Film(film.name, film.rate)
    for number, (frame, places) in enumerate(zip(film.frames, film.places, strict=True)):
        by = move(number)
        shown = cv2.warpAffine(
            frame, by, size or frame.shape[1::-1], flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
        )
        out.add(np.asarray(shown, np.uint8), [moved(place, by) for place in places], _SOME)
    return out


def _through(film: Film, light: Callable[[int], np.ndarray], veil: Callable[[int], np.ndarray]) -> Film:
    """The film seen through something that lets a part of the light (height, width) pass and adds some of its own."""
    out = Film(film.name, film.rate)
    for number, (frame, places) in enumerate(zip(film.frames, film.places, strict=True)):
        part = light(number)
        shown = frame * part[..., None] + veil(number)
        seen = [place[at(part, place) > _VISIBLE] for place in places]
        kept = [new for new, old in zip(seen, places, strict=True) if len(new) >= 0.6 * len(old)]
        out.add(np.clip(shown, 0, 255).astype(np.uint8), kept)
    return out


def at(part: np.ndarray, points: Points) -> np.ndarray:
    column, row = points.astype(int).T
    return np.asarray(part[row.clip(0, part.shape[0] - 1), column.clip(0, part.shape[1] - 1)])


def _near(film: Film) -> list[tuple[Points, float]]:
    """In every frame the middle of the nearest person's place and its height, smoothed over neighbours."""
    found: list[tuple[Points, float] | None] = []
    for places in film.places:
        best = max(places, key=lambda p: float(np.ptp(p[:, 1]) * np.ptp(p[:, 0])), default=None)
        found.append(None if best is None else (best.mean(axis=0), float(np.ptp(best[:, 1]))))
    height, width = film.frames[0].shape[:2]
    last = next((f for f in found if f), (np.array([width / 2, height / 2]), height / 4))
    whole = [last := f or last for f in found]
    smooth = []
    for number in range(len(whole)):
        around = whole[max(number - 3, 0) : number + 4]
        smooth.append((np.median([a[0] for a in around], axis=0), float(np.median([a[1] for a in around]))))
    return smooth


# --- light ------------------------------------------------------------------------------------------------------


def dark(film: Film, random: Random) -> Film:
    """Nearly black: 6 % of the light, and the sensor's noise in it."""
    return _each(film, lambda _, f: f * 0.06 + random.normal(4, 1.2, f.shape))


def noisy(film: Film, random: Random) -> Film:
    """A dark room with the gain turned up: coarse noise."""

    def change(_: int, frame: Image) -> np.ndarray:
        fine = random.normal(0, 22, frame.shape)
        coarse = random.normal(0, 22, (frame.shape[0] // 3 + 1, frame.shape[1] // 3 + 1, 3))
        return frame * 0.45 + 20 + fine + cv2.resize(coarse, frame.shape[1::-1], interpolation=cv2.INTER_LINEAR)

    return _each(film, change)


def night(film: Film, random: Random) -> Film:
    """Night mode: grey, flat, lit from the camera, noisy."""
    height, width = film.frames[0].shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    lamp = np.exp(-(((x - width / 2) / (0.45 * width)) ** 2 + ((y - height / 2) / (0.55 * height)) ** 2))

    def change(_: int, frame: Image) -> np.ndarray:
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) * 0.4 + 70
        return np.repeat((grey * lamp + random.normal(0, 9, grey.shape))[..., None], 3, axis=2)

    return _each(film, change)


def backlit(film: Film, random: Random) -> Film:
    """People before a bright window: they are nearly silhouettes."""
    y = np.linspace(1, 0, film.frames[0].shape[0])[:, None, None]
    return _each(film, lambda _, f: 255 * (f / 255.0) ** 2.6 * 0.35 + 5 + 60 * y)


def overexposed(film: Film, random: Random) -> Film:
    """Skin burnt out to white."""
    return _each(film, lambda _, f: f * 2.1 + 40)


def red(film: Film, random: Random) -> Film:
    """A red lamp: two of three colours are missing."""
    return _each(film, lambda _, f: f.mean(axis=2, keepdims=True) * np.array([0.06, 0.08, 0.9]))


def strobe(film: Film, random: Random) -> Film:
    """Light that changes from frame to frame."""
    gains = random.choice([0.15, 0.5, 1.0, 1.8, 2.6], len(film.frames))
    return _each(film, lambda n, f: f * gains[n] + 12 * gains[n])


def banded(film: Film, random: Random) -> Film:
    """Lamps that flicker: bright and dark bands wander over the picture."""
    y = np.arange(film.frames[0].shape[0])[:, None, None]
    return _each(film, lambda n, f: f * (0.6 + 0.5 * np.sin(y / 22 + 1.1 * n)))


def flare(film: Film, random: Random) -> Film:
    """The sun in the lens: a veil over the picture, spots that wander."""
    height, width = film.frames[0].shape[:2]
    y, x = np.mgrid[0:height, 0:width]

    def glare(number: int) -> np.ndarray:
        sx, sy = width * (0.2 + 0.012 * number), height * 0.25
        away = np.hypot(x - sx, y - sy) / height
        ghost = np.hypot(x - (width - sx), y - (height - sy)) < 0.12 * height
        return (70 + 230 * np.exp(-4 * away) + 35 * ghost)[..., None] * np.array([0.85, 0.95, 1.0])

    return _each(film, lambda n, f: f * 0.45 + glare(n))


def flashes(film: Film, random: Random) -> Film:
    """Single frames wholly white or black."""
    out = Film(film.name, film.rate)
    for number, (frame, places) in enumerate(zip(film.frames, film.places, strict=True)):
        level = _FLASHES.get(number % 24)
        out.add(frame if level is None else np.full_like(frame, level), places if level is None else [])
    return out


# --- the way to the file ---------------------------------------------------------------------------------------


def _coded(film: Film, codec: str, options: dict[str, str], pixels: str) -> Film:
    """The film after a lossy codec."""
    height, width = (side // 2 * 2 for side in film.frames[0].shape[:2])
    held = io.BytesIO()
    with av.open(held, "w", format="matroska") as box:
        stream = box.add_stream(codec, rate=round(film.rate), options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        for frame in film.frames:
            box.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame[:height, :width]), "bgr24")))
        box.mux(stream.encode())
    held.seek(0)
    out = Film(film.name, film.rate)
    with av.open(held) as box:
        for frame, places in zip(box.decode(video=0), film.places, strict=True):
            out.add(frame.to_ndarray(format="bgr24"), places)
    return out


def squeezed(film: Film, random: Random) -> Film:
    """H.264 at CRF 44."""
    return _coded(film, "libx264", {"crf": "44", "preset": "veryfast"}, "yuv420p")


def motion_jpeg(film: Film, random: Random) -> Film:
    """Motion JPEG at its coarsest."""
    return _coded(film, "mjpeg", {"qmin": "31", "qmax": "31", "q": "31", "huffman": "default"}, "yuvj420p")


def small(film: Film, random: Random) -> Film:
    """A camera of 240 lines, blown up."""

    def change(_: int, frame: Image) -> np.ndarray:
        scale = 240 / frame.shape[0]
        low = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return cv2.resize(low, frame.shape[1::-1], interpolation=cv2.INTER_LINEAR)

    return _each(film, change)


def combed(film: Film, random: Random) -> Film:
    """Interlaced: every other line is from the next moment."""
    out = Film(film.name, film.rate)
    for number, frame in enumerate(film.frames):
        mixed = frame.copy()
        mixed[1::2] = film.frames[min(number + 1, len(film.frames) - 1)][1::2]
        out.add(mixed, film.places[number])
    return out


def dropped(film: Film, random: Random) -> Film:
    """Frames missing and doubled by a card that is too slow."""
    order, number = [], 0
    while number < len(film.frames):
        order += [number] * int(random.choice([1, 1, 1, 2, 4]))
        number += int(random.choice([1, 1, 1, 3, 6]))
    return _chosen(film, order)


def slow(film: Film, random: Random) -> Film:
    """Five pictures a second."""
    return _chosen(film, list(range(0, len(film.frames), 5)), 5.0)


def quarter(turns: int) -> Spoil:
    """A film that lies on its side or stands on its head."""

    def spoil(film: Film, random: Random) -> Film:
        out = Film(film.name, film.rate)
        for frame, places in zip(film.frames, film.places, strict=True):
            height, width = frame.shape[:2]
            turn = {
                1: np.array([[0.0, 1, 0], [-1, 0, width]]),
                2: np.array([[-1.0, 0, width], [0, -1, height]]),
                3: np.array([[0.0, -1, height], [1, 0, 0]]),
            }[turns]
            out.add(np.ascontiguousarray(np.rot90(frame, turns)), [moved(place, turn) for place in places])
        return out

    return spoil


# --- the camera and where it is worn ---------------------------------------------------------------------------


def shaken(film: Film, random: Random) -> Film:
    """A running wearer: jolts, and each picture blurred along its own."""
    height, width = film.frames[0].shape[:2]
    jolts = random.normal(0, 0.03 * height, (len(film.frames), 2))
    turns = random.normal(0, 4, len(film.frames))

    def move(number: int) -> np.ndarray:
        by = cv2.getRotationMatrix2D((width / 2, height / 2), float(turns[number]), 1.12)
        by[:, 2] += jolts[number]
        return np.asarray(by)

    def blur(number: int, frame: Image) -> np.ndarray:
        way = jolts[number] - jolts[max(number - 1, 0)]
        length = int(np.clip(np.hypot(*way) * 0.4, 1, 41))
        kernel = np.zeros((length, length), np.float32)
        half = way / max(np.hypot(*way), 1e-6) * length / 2
        ends = [tuple(int(v) for v in (length / 2 + s * half).round()) for s in (-1, 1)]
        cv2.line(kernel, ends[0], ends[1], 1.0, 1)
        return np.asarray(cv2.filter2D(frame, -1, kernel / max(kernel.sum(), 1e-6)))

    return _each(_warped(film, move), blur)


def unsharp(film: Film, random: Random) -> Film:
    """Out of focus by a tenth of the nearest face."""
    sigmas = [max(0.1 * high, 1.0) for _, high in _near(film)]
    return _each(film, lambda n, f: np.asarray(cv2.GaussianBlur(f, (0, 0), min(sigmas[n], 12))))


def fisheye(film: Film, random: Random) -> Film:
    """A wide lens: the middle near, the rim squeezed."""
    height, width = film.frames[0].shape[:2]
    middle, reach, bend = np.array([width / 2, height / 2]), np.hypot(width, height) / 2, 0.9
    y, x = np.mgrid[0:height, 0:width]
    grow = 1 + bend * ((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / reach**2
    xs, ys = ((m + (v - m) * grow * 0.75).astype(np.float32) for m, v in zip(middle, (x, y), strict=True))
    out = Film(film.name, film.rate)
    for frame, places in zip(film.frames, film.places, strict=True):
        shown = cv2.remap(frame, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        bent = []
        for place in places:
            at = place - middle
            for _ in range(30):
                grown = 0.75 * (1 + bend * (at**2).sum(axis=1, keepdims=True) / reach**2)
                at = 0.5 * at + 0.5 * (place - middle) / grown
            bent.append(at + middle)
        out.add(np.asarray(shown, np.uint8), bent)
    return out


def buttonhole(film: Film, random: Random) -> Film:
    """A lens behind a buttonhole: a round view in black, cloth that slides before it."""
    height, width = film.frames[0].shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    away = np.hypot((x - 0.5 * width) / (0.48 * width), (y - 0.48 * height) / (0.5 * height))
    hole = np.clip((1.08 - away) / 0.16, 0, 1)

    def light(number: int) -> np.ndarray:
        edge = height * (0.78 + 0.1 * np.sin(number / 7)) + 0.15 * (x - width / 2)
        return np.asarray(hole * np.clip((edge - y) / (0.06 * height), 0, 1))

    return _through(film, light, lambda n: (1 - light(n))[..., None] * np.array([14.0, 12, 16]))


def fence(film: Film, random: Random) -> Film:
    """Behind upright bars that cover a third."""
    height, width = film.frames[0].shape[:2]
    x = np.arange(width)[None].repeat(height, 0)
    period = width / 22
    return _behind(film, lambda n: (x + 0.7 * n) % period <= period / 3, 45)


def mesh(film: Film, random: Random) -> Film:
    """Behind wire mesh."""
    height, width = film.frames[0].shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    period = max(height, width) / 26

    def wire(number: int) -> np.ndarray:
        both = [np.sqrt(0.5) * (x + way * y) - 0.5 * number for way in (-1, 1)]
        return np.asarray((both[0] % period < 0.16 * period) | (both[1] % period < 0.16 * period))

    return _behind(film, wire, 60)


def _behind(film: Film, there: Callable[[int], np.ndarray], grey: int) -> Film:
    """The film with something of that grey before the lens. ``there``: where it is (height, width) in a frame."""
    return _each(film, lambda n, f: np.where(there(n)[..., None], grey, f))


def window(film: Film, random: Random) -> Film:
    """Behind a car's window that mirrors a wall."""
    height, width = film.frames[0].shape[:2]
    other = cv2.resize(data.brick(), (2 * width, height)).astype(float)[..., None]
    return _each(film, lambda n, f: f * 0.55 + 0.45 * np.roll(other, -4 * n, axis=1)[:, :width])


def forehead(film: Film, random: Random) -> Film:
    """Worn at the chest: the picture's upper edge cuts the nearest face off at the eyes."""
    near = _near(film)
    return _warped(film, lambda n: np.array([[1.0, 0, 0], [0, 1, 0.05 * near[n][1] - near[n][0][1]]]))


def edge(film: Film, random: Random) -> Film:
    """Turning to and fro: the nearest face comes in at the side of the picture and leaves it again."""
    near, width = _near(film), film.frames[0].shape[1]

    def move(number: int) -> np.ndarray:
        at = (0.06 + 0.3 * (1 - np.cos(number / 5)) / 2) * width
        return np.array([[1.0, 0, at - near[number][0][0]], [0, 1, 0]])

    return _warped(film, move)


def close(film: Film, random: Random) -> Film:
    """The nearest face fills the picture from edge to edge."""
    near, (height, width) = _near(film), film.frames[0].shape[:2]
    scale = float(np.median([0.85 * height / max(high, 8.0) for _, high in near]))
    scale = min(scale, 6.0)

    def move(number: int) -> np.ndarray:
        x, y = near[number][0]
        return np.array([[scale, 0, width / 2 - scale * x], [0, scale, height / 2 - scale * y]])

    return _warped(film, move)


def far(film: Film, random: Random) -> Film:
    """All a third as large, in the middle of something else."""
    height, width = film.frames[0].shape[:2]
    wall = np.dstack([cv2.resize(data.gravel(), (width, height))] * 3) // 2 + 50
    left, top, third = width // 3, height // 3, (width // 3, height // 3)
    by = np.array([[third[0] / width, 0, left], [0, third[1] / height, top]])
    out = Film(film.name, film.rate)
    for frame, places in zip(film.frames, film.places, strict=True):
        shown = wall.copy()
        shown[top : top + third[1], left : left + third[0]] = cv2.resize(frame, third, interpolation=cv2.INTER_AREA)
        out.add(shown.astype(np.uint8), [moved(place, by) for place in places])
    return out


# --- how films are cut -----------------------------------------------------------------------------------------


def faded(film: Film, random: Random) -> Film:
    """A cross-fade of twelve frames into the mirrored second half: both show for a while."""
    half, long, width = len(film.frames) // 2, 12, film.frames[0].shape[1]
    mirror = np.array([[-1.0, 0, width], [0, 1, 0]])
    out = Film(film.name, film.rate)
    for number in range(len(film.frames) - long):
        later = min(number + long, len(film.frames) - 1)
        part = float(np.clip((number - half + long) / long, 0, 1))
        shown = film.frames[number] * (1 - part) + film.frames[later][:, ::-1] * part
        places = film.places[number] if 1 - part > _VISIBLE else []
        seen = [*places, *([moved(p, mirror) for p in film.places[later]] if part > _VISIBLE else [])]
        out.add(shown.astype(np.uint8), seen)
    return out


def flickering(film: Film, random: Random) -> Film:
    """Single frames of the film between stretches of an empty wall: 1, 2, 3 and 5 at a time."""
    height, width = film.frames[0].shape[:2]
    wall = np.dstack([cv2.resize(data.grass(), (width, height))] * 3)
    out = Film(film.name, film.rate)
    number = 0
    for long in (1, 2, 3, 5) * (len(film.frames) // 24 + 1):
        for _ in range(9):
            out.add(wall, [])
        for _ in range(min(long, len(film.frames) - number)):
            out.add(film.frames[number], film.places[number])
            number += 1
        number = min(number + 6, len(film.frames))
    return out


def standing(film: Film, random: Random) -> Film:
    """A picture that stands for a second in the middle of the film."""
    third = len(film.frames) // 3
    return _chosen(film, [*range(third), *[third] * 25, *range(third, len(film.frames))])
