"""A film again from an AVI that lost its beginning: the head of a good clip, and the chunks that are still there.

Pictures must carry their own settings (each picture of Motion JPEG does; H.264 in AVI mostly, in each key picture);
others are refused, since nothing would show that the good clip's settings are theirs. The form of the sound stands in
the head only, so it is the good clip's. Where chunks do not follow each other the new film has bytes that are no chunk:
whatever reads it meets the damage where it is. Runs inside a worker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO

from safelight.errors import Code, SafelightError
from safelight.media.source import file_size, head

_HEAD = 8  # bytes of a chunk: four letters, then the length
_NO_CHUNK = bytes(16)
_MOST = (1 << 32) - (1 << 20)  # bytes: what one RIFF can hold
_MOST_HEAD = 1 << 20
_TRACK, _FORM = 48, 20  # bytes that are needed of a track's header, and of the form of its pictures or sound
_OTHERS = re.compile(rb"LIST|RIFF|JUNK|idx1|ix\d\d")  # what may stand between chunks
_UNITS = (b"\x00\x00\x01", b"\x00\x00\x00\x01")
_MJPEG = b"MJPG"
_H264 = (b"H264", b"AVC1", b"X264", b"DAVC")
_JPEG, _TABLES = b"\xff\xd8", b"\xff\xdb"
_UNIT = re.compile(rb"\x00\x00\x01(.)", re.DOTALL)
_SETS = {7, 8}  # kinds of H.264 units: settings of the sequence, of pictures


@dataclass
class Chunked:
    """What was written. ``holes``: where chunks did not follow; ``lost``: bytes there; ``sound``: seconds."""

    pictures: int = 0
    holes: int = 0
    lost: int = 0
    sound: float = 0.0


@dataclass
class _Track:
    """One track of the good clip. ``at``: of its header's content in the good clip's head."""

    name: bytes
    kind: bytes
    at: int
    coding: bytes
    sizes: list[int] = field(default_factory=list)


def is_avi(start: bytes) -> bool:
    """Whether a file begins as an AVI."""
    return start[:4] == b"RIFF" and start[8:12] == b"AVI "


def mend(damaged: BinaryIO, like: BinaryIO, target: Path, report: Callable[[int, int | None], None]) -> Chunked:
    """Write ``target`` (AVI) from what ``damaged`` still holds, with the head of ``like``.

    Raises SL-SALVAGE-KIND when the film has its own head, SL-SALVAGE-LIKE when the good clip cannot serve,
    SL-NOTHING-SAVED when there is no picture, or none that carries its settings; SL-EMPTY.
    """
    size = file_size(damaged)
    if is_avi(head(damaged)) and b"movi" in head(damaged, _MOST_HEAD):
        raise SafelightError(Code.SALVAGE_KIND, "This AVI has its beginning: it is read as it is.")
    begin, tracks = _head_of(like)
    picture = next((track for track in tracks if track.kind == b"vids"), None)
    if picture is None or picture.coding not in (_MJPEG, *_H264):
        raise SafelightError(Code.SALVAGE_LIKE, "The good clip is no AVI with Motion JPEG or H.264.")
    done = Chunked()
    with mmap(damaged.fileno(), size, access=ACCESS_READ) as data, target.open("wb") as out:
        out.write(begin)
        carried = False
        for track, chunk in _chunks(data, tracks, done):
            if track is None:
                out.write(_NO_CHUNK)
                continue
            if track is picture:
                carried = carried or _carries(picture.coding, chunk)
                if not carried:
                    continue
                done.pictures += bool(chunk)  # an empty one: the picture before stays
            out.write(track.name + len(chunk).to_bytes(4, "little") + chunk + bytes(len(chunk) % 2))
            track.sizes.append(len(chunk))
            report(min(out.tell(), size), size)
            if out.tell() > _MOST:
                raise SafelightError(Code.SALVAGE_KIND, "Films of more than 4 GiB in AVI are not handled.")
        if not done.pictures:
            raise SafelightError(Code.NOTHING_SAVED, "No picture was found that carries its own settings.")
        out.flush()
        whole = out.tell()
    with target.open("r+b") as out:
        out.write(_true_head(begin, tracks, whole, done))
    return done


def _head_of(like: BinaryIO) -> tuple[bytes, list[_Track]]:
    """The good clip's bytes up to its first chunk, without the index that may stand in there, and its tracks."""
    start = head(like, _MOST_HEAD)
    movi = start.find(b"movi")
    if not is_avi(start) or movi < 0 or b"avih" not in start[:movi]:
        raise SafelightError(Code.SALVAGE_LIKE, "The good clip is no AVI.")
    begin = bytearray(start[: movi + 4])
    tracks: list[_Track] = []
    for match in re.finditer(b"strh", bytes(begin)):
        at = match.start() + _HEAD
        form = begin.find(b"strf", at) + _HEAD
        if form < at + _TRACK or form + _FORM > len(begin):
            raise SafelightError(Code.SALVAGE_LIKE, "The good clip's head is not whole.")
        kind = bytes(begin[at : at + 4])
        ending = {b"vids": b"dc", b"auds": b"wb"}.get(kind, b"tx")
        coding = bytes(begin[form + 16 : form + 20]).upper() if kind == b"vids" else b""
        tracks.append(_Track(b"%02d" % len(tracks) + ending, kind, at, coding))
    for match in re.finditer(b"indx", bytes(begin)):
        begin[match.start() : match.end()] = b"JUNK"  # it speaks of places in the good clip
    return bytes(begin), tracks


