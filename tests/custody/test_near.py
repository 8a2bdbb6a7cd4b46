"""Near duplicates: told with the stretch, by what is seen; what clips are known by is sealed like the clips."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from benchmarks.killing import write_case

from custody.conftest import Desk
from custody.moving import film
from program import COMMAND, Ran, safelight
from safelight.custody.near import LIKE, stretches
from safelight.custody.trace import STEP, Hashes, Trace, to_text
from safelight.errors import Code, SafelightError
from safelight.outputs import PRIVATE, memory_folder

DRAW = np.random.default_rng(7)


def hashes(count: int) -> Hashes:
    return DRAW.integers(0, 2**64, (count, 4), np.uint64)


def spoilt(these: Hashes, bits: int) -> Hashes:
    """The same hashes with so many bits turned in each."""
    flat = np.unpackbits(these.copy().view(np.uint8), axis=1)
    for row in flat:
        row[DRAW.choice(256, bits, replace=False)] ^= 1
    return np.packbits(flat, axis=1).view(np.uint64)


def test_a_trimmed_and_recoded_copy_is_found_with_its_stretch() -> None:
    whole = hashes(800)
    (one,) = stretches(spoilt(whole[160:480], LIKE), whole)
    assert (one.begin, one.end, one.other_begin, one.other_end) == (0, 320 * STEP, 160 * STEP, 480 * STEP)
    assert one.alike == 1
    assert not one.still


def test_a_clip_made_of_two_stretches_of_another_is_found_in_both() -> None:
    whole = hashes(1200)
    cut = np.concatenate([whole[800:1000], hashes(240), whole[80:280]])
    assert [(s.begin / STEP, s.other_begin / STEP) for s in stretches(cut, whole)] == [(0, 800), (440, 80)]


def test_pictures_that_are_not_the_same_are_no_stretch() -> None:
    whole = hashes(800)
    assert stretches(spoilt(whole, LIKE + 1), whole) == []
    assert stretches(hashes(800), whole) == []
    assert stretches(whole[:60], np.concatenate([whole[100:], whole[:60], whole[100:]])) != []  # short, but all of it
    assert stretches(np.concatenate([hashes(160), whole[:60], hashes(160)]), whole) == []  # short, in a longer one
    assert stretches(hashes(0), whole) == []


def test_pictures_that_show_nothing_are_not_the_same() -> None:
    assert stretches(np.zeros((240, 4), np.uint64), np.zeros((240, 4), np.uint64)) == []


def test_where_nothing_moves_that_is_told() -> None:
    view = np.repeat(hashes(1), 320, axis=0)
    (found,) = stretches(spoilt(view, 5), spoilt(view, 5))
    assert found.still


@pytest.mark.parametrize(
    "said",
    [
        {"hashes": "AAAA"},
        {"hashes": "*" * 44},
        {"hashes": base64.b64encode(bytes(33)).decode()},
        {"seconds": 1e300},
        {"told": [{"where": "tag", "time": "0001-01-01T00:00:00+14:00"}]},
        {"clocks": [{"at": 1e9, "time": "9999-12-31T23:59:59"}]},
        {"clocks": [{"at": 0, "time": "2024-05-31T00:00:00", "either": True}]},
        {"path": "/etc/passwd"},
    ],
)
def test_what_a_worker_says_is_not_believed_unseen(said: dict[str, object]) -> None:
    with pytest.raises(SafelightError) as error:
        Trace.parse(json.dumps(said).encode())
    assert error.value.code is Code.WORKER_LIED


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film; three seconds of it coded anew, small, at another rate; another film; a note."""
    folder = tmp_path_factory.mktemp("near") / "card"
    folder.mkdir()
    film(folder / "A.mp4", 1, seconds=7)
    film(
        folder / "B.avi",
        1,
        begin=2.3,
        seconds=3.5,
        size=(208, 116),
        rate=20,
        codec="mpeg4",
        options={"qscale": "9", "flags": "+qscale"},
    )
    film(folder / "C.mp4", 2, seconds=7)
    (folder / "D.txt").write_text("no film at all")
    return folder


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, card: Path) -> Desk:
    root = tmp_path_factory.mktemp("near-case")
    return Desk(*write_case(root), card)


def run(desk: Desk, *words: str | Path) -> Ran:
    return safelight(*words, "--identity", desk.key, "--json")


@pytest.fixture(scope="module")
def taken_in(desk: Desk) -> Ran:
    return run(desk, "intake", desk.card, "--case", desk.case, "--source", "S1")


def test_intake_tells_what_a_clip_is_near_to(desk: Desk, taken_in: Ran) -> None:
    assert taken_in.status == 0, taken_in.err
    told = {one["clip"]: one["near"] for one in json.loads(taken_in.out)["clips"]}
    assert {clip: [near["other"] for near in nears] for clip, nears in told.items()} == {
        "clip-0001": [],  # nothing else was looked at yet
        "clip-0002": ["clip-0001"],
        "clip-0003": [],
        "clip-0004": [],
    }
    (stretch,) = told["clip-0002"][0]["stretches"]
    assert stretch["begin"] == pytest.approx(0, abs=0.3)
    assert stretch["end"] == pytest.approx(3.5, abs=0.3)
    assert stretch["other_begin"] - stretch["begin"] == pytest.approx(2.3, abs=0.3)
    with desk.open() as case:
        notes = [act["note"] for act in case.catalogue.acts() if act["act"] == "compared"]
    assert [bool(note) for note in notes] == [False, True, False, False]
    assert str(notes[1]).startswith("clip-0001: 0:0")


