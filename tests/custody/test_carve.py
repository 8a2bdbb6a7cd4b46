"""Deleted films on a card's image: found by PhotoRec, held in, tied to the image that stays the original."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from pathlib import Path

import pytest
from benchmarks.killing import write_case
from benchmarks.salvage import without_index

from custody.conftest import Desk
from custody.moving import film
from program import safelight
from safelight import carve
from safelight.custody import lend
from safelight.custody.lend import in_memory
from safelight.custody.verify import examine
from safelight.errors import Code, SafelightError
from safelight.inputs import Original
from safelight.sealed import carve_sealed
from safelight.workers.confine import support

SECTOR = 512
installed = pytest.mark.skipif(
    shutil.which(carve.PROGRAM) is None, reason="PhotoRec is not installed (apt install testdisk)"
)
confined = pytest.mark.skipif(not support().full, reason=f"this kernel cannot confine: {support()}")


def on_card(path: Path, *films: bytes) -> Path:
    """An image with these bytes on it, each from a new cluster on, and no table that knows of them."""
    gap = bytes(64 * SECTOR)
    path.write_bytes(gap + b"".join(data + bytes(-len(data) % (8 * SECTOR)) + gap for data in films) + bytes(1 << 20))
    return path


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """An MP4, an AVI, a transport stream, and a cut-off MP4 of the first one's camera."""
    folder = tmp_path_factory.mktemp("films")
    made = [
        film(folder / "a.mp4", 1, seconds=4, options={"crf": "10", "g": "12"}),
        film(
            folder / "b.avi",
            2,
            seconds=4,
            codec="mjpeg",
            pixels="yuvj420p",
            options={"qscale": "2", "flags": "+qscale"},
        ),
        film(folder / "c.ts", 1, seconds=4, options={"crf": "8"}),
        film(folder / "d.mp4", 2, seconds=4, options={"crf": "10", "g": "12"}),
    ]
    whole = [path.read_bytes() for path in made]
    return [*whole[:3], without_index(whole[3])[0]]


@installed
@confined
def test_deleted_films_are_found_byte_for_byte_and_the_image_is_only_read(films: list[bytes], tmp_path: Path) -> None:
    image = on_card(tmp_path / "card.img", *films[:3])
    before = image.read_bytes(), image.stat().st_mtime_ns
    ran = safelight("carve", image, "-o", tmp_path / "out")
    assert ran.status == 0, ran.err
    found = [path.read_bytes() for path in sorted((tmp_path / "out").iterdir())]
    assert found[:2] == films[:2]
    assert found[2][: len(films[2]) - SECTOR] == films[2][: len(films[2]) - SECTOR]
    assert len(found) == 3
    assert (image.read_bytes(), image.stat().st_mtime_ns) == before
    assert not list((tmp_path / "out").glob(".*"))
    again = safelight("carve", image, "-o", tmp_path / "out")
    assert (again.status, "SL-IN-THE-WAY" in again.err) == (1, True)


@installed
@confined
def test_in_a_case_films_are_sealed_tied_to_the_image_and_mended(films: list[bytes], tmp_path: Path) -> None:
    (tmp_path / "card").mkdir()
    (tmp_path / "card" / "A_GOOD.mp4").write_bytes(films[0])
    on_card(tmp_path / "card" / "card.img", films[1], films[3])
    desk = Desk(*write_case(tmp_path), tmp_path / "card")
    desk.take_in()
    words = ["carve", "--case", desk.case, "--identity", desk.key, "clip-0002", "--like", "clip-0001"]
    ran = safelight(*words, "-o", tmp_path / "out")
    assert ran.status == 0, ran.err
    assert ran.out.split() == ["clip-0003", "clip-0004", "clip-0005"], ran.err
    assert not (tmp_path / "out").exists()
    with desk.open() as case:
        clips = {clip.name: clip for clip in case.catalogue.clips()}
        assert clips["clip-0003"].path.startswith("card.f")
        with Original(Path("x"), in_memory(case, clips["clip-0003"])) as found:
            assert found.part(0, found.size) == films[1]
        notes = {act["clip"]: act["note"] for act in case.catalogue.acts() if act["act"] == "sealed"}
        assert notes[3] == notes[4] == "carved from clip-0002 by PhotoRec"
        assert notes[5] == "salvaged from clip-0004 with the settings of clip-0001"
        assert clips["clip-0002"].version == 1
    for path in desk.case.rglob("*"):
        assert not path.is_file() or b"AVI LIST" not in path.read_bytes()
    assert examine(desk.case, identity=desk.key, ask=lambda _: None, older=[], without_key=False).whole
    assert safelight(*words).out.split() == ran.out.split()  # the same finds again are no new clips


