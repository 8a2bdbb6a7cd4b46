"""A salvaged film inside a case: sealed like an original, tied to it in the log, and protected like one."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.killing import write_case
from benchmarks.salvage import without_index

from custody.conftest import Desk
from program import Ran, safelight
from safelight.custody.lend import in_memory
from safelight.custody.verify import examine
from safelight.inputs import Original
from tests.media.build import busy, clip
from tests.media.helpers import read


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A case with a good film and one of the same camera that was cut off."""
    root = tmp_path_factory.mktemp("salvage")
    case, key = write_case(root)
    card = root / "card"
    card.mkdir()
    options = {"g": "12", "sc_threshold": "0"}
    good = clip(card / "A_GOOD.mp4", frames=24, picture=busy, options=options)
    (card / "B_BROKEN.mp4").write_bytes(without_index(good.read_bytes())[0][:-3000])
    made = Desk(case, key, card)
    made.take_in()
    return made


def run(desk: Desk, *words: str | Path) -> Ran:
    return safelight("salvage", "--case", desk.case, "--identity", desk.key, *words)


def test_a_salvaged_clip_is_sealed_and_tied_to_its_original(desk: Desk, tmp_path: Path) -> None:
    ran = run(desk, "clip-0002", "--like", "clip-0001", "-o", tmp_path / "out")
    assert ran.status == 0, ran.err
    assert ran.out.split() == ["clip-0003"]
    assert not (tmp_path / "out").exists()
    with desk.open() as case:
        made = case.clip("clip-0003")
        assert (made.path, made.source) == ("B_BROKEN.salvaged.mov", "S1")
        told = [(act["act"], act["clip"], act["note"]) for act in case.catalogue.acts()][-3:]
        assert told == [
            ("opened", 2, "salvage"),
            ("opened", 1, "settings for the salvage of clip-0002"),
            ("sealed", 3, "salvaged from clip-0002 with the settings of clip-0001"),
        ]
        with Original(Path(made.path), in_memory(case, made)) as film:
            (tmp_path / "film.mov").write_bytes(film.part(0, film.size))
        for number in ("clip-0001", "clip-0002"):
            assert case.clip(number).version == 1  # untouched
    assert len(read(tmp_path / "film.mov", accept_damaged=True)[1]) > 12
    for path in desk.case.rglob("*"):
        assert not path.is_file() or b"ftyp" not in path.read_bytes()
    report = examine(desk.case, identity=desk.key, ask=lambda _: None, older=[], without_key=False)
    assert report.whole, report


def test_the_same_salvage_again_adds_no_clip(desk: Desk) -> None:
    assert run(desk, "clip-0002", "--like", "clip-0001").out.split() == ["clip-0003"]
    assert run(desk, "clip-0002", "--like", "clip-0001").out.split() == ["clip-0003"]
    with desk.open() as case:
        assert len(case.catalogue.clips()) == 3


def test_a_clip_that_needs_no_salvage_is_refused(desk: Desk) -> None:
    with desk.open() as case:
        before = case.catalogue.clips()
    ran = run(desk, "clip-0001", "--like", "clip-0001")
    assert ran.status == 1
    assert "SL-SALVAGE-KIND" in ran.err
    with desk.open() as case:
        assert case.catalogue.clips() == before
