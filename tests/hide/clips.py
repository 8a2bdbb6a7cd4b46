"""Clips made in the test: lossless, so that two of them can differ inside hidden regions and nowhere else."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from safelight.geometry import Box
from safelight.media.planes import view
from safelight.media.read import Reader
from safelight.plan import Clip, Decision, Keyframe, Kind, Look, Origin, Plan, Region, Sensor, Settings, Shape

FRAMES = 8
Paint = Callable[[int, list[NDArray[np.uint8] | NDArray[np.uint16]]], None]


@dataclass(frozen=True)
class Format:
    """How a clip is stored."""

    name: str
    suffix: str = "mkv"
    codec: str = "ffv1"
    pixels: str = "yuv420p"
    width: int = 96
    height: int = 72
    pixel_aspect: Fraction = Fraction(1)
    turn: int = 0
    options: tuple[tuple[str, str], ...] = ()


LOSSLESS_H264 = (("qp", "0"), ("preset", "ultrafast"))
FORMATS = [
    Format("plain"),
    Format("h264", "mp4", "libx264", options=LOSSLESS_H264),
    Format("colour-444", pixels="yuv444p"),
    Format("colour-422", pixels="yuv422p"),
    Format("colour-411", pixels="yuv411p"),
    Format("grey", pixels="gray"),
    Format("rgb", pixels="bgr0"),
    Format("ten-bit", pixels="yuv420p10le"),
    Format("ten-bit-422", pixels="yuv422p10le"),
    Format("odd-size", width=97, height=73),
    Format("odd-size-444", pixels="yuv444p", width=91, height=67),
    Format("anamorphic", pixel_aspect=Fraction(16, 11)),
    Format("full-range", "mp4", "libx264", pixels="yuvj420p", options=LOSSLESS_H264),
    Format("interlaced", "mp4", "libx264", options=(*LOSSLESS_H264, ("x264-params", "tff=1"))),
    Format("turned-once", "mp4", "libx264", turn=1, options=LOSSLESS_H264),
    Format("turned-twice", "mp4", "libx264", turn=2, options=LOSSLESS_H264),
    Format("turned-interlaced", "mp4", "libx264", turn=3, options=(*LOSSLESS_H264, ("x264-params", "tff=1"))),
    Format("raw-in-avi", "avi", "rawvideo", pixels="yuv420p"),
]


def write_clip(path: Path, form: Format, paint: Paint, frames: int = FRAMES) -> None:
    """Encode pictures; ``paint`` is given each one's number and its planes (still noise) to change."""
    with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(form.codec, rate=25, options=dict(form.options))
        stream.width, stream.height, stream.pix_fmt = form.width, form.height, form.pixels
        stream.codec_context.sample_aspect_ratio = form.pixel_aspect
        stream.codec_context.thread_count = 1
        for index in range(frames):
            frame = VideoFrame(form.width, form.height, form.pixels)
            dice = np.random.default_rng(index)
            planes = []
            if form.pixels == "bgr0":  # packed: shown to the painter as three planes
                packed = np.frombuffer(frame.planes[0], np.uint8).reshape(form.height, -1)[:, : form.width * 4]
                planes = [packed[:, channel::4] for channel in range(3)]
            else:
                planes = [view(frame, channel) for channel in range(len(frame.planes))]
            for plane in planes:
                top = 1 << frame.format.components[0].bits
                slope = np.add.outer(np.arange(plane.shape[0]), np.arange(plane.shape[1])) * top // 600
                plane[:] = slope + dice.integers(0, top // 8, plane.shape) + top // 4
            paint(index, planes)
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    if form.turn:
        _turn(path, form.turn)


def _turn(path: Path, turn: int) -> None:
    """Write a display matrix into an MP4 file's track header (ISO/IEC 14496-12, 8.3.2)."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 4 + 20 + 16  # version and flags; times, id, duration; layer to volume
    one = 1 << 16
    matrix = {1: (0, one, -one, 0), 2: (-one, 0, 0, -one), 3: (0, -one, one, 0)}[turn]
    a, b, c, d = matrix
    data[start : start + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


def plan_for(path: Path, regions: Sequence[Region], look: Look = Look.VEIL, sensor: Sensor = Sensor.OFF) -> Plan:
    """A plan that fits the clip; its hash is not looked at by `apply`. Pixels stay in place unless asked otherwise."""
    with path.open("rb") as file, Reader(file) as reader:
        times = [picture.pts for picture in reader.pictures()]
        facts = reader.facts
    clip = Clip.of("0" * 64, facts.raster.shown_size, facts.time_base, times, still=facts.still)
    timed = [
        region.model_copy(
            update={"keyframes": [k.model_copy(update={"pts": times[k.frame]}) for k in region.keyframes]}
        )
        for region in regions
    ]
    return Plan(clip=clip, settings=Settings(look=look, sensor=sensor), origin=Origin(safelight="0"), regions=timed)


def region(
    name: str,
    boxes: dict[int, Box],
    shape: Shape = Shape.ELLIPSE,
    decision: Decision = Decision.HIDE,
    score: float = 0.5,
) -> Region:
    """A region with key frames at those frames; the times are filled in by :func:`plan_for`."""
    keyframes = [Keyframe.of(frame, 0, box) for frame, box in boxes.items()]
    return Region(id=name, kind=Kind.HEAD, shape=shape, decision=decision, score=score, keyframes=keyframes)
