"""What comes back of a film without its index: everything that is there, and nothing wrong that is called good."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

import av
import numpy as np
import pytest
from benchmarks.salvage import damaged, hashes, judged, without_index

from safelight.errors import Code, SafelightError
from safelight.media.avc import Sets
from safelight.media.carve import Carver, Coded
from safelight.media.salvage import Ear
from safelight.media.salvage import salvage as salvage_here
from safelight.salvage import salvage
from tests.media.build import busy, clip
from tests.media.helpers import read

FRAMES = 48


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key picture every 12, pictures between them that are shown in another order than coded, and sound. It carries
    its settings itself.
    """
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    options = {"g": "12", "sc_threshold": "0", "x264-params": "repeat-headers=1"}
    return clip(path, frames=FRAMES, sound=FRAMES / 25, picture=busy, options=options)


def saved(damaged_film: bytes, like: Path, folder: Path) -> Path:
    """Salvage by a worker, as the command does."""
    broken = folder / "broken.mp4"
    broken.write_bytes(damaged_film)
    salvage(broken, like, folder / "saved.mov", progress=lambda done, total: None, cancel=threading.Event())
    assert broken.read_bytes() == damaged_film
    return folder / "saved.mov"


def samples(path: Path) -> np.ndarray:
    with av.open(str(path)) as file:
        parts = [frame.to_ndarray().reshape(-1, order="F") for frame in file.decode(audio=0)]
    return np.concatenate(parts)


def test_without_index_everything_comes_back(film: Path, tmp_path: Path) -> None:
    result = saved(without_index(film.read_bytes())[0], film, tmp_path)
    assert judged(result, hashes(film)) == (FRAMES, FRAMES, FRAMES, 0)
    assert np.array_equal(samples(result), samples(film))


def test_cut_films(film: Path, tmp_path: Path) -> None:
    rows = list(damaged(film, tmp_path, 6, ("cut",)))
    assert [(row.read, row.identical, row.good, row.wrong) for row in rows] == [
        (row.recoverable, row.recoverable, row.recoverable, 0) for row in rows
    ]
    assert 0 < rows[0].recoverable < rows[-1].recoverable < FRAMES


