"""Damage in the middle of films that FFmpeg conceals: it is noticed, and what follows it is doubted; whole films, and
transport streams that were cut and joined, are read without a word.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import random
import time
from pathlib import Path

import av
import pytest

from safelight.errors import Code, SafelightError
from safelight.media.ahead import ahead
from safelight.media.facts import Gap
from safelight.media.read import Reader
from safelight.media.watch import Order, filled_up
from tests.media.build import Image, busy, clip, scene

PACKET = 188
FILM = 1  # the upper part of the number of the film's packets
FRAMES = 75
# Another order of coding than of showing, and much that is left as it was: decoders go on after damage without a word.
QUIET = {"g": "25", "bf": "3", "sc_threshold": "0", "x264-params": "b-pyramid=normal:ref=4"}


def street(index: int, width: int, height: int) -> Image:
    """A noisy picture that stands still, with something moving."""
    picture = busy(0, width, height)
    moving = scene(index, width, height)
    changed = (moving != scene(0, width, height)).any(axis=2)
    picture[changed] = moving[changed]
    return picture


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The same film in both containers."""
    folder = tmp_path_factory.mktemp("films")
    made = {}
    for name in ("film.ts", "film.avi"):
        path = clip(folder / name, frames=FRAMES, width=320, height=192, picture=street, options=QUIET)
        made[path.suffix[1:]] = path.read_bytes()
    return made


def read(data: bytes, *, accept_damaged: bool = True) -> tuple[list[tuple[str, bool]], list[Gap]]:
    """Each picture's hash and whether it is doubtful; the gaps."""
    with Reader(io.BytesIO(data), accept_damaged=accept_damaged) as reader:
        told = [
            (hashlib.sha256(picture._frame.to_ndarray().tobytes()).hexdigest(), picture.doubtful)
            for picture in reader.pictures()
        ]
        return told, reader.missing


def wrongly_good(data: bytes, original: list[str]) -> int:
    """Pictures called good that the original does not have, in its order."""
    wrong = after = 0
    for told, doubtful in read(data)[0]:
        if doubtful:
            continue
        if told in original[after:]:
            after = original.index(told, after) + 1
        else:
            wrong += 1
    return wrong


def refused(data: bytes) -> Code | None:
    """With which code a film is refused."""
    try:
        read(data, accept_damaged=False)
    except SafelightError as error:
        return error.code
    return None


