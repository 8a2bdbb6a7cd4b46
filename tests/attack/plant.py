"""Clips, clean copies of them, and copies with a planted leak. Used by tests and by benchmarks/attacks.py."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from safelight.geometry import Box
from safelight.hide.apply import cover
from safelight.hide.picture import hide_areas
from safelight.media.develop import Developer
from safelight.media.planes import Planes
from safelight.media.read import Reader
from safelight.media.write import Writer
from safelight.plan import Clip, How, Keyframe, Kind, Look, Origin, Plan, Region, Sensor, Settings, Stretch

RATE = 25
TITLE = "Interview with the harbour master"
NAME = "Yasmin al-Khatib"
PLACE = "+33.5138+036.2765/"
DATE = "2021-03-04T05:06:07.000000Z"

Tamper = Callable[[int, Planes, Planes], None]


@dataclass(frozen=True)
class Scene:
    """An original with its plan."""

    original: Path
    plan: Plan


def scene(
    folder: Path, source: Path, labels: Path, first: int, frames: int, look: Look = Look.VEIL, *, everybody: bool = True
) -> Scene:
    """Some pictures of real footage as a clip of its own, with sound and tags, and a plan made from its labels.

    ``everybody``: also people whom the labels leave open, in the dark or at the edge.
    """
    original = folder / f"original-{first}-{frames}.mp4"
    if not original.exists():
        _excerpt(source, original, first, frames)
    boxes = json.loads(labels.read_text())["frames"]
    people: dict[str, dict[int, Box]] = {}
    for index in range(frames):
        for x1, y1, x2, y2, who, ignored in boxes.get(str(first + index), []):
            if everybody or not ignored:
                people.setdefault(str(who), {})[index] = Box(x1, y1, x2, y2)
    with original.open("rb") as file, Reader(file) as reader:
        pts = [picture.pts for picture in reader.pictures()]
        width, height = reader.facts.raster.shown_size
        base = reader.facts.time_base
    regions = [
        _region(f"head-{number}", seen, pts, width, height) for number, (_, seen) in enumerate(sorted(people.items()))
    ]
    clip = Clip.of(hashlib.sha256(original.read_bytes()).hexdigest(), (width, height), base, pts)
    return Scene(
        original,
        Plan(
            clip=clip, origin=Origin(safelight="test"), regions=regions, settings=Settings(look=look, sensor=Sensor.OFF)
        ),
    )


def _region(name: str, seen: dict[int, Box], pts: list[int], width: int, height: int) -> Region:
    keys = {}
    for index, face in seen.items():
        box = face.grown(0.45 * face.width, 0.6 * face.height, 0.45 * face.width, 0.45 * face.height)
        keys[index] = Keyframe.of(index, pts[index], box.clipped(width, height))
    first, last = min(keys), max(keys)
    stretch = Stretch(first=first, last=last, how=How.FOUND, score=0.9)
    return Region(id=name, kind=Kind.HEAD, keyframes=[keys[i] for i in sorted(keys)], stretches=[stretch])


def _excerpt(source: Path, target: Path, first: int, frames: int) -> None:
    with av.open(str(source)) as film, av.open(str(target), "w") as out:
        out.metadata.update({"title": TITLE, "location": PLACE, "creation_time": DATE, "artist": NAME})
        video = out.add_stream("libx264", rate=RATE, options={"crf": "12", "preset": "veryfast"})
        sound = out.add_stream("aac", rate=48000, layout="mono")
        started = False
        for number, frame in enumerate(film.decode(video=0)):
            if number < first:
                continue
            if number >= first + frames:
                break
            if not started:
                video.width, video.height, video.pix_fmt = frame.width, frame.height, "yuv420p"
                started = True
            fresh = av.VideoFrame.from_ndarray(frame.to_ndarray(format="yuv420p"), format="yuv420p")
            fresh.pts, fresh.time_base = number - first, Fraction(1, RATE)
            out.mux(video.encode(fresh))
        out.mux(video.encode(None))
        samples = frames * 48000 // RATE
        tone = (0.2 * np.sin(np.arange(samples) * 0.03)).astype(np.float32)
        for start in range(0, samples, 1024):
            part = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], format="fltp", layout="mono")
            part.sample_rate, part.pts, part.time_base = 48000, start, Fraction(1, 48000)
            out.mux(sound.encode(part))
        out.mux(sound.encode(None))


def copy_of(
    made: Scene,
    target: Path,
    *,
    bare: tuple[str, int] | None = None,
    drop: int | None = None,
    tamper: Tamper | None = None,
) -> Path:
    """A copy as `hide` makes it; ``bare``: one region left out in one picture; ``drop``: one picture left out;
    ``tamper``: gets index, filled planes and planes before, and may change the former.
    """
    target.unlink(missing_ok=True)
    with made.original.open("rb") as file, Reader(file) as reader:
        developer = Developer(reader.facts)
        with Writer(target, reader.facts) as writer:
            for picture in reader.pictures():
                if picture.index == drop:
                    continue
                planes = picture.planes()
                areas = [
                    (region.form_at(picture.index), box)
                    for region, box in made.plan.covers(picture.index)
                    if (region.id, picture.index) != bare
                ]
                hide_areas(planes, areas, reader.facts.raster, made.plan.settings.look, picture.index)
                if tamper is not None:
                    tamper(picture.index, planes, picture.planes())
                for done in developer.develop(planes, picture.pts):
                    writer.picture(done)
            for done in developer.finish():
                writer.picture(done)
    return target


def curtained(made: Scene, target: Path, open_at: int | None) -> Path:
    """A copy behind the curtain, which is open in one picture for the left half."""
    with made.original.open("rb") as file, Reader(file) as reader:
        developer = Developer(reader.facts)
        with Writer(target, reader.facts) as writer:
            for picture in reader.pictures():
                planes, before = picture.planes(), picture.planes()
                cover(planes, made.plan, picture.index, reader.facts.raster)
                if picture.index == open_at:
                    half = planes.y.shape[1] // 2
                    planes.y[:, :half] = before.y[:, :half]
                for done in developer.develop(planes, picture.pts):
                    writer.picture(done)
            for done in developer.finish():
                writer.picture(done)
    return target


def leaky(made: Scene, share: float, number: int) -> Tamper:
    """A fill that takes a share of the hidden picture in: mixed into every sample, or whole samples here and there."""

    def mixed(index: int, filled: Planes, before: Planes) -> None:
        where = filled.y != before.y
        mean = filled.y * (1 - share) + before.y * share
        filled.y[where] = np.rint(mean)[where]

    def sparse(index: int, filled: Planes, before: Planes) -> None:
        where = np.random.default_rng(number * 1000 + index).random(filled.y.shape) < share
        filled.y[where] = before.y[where]

    return mixed if number % 2 else sparse


def with_tag(copy: Path, target: Path, number: int) -> Path:
    """The copy with one tag of the original's written into it."""
    tags = [("title", TITLE), ("location", PLACE), ("artist", NAME), ("comment", DATE[:10]), ("date", "04.03.2021")]
    key, value = tags[number % len(tags)]
    with av.open(str(copy)) as source, av.open(str(target), "w", format="mp4", options={"fflags": "+bitexact"}) as out:
        out.metadata[key] = value
        _remux(source, out, 0)
    return target


