"""A card, a case with one member who has a key file, and that case with the card taken in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from benchmarks.killing import Quiet, write_case

from safelight.custody.case import opened
from safelight.custody.intake import Arrived, intake

FILES = {"DCIM/100/MOV_0001.mp4": 70_000, "DCIM/100/MOV_0002.mp4": 200_001, "TIMESET.TXT": 20}


class Desk:
    """A case and who works on it."""

    def __init__(self, case: Path, key: Path, card: Path) -> None:
        self.case, self.key, self.card = case, key, card

    def open(self, **more):
        return opened(self.case, identity=self.key, ask=lambda _: None, **more)

    def take_in(self, *paths: Path, source: str = "S1", known: dict[str, list[str]] | None = None) -> list[Arrived]:
        with self.open() as case:
            return list(intake(case, list(paths) or [self.card], source, known=known or {}, watch=lambda _: Quiet()))

    def copy(self, folder: Path) -> Desk:
        """The same case somewhere else, to be spoilt."""
        shutil.copytree(self.case, folder / "case")
        return Desk(folder / "case", self.key, self.card)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    return write_card(tmp_path / "card")


@pytest.fixture
def desk(tmp_path: Path, card: Path) -> Desk:
    """An empty case."""
    return Desk(*write_case(tmp_path), card)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A case with three originals and a plan; tests must not change it."""
    root = tmp_path_factory.mktemp("filled")
    desk = Desk(*write_case(root), write_card(root / "card"))
    desk.take_in()
    with desk.open() as case:
        case.seal_documents(case.clip("1"), {"plan": b"SECRET-PLAN"}, "plan changed")
    return desk


def write_card(card: Path) -> Path:
    for number, (name, size) in enumerate(FILES.items()):
        (card / name).parent.mkdir(parents=True, exist_ok=True)
        (card / name).write_bytes(bytes([number]) + b"SECRET-BYTES" * (size // 12))
    return card
