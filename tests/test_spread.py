"""A long film in pieces: one worker or many make the same, and nobody sees where it was cut."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from examples.clip import write_clip
from numpy.typing import NDArray

from safelight import spread as module
from safelight.errors import Cancelled, Code, SafelightError
from safelight.find.stitch import _alike
from safelight.geometry import Box
from safelight.inputs import Original
from safelight.kept import Kept
from safelight.media.join import join
from safelight.media.pieces import Part, Piece
from safelight.media.read import Reader
from safelight.media.survey import survey
from safelight.plan import Asked, Effort, Plan
from safelight.scale.comrades import Comrades
from safelight.spread import Spread
from safelight.workers.crew import Crew, Hands
from safelight.workers.messages import FindJob, HideJob
from tests.media.build import clip as build

Timed = tuple[int | None, NDArray[np.float32]]
KEY = "5" * 64
SHORT = {"SECONDS_A_PIECE": 0.8, "SECONDS_AROUND": 0.4, "LEAST_BYTES": 1}


class Quiet:
    """An observer that keeps to itself."""

    def stage(self, name: str) -> None: ...

    def progress(self, done: int, total: int | None) -> None: ...


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Box]]:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return path, write_clip(path, 256, 144, 3.0, keys=10)


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SHORT.items():
        monkeypatch.setattr(module, name, value)


def found(film: Path, folder: Path, crew: Crew) -> Path:
    """A folder with the plan that is found in pieces."""
    folder.mkdir()
    with Original(film) as original:
        spread = Spread(original, crew, Quiet(), threading.Event())
        spread.find(FindJob(sha256=original.sha256(), asked=Asked(effort=Effort.QUICK)), folder)
        assert len(spread._told or ()) > 2
    return folder


def hidden(film: Path, folder: Path, crew: Crew, planned: Path, *, key: str = KEY, whole: bool = False) -> Path:
    """A folder with the copy that a plan asks for, made in pieces or not, and its contact sheet."""
    folder.mkdir(exist_ok=True)
    plan = Plan.load(planned / "plan.json")
    (folder / "plan.json").write_text(plan.to_json())
    with Original(film) as original:
        spread = Spread(original, crew, Quiet(), threading.Event())
        spread._told = [] if whole else None
        done = spread.hide(HideJob(sensor_key=key), plan, folder)
        assert done.frames_written == plan.clip.frames
        assert bool(spread._told) is not whole, "a piece was refused"
    return folder


@pytest.fixture(scope="module")
def rooms(film: tuple[Path, list[Box]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SHORT.items():
            patch.setattr(module, name, value)
        one, two = found(film[0], folder / "one", Hands(1)), found(film[0], folder / "two", Hands(2))
        yield {
            "one": hidden(film[0], one, Hands(1), one),
            "two": hidden(film[0], two, Hands(2), two),
            "whole": hidden(film[0], folder / "whole", Hands(1), one, whole=True),
            "others": hidden(film[0], folder / "others", Hands(1), one, key="6" * 64, whole=True),
        }


def surveyed(path: Path) -> list[Piece]:
    """Where a film is cut."""
    with path.open("rb") as file, Reader(file) as reader:
        return survey(file, reader.facts, 0.8, 0.4)


def pictures(path: Path) -> Iterator[Timed]:
    """Times of all pictures, and their luma as means over 8 x 8 pixels."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            rows, columns = frame.height // 8, frame.width // 8
            luma = frame.to_ndarray()[: rows * 8, : columns * 8].astype(np.float32)
            yield frame.pts, luma.reshape(rows, 8, columns, 8).mean(axis=(1, 3))


def sound(path: Path) -> list[bytes]:
    """The packets of the sound."""
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0)]


def test_many_workers_make_the_very_files_that_one_makes(rooms: dict[str, Path]) -> None:
    for name in ("plan.json", "copy.mp4", "sheet.png"):
        assert (rooms["one"] / name).read_bytes() == (rooms["two"] / name).read_bytes()
    assert sorted(path.name for path in rooms["two"].iterdir()) == ["copy.mp4", "plan.json", "sheet.png"]


