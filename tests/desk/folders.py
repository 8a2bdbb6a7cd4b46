"""Folders of results made in the test: a clip whose frames carry their number, and a plan for it. No finder needed."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.testclient import TestClient

from media.build import clip as write_clip
from safelight.desk.app import Desk, application
from safelight.desk.folder import Folder
from safelight.geometry import Box
from safelight.media.read import Reader
from safelight.plan import Clip, How, Keyframe, Kind, Origin, Plan, Region, Stretch

PORT = 8123
BITS = 12
CELL = 12  # pixels; a frame's number stands in its upper left corner, one bit a cell


def numbered(index: int, width: int, height: int) -> NDArray[np.uint8]:
    """A grey picture with its number in cells of black and white, and a red patch with a white middle to hide."""
    picture = np.full((height, width, 3), 110, np.uint8)
    picture[height // 2 :, width // 2 :] = (200, 40, 40)
    picture[height * 7 // 10 : height * 8 // 10, width * 65 // 100 : width * 75 // 100] = 255
    for bit in range(BITS):
        picture[:CELL, bit * CELL : (bit + 1) * CELL] = 235 if index >> bit & 1 else 20
    return picture


def number(pixels: NDArray[np.uint8]) -> int:
    """The number that a picture (h, w, 3) carries, at any scale."""
    cell = CELL * pixels.shape[1] / 160
    middle = [int((bit + 0.5) * cell) for bit in range(BITS)]
    return sum(1 << bit for bit, x in enumerate(middle) if pixels[int(cell / 2), x].mean() > 128)


def make_clip(path: Path, frames: int = 60, **changes: Any) -> Path:
    """A small film of numbered pictures."""
    options = {"qp": "8", "preset": "veryfast", **changes.pop("options", {})}
    return write_clip(path, frames=frames, picture=numbered, options=options, **changes)


def variable(frames: int) -> dict[str, Any]:
    """Times that jump: 20 to 120 thousandths apart."""
    steps = np.random.default_rng(7).integers(20, 120, frames)
    return {"base": Fraction(1, 1000), "pts": [int(t) for t in np.cumsum(steps)], "rate": Fraction(14)}


def make_plan(path: Path, *, cuts: list[int] | None = None, regions: bool = True) -> Plan:
    """A plan for a clip: one track over the bright patch, found, with a filled gap and a held end."""
    with path.open("rb") as file, Reader(file) as reader:
        times = [picture.pts for picture in reader.pictures()]
        facts = reader.facts
    width, height = facts.raster.shown_size
    last = len(times) - 1
    told = []
    if regions:
        a, b = Box(width * 0.6, height * 0.55, width * 0.8, height * 0.9), Box(width * 0.7, height * 0.5, width, height)
        end = max(last * 2 // 3, 1)
        told = [
            Region(
                id="head-1",
                kind=Kind.HEAD,
                score=0.9,
                keyframes=[Keyframe.of(0, times[0], a), Keyframe.of(end, times[end], b)],
                stretches=[
                    Stretch(first=0, last=end // 3, how=How.FOUND, finder="made up", score=0.9),
                    Stretch(first=end // 3 + 1, last=end * 2 // 3, how=How.FILLED),
                    Stretch(first=end * 2 // 3 + 1, last=end, how=How.FOUND, finder="made up", score=0.8),
                ],
            )
        ]
    return Plan(
        clip=Clip.of(
            hashlib.sha256(path.read_bytes()).hexdigest(), (width, height), facts.time_base, times, still=facts.still
        ),
        origin=Origin(safelight="0"),
        cuts=cuts or [],
        regions=told,
    )


def put(folder: Path, name: str = "clip", suffix: str = ".mp4", **changes: Any) -> Path:
    """A clip and its plan in a folder; returns the plan's path."""
    cuts = changes.pop("cuts", None)
    clip = make_clip(folder / f"{name}{suffix}", **changes)
    plan = folder / f"{name}.safelight-plan.json"
    plan.write_text(make_plan(clip, cuts=cuts).to_json(), encoding="utf-8")
    return plan


class Browser(TestClient):
    """A client that came in by a start token and sends what the desk's page sends."""

    def __init__(self, desk: Desk, name: str = "Mira", *, enter: bool = True) -> None:
        super().__init__(application(desk, PORT), base_url=f"http://127.0.0.1:{PORT}", follow_redirects=False)
        self.token = desk.sessions.token()
        if enter:
            assert self.get("/start", params={"token": self.token}).status_code == 303
            self.headers["x-safelight"] = self.get("/api/session").json()["csrf"]
            self.post("/api/session", json={"name": name}).raise_for_status()

    def first(self) -> str:
        """The address of the first clip in the list."""
        return "/api/clips/" + str(self.get("/api/clips").json()["clips"][0]["id"])

    def edit(self, clip: str, version: int, **op: Any) -> Any:
        """Ask for an edit."""
        return self.post(clip + "/edits", json={"version": version, "edit": op})


def desk_of(folder: Path) -> Desk:
    """A desk over a folder; close it."""
    return Desk(Folder(folder))
