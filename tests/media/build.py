"""Clips made for tests, with everything a stranger's file may hold. Written with PyAV; needs no other program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def scene(index: int, width: int, height: int) -> Image:
    """An RGB picture that differs in its corners and moves: red top left, green top right, blue bottom left."""
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    picture = np.stack([60 + 120 * across, 60 + 120 * down, np.full_like(across, 90)], axis=-1)
    h, w = max(height // 4, 1), max(width // 4, 1)
    picture[:h, :w] = (220, 30, 30)
    picture[:h, -w:] = (30, 200, 30)
    picture[-h:, :w] = (30, 30, 220)
    x = 4 + 3 * index % max(width - 12, 1)
    picture[height // 2 : height // 2 + 8, x : x + 8] = (250, 250, 250)
    return picture.astype(np.uint8)


def busy(index: int, width: int, height: int) -> Image:
    """A scene with fresh noise in every picture, so that each needs many bytes."""
    noise = np.random.default_rng(index).integers(-40, 40, (height, width, 1))
    return np.clip(scene(index, width, height) + noise, 0, 255).astype(np.uint8)


@dataclass
class Recipe:
    """What a clip is made of; the defaults make an ordinary MP4."""

    frames: int = 30
    width: int = 160
    height: int = 96
    codec: str = "libx264"
    format: str | None = None
    pixels: str = "yuv420p"
    rate: Fraction = Fraction(25)
    base: Fraction | None = None
    pts: Sequence[int] | None = None
    options: dict[str, str] = field(default_factory=dict)
    container: dict[str, str] = field(default_factory=dict)
    rotate: float | None = None
    hflip: bool = False
    aspect: Fraction | None = None
    colour: tuple[int, int, int, int] | None = None  # range, matrix, primaries, transfer
    sound: float | None = None  # seconds of sound
    sound_codec: str = "aac"
    sound_start: float = 0.0
    tags: dict[str, str] = field(default_factory=dict)
    track_tags: dict[str, str] = field(default_factory=dict)
    chapters: list[dict[str, Any]] = field(default_factory=list)
    extra: Callable[[Any], None] | None = None  # adds tracks before writing
    after: Callable[[Any], None] | None = None  # writes their packets
    picture: Callable[[int, int, int], Image] = scene
    frame: Callable[[int], VideoFrame] | None = None


def clip(path: Path, recipe: Recipe | None = None, **changes: Any) -> Path:
    """Write a clip and return its path."""
    r = recipe or Recipe(**changes)
    with av.open(str(path), "w", format=r.format, container_options=r.container) as out:
        video = out.add_stream(r.codec, rate=r.rate, options=r.options)
        video.width, video.height, video.pix_fmt = r.width, r.height, r.pixels
        video.codec_context.thread_count = 1
        base = r.base or 1 / r.rate
        video.codec_context.time_base = base
        if r.base:
            video.time_base = base
        if r.aspect:
            video.codec_context.sample_aspect_ratio = r.aspect
        if r.colour:
            c = video.codec_context
            c.color_range, c.colorspace, c.color_primaries, c.color_trc = r.colour
        if r.rotate is not None or r.hflip:
            video.set_display_rotation(r.rotate or 0.0, hflip=r.hflip)
        video.metadata.update(r.track_tags)
        audio = None
        if r.sound is not None:
            audio = out.add_stream(r.sound_codec, rate=48000)
            audio.codec_context.layout = "mono"
        if r.extra:
            r.extra(out)
        out.metadata.update(r.tags)
        if r.chapters:
            out.set_chapters(r.chapters)
        if audio is not None and r.sound is not None:
            _tone(out, audio, r.sound, r.sound_start)
        for index in range(r.frames):
            frame = r.frame(index) if r.frame else _frame(r, index)
            frame.pts = r.pts[index] if r.pts else index if base == 1 / r.rate else round(index / r.rate / base)
            frame.time_base = base
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if r.after:
            r.after(out)
    return path


def _frame(r: Recipe, index: int) -> VideoFrame:
    frame = VideoFrame.from_ndarray(r.picture(index, r.width, r.height), format="rgb24")
    full = r.colour is not None and r.colour[0] == 2
    matrix = r.colour[1] if r.colour else 6
    return frame.reformat(
        format=r.pixels,
        dst_colorspace={1: 1, 5: 5, 6: 5, 9: 9}.get(matrix, 5),
        dst_color_range=2 if full else 1,
        threads=1,
    )


def _tone(out: Any, audio: Any, seconds: float, start: float) -> None:
    total, chunk = round(seconds * 48000), audio.codec_context.frame_size or 1024
    kind = audio.codec_context.format.name
    for at in range(0, total, chunk):
        count = min(chunk, total - at)
        wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(at, at + count) / 48000)
        samples = wave.astype(np.float32) if kind.startswith("flt") else (wave * 32767).astype(np.int16)
        frame = AudioFrame.from_ndarray(samples.reshape(1, -1), format=kind, layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48000, at + round(start * 48000), Fraction(1, 48000)
        out.mux(audio.encode(frame))
    out.mux(audio.encode(None))


def box(kind: bytes, payload: bytes) -> bytes:
    """One MP4 box."""
    return (len(payload) + 8).to_bytes(4, "big") + kind + payload