def test_without_the_program_it_is_refused_and_nothing_is_opened(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.take_in()
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    ran = safelight("carve", desk.card / "TIMESET.TXT", "-o", tmp_path / "out")
    assert (ran.status, "SL-TOOL-MISSING" in ran.err) == (1, True)
    ran = safelight("carve", "clip-0001", "--case", desk.case, "--identity", desk.key)
    assert (ran.status, "SL-TOOL-MISSING" in ran.err) == (1, True)
    with desk.open() as case:
        assert "opened" not in {act["act"] for act in case.catalogue.acts()}


@installed
@confined
def test_an_image_without_films_is_refused(tmp_path: Path) -> None:
    ran = safelight("carve", on_card(tmp_path / "card.img"), "-o", tmp_path / "out")
    assert (ran.status, "SL-NOTHING-SAVED" in ran.err) == (1, True)


INTRUDER = """
import json, os, socket, sys
if sys.orig_argv[1:2] == ["/d"]:  # in PhotoRec's place, not in what starts it
    told = {}
    def attempt(name, what):
        try:
            what()
            told[name] = "DONE"
        except OSError as error:
            told[name] = error.errno
    image = next(word for word in sys.orig_argv if word.startswith("/proc/self/fd/"))
    attempt("read the image", lambda: open(image, "rb").read(10))
    attempt("write to the image", lambda: open(image, "r+b").write(b"x"))
    attempt("read a secret", lambda: open(SECRET).read())
    attempt("write elsewhere", lambda: open(ELSEWHERE, "w"))
    attempt("run a program", lambda: os.execv("/bin/true", ["true"]))
    attempt("see the environment", lambda: os.environ.get("SAFELIGHT_PASSPHRASE", "") or os.stat("/none"))
    NETWORK
    os.mkdir("out.1")
    with open("out.1/f0000001.avi", "w") as out:
        out.write(json.dumps(told).ljust(70000))
    os._exit(0)
"""


@confined
@pytest.mark.parametrize("last", ["pass", "socket.socket()", "os.fork()"])
def test_a_program_that_an_image_has_taken_over_gets_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    """Python in PhotoRec's place does what an intruder would, in the very process that PhotoRec would be."""
    tools, site = tmp_path / "tools", tmp_path / "site"
    tools.mkdir()
    site.mkdir()
    (tools / carve.PROGRAM).symlink_to(Path(sys.executable).resolve())
    (tmp_path / "secret").write_text("SECRET")
    text = INTRUDER.replace("SECRET)", f"{os.fspath(tmp_path / 'secret')!r})").replace("NETWORK", last)
    (site / "sitecustomize.py").write_text(text.replace("ELSEWHERE", repr(os.fspath(tmp_path / "elsewhere"))))
    monkeypatch.setenv("PATH", os.fspath(tools))
    monkeypatch.setenv("SAFELIGHT_PASSPHRASE", "secret")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.fspath(site), os.environ.get("PYTHONPATH", "")]).rstrip(":"))
    image = on_card(tmp_path / "card.img", b"film" * 20_000)
    (tmp_path / "out").mkdir()
    with Original(image) as source:

        def found() -> carve.Carved:
            return carve.found_in(source, tmp_path / "out", progress=lambda *_: None, cancel=threading.Event())

        if last != "pass":
            with pytest.raises(SafelightError) as error:
                found()
            assert error.value.code in (Code.WORKER_DIED, Code.BUG)
            assert last != "socket.socket()" or "forbidden system call" in error.value.detail
            return
        told = json.loads(found().films[0].read_text())
    assert told.pop("read the image") == "DONE"
    assert len(told) == 5
    assert "DONE" not in told.values(), told
    assert image.read_bytes()[:1] == b"\0"
    assert not (tmp_path / "elsewhere").exists()


@installed
@confined
def test_an_image_that_may_hold_more_than_the_disk_is_refused(films: list[bytes], tmp_path: Path) -> None:
    image = on_card(tmp_path / "card.img", films[0])
    os.truncate(image, shutil.disk_usage(tmp_path).free + (1 << 30))
    ran = safelight("carve", image, "-o", tmp_path / "out")
    assert (ran.status, "SL-DISK-FULL" in ran.err) == (1, True)


@installed
def test_an_image_that_does_not_fit_twice_into_memory_is_refused_and_not_opened(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.take_in()
    with desk.open() as case:
        image = max(case.catalogue.clips(), key=lambda clip: clip.size)
        monkeypatch.setattr(lend, "_available", lambda: lend._SPARE + image.size * 3 // 2)
        os.close(in_memory(case, image))  # once it fits
        with pytest.raises(SafelightError) as error:
            carve_sealed(case, image, progress=lambda done, total: None, cancel=threading.Event())
        assert (error.value.code, error.value.file) == (Code.CASE_MEMORY, image.name)
        assert "opened" not in {act["act"] for act in case.catalogue.acts()}