def test_films_with_a_hole(film: Path, tmp_path: Path) -> None:
    rows = list(damaged(film, tmp_path, 6, ("hole",)))
    assert [row.wrong for row in rows] == [0] * 6
    assert all(row.good < row.recoverable for row in rows)  # what follows the hole is doubted
    assert all(row.good > FRAMES // 2 for row in rows)  # up to the next key picture, no longer


def test_a_hole_stays_a_hole(film: Path, tmp_path: Path) -> None:
    data, first, _ = without_index(film.read_bytes())
    middle = (first + len(data)) // 2
    result = saved(data[:middle] + data[middle + 3000 :], film, tmp_path)
    with pytest.raises(SafelightError) as refused:
        read(result)
    assert refused.value.code is Code.DAMAGED
    assert judged(result, hashes(film))[3] == 0


@pytest.mark.parametrize("gone", [False, True], ids=["zeros", "missing"])
def test_no_spoilt_picture_is_carved(film: Path, gone: bool) -> None:
    """Also where a decoder would not notice: each picture is, byte for byte, one of the film's."""
    with av.open(str(film)) as whole:
        track = whole.streams.video[0]
        sets = Sets.of_record(bytes(track.codec_context.extradata or b""))
        packets = [bytes(packet) for packet in whole.demux(track) if packet.size]
        ear = Ear(whole.streams.audio[0])
    data, first, _ = without_index(film.read_bytes())
    for place in np.linspace(first, len(data) - 200, 40, dtype=int):
        broken = data[:place] + (b"" if gone else bytes(100)) + data[place + 100 :]
        parts = list(Carver(broken, sets, ear.hears).parts())
        coded = [part.data for part in parts if isinstance(part, Coded)]
        assert coded[1:] == [data for data in packets if data in coded[1:]]
        assert packets[0].endswith(coded[0]) or coded[0] in packets  # notes before it may be gone
        assert len(coded) >= len(packets) - 12  # a spoilt first key picture takes its group with it


def test_refusals_leave_nothing(film: Path, tmp_path: Path) -> None:
    data = without_index(film.read_bytes())[0]
    still = clip(tmp_path / "other.avi", frames=5, codec="mjpeg", pixels="yuvj420p")
    noise = data[:48] + np.random.default_rng(1).bytes(100_000)
    out = tmp_path / "out"
    for damaged_film, like, code in (
        (film.read_bytes(), film, Code.SALVAGE_KIND),
        (still.read_bytes(), film, Code.SALVAGE_KIND),
        (data, still, Code.SALVAGE_LIKE),
        (noise, film, Code.NOTHING_SAVED),
    ):
        (tmp_path / "broken.mp4").write_bytes(damaged_film)
        with pytest.raises(SafelightError) as refused:
            salvage(
                tmp_path / "broken.mp4",
                like,
                out / "saved.mov",
                progress=lambda done, total: None,
                cancel=threading.Event(),
            )
        assert refused.value.code is code
        assert os.listdir(out) == []


def test_what_lies_there_is_not_overwritten(film: Path, tmp_path: Path) -> None:
    (tmp_path / "saved.mov").write_bytes(b"somebody's")
    with pytest.raises(SafelightError) as refused:
        saved(without_index(film.read_bytes())[0], film, tmp_path)
    assert refused.value.code is Code.IN_THE_WAY
    assert (tmp_path / "saved.mov").read_bytes() == b"somebody's"


@pytest.mark.parametrize("seed", range(12))
def test_garbage_never_does_more_than_be_refused(film: Path, tmp_path: Path, seed: int) -> None:
    """Bytes exchanged all over, boxes and lengths too: a film or a refusal, no other end."""
    data = bytearray(without_index(film.read_bytes())[0])
    random = np.random.default_rng(seed)
    for place in random.integers(0, len(data), 40):
        data[place] = int(random.integers(0, 256))
    (tmp_path / "broken.mp4").write_bytes(data)
    with (tmp_path / "broken.mp4").open("rb") as file, film.open("rb") as like, contextlib.suppress(SafelightError):
        salvage_here(file, like, tmp_path / "saved.mov", lambda done, total: None)


OTHERS = {
    "quantiser": {"qp": "20"},
    "colours": {"x264-params": "chroma-qp-offset=8"},
    "coder": {"coder": "vlc"},
    "blocks": {"x264-params": "8x8dct=0"},
    "weights": {"x264-params": "weightp=0"},
}


@pytest.mark.parametrize(
    ("other", "entropy"),
    [
        ("quantiser", "vlc"),
        ("colours", "vlc"),
        ("colours", "cabac"),
        ("coder", "cabac"),
        ("blocks", "cabac"),
        ("weights", "vlc"),
    ],
)
def test_other_settings_are_never_called_good(tmp_path: Path, other: str, entropy: str) -> None:
    """Where the film does not carry its settings itself, nothing shows that the good clip's are its own."""
    options = {"g": "12", "sc_threshold": "0", "coder": entropy, "qp": "30"}
    film = clip(tmp_path / "film.mp4", frames=24, sound=1.0, picture=busy, options=options)
    like = clip(tmp_path / "like.mp4", frames=24, sound=1.0, picture=busy, options={**options, **OTHERS[other]})
    (tmp_path / "broken.mp4").write_bytes(without_index(film.read_bytes())[0])
    done = None
    with (tmp_path / "broken.mp4").open("rb") as file, like.open("rb") as good, contextlib.suppress(SafelightError):
        done = salvage_here(file, good, tmp_path / "saved.mov", lambda done, total: None)
    if done is None:
        return  # it was noticed
    assert not done.proven
    with pytest.raises(SafelightError) as refused:
        read(tmp_path / "saved.mov")
    assert refused.value.code is Code.DAMAGED
    _, pictures, missing = read(tmp_path / "saved.mov", accept_damaged=True)
    assert pictures
    assert all(picture.doubtful for picture in pictures)
    assert missing[0].after == -1


def test_a_film_that_says_other_settings_is_refused(film: Path, tmp_path: Path) -> None:
    like = clip(
        tmp_path / "like.mp4",
        frames=12,
        sound=0.5,
        options={"g": "12", "sc_threshold": "0", "x264-params": "repeat-headers=1:chroma-qp-offset=8"},
    )
    with pytest.raises(SafelightError) as refused:
        saved(without_index(film.read_bytes())[0], like, tmp_path)
    assert refused.value.code is Code.SALVAGE_LIKE
    assert not (tmp_path / "saved.mov").exists()


@pytest.fixture(scope="module", params=["mjpeg", "h264"])
def in_avi(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An AVI with sound whose pictures carry their settings."""
    path = tmp_path_factory.mktemp("avi") / "film.avi"
    options: dict[str, object] = {"codec": "mjpeg", "pixels": "yuvj420p", "options": {"q": "4"}}
    if request.param == "h264":
        options = {"options": {"g": "12", "bf": "0", "sc_threshold": "0", "x264-params": "repeat-headers=1"}}
    return clip(path, frames=FRAMES, sound=FRAMES / 25, sound_codec="pcm_s16le", picture=busy, **options)


def test_avi_that_lost_its_beginning(in_avi: Path, tmp_path: Path) -> None:
    rows = list(damaged(in_avi, tmp_path, 2, ("begin",)))
    assert [(row.identical, row.good, row.wrong) for row in rows] == [(row.read, row.read, 0) for row in rows]
    assert all(row.recoverable - 12 < row.read <= row.recoverable for row in rows)  # from the next key picture on
    assert 0 < rows[-1].read < rows[0].read < FRAMES


def test_avi_whose_head_is_zeros_and_that_has_a_hole(in_avi: Path, tmp_path: Path) -> None:
    """Through the worker; what does not follow is doubted, and the sound is there."""
    data = in_avi.read_bytes()
    first, middle = data.find(b"movi") + 4, len(data) // 2
    (tmp_path / "broken.avi").write_bytes(bytes(first) + data[first:middle] + bytes(8000) + data[middle + 8000 :])
    quiet = {"progress": lambda done, total: None, "cancel": threading.Event()}
    done = salvage(tmp_path / "broken.avi", in_avi, tmp_path / "saved.mov", **quiet)
    assert (done.form, done.proven, done.holes) == ("avi", True, 1)
    assert done.sound == pytest.approx(FRAMES / 25, abs=0.3)
    read_, identical, good, wrong = judged(tmp_path / "saved.avi", hashes(in_avi))
    assert (wrong, good <= identical <= read_ < FRAMES, good < read_) == (0, True, True)
    assert good > FRAMES // 3
    with pytest.raises(SafelightError) as error:
        read(tmp_path / "saved.avi")
    assert error.value.code is Code.DAMAGED
    with pytest.raises(SafelightError) as error:
        salvage(tmp_path / "broken.avi", in_avi, tmp_path / "saved.mov", **quiet)
    assert error.value.code is Code.IN_THE_WAY


def test_avi_that_needs_no_salvage_or_has_nothing_is_refused(in_avi: Path, film: Path, tmp_path: Path) -> None:
    noise = tmp_path / "noise.avi"
    noise.write_bytes(np.random.default_rng(3).bytes(100_000))
    for broken, like, code in (
        (in_avi, in_avi, Code.SALVAGE_KIND),
        (noise, in_avi, Code.NOTHING_SAVED),
        (noise, film, Code.SALVAGE_KIND),
    ):
        with broken.open("rb") as file, like.open("rb") as good, pytest.raises(SafelightError) as error:
            salvage_here(file, good, tmp_path / "out", lambda done, total: None)
        assert error.value.code is code


def test_avi_whose_pictures_do_not_carry_their_settings_is_refused(film: Path, tmp_path: Path) -> None:
    """H.264 whose settings stand nowhere but in the head that is lost."""
    path = tmp_path / "bare.avi"
    clip(path, frames=24, picture=busy, options={"g": "12", "x264-params": "repeat-headers=1"})
    data = bytearray(path.read_bytes())
    for unit in (b"\x00\x00\x01\x67", b"\x00\x00\x01\x68"):
        while (at := data.find(unit)) >= 0:
            data[at + 3] = 0x6C  # a unit that means nothing
    (tmp_path / "broken.avi").write_bytes(data[data.find(b"movi") + 4 :])
    with (tmp_path / "broken.avi").open("rb") as file, path.open("rb") as good, pytest.raises(SafelightError) as error:
        salvage_here(file, good, tmp_path / "out", lambda done, total: None)
    assert error.value.code is Code.NOTHING_SAVED