def test_a_cluster_makes_them_too(rooms: dict[str, Path], film: tuple[Path, list[Box]]) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    room = {"processes": False, "n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**room) as cluster, distributed.Client(cluster) as client:
        there = rooms["one"].parent / "there"
        client.submit(hidden, film[0], there, Comrades(), rooms["one"], pure=False).result()
    for name in ("copy.mp4", "sheet.png"):
        assert (rooms["one"] / name).read_bytes() == (there / name).read_bytes()


def test_a_joined_copy_shows_what_a_whole_one_shows(rooms: dict[str, Path]) -> None:
    """The treatment's bend and grain go on over the joins; only the encoder begins anew at them."""
    pieces, whole, others = ([*pictures(rooms[name] / "copy.mp4")] for name in ("one", "whole", "others"))
    assert [pts for pts, _ in pieces] == [pts for pts, _ in whole]
    assert 5 * _apart(pieces, whole) < _apart(others, whole), "another bend is another picture"
    assert (rooms["one"] / "sheet.png").read_bytes() == (rooms["whole"] / "sheet.png").read_bytes()
    assert sound(rooms["one"] / "copy.mp4") == sound(rooms["whole"] / "copy.mp4")


def _apart(some: list[Timed], others: list[Timed]) -> float:
    """Grey levels by which means over 8 x 8 pixels differ: coding hardly changes those, a bend does."""
    return float(np.mean([np.abs(a - b).mean() for (_, a), (_, b) in zip(some, others, strict=True)]))


def test_the_face_is_covered_on_both_sides_of_every_join(rooms: dict[str, Path], film: tuple[Path, list[Box]]) -> None:
    plan = Plan.load(rooms["two"] / "plan.json")
    assert plan.clip.frames == len(film[1])
    for index, face in enumerate(film[1]):
        inside = max((box.intersection(face).area / face.area for _, box in plan.covers(index)), default=0.0)
        assert inside > 0.95, index
    stops = {piece.own.stop for piece in surveyed(film[0])[:-1]}
    for stop in stops - set(plan.cuts):
        covering = [region for region, box in plan.covers(stop) if box.intersection(film[1][stop]) == film[1][stop]]
        assert any(region.first < stop for region in covering), "a border does not end what goes on over it"
        for one, two in itertools.combinations(plan.regions, 2):
            assert _alike(one, two, stop) <= 0.3, "what goes on over a border is one region and not two"


def test_a_film_with_key_frames_that_are_none_is_worked_on_whole(tmp_path: Path) -> None:
    """Pictures around them lean on one another, so that a piece cannot be read; the whole film can."""
    path = build(
        tmp_path / "open.mp4",
        frames=60,
        width=64,
        height=48,
        options={"x264-params": "open-gop=1:keyint=12:bframes=3:ref=4"},
    )
    folder = tmp_path / "work"
    folder.mkdir()
    with Original(path) as original:
        spread = Spread(original, Hands(2), Quiet(), threading.Event())
        found = spread.find(FindJob(sha256=original.sha256(), asked=Asked(effort=Effort.QUICK)), folder)
    assert found.frames == 60
    assert Plan.load(folder / "plan.json").clip.frames == 60


@pytest.mark.parametrize(
    ("name", "changes"),
    [("short.mp4", {"frames": 40}), ("one.mp4", {"options": {"g": "999"}}), ("avi.avi", {"codec": "mpeg4"})],
)
def test_what_cannot_be_cut_stays_whole(name: str, changes: dict[str, object], tmp_path: Path) -> None:
    assert surveyed(build(tmp_path / name, **{"frames": 60, **changes})) == []


def test_a_film_that_was_cut_off_stays_whole(film: tuple[Path, list[Box]], tmp_path: Path) -> None:
    (tmp_path / "cut.mp4").write_bytes(film[0].read_bytes() + (1 << 20).to_bytes(4, "big") + b"free")
    assert surveyed(film[0])
    assert surveyed(tmp_path / "cut.mp4") == []


def test_joining_tells_of_every_picture(rooms: dict[str, Path], film: tuple[Path, list[Box]], tmp_path: Path) -> None:
    """Told only of each piece, an hour of disguised speech on a busy machine was taken for a worker that hangs."""
    copy = rooms["whole"] / "copy.mp4"
    with film[0].open("rb") as file, Reader(file) as reader:
        frames, facts = len(list(reader.pictures())), reader.facts
    part = Part(first=0, pts=0, stop=frames)
    assert list(join(tmp_path / "joined.mp4", facts, [(copy, part)], ())) == list(range(1, frames + 1))


def test_a_piece_that_is_another_is_not_joined(
    rooms: dict[str, Path], film: tuple[Path, list[Box]], tmp_path: Path
) -> None:
    with film[0].open("rb") as file, Reader(file) as reader:
        facts = reader.facts
    copy, foreign = rooms["whole"] / "copy.mp4", tmp_path / "foreign.mp4"
    build(foreign, frames=50, width=96, height=96)
    part = Part(first=0, pts=0, stop=50)
    for pieces in ([(copy, part)], [(foreign, part)], [(film[0], Part(first=0, pts=0, stop=75))]):
        with pytest.raises(SafelightError) as refused:
            list(join(tmp_path / "joined.mp4", facts, pieces, ()))
        assert refused.value.code is Code.WORKER_LIED
        assert not (tmp_path / "joined.mp4").exists()


def test_calling_it_off_ends_all_workers(film: tuple[Path, list[Box]], tmp_path: Path) -> None:
    cancel = threading.Event()

    class Impatient(Quiet):
        def progress(self, done: int, total: int | None) -> None:
            cancel.set()

    with Original(film[0]) as original, pytest.raises(Cancelled):
        Spread(original, Hands(2), Impatient(), cancel).find(FindJob(sha256=original.sha256()), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_copy_made_again_takes_the_pieces_that_no_edit_touched_and_is_the_same_as_made_anew(
    rooms: dict[str, Path], film: tuple[Path, list[Box]], tmp_path: Path
) -> None:
    """Byte for byte; only the piece in which a region came is made."""
    plan = Plan.load(rooms["one"] / "plan.json")
    part = surveyed(film[0])[1].own
    key = plan.regions[0].keyframes[0].model_copy(update={"frame": part.first + 1, "x": 5.0, "y": 5.0})
    with av.open(str(film[0])) as container:
        key = key.model_copy(
            update={"pts": sorted(p.pts for p in container.demux(video=0) if p.pts is not None)[key.frame]}
        )
    drawn = plan.regions[0].model_copy(update={"id": "drawn", "keyframes": [key], "stretches": []})
    mended = plan.model_copy(update={"regions": [*plan.regions, drawn]})
    kept = Kept(tmp_path)
    planned: list[int] = []

    class Counts(Quiet):
        at = ""

        def stage(self, name: str) -> None:
            self.at = name

        def progress(self, done: int, total: int | None) -> None:
            if self.at != "joining":
                planned.append(total or 0)

    def made(name: str, of: Plan, kept: Kept | None, lots: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "plan.json").write_text(of.to_json())
        planned.clear()
        with Original(film[0]) as original:
            spread = Spread(original, Hands(1), Counts(), threading.Event(), kept)
            spread.hide(HideJob(sensor_key=lots), of, folder)
        return folder

    def same(one: Path, other: Path) -> bool:
        return all((one / name).read_bytes() == (other / name).read_bytes() for name in ("copy.mp4", "sheet.png"))

    first = made("first", plan, kept, kept.key)
    assert set(planned) == {plan.clip.frames}
    again = made("again", plan, kept, kept.key)
    assert planned == []  # nothing had to be made
    assert same(first, again)
    second = made("second", mended, kept, kept.key)
    assert set(planned) == {part.frames}
    anew = made("anew", mended, None, kept.key)
    assert same(second, anew)
    assert not same(second, first)
    assert [path.name for path in second.iterdir() if path.suffix == ".npz"] == []
    # the way back: the piece that was left behind is made anew, the others are there
    back = made("back", plan, kept, kept.key)
    assert set(planned) == {part.frames}
    assert same(back, first)
    # other lots are another copy
    kept.renew()
    made("other", plan, kept, kept.key)
    assert set(planned) == {plan.clip.frames}
    kept.close()
    assert not list(tmp_path.glob(".safelight-*"))