def test_what_clips_are_known_by_is_sealed(desk: Desk, taken_in: Ran) -> None:
    with desk.open() as case:
        trace = Trace.parse(case.document(case.clip("1"), "trace") or b"")
        note = Trace.parse(case.document(case.clip("D.txt"), "trace") or b"")
    assert (len(trace.pictures), note.refused) == (int(6.96 / STEP) + 1, Code.NOT_MEDIA)
    assert len(np.unique(trace.pictures, axis=0)) > 100
    raw = trace.pictures[80].tobytes()
    for folder in (desk.case, memory_folder(), Path(os.environ.get("TMPDIR", "/tmp"))):
        for path in folder.rglob("*") if folder == desk.case else folder.glob(PRIVATE + "*"):
            data = path.read_bytes() if path.is_file() else b""
            assert raw not in data
            assert to_text(trace.pictures)[:40].encode() not in data
            assert b"safelight-trace" not in data
    assert safelight("case", "verify", desk.case, "--identity", desk.key).status == 0


def test_later_only_seals_and_compare_goes_on_where_it_stopped(desk: Desk, card: Path, tmp_path: Path) -> None:
    other = Desk(*write_case(tmp_path), card)
    ran = run(other, "intake", card, "--case", other.case, "--source", "S1", "--later")
    assert (ran.status, json.loads(ran.out)["clips"]) == (0, [])
    with other.open() as case:
        assert {clip.version for clip in case.catalogue.clips()} == {1}
    assert run(other, "case", "compare", other.case, "clip-0002").status == 0
    ran = run(other, "case", "compare", other.case)
    assert [[near["other"] for near in one["near"]] for one in json.loads(ran.out)["clips"]] == [
        ["clip-0002"],
        ["clip-0001"],
        [],
        [],
    ]
    with other.open() as case:
        assert [act["clip"] for act in case.catalogue.acts() if act["act"] == "compared"] == [2, 1, 3, 4]


def test_known_material_is_recognised_by_its_bytes_and_by_what_is_seen(
    desk: Desk, taken_in: Ran, card: Path, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs.txt"
    published = film(tmp_path / "on-their-channel.mp4", 2, begin=1, seconds=4, size=(256, 144), options={"crf": "34"})
    assert safelight("known", published, "-o", theirs, "--label", "channel, 3 May").status == 0
    assert safelight("known", card / "A.mp4", "-o", theirs).status == 0  # a second line is added
    ran = run(desk, "case", "compare", desk.case, "--known", theirs)
    told = {one["clip"]: [near for near in one["near"] if near["known"]] for one in json.loads(ran.out)["clips"]}
    assert [(near["other"], near["stretches"]) for near in told["clip-0001"]] == [("A.mp4", [])]  # these very bytes
    assert [near["other"] for near in told["clip-0002"]] == ["A.mp4"]
    (seen,) = told["clip-0003"]
    assert seen["other"] == "channel, 3 May"
    assert seen["stretches"][0]["begin"] == pytest.approx(1, abs=0.3)
    assert told["clip-0004"] == []


def test_a_clip_that_cannot_be_opened_does_not_keep_others_from_being_compared(card: Path, tmp_path: Path) -> None:
    other = Desk(*write_case(tmp_path), card)
    other.take_in()
    with other.open() as case:
        place, inventory = case.object(case.clip("clip-0001"))
    path = place / (inventory.path("original.age") or "")
    path.write_bytes(path.read_bytes()[:-100] + bytes(100))
    ran = run(other, "case", "compare", other.case)
    told = json.loads(ran.out)["clips"]
    assert (ran.status, [one.get("code") for one in told]) == (1, ["SL-CASE-BROKEN", None, None, None])
    with other.open() as case:
        assert [act["clip"] for act in case.catalogue.acts() if act["act"] == "compared"] == [2, 3, 4]


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [1.5, 2.5, 3.5, 5.0])
def test_killed_while_it_compares_nothing_is_lost_and_nothing_lies_open(
    card: Path, tmp_path: Path, seconds: float
) -> None:
    other, temporary = Desk(*write_case(tmp_path), card), tmp_path / "tmp"
    temporary.mkdir()
    words = ["intake", card, "--case", other.case, "--source", "S1", "--identity", other.key]
    with subprocess.Popen(
        [*COMMAND, *words],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"TMPDIR": str(temporary)},
    ) as one:
        time.sleep(seconds)
        one.send_signal(signal.SIGKILL)
    marks = [(card / "A.mp4").read_bytes()[2000:2100], b"safelight-trace", b"A.mp4"]
    for folder in (other.case, temporary):
        for path in folder.rglob("*"):
            data = path.read_bytes() if path.is_file() else b""
            assert not any(mark in data for mark in marks), path
    ran = safelight(*words)
    assert ran.status == 0, ran.err
    with other.open() as case:
        clips = case.catalogue.clips()
        assert [case.document(clip, "trace") is not None for clip in clips] == [True] * 4
    assert not list(memory_folder().glob(PRIVATE + "*/trace.json"))  # what was left in memory is swept
    assert safelight("case", "verify", other.case, "--identity", other.key).status == 0


def test_no_list_is_made_of_what_has_no_pictures(card: Path, tmp_path: Path) -> None:
    ran = safelight("known", card / "D.txt", "-o", tmp_path / "list")
    assert (ran.status, "SL-NOT-MEDIA" in ran.err) == (1, True)
    assert not (tmp_path / "list").exists()
