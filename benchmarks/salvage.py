"""What comes back of damaged films: `python -m benchmarks.salvage CLIP... [--points 10] [--kinds cut,hole]`.

From each clip (H.264 in MP4, with or without AAC) damaged files are made at evenly spread places: *cut*, everything
from there on is missing, and the index with it; *hole*, 4 KiB of zeros, in MP4 without the index. When asked for:
*begin*, everything up to there is missing (AVI, its head with it); *flip*, one bit is another; *burst*, 64 bytes are
noise; *missing*, seven packets of a transport stream are not there. The same pictures are also put, as they are, into
AVI and into a transport stream, and coded anew as MJPEG with PCM into AVI; AVI is cut before its index. MP4 is tried
once more coded anew by x264 so that each key picture carries its settings. MP4, and AVI without its beginning, go
through `safelight salvage` with the whole clip as the good one, which is the best case; the others are read as they
are. Then Safelight reads the result as with `--accept-damaged`.

Columns: pictures whose coded bytes are all there (recoverable); pictures read; of these identical to the original's, in
its order; called good; called good and not identical (must be 0); pictures FFmpeg alone gives.
"""

from __future__ import annotations

import argparse
import bisect
import hashlib
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av

from safelight.errors import SafelightError
from safelight.media.read import Reader
from safelight.media.salvage import salvage

HOLE = 4096  # bytes
PACKET = 188  # bytes of a transport stream
FORMS = ("h264", "mjpeg", "inside")


@dataclass
class Row:
    """One damaged file."""

    kind: str
    damage: str
    place: int
    recoverable: int
    read: int
    identical: int
    good: int
    wrong: int
    ffmpeg: int | None


def boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of an MP4's outer boxes."""
    place = 0
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        if size == 1:
            size = int.from_bytes(data[place + 8 : place + 16], "big")
        yield data[place + 4 : place + 8], place, place + (size or len(data) - place)
        place += size or len(data) - place


def without_index(data: bytes) -> tuple[bytes, int, int]:
    """An MP4 without ``moov``; where its media begin now, and by how much that moved."""
    kept, first, moved = b"", 0, 0
    for kind, start, end in boxes(data):
        if kind == b"mdat":
            first, moved = len(kept), start - len(kept)
        if kind != b"moov":
            kept += data[start:end]
    return kept, first, moved


def hashes(path: Path) -> list[str]:
    """Of every picture, as FFmpeg decodes the whole film."""
    with av.open(str(path)) as film:
        return [hashlib.sha256(frame.to_ndarray().tobytes()).hexdigest() for frame in film.decode(video=0)]


def spans(path: Path) -> list[tuple[int, int]]:
    """Where the coded pictures lie in the file: from its first byte to the next packet's."""
    with av.open(str(path)) as film:
        video = film.streams.video[0].index
        found = [(p.pos, p.size, p.stream_index) for p in film.demux() if p.pos is not None and p.size]
    starts = sorted(pos for pos, _, _ in found)
    after = [*starts[1:], path.stat().st_size]
    return [
        (pos, max(pos + size, after[bisect.bisect_left(starts, pos)]) if path.suffix == ".ts" else pos + size)
        for pos, size, stream in found
        if stream == video
    ]


def judged(path: Path, original: list[str]) -> tuple[int, int, int, int]:
    """Pictures read of a film, identical ones, ones called good, ones wrongly called good.

    Nothing where there is no film. A picture is identical when the original has it after the one that was identical
    before.
    """
    read = identical = good = wrong = after = 0
    if not path.exists():
        return 0, 0, 0, 0
    try:
        with path.open("rb") as file, Reader(file, accept_damaged=True) as reader:
            for picture in reader.pictures():
                told = hashlib.sha256(picture._frame.to_ndarray().tobytes()).hexdigest()
                same = told in original[after:]
                after = original.index(told, after) + 1 if same else after
                read, identical = read + 1, identical + same
                good, wrong = good + (not picture.doubtful), wrong + (not picture.doubtful and not same)
    except SafelightError as error:
        print(f"  {path.name}: {error.code}")
    return read, identical, good, wrong


