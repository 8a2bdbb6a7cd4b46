from __future__ import annotations

import base64
import io
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.attack.bytes import _without
from safelight.attack.needles import Needle, chance, search
from safelight.attack.spell import degrees_binary, encoded, is_generic, of_label
from safelight.attack.structure import Part, structure
from safelight.media.labels import Label
from safelight.names.spell import degrees_spelled, of_name


@given(st.binary(min_size=3, max_size=12), st.integers(0, 3_000_000))
@settings(max_examples=15, deadline=None)
def test_a_needle_is_found_wherever_it_lies(pattern: bytes, offset: int):
    data = bytes(offset) + pattern + bytes(5)
    found = [place for _, place in search(io.BytesIO(data), [Needle(pattern, False, "it")])]
    assert data.find(pattern) in found
    assert all(data.startswith(pattern, place) for place in found)


def test_every_needle_at_the_seam_of_two_reads():
    for offset in range((1 << 20) - 12, (1 << 20) + 3):
        data = bytes(offset) + b"harbour" + bytes(40)
        assert [place for _, place in search(io.BytesIO(data), [Needle(b"HARBOUR", True, "it")])] == [offset]


def test_encodings():
    name = "Yasmin al-Khatib"
    needles = list(encoded(name, "name"))
    hidden = [
        name.upper().encode(),
        name.encode("utf-16-le"),
        name.encode("utf-16-be"),
        name.encode()[::-1],
        b"Yasmin%20al-Khatib",
        *(base64.b64encode(b"x" * before + name.encode() + b"tail") for before in range(3)),
        *(base64.b64encode(b"x" * before + name.encode("utf-16-le") + b"t") for before in range(3)),
        b"".join(name.encode()[i : i + 2][::-1] for i in range(0, len(name), 2)),
        b"".join(name.encode()[i : i + 4][::-1] for i in range(0, len(name), 4)),
    ]
    noise = random.Random(3).randbytes(5000)
    for data in hidden:
        assert list(search(io.BytesIO(noise + data + noise), needles)), data
    assert not list(search(io.BytesIO(noise), needles))


def test_spellings_of_names():
    spelled = set(of_name(["Zoë  Müller", "مُحَمَّد"]))
    assert {"Zoë Müller", "Zoe Muller", "Zoe_Muller", "ZoëMüller", "محمد"} <= spelled


def test_spellings_of_dates_and_places():
    dates = {text for text, _ in of_label(Label("tag", "2021-03-04T05:06:07.000000Z"))}
    assert {"2021:03:04", "20210304", "04.03.2021", "05:06:07"} <= dates
    places = {text for text, _ in of_label(Label("tag", "+33.5138+036.2765/"))}
    assert {"33.513", "36.276"} <= places
    assert any(text.startswith("33°30'49") for text in degrees_spelled(33.5138))
    assert any(needle.pattern[:4] == (33).to_bytes(4, "big") for needle in degrees_binary(33.5138))


def test_generic_values_are_no_secrets():
    for text in ("eng", "VideoHandler", "25", "12345", "isom", "ftypisomiso2avc1mp41", "Core Media Video", "colrnclx"):
        assert is_generic(text), text
    for text in ("Sony A7", "SN-0012345", "Damascus", "يزن الخطيب"):
        assert not is_generic(text), text


def test_short_needles_are_expected_by_chance():
    assert chance(Needle(b"abc", False, ""), 1 << 20) > 1e-6
    assert chance(Needle(b"abcdefgh", False, ""), 1 << 30) < 1e-6


def test_parts_of_a_png_and_a_jpeg():
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + bytes(4)

    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13)) + chunk(b"tEXt", b"Author\0me") + chunk(b"IEND", b"") + b"!"
    parts = structure(io.BytesIO(png))
    assert parts is not None
    assert [part.kind for part in parts if part.wrong] == ["tEXt", "rest"]
    jpeg = b"\xff\xd8\xff\xe1\x00\x08Exif\0\0\xff\xda\x00\x02\x12\x34\xff\xd9"
    parts = structure(io.BytesIO(jpeg))
    assert parts is not None
    assert [part.kind for part in parts if part.wrong] == ["FFE1"]
    assert structure(io.BytesIO(b"RIFFxxxxAVI ")) is None


def test_numbers_in_a_table_are_no_words():
    """Tables of key frames and sizes look like text now and then, and lie inside parts that are read for words."""
    box, table, film = (Part(kind, at, size, "", kind == "mdat") for kind, at, size in PARTS)
    assert list(_without(box.offset, box.offset + box.length, [film, table])) == [(100, 120), (140, 180)]
    assert list(_without(0, 50, [film, table])) == [(0, 50)]


PARTS = (("stbl", 100, 80), ("stss", 120, 20), ("mdat", 300, 900))
