"""Marker strings in every place a file can hold one: none of them is in the copy, in no common spelling."""

from __future__ import annotations

import base64
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tests.media.build import box, clip, scene
from tests.media.helpers import copy

TOOLS = (b"Lavc", b"Lavf", b"x264", b"libav", b"FFmpeg", b"PyAV", b"Pillow", b"Adobe", b"Exif", b"http")
PLACES = [
    "title", "artist", "comment", "handler", "chapter", "subtitle", "attachment", "cover", "sei", "free", "udta",
    "uuid", "trailing", "exif", "gps", "xmp", "icc", "iptc", "text", "language", "data",
]  # fmt: skip


def marker(place: str) -> str:
    return f"QxZk{place}Wv7"


def spellings(word: str) -> list[bytes]:
    """UTF-8, UTF-16 in both orders, and the part of each that base64 spells the same at each of the three offsets."""
    plain = [word.encode(), word.encode("utf-16-le"), word.encode("utf-16-be")]
    coded = []
    for raw in plain:
        for shift in range(3):
            text = base64.b64encode(b"\0" * shift + raw)
            coded.append(text[4 if shift else 0 : len(text) // 4 * 4 - 4])
    return plain + coded


def check(target: Path) -> None:
    data = target.read_bytes()
    lower = data.lower()
    for place in PLACES:
        for word in spellings(marker(place)):
            assert word.lower() not in lower, (place, word)
    assert b"qxzk" not in lower
    if target.suffix == ".mp4":
        end = data.find(b"mdat")
        tables, film = data[:end], data[end:]
        for name in TOOLS:
            assert name.lower() not in tables.lower(), name
        for name in TOOLS[:3]:  # 4 random letters may turn up in coded pictures, never with a version behind
            at = film.find(name)
            assert at < 0 or film[at + 4 : at + 8].strip(b" -0123456789.") != b"", name


def sei(text: bytes) -> bytes:
    """A user-data note for H.264 in a byte stream (H.264, D.1.7)."""
    payload = bytes(range(16)) + text
    return b"\x00\x00\x00\x01\x06\x05" + bytes([len(payload)]) + payload + b"\x80"


def test_the_check_itself(tmp_path: Path) -> None:
    """Each spelling is found when it is there."""
    for raw in (marker("gps").encode(), marker("gps").encode("utf-16-le"), marker("gps").encode("utf-16-be")):
        for shift in range(3):
            for data in (b"..." + raw, base64.b64encode(b"x" * shift + raw + b"yyy")):
                (tmp_path / "a.bin").write_bytes(data)
                with pytest.raises(AssertionError):
                    check(tmp_path / "a.bin")


def chapters() -> list[dict[str, Any]]:
    return [
        {
            "id": n,
            "start": n * 300,
            "end": n * 300 + 300,
            "time_base": Fraction(1, 1000),
            "metadata": {"title": marker("chapter")},
        }
        for n in (0, 1)
    ]


def tags() -> dict[str, str]:
    return {"title": marker("title"), "artist": marker("artist"), "comment": marker("comment")}


def films(folder: Path) -> list[Path]:
    """Films with markers in all places FFmpeg's muxers can fill, and in raw boxes and bytes after the end."""
    named = {"handler_name": marker("handler"), "language": "que", "title": marker("title")}
    made = []
    for name in ("a.mp4", "a.mov", "a.mkv", "a.avi", "a.ts", "a.flv"):
        recipe: dict[str, Any] = {"frames": 15, "sound": 0.6, "tags": tags(), "track_tags": named}
        if name.endswith((".mp4", ".mov", ".mkv")):
            recipe["chapters"] = chapters()
        if name.endswith((".mp4", ".mov")):
            recipe["container"] = {"movflags": "use_metadata_tags"}
        if name.endswith(".avi"):
            recipe["sound_codec"] = "mp2"
        if name.endswith(".mkv"):
            recipe["extra"] = lambda out: out.add_attachment(
                marker("attachment"), "text/plain", marker("attachment").encode()
            )
        path = clip(folder / name, **recipe)
        data = path.read_bytes()
        if name.endswith((".mp4", ".mov")):
            words = marker("xmp").encode()
            data += box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + words)
            data += box(b"uuid", bytes(16) + marker("uuid").encode("utf-16-le"))
            data += box(b"free", marker("free").encode())
            data += box(b"udta", box(b"\xa9xyz", b"\0\x10\x15\xc7" + marker("gps").encode()))
        if name != "a.ts":
            data += marker("trailing").encode()
        path.write_bytes(data)
        assert all(marker(place).encode() in data for place in ("title",))
        made.append(path)
    raw = clip(folder / "plain.h264", frames=10, options={"x264-params": "repeat-headers=1"}).read_bytes()
    at = raw.find(b"\x00\x00\x01\x65")
    (folder / "sei.h264").write_bytes(raw[:at] + sei(marker("sei").encode()) + raw[at:])
    made.append(folder / "sei.h264")
    return made


def stills(folder: Path) -> list[Path]:
    image = Image.fromarray(scene(0, 64, 48))
    exif = Image.Exif()
    exif[0x010E], exif[0x013B], exif[0x8298] = marker("exif"), marker("artist"), marker("exif")
    exif.get_ifd(0x8769)[0x9286] = marker("comment").encode()
    exif.get_ifd(0x8825)[0x001D] = marker("gps")
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{marker('xmp')}</x:xmpmeta>".encode()
    icc = bytes(128) + marker("icc").encode()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", marker("text"))
    text.add_itxt("XML:com.adobe.xmp", xmp.decode())
    image.save(folder / "a.png", pnginfo=text, exif=exif)
    image.save(folder / "a.jpg", exif=exif, xmp=xmp, icc_profile=icc, comment=marker("comment").encode())
    image.save(folder / "a.webp", exif=exif, xmp=xmp)
    image.save(folder / "a.tiff", exif=exif)
    image.save(folder / "a.avif", exif=exif, xmp=xmp)
    jpeg = (folder / "a.jpg").read_bytes()
    iptc = (
        b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\x20" + b"\x1c\x02\x78\0\x18" + marker("iptc").encode().ljust(27)
    )
    app13 = b"\xff\xed" + (len(iptc) + 2).to_bytes(2, "big") + iptc
    (folder / "a.jpg").write_bytes(jpeg[:2] + app13 + jpeg[2:] + marker("trailing").encode())
    (folder / "a.png").write_bytes((folder / "a.png").read_bytes() + marker("trailing").encode())
    return [folder / name for name in ("a.png", "a.jpg", "a.webp", "a.tiff", "a.avif")]


def test_films(tmp_path: Path) -> None:
    for path in films(tmp_path):
        target = tmp_path / f"{path.name}.copy.mp4"
        copy(path, target)
        check(target)
        independent(target)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the program ffmpeg, which fills these places, is missing")
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_films_with_a_cover_subtitles_notes_and_a_clock(suffix: str, tmp_path: Path) -> None:
    """A second picture track as cover, subtitles, a note inside the coded picture, a time code track, attachments."""
    film, cover, words, target = (tmp_path / name for name in ("film.mp4", "cover.jpg", "words.srt", "copy.mp4"))
    clip(film, frames=15, sound=0.6)
    Image.fromarray(scene(0, 64, 48)).save(cover, comment=marker("cover").encode())
    words.write_text(f"1\n00:00:00,000 --> 00:00:00,500\n{marker('subtitle')}\n")
    note = f"h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+{marker('sei')}"
    made = tmp_path / f"made{suffix}"
    inputs = ["-i", film, "-i", words, "-i", cover, "-map", "0:v", "-map", "0:a", "-map", "1", "-c:v", "copy"]
    if suffix == ".mp4":
        more = ["-map", "2", "-c:v:1", "copy", "-disposition:v:1", "attached_pic", "-c:s", "mov_text"]
        more += ["-timecode", "10:11:12:13", "-metadata:s:s:0", f"handler_name={marker('handler')}"]
    else:
        more = ["-c:s", "srt", "-attach", cover, "-metadata:s:t", "mimetype=image/jpeg"]
        more += ["-metadata:s:t", f"filename={marker('attachment')}.jpg"]
    command = ["ffmpeg", "-v", "error", "-y", *inputs, "-bsf:v:0", note, *more, made]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    planted = made.read_bytes()
    for place in ("subtitle", "sei", "cover"):
        assert marker(place).encode() in planted, place
    facts = copy(made, target)
    check(target)
    independent(target)
    kinds = " ".join(dropped.kind for dropped in facts.dropped)
    assert "subtitle" in kinds
    assert facts.codec == "h264"  # and not the cover's


def test_stills(tmp_path: Path) -> None:
    for path in stills(tmp_path):
        for suffix in (".jpg", ".png"):
            target = tmp_path / f"{path.name}.copy{suffix}"
            copy(path, target)
            check(target)
            independent(target)


# What exiftool may say of a copy: what every such file must hold to be shown, and zeros where a date would be.
_ALLOWED_NAMES = """
SourceFile ExifToolVersion FileName Directory FileSize FileModifyDate FileAccessDate FileInodeChangeDate
FilePermissions FileType FileTypeExtension MIMEType MajorBrand MinorVersion CompatibleBrands MediaDataSize
MediaDataOffset MovieHeaderVersion TimeScale Duration PreferredRate PreferredVolume PreviewTime
PreviewDuration PosterTime SelectionTime SelectionDuration CurrentTime NextTrackID TrackHeaderVersion
TrackID TrackDuration TrackLayer TrackVolume MatrixStructure ImageWidth ImageHeight GraphicsMode OpColor
CompressorID CompressorName SourceImageWidth SourceImageHeight XResolution YResolution BitDepth
ColorProfiles ColorPrimaries TransferCharacteristics MatrixCoefficients VideoFullRangeFlag BufferSize
MaxBitrate AverageBitrate VideoFrameRate MediaHeaderVersion MediaTimeScale MediaDuration MediaLanguageCode
HandlerType HandlerVendorID HandlerDescription Balance AudioFormat AudioChannels AudioBitsPerSample
AudioSampleRate AvgBitrate ImageSize Megapixels Rotation CreateDate ModifyDate TrackCreateDate
TrackModifyDate MediaCreateDate MediaModifyDate PixelAspectRatio JFIFVersion ResolutionUnit EncodingProcess
BitsPerSample ColorComponents YCbCrSubSampling ColorType Compression Filter Interlace VendorID
"""
ALLOWED = set(_ALLOWED_NAMES.split())


def independent(target: Path) -> None:
    """ffprobe and exiftool see nothing but tables."""
    if shutil.which("exiftool"):
        import json

        told = json.loads(
            subprocess.run(["exiftool", "-j", "-n", str(target)], capture_output=True, check=True).stdout
        )[0]
        assert set(told) <= ALLOWED, set(told) - ALLOWED
        for key, value in told.items():
            if key.endswith("Date") and not key.startswith("File"):
                assert value == "0000:00:00 00:00:00", key
        assert not told.get("HandlerDescription")
        assert not str(told.get("CompressorName", "")).strip("\0")
    if shutil.which("ffprobe") and target.suffix == ".mp4":
        command = [
            "ffprobe",
            "-v",
            "error",
            "-show_chapters",
            "-show_entries",
            "format_tags:stream_tags",
            "-of",
            "flat",
            str(target),
        ]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        keys = {line.split("tags.")[1].split("=")[0] for line in lines}
        assert keys <= {"major_brand", "minor_version", "compatible_brands", "language", "vendor_id", "handler_name"}, (
            keys
        )
        assert not any("chapter" in line for line in lines)
        assert all('"und"' in line for line in lines if "language" in line)


def test_independent_readers_are_there() -> None:
    missing = [name for name in ("exiftool", "ffprobe") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed, so nobody else looked at the copies: {', '.join(missing)}")


def test_real_files_with_a_past(shared_media: Path, tmp_path: Path) -> None:
    """Pictures and films made by the authors of mat2, with something to hide."""
    folder = shared_media / "metadata" / "mat2"
    done = 0
    for path in sorted(folder.iterdir()):
        if path.suffix in (".wav", ".aiff", ".mp3", ".flac", ".ogg", ".svg", ".ppm", ".jxl"):
            continue
        film = path.suffix in (".mp4", ".avi", ".wmv", ".gif")
        target = tmp_path / f"{path.name}.copy{'.mp4' if film else '.png'}"
        copy(path, target)
        independent(target)
        done += 1
    assert done >= 12


def test_sound_and_picture_have_no_fingerprint(tmp_path: Path) -> None:
    """No notes in the coded picture (SEI), no encoder name in the coded sound."""
    target = tmp_path / "b.mp4"
    copy(clip(tmp_path / "a.mp4", frames=60, sound=2.0), target)
    with av.open(str(target)) as film:
        for packet in film.demux():
            data = bytes(packet)
            if packet.stream.type == "video":
                at = 0
                while at < len(data):
                    length = int.from_bytes(data[at : at + 4], "big")
                    assert data[at + 4] & 31 in (1, 5), "only slices"
                    at += 4 + length
            else:
                assert b"Lavc" not in data
    assert np.frombuffer(target.read_bytes(), np.uint8).size