def _chunks(data: mmap, tracks: list[_Track], done: Chunked) -> Iterator[tuple[_Track | None, bytes]]:
    """Chunks in their order; None for a stretch that holds none, of which ``done`` is told."""
    names = {track.name: track for track in tracks}
    names |= {track.name[:2] + b"db": track for track in tracks if track.kind == b"vids"}
    place: int | None = None  # where the next chunk should begin; None before the first
    at = 0
    while (found := _find(data, at, names)) is not None:
        track, start, stop, after = found
        if place is not None and start != place:
            done.holes += 1
            done.lost += start - place
            yield None, b""
        yield track, data[start + _HEAD : stop]
        place = at = _passed(data, after)
    if place is not None and place < len(data):
        done.holes += 1
        done.lost += len(data) - place
        yield None, b""


def _find(data: mmap, at: int, names: dict[bytes, _Track]) -> tuple[_Track, int, int, int] | None:
    """The next chunk from a place on: its track, its start, its stop, and where what follows it begins."""
    for match in re.compile(b"|".join(map(re.escape, names))).finditer(data, at):
        track, start = names[match[0]], match.start()
        stop = start + _HEAD + int.from_bytes(data[start + 4 : start + _HEAD], "little")
        if stop > len(data) or not _fits(
            track, data[start + _HEAD : min(stop, start + _HEAD + 4)], stop - start - _HEAD
        ):
            continue
        for after in (stop + (stop - start) % 2, stop):  # some cameras forget to fill up odd lengths
            if after >= len(data) or data[after : after + 4] in names or _OTHERS.fullmatch(data[after : after + 4]):
                return track, start, stop, min(after, len(data))
    return None


def _fits(track: _Track, begin: bytes, length: int) -> bool:
    """Whether a chunk's first bytes can be of its track; an empty one says that a picture stays."""
    if track.kind != b"vids" or not length:
        return True
    return begin.startswith(_JPEG if track.coding == _MJPEG else _UNITS)


def _passed(data: mmap, place: int) -> int:
    """Go on over lists' heads, filling and indices."""
    while _OTHERS.fullmatch(letters := data[place : place + 4]):
        size = int.from_bytes(data[place + 4 : place + _HEAD], "little")
        place += _HEAD + (4 if letters in (b"LIST", b"RIFF") else size + size % 2)
    return min(place, len(data))


def _carries(coding: bytes, chunk: bytes) -> bool:
    """Whether a picture carries what is needed to decode it."""
    if coding == _MJPEG:
        return _TABLES in chunk
    return {match[1][0] & 31 for match in _UNIT.finditer(chunk)} >= _SETS


def _true_head(begin: bytes, tracks: list[_Track], whole: int, done: Chunked) -> bytes:
    """The head with the new film's sizes and lengths."""
    made = bytearray(begin)

    def put(at: int, value: int) -> None:
        made[at : at + 4] = value.to_bytes(4, "little")

    put(4, whole - _HEAD)
    put(len(made) - 8, whole - len(made) + 4)
    avih = made.find(b"avih") + _HEAD
    put(avih + 16, max(len(track.sizes) for track in tracks if track.kind == b"vids"))
    for track in tracks:
        sample = int.from_bytes(made[track.at + 44 : track.at + 48], "little")
        length = sum(track.sizes) // sample if sample else len(track.sizes)
        put(track.at + 32, length)
        if track.kind == b"auds":
            scale, rate = (int.from_bytes(made[track.at + n : track.at + n + 4], "little") for n in (20, 24))
            done.sound = length * scale / rate if rate else 0.0
    return bytes(made)
