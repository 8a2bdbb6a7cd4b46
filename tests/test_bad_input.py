"""What bad input gets: a code, the file's name, what to do, exit 1, no copy; and the rest of the batch goes on."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import av
import numpy as np
import pytest
from examples.clip import write_clip

from program import safelight


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("good") / "good.mp4"
    write_clip(path, 192, 108, 1.2)
    return path


@pytest.fixture(scope="module")
def avi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("good") / "good.avi"
    noise = random.Random(1)
    with av.open(str(path), "w") as file:
        film = file.add_stream("mjpeg", rate=25)
        film.width, film.height, film.pix_fmt = 192, 108, "yuvj420p"
        for _ in range(40):
            picture = np.frombuffer(noise.randbytes(108 * 192 * 3), np.uint8).reshape(108, 192, 3)
            file.mux(film.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(film.encode())
    return path


def sound_only(path: Path) -> None:
    with av.open(str(path), "w", format="mp4") as file:
        voice = file.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        file.mux(voice.encode(frame))
        file.mux(voice.encode())


def test_a_batch_of_bad_files_and_one_good_one(clip: Path, avi: Path, tmp_path: Path) -> None:
    card = tmp_path / "card"
    card.mkdir()
    good, cut = clip.read_bytes(), avi.read_bytes()
    moov = good.index(b"moov")
    expected = {}

    def bad(name: str | bytes, data: bytes, *codes: str) -> None:
        path = os.path.join(os.fsencode(card), name if isinstance(name, bytes) else name.encode())
        with open(path, "wb") as file:
            file.write(data)
        expected[os.path.basename(path)] = codes

    bad("empty.mp4", b"", "SL-EMPTY")
    bad("no moov.mp4", good[: moov - 4], "SL-TRUNCATED")
    bad("cut.avi", cut[: len(cut) * 2 // 3], "SL-DAMAGED", "SL-TRUNCATED")
    flipped = bytearray(good)
    for at in random.Random(7).sample(range(len(good) // 4, moov), 200):
        flipped[at] ^= 0x55
    bad("flipped.mp4", bytes(flipped), "SL-DAMAGED")
    bad("text.mp4", b"Dear desk, this is a letter.\n" * 50, "SL-NOT-MEDIA")
    bad("zeros.mov", bytes(5000), "SL-NOT-MEDIA")
    bad("random", random.Random(3).randbytes(5000), "SL-NOT-MEDIA")
    bad("list.m3u8", b"#EXTM3U\n#EXTINF:1,\n/etc/hostname\n", "SL-NOT-MEDIA")
    bad("concat.mp4", b"ffconcat version 1.0\nfile /etc/hostname\n", "SL-NOT-MEDIA")
    bad("--json", good[: moov - 4], "SL-TRUNCATED")
    bad("two\nlines.mp4", b"", "SL-EMPTY")
    bad("\x1b[31mred.mp4", b"", "SL-EMPTY")
    bad(b"latin-\xe9.mp4", b"", "SL-EMPTY")
    bad("شاهد.mp4", b"", "SL-EMPTY")
    bad("[bold]markup[red].mp4", b"", "SL-EMPTY")
    sound_only(card / "sound.mp4")
    expected[b"sound.mp4"] = ("SL-NO-PICTURE",)
    os.mkfifo(card / "pipe.mp4")
    expected[b"pipe.mp4"] = ("SL-NOT-A-FILE",)
    (card / "gone.mp4").symlink_to("nowhere")
    expected[b"gone.mp4"] = ("SL-NOT-FOUND",)
    shutil.copy(clip, card / "good.mp4")

    out = tmp_path / "out"
    ran = safelight("protect", "--json", "-o", out, card)
    assert ran.status == 1
    results = {Path(result["source"]).name: result for result in ran.results}
    assert len(results) == len(expected) + 1
    assert results["good.mp4"]["status"] == "protected"
    for name, codes in expected.items():
        text = name.decode("utf-8", "surrogateescape")
        shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
        assert results[shown]["code"] in codes, (shown, results[shown])
        assert results[shown]["next_step"]
        assert "/etc/hostname" not in json.dumps(results[shown]["detail"])
    assert sorted(p.name for p in out.iterdir()) == [
        ".safelight.db",
        "good.safelight-plan.json",
        "good.safelight-report.html",
        "good.safelight-report.json",
        "good.safelight-sheet.png",
        "good.safelight.json",
        "good.safelight.mp4",
    ]
    assert all(c.isprintable() or c == "\n" for c in ran.err)


def test_strange_names_of_good_files_are_no_obstacle(clip: Path, tmp_path: Path) -> None:
    names = [
        "-rf.mp4",
        "with space.mp4",
        "two\nlines.mp4",
        "شاهد ١.mp4",
        b"latin-\xe9.mp4",
        "no extension",
        "wrong.txt",
    ]
    card = os.fsencode(tmp_path / "card")
    os.mkdir(card)
    for name in names:
        shutil.copy(clip, os.path.join(card, name if isinstance(name, bytes) else name.encode()))
    ran = safelight("protect", "--json", "-j", "2", "-o", tmp_path / "out", card)
    assert [result["status"] for result in ran.results] == ["protected"] * len(names), ran.out
    assert ran.status == 0
    assert len(list((tmp_path / "out").glob("*.safelight.mp4"))) == len(names)


def test_a_damaged_film_is_protected_as_far_as_it_can_be_read_when_told_so(avi: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.avi"
    cut.write_bytes(avi.read_bytes()[: avi.stat().st_size * 2 // 3])
    ran = safelight("protect", "--json", "--accept-damaged", "--sensor", "off", "-o", tmp_path / "out", cut)
    assert ran.status == 0, ran.out
    frames = ran.results[0]["figures"]["frames"]
    assert 20 <= frames["written"] < 40
    assert frames["missing"]


def test_nothing_at_all_is_not_a_success(tmp_path: Path) -> None:
    ran = safelight("protect", "-o", tmp_path / "out", tmp_path)
    assert ran.status == 1
    assert "nothing was done" in ran.err


def test_wrong_use_is_status_2(clip: Path) -> None:
    assert safelight("protect", "--look", "blur", clip).status == 2
    assert safelight("protect", "--quick", "--thorough", clip).status == 2
    assert safelight("protect").status == 2


def test_a_full_disk_leaves_nothing(clip: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("making a small file system needs root")
    small = tmp_path / "small"
    small.mkdir()
    if os.system(f"mount -t tmpfs -o size=160k tmpfs '{small}'") != 0:
        pytest.skip("this machine does not let us mount a small file system")
    try:
        ran = safelight("protect", "--json", "-o", small, clip)
        assert (ran.status, ran.results[0]["code"]) == (1, "SL-DISK-FULL")
        assert not list(small.glob("*.mp4"))
        assert not list(small.glob(".safelight-*"))
    finally:
        os.system(f"umount '{small}'")


def test_a_foreign_file_in_the_place_of_the_copy_is_not_written_over(clip: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "good.safelight.mp4"
    theirs.write_bytes(b"somebody's work")
    ran = safelight("protect", "--json", "-o", tmp_path, clip)
    assert (ran.status, ran.results[0]["code"]) == (1, "SL-IN-THE-WAY")
    assert theirs.read_bytes() == b"somebody's work"
