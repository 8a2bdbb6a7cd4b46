"""What is covered of people without a face, and how much else is hidden: the tables of docs/people.md.

    python -m benchmarks.people MEDIA [--only veils street labelled nobody thrown tilted] [--no-before]

MEDIA: a folder with `stills/dlib_faces` (photographs of dlib's examples with their landmarks), `video/vtest.avi`, and,
for *labelled*, films and `groundtruth/*.faces.json`. *before* is the same search with the face finders alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table
from skimage import data

from benchmarks.film import COVERED, Count, Film, Hand, Image, grid, inside, judged, moved, oval, share
from benchmarks.pans import pans
from benchmarks.veils import CLOTHS, MARKS, SIZE, drape_film, drawn_film, photographs, walkers
from safelight.find import Finders, Readable, find
from safelight.find.faces import CenterFace, YuNet
from safelight.find.people import NanoDet
from safelight.geometry import Box
from safelight.media.read import Reader
from safelight.plan import Plan

ANGLES = (-60, -45, -30, -15, 15, 30, 45, 60)  # degrees by which a camera hangs askew
DARK = 3  # photographs that are filmed in the dark as well
EMPTY = ("coffee", "brick", "rocket", "grass", "gravel", "coins", "immunohistochemistry", "hubble_deep_field", "retina",
         "text", "page", "moon", "cell", "clock", "microaneurysms", "stereo_motorcycle")  # fmt: skip


class Search:
    """`find`, with the same finders for every film; ``before``: without the finder of people."""

    def __init__(self) -> None:
        self._light, self._strong, self._people = YuNet(threshold=0.3), CenterFace(threshold=0.2), NanoDet()

    def plan(self, film: Readable, *, before: bool = False) -> Plan:
        """The plan of a film."""
        finders = Finders(self._light, self._strong, None if before else self._people)
        return find(film, sha256="0" * 64, finders=finders)


def veiled(media: Path) -> Iterator[tuple[str, Film]]:
    """Films of people without a face to find, with their group."""
    pictures = list(photographs(media))
    for seed, (name, picture, faces) in enumerate(pictures):
        yield "draped photographs", drape_film(name, picture, faces, seed)
    for seed, (name, picture, faces) in enumerate(pictures[:DARK]):
        yield "the same in the dark", drape_film(f"{name} dark", picture, faces, 100 + seed, light=0.25)
    for view in ("front", "profile", "back"):
        for number in range(len(CLOTHS)):
            yield f"drawn, {view}", drawn_film(view, number)
    for film in walkers(media):
        yield "enlarged walkers from behind", film


def veils(search: Search, media: Path, before: bool) -> Table:
    """How often an eyes' band that shows is covered, by kind of film."""
    table = Table(title="veils and backs")
    for title in ("", "eyes' bands", "before", "with people", "hidden before", "hidden with people", "films not whole"):
        table.add_column(title)
    nothing = Count()
    total = [nothing, nothing]
    for group, films in groupby(veiled(media), key=lambda item: item[0]):
        sums, short = [nothing, nothing], []
        for _, film in films:
            counts = [judged(film, search.plan(film, before=b)) if before or not b else nothing for b in (True, False)]
            sums = [a + b for a, b in zip(sums, counts, strict=True)]
            if counts[1].covered < counts[1].places:
                short.append(f"{film.name} {counts[1].covered}/{counts[1].places}")
        total = [a + b for a, b in zip(total, sums, strict=True)]
        table.add_row(group, *_row(sums), ", ".join(short))
    table.add_row("together", *_row(total), "")
    return table


def _row(sums: list[Count]) -> list[str]:
    shares = [f"{100 * float(np.mean(c.shares)):.1f} %" if c.shares else "" for c in sums]
    return [str(sums[1].places), *(str(c.covered) if c.places else "" for c in sums), *shares]


def _plan(search: Search, path: Path, before: bool) -> Plan:
    with ExitStack() as stack:
        return search.plan(stack.enter_context(Reader(stack.enter_context(path.open("rb")))), before=before)


def _hidden(plan: Plan) -> str:
    return f"{100 * float(np.mean([share(plan, frame) for frame in range(0, plan.clip.frames, 3)])):.1f} %"


def street(search: Search, media: Path, before: bool) -> Table:
    """Marked heads of a street."""
    heads = json.loads(MARKS.read_text())["heads"]
    table = Table(title="vtest.avi, marked heads")
    for title in ("", "heads", "covered", "picture hidden", "not covered: frame, x, y"):
        table.add_column(title)
    for b in (True, False) if before else (False,):
        plan = _plan(search, media / "video" / "vtest.avi", b)
        bare, count = [], 0
        for frame, marks in heads.items():
            for x, y, radius in marks:
                count += 1
                points = grid(Box(x - radius, y - radius, x + radius, y + radius))
                disc = points[((points - (x, y)) ** 2).sum(axis=1) <= radius**2]
                if inside(plan, int(frame), disc).mean() < COVERED:
                    bare.append(f"{frame} {x} {y}")
        name = "before" if b else "with people"
        table.add_row(name, str(count), str(count - len(bare)), _hidden(plan), ", ".join(bare))
    return table