def with_late_sound(copy: Path, target: Path, frames: int) -> Path:
    """The copy with its sound so many pictures later (or earlier, when negative)."""
    with av.open(str(copy)) as source, av.open(str(target), "w", format="mp4", options={"fflags": "+bitexact"}) as out:
        _remux(source, out, frames)
    return target


def without_picture(copy: Path, target: Path, number: int) -> Path:
    """The finished copy coded again without one of its pictures; the others keep their times."""
    with av.open(str(copy)) as source, av.open(str(target), "w", format="mp4") as out:
        track = source.streams.video[0]
        coded = out.add_stream("libx264", rate=RATE, options={"crf": "12"})
        coded.width, coded.height, coded.pix_fmt = track.width, track.height, "yuv420p"
        coded.time_base = track.time_base
        for index, frame in enumerate(source.decode(track)):
            frame.pict_type = av.video.frame.PictureType.NONE
            if index != number:
                out.mux(coded.encode(frame))
        out.mux(coded.encode(None))
    return target


def _remux(source: av.container.InputContainer, out: av.container.OutputContainer, late: int) -> None:
    tracks = {track.index: out.add_stream_from_template(track) for track in source.streams}
    for packet in source.demux():
        if packet.dts is None:
            continue
        shift = round(late / RATE / packet.time_base) if packet.stream.type == "audio" else 0
        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
        if packet.pts < 0:
            continue
        packet.stream = tracks[packet.stream.index]
        out.mux(packet)


def with_name(copy: Path, target: Path, number: int) -> Path:
    """The copy with a protected name in UTF-16 in a free part, at its end or inside."""
    coding = ("utf-16-le", "utf-16-be")[number % 2]
    chance = random.Random(number)
    filler = bytes(chance.randrange(256) for _ in range(chance.randrange(40)))
    content = filler + NAME.encode(coding) + filler
    data = copy.read_bytes()
    target.write_bytes(data + (len(content) + 8).to_bytes(4, "big") + b"free" + content)
    return target
