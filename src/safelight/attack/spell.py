"""In how many ways one value may be written into a file: spellings first, then encodings of each.

Which values count: a value of the original is a secret unless it is *generic*. Generic is what says nothing about who
filmed what, where and when:

* words of the formats themselves (``_GENERIC``: brands, coder and handler defaults, language codes),
* numbers of fewer than six digits, and anything of fewer than four letters or digits,
* what the names of codecs and containers are made of.

Protected names are never generic. Whatever is left is still not searched in raw bytes where random bytes would show it
too often by chance (:func:`safelight.attack.needles.chance`).
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterator
from urllib.parse import quote

from safelight.attack.needles import Needle
from safelight.media.labels import Label
from safelight.names.spell import degrees_spelled

_GENERIC = frozenset(
    """
    isom iso2 iso4 iso5 iso6 avc1 mp41 mp42 mp4a dash m4v m4a 3gp4 3gp5 3gp6 heic mif1 miaf avif
    isomiso2avc1mp41 isomiso2mp41 isommp42 isomavc1 mp42isom mp42mp41 mp41mp42isom iso6mp41 iso2avc1mp41
    videohandler soundhandler datahandler metadatahandler subtitlehandler texthandler videohandle soundhandle
    coremediavideo coremediaaudio coremediadatahandler coremediametadata coremediatimecode
    applevideomediahandler applesoundmediahandler applealiasdatahandler mainconceptvideomediahandler
    isomediafileproducedbygoogleinc.
    h264 h.264 hevc mpeg4 mjpeg avccoding matroska webm stereo mono baseline srgb jfif exif
    english undetermined true false none unknown standard normal auto untitled
    """.split()  # noqa: SIM905 (a list of words to read, not of strings)
)
# rows of four-letter codes: how boxes and brands look to whoever reads bytes as text
_CODES = re.compile(
    r".{0,3}(?:(?:ftyp|free|skip|wide|mdat|moov|mvhd|trak|tkhd|edts|elst|mdia|mdhd|hdlr|minf|vmhd|smhd|dinf|dref|url |"
    r"stbl|stsd|stts|udta|meta|ilst|mdir|appl|vide|soun|mhlr|dhlr|alis|qt  |isom|iso\d|avc1|hev1|hvc1|mp4\w|m4v |m4a |"
    r"colr|nclx|nclc|pasp|btrt|esds|avcc|hvcc|fiel|clap|clef|prof|enof|tapt|stss|ctts|stsc|stsz|stco|co64|sgpd|sbgp|roll|"
    r"cslg|sdtp|tref|cdsc|gmhd|gmin|tmcd|tcmi|uuid|mvex|trex|mehd|moof|mfhd|traf|tfhd|tfdt|trun|mfra|tfra|mfro|sidx|"
    r"3gp\d|dash|msdh|msix|riff|avi |list|hdrl|avih|strl|strh|strf|vids|auds|idx1|movi|info|isft|lame|lavf|lavc)"
    r"[^a-z0-9]{0,2})+.{0,2}"
)
# The tables that most JPEG files begin with, and most thumbnails inside them (ITU-T T.81, K.3), as far as they read as
# text: copies have them too.
_JPEG_TABLES = "%&'()*456789:CDEFGHIJSTUVWXYZcdefghijstuvwxyz", "&'()*56789:CDEFGHIJSTUVWXYZcdefghijstuvwxyz"
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[-:/.](\d\d)[-:/.](\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?)?")
_COMPACT_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)([01]\d)([0-3]\d)(?:[T_-]?([0-2]\d)([0-5]\d)([0-5]\d))?(?!\d)")
_PLACE = re.compile(r"([+-]\d{1,3}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)")  # ISO 6709, as in MP4 tags
_DEGREES = re.compile(r"(?<![\d.:])([+-]?\d{1,3}\.\d{4,})(?![\d.])")


def is_generic(text: str) -> bool:
    """Whether a value says nothing about its origin; see the rule above."""
    plain = " ".join(text.casefold().split())
    if plain in _GENERIC or plain.replace(" ", "") in _GENERIC or _CODES.fullmatch(plain):
        return True
    if len(text) > 20 and any(text in table for table in _JPEG_TABLES):
        return True
    told = [c for c in plain if c.isalnum()]
    if len(told) < 4:
        return True
    return all(c.isdigit() for c in told) and len(told) < 6


def of_label(label: Label) -> Iterator[tuple[str, str]]:
    """What a label gives away, as (spelling, kind). The whole value, its lines, its dates and places."""
    for line in {label.text, *label.text.splitlines()}:
        text = " ".join(line.split())
        if text and not is_generic(text) and not _only_date(text):
            yield text, label.place
    yield from ((text, "date") for text in _dates(label.text))
    for degrees in _places(label):
        yield from ((text, "place") for text in degrees_spelled(degrees))


def encoded(text: str, meaning: str) -> Iterator[Needle]:
    """Every way the text may lie in a file."""
    utf8 = text.encode("utf-8", "surrogatepass")
    for pattern, way in (
        (utf8, ""),
        (text.encode("utf-16-le", "surrogatepass"), " in UTF-16"),
        (text.encode("utf-16-be", "surrogatepass"), " in UTF-16"),
        (quote(text).encode(), " percent-encoded"),
        (quote(text, safe="").encode(), " percent-encoded"),
        (utf8[::-1], " backwards"),
    ):
        yield Needle(pattern, True, meaning + way)
    for width in (2, 4):  # as cameras with the other byte order leave text behind
        padded = utf8 + bytes(-len(utf8) % width)
        swapped = b"".join(padded[i : i + width][::-1] for i in range(0, len(padded), width))
        yield Needle(swapped.strip(b"\x00"), True, meaning + f" with each {width} bytes reversed")
    for wide in (utf8, text.encode("utf-16-le", "surrogatepass")):
        for pattern in _base64(wide):
            yield Needle(pattern, False, meaning + " in base64")


def _base64(data: bytes) -> Iterator[bytes]:
    """The characters that every base64 text containing ``data`` has, for each of the three ways it may be aligned."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + data)
        first = (8 * before + 5) // 6
        end = (8 * (before + len(data))) // 6  # whole characters
        yield from {text[first:end], text[first:end].replace(b"+", b"-").replace(b"/", b"_")}


