"""Everything a file says about itself, as text: tags, chapters, notes in the picture stream, EXIF, XMP, subtitles.

For attackers only, who look for these very words in a copy. What comes out of here identifies people and places: it
must not be logged, shown or written anywhere. Runs inside a worker.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO, cast

import av
import pi_heif
from av.container import InputContainer
from av.packet import Packet
from PIL import ExifTags, Image, UnidentifiedImageError

from safelight.errors import Code, SafelightError
from safelight.media.sniff import is_still
from safelight.media.source import Complaints, Nameless, open_container

_LONGEST = 4096  # characters of one label
_MOST = 20_000  # labels
_TEXT_BYTES = 4 << 20  # of subtitle and data tracks
_NOTED_PICTURES = 50  # packets at the start of the film whose notes are read
_WORDS = re.compile(rb"(?:[\x20-\x7e]|[\xc3-\xdf][\x80-\xbf]){6,}")  # ASCII and the letters of two bytes in UTF-8
_MARKUP = re.compile(r"<[^>]*>")
_QUOTED = re.compile(r"""=\s*(?:"([^"]+)"|'([^']+)')""")


@dataclass(frozen=True)
class Label:
    """A piece of text and the kind of place it stands in. ``numbers``: degrees, where it is a place and no text."""

    place: str
    text: str
    numbers: tuple[float, ...] = ()


def labels(source: BinaryIO) -> list[Label]:
    """All labels of a film or a still, each text once; at most _MOST.

    Raises SafelightError like :class:`safelight.media.read.Reader` when the file cannot be opened.
    """
    found: dict[tuple[str, tuple[float, ...]], Label] = {}
    source.seek(0)
    every = _of_still(source) if is_still(source) else _of_film(source)
    for label in every:
        text = label.text.strip("\x00 \t\r\n")[:_LONGEST]
        if text or label.numbers:
            found.setdefault((text, label.numbers), Label(label.place, text, label.numbers))
        if len(found) >= _MOST:
            break
    return list(found.values())


def _of_film(source: BinaryIO) -> Iterator[Label]:
    with open_container(source, Complaints()) as container:
        for text in container.metadata.values():
            yield Label("tag of the file", str(text))
        for track in container.streams:
            for text in track.metadata.values():
                yield Label(f"tag of a {track.type} track", str(text))
        for chapter in container.chapters():
            for text in chapter["metadata"].values():
                yield Label("chapter", str(text))
        yield from _of_packets(container)


def _of_packets(container: InputContainer) -> Iterator[Label]:
    """Words in subtitle and data tracks, in attachments, and in the first packets of the film."""
    left = _TEXT_BYTES
    notes = _NOTED_PICTURES
    others = any(track.type not in ("video", "audio") for track in container.streams)
    for packet in _packets(container):
        if packet.stream.type == "video" and notes > 0:
            notes -= 1
            for text in filter(is_worded, _words(bytes(packet)[:4096])):
                yield Label("note in the picture stream", text)
        elif packet.stream.type not in ("video", "audio") and left > 0:
            left -= packet.size
            for text in _words(bytes(packet)):
                yield Label(f"{packet.stream.type} track", text)
        if (not others or left <= 0) and notes <= 0:
            return


def _packets(container: InputContainer) -> Iterator[Packet[Any]]:
    try:
        yield from container.demux()
    except av.error.FFmpegError:
        return  # a damaged original: what could be read is what it says


def is_worded(text: str) -> bool:
    """Text rather than coded bytes that happen to be printable: mostly letters and digits, four letters in a row."""
    if sum(c.isalnum() or c in " .:/-=_" for c in text) < 0.85 * len(text):
        return False
    run = best = 0
    for character in text:
        run = run + 1 if character.isalpha() else 0
        best = max(best, run)
    return len(text) >= 8 and best >= 4 and len(set(text)) >= 4


def _words(data: bytes) -> Iterator[str]:
    for match in _WORDS.finditer(data):
        yield match.group().decode("utf-8", "ignore")


def _of_still(source: BinaryIO) -> Iterator[Label]:
    pi_heif.register_heif_opener()
    source.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(cast(BinaryIO, Nameless(source)))
            yield from _of_info(image)
            yield from _of_exif(image)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise SafelightError(Code.DAMAGED, "What this picture says about itself cannot be read.") from error


def _of_info(image: Image.Image) -> Iterator[Label]:
    for key, value in image.info.items():
        place = str(key)[:40]
        if place in ("exif", "icc_profile"):
            continue
        for text in _texts(value):
            if "<" in text:
                yield from _of_markup(text)
            else:
                yield Label(place, text)


def _of_markup(text: str) -> Iterator[Label]:
    """The words of an XMP packet or another piece of XML: between tags, and values of attributes that name nothing."""
    for part in _MARKUP.split(text):
        yield Label("XMP", part)
    for double, single in _QUOTED.findall(text):
        if not (double or single).startswith(("http://", "https://", "adobe:")):
            yield Label("XMP", double or single)


def _of_exif(image: Image.Image) -> Iterator[Label]:
    exif = image.getexif()
    yield from _of_tags(dict(exif), "EXIF")
    for ifd in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo, ExifTags.IFD.IFD1, ExifTags.IFD.Interop):
        yield from _of_tags(dict(exif.get_ifd(ifd)), "GPS" if ifd is ExifTags.IFD.GPSInfo else "EXIF")


def _of_tags(tags: dict[int, Any], place: str) -> Iterator[Label]:
    for value in tags.values():
        if isinstance(value, tuple) and len(value) == 3 and place == "GPS":
            degrees = [_number(part) for part in value]
            yield Label(place, "", (degrees[0] + degrees[1] / 60 + degrees[2] / 3600,))
        else:
            for text in _texts(value):
                yield Label(place, text)


def _number(value: Any) -> float:
    try:
        return float(Fraction(value))
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return 0.0


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield from _words(value)
        if len(value) > 8 and value[1:16:2].count(0) >= min(len(value) // 2, 8) - 1:
            yield value.decode("utf-16-le", "ignore")
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple) and len(value) < 1000:
        for part in value:
            yield from _texts(part)
