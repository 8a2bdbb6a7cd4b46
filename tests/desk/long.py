"""A long film without encoding one: half a second of 1080p, the same packets again and again."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from safelight.plan import Clip, How, Keyframe, Kind, Origin, Plan, Region, Stretch

RATE = 25
GOP = 50


def write_long(path: Path, minutes: int, width: int = 1920, height: int = 1080) -> int:
    """Write a film of that length; returns the number of frames."""
    dice = np.random.default_rng(1)
    noise = dice.integers(60, 190, (height // 8, width // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as out:
        track = out.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "bf": "0", "g": str(GOP)})
        track.width, track.height, track.pix_fmt = width, height, "yuv420p"
        track.codec_context.thread_count = 2
        packets = []
        for index in range(GOP):
            picture = np.roll(noise, index * 4, axis=1)
            frame = VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            packets += track.encode(frame)
        packets += track.encode(None)
        data = [(bytes(packet), packet.is_keyframe) for packet in packets]
        total = minutes * 60 * RATE
        for index, (piece, key) in zip(range(total), itertools.cycle(data), strict=False):
            packet = av.Packet(piece)
            packet.pts = packet.dts = index
            packet.time_base, packet.stream, packet.is_keyframe = Fraction(1, RATE), track, key
            out.mux(packet)
    return total


def plan_of(sha256: str, times: list[int], base: tuple[int, int], tracks: int, size: tuple[int, int]) -> Plan:
    """A plan with many tracks all over a long film."""
    dice = np.random.default_rng(2)
    regions = []
    for number in range(tracks):
        first = int(dice.integers(0, len(times) - 2000))
        last = first + int(dice.integers(60, 1900))
        keys = []
        for frame in sorted({first, last, *dice.integers(first, last, 18).tolist()}):
            x, y = float(dice.uniform(0, size[0] - 200)), float(dice.uniform(0, size[1] - 200))
            keys.append(Keyframe(frame=frame, pts=times[frame], x=x, y=y, width=120, height=150))
        middle = (first + last) // 2
        told = [
            Stretch(first=first, last=middle, how=How.FOUND, finder="made up", score=float(dice.uniform(0.3, 1))),
            Stretch(first=middle + 1, last=last, how=list(How)[number % 4]),
        ]
        regions.append(Region(id=f"head-{number}", kind=Kind.HEAD, score=0.8, keyframes=keys, stretches=told))
    clip = Clip.of(sha256, size, base, times)
    return Plan(clip=clip, origin=Origin(safelight="0"), cuts=list(range(0, len(times), 300))[1:], regions=regions)