def ffmpeg_alone(path: Path) -> int | None:
    """How many pictures the program `ffmpeg` decodes; None where it is not installed."""
    if shutil.which("ffmpeg") is None:
        return None
    words = ["ffmpeg", "-v", "quiet", "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "framemd5", "-"]
    told = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    return sum(not line.startswith("#") for line in told.splitlines())


def damaged(film: Path, folder: Path, points: int, kinds: tuple[str, ...] = ("cut", "hole")) -> Iterator[Row]:
    """Damage a film at ``points`` places and read what is left."""
    data, original, where = film.read_bytes(), hashes(film), spans(film)
    container = film.suffix[1:]
    first, moved, end = 0, 0, len(data)
    if container == "mp4":
        data, first, moved = without_index(data)
        end = len(data)
    elif container == "avi":
        end = data.rfind(b"idx1") if b"idx1" in data else len(data)
    first = max(first, min(start for start, _ in where) - moved)
    broken = folder / f"broken.{container}"
    for damage in kinds:
        for point in range(1, points + 1):
            place = first + (end - first) * point // (points + 1)
            if damage == "missing":
                place -= place % PACKET
            spoilt = {
                "cut": b"",
                "begin": b"",
                "hole": bytes(HOLE),
                "flip": bytes([data[place] ^ 1 << point % 8]),
                "burst": random.Random(point).randbytes(64),
                "missing": b"",
            }[damage]
            stop = len(data) if damage == "cut" else place + (7 * PACKET if damage == "missing" else len(spoilt))
            if damage == "begin":
                place, stop = 0, place
            broken.write_bytes(data[:place] + spoilt + data[stop:])
            there = sum(b - moved <= place or a - moved >= stop for a, b in where)
            result = broken
            if container == "mp4" or damage == "begin":
                result = folder / "saved.mov"
                result.unlink(missing_ok=True)
                try:
                    with broken.open("rb") as file, film.open("rb") as like:
                        salvage(file, like, result, lambda done, total: None)
                except SafelightError as error:
                    print(f"  {broken.name}: {error.code}")
            kind = f"{container} {film.stem}" if film.stem in FORMS else container
            yield Row(kind, damage, place, there, *judged(result, original), ffmpeg_alone(broken))


def other_forms(clip: Path, folder: Path) -> Iterator[Path]:
    """The clip in AVI and as a transport stream, coded as it is; as MJPEG with PCM in AVI; with its settings inside."""
    for name in ("h264.avi", "h264.ts"):
        with av.open(str(clip)) as source, av.open(str(folder / name), "w") as target:
            track = source.streams.video[0]
            copy = target.add_stream_from_template(track)
            filters = av.BitStreamFilterContext("h264_mp4toannexb", track, copy)
            for packet in source.demux(track):
                for done in filters.filter(packet if packet.size else None):
                    done.stream = copy
                    target.mux(done)
        yield folder / name
    name = folder / "mjpeg.avi"
    with av.open(str(clip)) as source, av.open(str(name), "w") as target:
        track = source.streams.video[0]
        video = target.add_stream("mjpeg", rate=track.average_rate or 25)
        video.width, video.height, video.pix_fmt = track.width, track.height, "yuvj420p"
        sound = target.add_stream("pcm_s16le", rate=44100, layout="stereo") if source.streams.audio else None
        resampler = av.AudioResampler("s16", "stereo", 44100)
        for frame in source.decode():
            if isinstance(frame, av.VideoFrame):
                plain = av.VideoFrame.from_ndarray(frame.to_ndarray(format="yuvj420p"), format="yuvj420p")
                target.mux(video.encode(plain))
            elif sound is not None and isinstance(frame, av.AudioFrame):
                for part in resampler.resample(frame):
                    target.mux(sound.encode(part))
        target.mux(video.encode(None))
    yield name
    name = folder / "inside.mp4"
    with av.open(str(clip)) as source, av.open(str(name), "w") as target:
        track = source.streams.video[0]
        options = {"x264-params": "repeat-headers=1", "g": "50"}
        video = target.add_stream("libx264", rate=track.average_rate or 25, options=options)
        video.width, video.height, video.pix_fmt = track.width, track.height, "yuv420p"
        heard = source.streams.audio[0] if source.streams.audio else None
        told = target.add_stream_from_template(heard) if heard is not None else None
        for packet in source.demux():
            if packet.stream is track:
                for frame in packet.decode():
                    assert isinstance(frame, av.VideoFrame)
                    frame.pict_type = 0
                    target.mux(video.encode(frame))
            elif packet.stream is heard and packet.dts is not None:
                packet.stream = told
                target.mux(packet)
        target.mux(video.encode(None))
    yield name


def main() -> None:
    """Print a line for each kind of file and of damage, all places together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--points", type=int, default=10)
    parser.add_argument("--kinds", default="cut,hole", help="of damage")
    parser.add_argument("--only", default="", help="files of this kind only, for instance mp4")
    asked = parser.parse_args()
    print("clip | kind | damage | places | recoverable | read | identical | good | wrongly good | ffmpeg")
    for clip in asked.clips:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for film in (clip, *other_forms(clip, folder)):
                if asked.only not in film.suffix:
                    continue
                by_damage: dict[str, list[Row]] = {}
                only = {"missing": ".ts", "begin": ".avi"}
                kinds = tuple(k for k in asked.kinds.split(",") if only.get(k, film.suffix) == film.suffix)
                for row in damaged(film, folder, asked.points, kinds):
                    by_damage.setdefault(row.damage, []).append(row)
                for damage, rows in by_damage.items():
                    sums = [
                        sum(getattr(r, f) for r in rows) for f in ("recoverable", "read", "identical", "good", "wrong")
                    ]
                    alone = [r.ffmpeg for r in rows if r.ffmpeg is not None]
                    told = [clip.name, rows[0].kind, damage, len(rows), *sums, sum(alone) if alone else "not installed"]
                    print(" | ".join(map(str, told)), flush=True)


if __name__ == "__main__":
    main()