def broken(data: bytes, kind: str, chance: random.Random) -> bytes:
    """Some damage in the middle."""
    place = chance.randrange(len(data) // 8, len(data) * 6 // 8)
    packet = place // PACKET * PACKET
    while kind.endswith(("packet", "packets")) and data[packet + 1] & 31 != FILM:  # the others are tables
        packet += PACKET
    if kind == "hole":
        return data[:place] + bytes(1500) + data[place + 1500 :]
    if kind == "small hole":
        return data[:place] + bytes(200) + data[place + 200 :]
    if kind == "cut out":
        return data[:place] + data[place + 1500 :]
    count = {"one packet": 1, "packets": 7}[kind]
    return data[:packet] + data[packet + count * PACKET :]


@pytest.mark.parametrize(
    ("container", "kind"),
    [
        *(("ts", kind) for kind in ("hole", "small hole", "cut out", "one packet", "packets")),
        *(("avi", kind) for kind in ("hole", "small hole", "cut out")),
    ],
)
def test_damage_is_noticed_and_nothing_wrong_is_called_good(films: dict[str, bytes], container: str, kind: str) -> None:
    whole = films[container]
    original = [told for told, _ in read(whole)[0]]
    assert len(original) == FRAMES
    chance = random.Random(f"{container} {kind}")
    for _ in range(6):
        data = broken(whole, kind, chance)
        assert refused(data) is Code.DAMAGED
        assert wrongly_good(data, original) == 0


def test_doubt_ends_at_the_next_key_picture(films: dict[str, bytes]) -> None:
    whole = films["ts"]
    second = whole.index(b"\x41\x00", len(whole) // 2) - 1  # a picture between the second key picture and the third
    data = whole[:second] + whole[second + PACKET :]
    doubts = [doubtful for _, doubtful in read(data)[0]]
    assert any(doubts)
    assert not doubts[0]
    assert not doubts[-1]


def test_whole_streams_that_were_cut_or_joined(films: dict[str, bytes]) -> None:
    """Cut between any two packets, at the start or the end: what is whole comes, the rest is named, none is refused."""
    whole = films["ts"]
    pictures = read(whole, accept_damaged=False)
    assert len(pictures[0]) == FRAMES
    assert pictures[1] == []
    original = [told for told, _ in pictures[0]]
    chance = random.Random(1)
    count = len(whole) // PACKET
    for _ in range(6):
        first, last = chance.randrange(1, count // 4), chance.randrange(count // 2, count)
        told, missing = read(whole[first * PACKET : last * PACKET], accept_damaged=False)
        begin = original.index(told[0][0])
        # Of the last pictures some can be missing that were coded after ones that are shown later.
        assert [one for one, _ in told[:-3]] == original[begin : begin + len(told) - 3]
        assert all(one in original and not doubtful for one, doubtful in told)
        assert {gap.reason for gap in missing} <= {"Before the first key frame", "The last picture is cut off"}
    told, missing = read(whole + whole, accept_damaged=False)
    assert [one for one, _ in told] == original + original
    assert missing == []


def test_a_join_with_half_a_picture_before_it_is_damage(films: dict[str, bytes]) -> None:
    """Cut in the middle of a picture, then another recording."""
    whole = films["ts"]
    starts = [at for at in range(0, len(whole), PACKET) if whole[at + 1 : at + 3] == b"\x41\x00"]
    long = next(a for a, b in itertools.pairwise(starts) if b - a > 4 * PACKET)
    assert refused(whole[: long + 2 * PACKET] + whole) is Code.DAMAGED


def test_two_films_read_side_by_side(films: dict[str, bytes], tmp_path: Path) -> None:
    """As an attacker reads the copy and its original; one of the decoders keeps pictures back, the other does not."""
    quick = clip(tmp_path / "a.avi", codec="mjpeg", pixels="yuvj420p", frames=FRAMES).read_bytes()
    with Reader(io.BytesIO(films["ts"])) as one, Reader(io.BytesIO(quick)) as two:
        assert sum(1 for _ in zip(one.pictures(), two.pictures(), strict=True)) == FRAMES


@pytest.mark.parametrize(
    "make",
    [
        {"options": {"g": "20", "x264-params": "open-gop=1:bframes=3"}},
        {"options": {"g": "20", "profile": "baseline"}},
        {"options": {"g": "20", "x264-params": "slices=4:weightp=2:ref=5"}},
        {"options": {"g": "20", "x264-params": "interlaced=1"}},
        {"options": {"g": "20", "x264-params": "intra-refresh=1"}},
        {"codec": "mpeg2video", "options": {"g": "15", "bf": "2"}},
        {"codec": "mpeg4", "options": {"g": "20"}, "name": "a.avi"},
        {"options": {"g": "20", "x264-params": "slices=3:interlaced=1"}, "name": "a.avi", "sound": 1.0},
        {"options": {"g": "20"}, "name": "a.mkv"},
        {"options": {"g": "20"}, "name": "a.h264"},
        {"options": {"g": "20"}, "format": "mpegts", "container": {"mpegts_m2ts_mode": "1"}, "name": "a.mts"},
    ],
)
def test_whole_films_of_many_makes_raise_no_alarm(tmp_path: Path, make: dict[str, object]) -> None:
    made = dict(make)
    path = clip(tmp_path / str(made.pop("name", "a.ts")), frames=45, picture=busy, **made)
    told, missing = read(path.read_bytes(), accept_damaged=False)
    assert len(told) == 45
    assert missing == []


def test_a_camera_that_fills_up_with_zeros(films: dict[str, bytes]) -> None:
    """Zeros at the end of every picture are a habit; at the end of one they are damage."""
    with av.open(io.BytesIO(films["avi"])) as film:
        track = film.streams.video[0]
        packets = [bytes(packet) for packet in film.demux(track) if packet.size]
    assert [filled_up(data + bytes(40)) for data in packets] == [True] * len(packets)
    assert not any(filled_up(data) for data in packets)


def test_a_long_run_of_zeros_does_not_hold_the_reader_up(films: dict[str, bytes]) -> None:
    """As on the image of a card, whose deleted films FFmpeg takes for one: from each zero to the last it took hours."""
    with av.open(io.BytesIO(films["ts"])) as film:
        bare = b"".join(bytes(packet) for packet in film.demux(film.streams.video[0]))
    began = time.process_time()
    assert len(read(bare + bytes(300_000) + b"\1")[0]) >= FRAMES - 1
    assert time.process_time() - began < 10


def test_the_mark_of_an_ending_inside_the_last_picture() -> None:
    """Some programs leave it there when they put a stream into MP4; zeros in the middle are another matter."""
    slices = b"\x65" + bytes(range(1, 200))
    for unit, harmless in (
        (slices + b"\0\0\0\1\x0a", True),
        (slices + b"\0\0\0", True),
        (slices + bytes(30), False),
        (slices[:50] + bytes(4) + slices[54:], False),
    ):
        told = Order(b"").hurt(len(unit).to_bytes(4, "big") + unit, 4)
        assert (told != "A picture holds bytes that cannot be") is harmless


def test_a_missing_reference_is_seen_in_the_numbers(films: dict[str, bytes]) -> None:
    with av.open(io.BytesIO(films["ts"])) as film:
        track = film.streams.video[0]
        extra = bytes(track.codec_context.extradata or b"")
        packets = [bytes(packet) for packet in film.demux(track) if packet.size]
    order = Order(extra)
    assert [order.hurt(data, 0) for data in packets] == [None] * len(packets)
    noticed = 0
    for gone in range(1, 25):
        order = Order(extra)
        noticed += any(order.hurt(data, 0) for data in packets[:gone] + packets[gone + 1 :])
    assert noticed >= 8  # the others are needed by none


def test_an_avi_whose_chunks_do_not_follow_each_other(films: dict[str, bytes]) -> None:
    """The head of a picture is spoilt: FFmpeg searches on and loses the picture, often one that no other needs."""
    whole = films["avi"]
    heads, place = [], whole.index(b"movi") + 4
    while whole[place : place + 4] == b"00dc":
        size = int.from_bytes(whole[place + 4 : place + 8], "little")
        heads += [place] if size else []
        place += 8 + size + size % 2
    assert len(heads) == FRAMES
    for head in heads[3:60:8]:
        assert refused(whole[:head] + b"\xff\xff\xff\xff" + whole[head + 4 :]) is Code.DAMAGED


def test_films_that_are_decoded_side_by_side_answer_for_themselves(tmp_path: Path) -> None:
    """What FFmpeg says of one is not held against the other, and is not lost either."""
    whole = clip(tmp_path / "whole.mp4", frames=60, width=320, height=192, picture=busy).read_bytes()
    broken = bytearray(whole)
    start = broken.index(b"mdat") + len(broken) // 3
    broken[start : start + 1500] = random.Random(5).randbytes(1500)
    with Reader(io.BytesIO(whole)) as good, Reader(io.BytesIO(bytes(broken)), accept_damaged=True) as bad:
        with ahead(good.pictures(), 2) as first, ahead(bad.pictures(), 2) as second:
            pairs = list(itertools.zip_longest(first, second))
        assert sum(one is not None for one, _ in pairs) == 60
        assert good.missing == []
        assert bad.missing != [] or any(other is not None and other.doubtful for _, other in pairs)