def labelled(search: Search, media: Path, before: bool) -> Table:
    """Labelled faces: whether the plan covers their boxes. (Whether a copy shows them is measured elsewhere.)"""
    table = Table(title="labelled faces")
    for title in ("film", "", "faces", "covered by 95 %", "picture hidden"):
        table.add_column(title)
    for truth in sorted((media / "groundtruth").glob("*.faces.json")):
        labels = json.loads(truth.read_text())
        for b in (True, False) if before else (False,):
            plan = _plan(search, media / labels["clip"], b)
            faces = [
                inside(
                    plan, int(frame), grid(Box(*map(float, face[:4])).clipped(plan.clip.width, plan.clip.height))
                ).mean()
                for frame, found in labels["frames"].items()
                for face in found
                if not face[5]
            ]
            good = sum(part >= COVERED for part in faces)
            table.add_row(
                Path(labels["clip"]).stem, "before" if b else "with people", str(len(faces)), str(good), _hidden(plan)
            )
    return table


def turned(media: Path, angle: float) -> Iterator[Film]:
    """The labelled films as a camera would take them that hangs askew by so many degrees."""
    for truth in sorted((media / "groundtruth").glob("*.faces.json")):
        labels = json.loads(truth.read_text())
        film = Film(f"{Path(labels['clip']).stem}, {angle:+.0f} degrees")
        with (media / labels["clip"]).open("rb") as file, Reader(file) as reader:
            size = reader.facts.raster.shown_size
            move = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), angle, 1.0)
            for picture in reader.pictures():
                found = labels["frames"].get(str(picture.index), [])
                ovals = [oval(Box(*map(float, face[:4]))) for face in found if not face[5]]
                shown = cv2.warpAffine(picture.bgr(*size), move, size, borderMode=cv2.BORDER_REFLECT_101)
                film.add(np.asarray(shown, np.uint8), [moved(place, move) for place in ovals])
        yield film


def tilted(search: Search, media: Path, before: bool) -> Table:
    """Labelled faces before a camera that hangs askew."""
    table = Table(title="tilted camera")
    for title in ("film", "faces", "covered", "picture hidden"):
        table.add_column(title)
    for angle in ANGLES:
        for film in turned(media, angle):
            count = judged(film, search.plan(film))
            hidden = f"{100 * float(np.mean(count.shares)):.0f} %"
            table.add_row(film.name, str(count.places), str(count.covered), hidden)
    return table


def empty() -> Iterator[Film]:
    """Pictures without people or animals, panned over, with noise."""
    for number, name in enumerate(EMPTY):
        picture = getattr(data, name)()
        picture = picture[0] if isinstance(picture, tuple) else picture
        if picture.dtype != np.uint8:
            picture = (255 * picture / picture.max()).astype(np.uint8)
        scene: Image = np.asarray(np.atleast_3d(picture)[..., ::-1] if picture.ndim == 3 else np.dstack([picture] * 3))
        hand, film = Hand(np.random.default_rng(number), SIZE[::-1]), Film(name)
        height, width = scene.shape[:2]
        scale = 1.15 * max(SIZE[1] / width, SIZE[0] / height)
        for frame in range(40):
            move = hand.move(frame, width * (0.46 + 0.08 * frame / 39), height / 2, scale)
            film.add(hand.taken(frame, np.ascontiguousarray(scene), move), [])
        yield film


def nobody(search: Search, media: Path, before: bool) -> Table:
    """What is hidden where nobody is."""
    table = Table(title="pictures without people")
    for title in ("picture", "hidden before", "hidden with people"):
        table.add_column(title)
    shares: list[list[float]] = []
    for film in empty():
        plans = [search.plan(film, before=b) if before or not b else None for b in (True, False)]
        shares.append([float(np.mean([share(p, f) for f in range(0, 40, 3)])) if p else 0.0 for p in plans])
        table.add_row(film.name, *(f"{100 * s:.1f} %" for s in shares[-1]))
    table.add_row("together", *(f"{100 * float(s):.1f} %" for s in np.mean(shares, axis=0)))
    return table


def thrown(search: Search, media: Path, before: bool) -> Table:
    """Faces that pass before a camera that is thrown round."""
    table = Table(title="thrown camera")
    for title in ("film", "faces", "covered", "picture hidden"):
        table.add_column(title)
    for film in pans():
        count = judged(film, search.plan(film))
        table.add_row(film.name, str(count.places), str(count.covered), f"{100 * float(np.mean(count.shares)):.0f} %")
    return table


def main() -> None:
    """Print the tables."""
    parts = {"veils": veils, "street": street, "labelled": labelled, "nobody": nobody, "thrown": thrown,
             "tilted": tilted}  # fmt: skip
    ask = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    ask.add_argument("media", type=Path)
    ask.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    ask.add_argument("--no-before", action="store_true", help="leave the search with face finders alone out")
    asked = ask.parse_args()
    cv2.setNumThreads(1)
    search, console = Search(), Console(width=160)
    for name in asked.only:
        console.print(parts[name](search, asked.media, not asked.no_before))


if __name__ == "__main__":
    main()
