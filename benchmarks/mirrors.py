"""Films of a person before a mirror, a window at night and a shiny table, all made from one portrait.

    python -m benchmarks.mirrors [CLIP...]

Prints for each whether the plan proposes the mirror, how much of the image in it the proposal covers, and how much of
it is hidden already; then the proposals on CLIPs, which should have none. The images are exact, only dimmed, blurred
and smaller: a real mirror shows another side of the head, so this is the best that can be expected.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table
from skimage import data

from benchmarks.film import Film, Image, Points, grid, inside
from safelight.find import Finders, Readable, find
from safelight.find.faces import CenterFace, YuNet
from safelight.find.people import NanoDet
from safelight.geometry import Box
from safelight.media.read import Reader
from safelight.plan import Decision, Plan

SIZE = 640, 360
FRAMES = 75
FACE = Box(132, 65, 236, 202)  # brow to chin in the portrait
KINDS = ("mirror beside", "window at night", "shiny table", "no mirror")


def film(kind: str, dim: float, width: int) -> Film:
    """``dim``: brightness of the image in the mirror, in that of the person; ``width``: of the face, pixels."""
    made = Film(f"{kind}, {dim:.2f} as bright, face of {width}")
    random = np.random.default_rng(width)
    portrait = np.ascontiguousarray(data.astronaut()[:330, 40:330, ::-1])
    mask = np.zeros(portrait.shape[:2], np.float32)
    cv2.ellipse(mask, (185, 130), (80, 110), 0, 0, 360, 1.0, -1)
    cv2.fillPoly(mask, [np.array([(110, 240), (250, 240), (289, 330), (20, 330)])], 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), 3)
    room = cv2.resize(data.stereo_motorcycle()[0][..., ::-1], SIZE, interpolation=cv2.INTER_AREA)
    room = np.asarray(cv2.GaussianBlur(room, (0, 0), 3), np.uint8)
    scale = width / FACE.width
    for frame in range(FRAMES):
        picture = room.copy()
        x = 210 + 60 * np.sin(frame / 14) - 184 * scale
        y = (70 if kind == "shiny table" else 110) + 6 * np.sin(frame / 5) - 65 * scale
        move = np.array([[scale, 0, x], [0, scale, y]])
        if kind == "shiny table":
            edge = y + 330 * scale
            image = np.array([[scale, 0, x], [0, -scale, 2 * edge - y]])
        else:
            edge = 330.0
            image = np.array([[-0.85 * scale, 0, 2 * edge - x], [0, 0.85 * scale, y + 20 * scale]])
        places: list[Points] = []
        if kind != "no mirror":
            before = picture.copy()
            _put(picture, portrait, mask, image)
            blurred = cv2.GaussianBlur(picture, (0, 0), 1.2).astype(np.float32)
            glass = 0.5 if kind == "window at night" else 0.0  # what is behind it shines through
            mixed = np.clip(dim * blurred + glass * before * (1 - dim), 0, 255).astype(np.uint8)
            there = np.s_[:, round(edge) :] if kind != "shiny table" else np.s_[max(round(edge), 0) :, :]
            picture[there] = mixed[there]
            a, b = image[0, 0], image[1, 1]
            corners = [(a * u + image[0, 2], b * v + image[1, 2]) for u, v in ((FACE.x1, FACE.y1), (FACE.x2, FACE.y2))]
            (u1, v1), (u2, v2) = corners
            places = [grid(Box(min(u1, u2), min(v1, v2), max(u1, u2), max(v1, v2)))]
        _put(picture, portrait, mask, move)
        noisy = picture + random.normal(0, 3, picture.shape)
        made.add(np.clip(noisy, 0, 255).astype(np.uint8), places)
    return made


def _put(picture: Image, portrait: Image, mask: np.ndarray, move: np.ndarray) -> None:
    layer = cv2.warpAffine(portrait, move, SIZE, flags=cv2.INTER_AREA)
    part = cv2.warpAffine(mask, move, SIZE, flags=cv2.INTER_AREA)[..., None]
    picture[:] = (picture * (1 - part) + layer * part).astype(np.uint8)


def films() -> Iterator[Film]:
    """All films."""
    for kind in KINDS:
        for dim in (0.9, 0.5, 0.25) if kind != "no mirror" else (1.0,):
            for width in (36, 70):
                yield film(kind, dim, width)


def finders() -> Finders:
    """The finders as `find` has them, without words."""
    return Finders(YuNet(threshold=0.3), CenterFace(threshold=0.2), NanoDet())


def plan_of(film: Readable, by: Finders) -> Plan:
    """The plan of a film."""
    return find(film, sha256="0" * 64, finders=by)


def main() -> None:
    """Print the table."""
    by = finders()
    table = Table(title="mirrors")
    for title in ("film", "mirrors proposed", "image covered by the proposal", "image hidden anyway"):
        table.add_column(title)
    for made in films():
        table.add_row(*row(made, plan_of(made, by)))
    for name in sys.argv[1:]:
        with Path(name).open("rb") as file, Reader(file) as reader:
            plan = plan_of(reader, by)
        table.add_row(Path(name).stem, str(len(proposals(plan))), "", "")
    Console(width=120).print(table)


def proposals(plan: Plan) -> list[str]:
    """The mirrors a plan proposes."""
    return [r.id for r in plan.regions if r.decision is Decision.PROPOSE and r.id.startswith("mirror-")]


def row(made: Film, plan: Plan) -> list[str]:
    """What a plan says about a film."""
    boxes = [r for r in plan.regions if r.id in proposals(plan)]
    covered, hidden, count = 0.0, 0.0, 0
    for frame, places in enumerate(made.places):
        for points in places:
            count += 1
            hidden += inside(plan, frame, points).mean()
            at = [box for r in boxes if (box := r.box_at(frame)) is not None]
            covered += any(((points >= (b.x1, b.y1)) & (points <= (b.x2, b.y2))).all() for b in at)
    parts = (f"{100 * v / count:.0f} %" if count else "" for v in (covered, hidden))
    return [made.name, str(len(boxes)), *parts]


if __name__ == "__main__":
    main()