def _only_date(text: str) -> bool:
    match = _DATE.match(text)
    return (
        match is not None and match.start() == 0 and not any(c.isalpha() for c in text[match.end() :].replace("Z", ""))
    )


def _dates(text: str) -> Iterator[str]:
    for pattern in (_DATE, _COMPACT_DATE):
        for year, month, day, hour, minute, second in pattern.findall(text):
            if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31) or year < "1980":
                continue
            for joint in ("-", ":", "/", ".", ""):
                yield joint.join((year, month, day))
                yield joint.join((day, month, year))
                yield joint.join((month, day, year))
            if hour:
                yield f"{hour}:{minute}:{second or '00'}"
                yield f"{year}{month}{day}T{hour}{minute}{second or '00'}"
                yield f"{year}{month}{day}_{hour}{minute}{second or '00'}"


def _places(label: Label) -> Iterator[float]:
    yield from label.numbers
    for latitude, longitude in _PLACE.findall(label.text):
        if "." in latitude and "." in longitude:
            yield float(latitude)
            yield float(longitude)
    yield from (float(value) for value in _DEGREES.findall(label.text) if abs(float(value)) <= 180)


def degrees_binary(degrees: float) -> Iterator[Needle]:
    """A latitude or longitude as numbers: EXIF's three fractions, and 64-bit floats, both byte orders."""
    size = abs(degrees)
    whole, minutes = int(size), int(size % 1 * 60)
    if not whole and not minutes:
        return
    for order in "<>":
        yield Needle(struct.pack(order + "4I", whole, 1, minutes, 1), False, "place as EXIF fractions")
        for value in (degrees, size):
            yield Needle(struct.pack(order + "d", value), False, "place as a 64-bit number")


def places(label: Label) -> list[float]:
    """The degrees of latitude and longitude in a label."""
    return list(_places(label))
