"""A small film to play and scrub while editing, its sound, and a picture of the sound. All show the original: they go
to memory that has no name, never to a disk. Runs inside a worker.

Every picture of the clip is in the proxy, in its place: the n-th at the time of the n-th, counted from the first. Key
frames come often, so that any picture is near one whatever the clip has.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, BinaryIO

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.codec.context import Flags
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from safelight.errors import Code, SafelightError
from safelight.media.access import opened
from safelight.media.facts import ClipFacts
from safelight.media.listen import Heard, listen
from safelight.media.pieces import Part
from safelight.media.read import Reader

LONGEST_SIDE = 854
KEY_EVERY = 12  # pictures
RATE = 24000  # samples of sound a second
PEAKS_A_SECOND = 100
_OPTIONS = {"preset": "ultrafast", "crf": "27", "bf": "0", "threads": "2"}

Report = Callable[[int, int | None], None]


def write_proxy(descriptor: int, film: BinaryIO, times: BinaryIO, report: Report, part: Part | None = None) -> int:
    """Write the proxy of a film or of a ``part`` of it (H.264 in MP4, no sound), and the times; returns the number of
    pictures. Raises like Reader.
    """
    with Reader(opened(descriptor), accept_damaged=part is None) as reader, av.open(film, "w", format="mp4") as out:
        facts = reader.facts
        wide, high = _size(facts)
        video: Any = out.add_stream("libx264", rate=Fraction(facts.rate or 25).limit_denominator(1001))
        video.width, video.height, video.pix_fmt = wide, high, "yuv420p"
        video.options = dict(_OPTIONS)
        video.time_base = video.codec_context.time_base = facts.base
        video.codec_context.gop_size = KEY_EVERY
        video.codec_context.flags |= Flags.closed_gop | Flags.global_header
        first: int | None = None
        count = 0
        for picture in reader.pictures(part):
            first = picture.pts if first is None else first
            frame = VideoFrame.from_ndarray(picture.bgr(wide, high), format="bgr24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=1, dst_color_range=1, threads=1)
            frame.pts, frame.time_base, frame.pict_type = picture.pts - first, facts.base, 0
            out.mux(video.encode(frame))
            times.write(struct.pack("<q", picture.pts))
            count += 1
            report(count, facts.frames_expected)
        out.mux(video.encode(None))
    return count


def write_sound(descriptor: int, target: BinaryIO) -> None:
    """Write the sound from the first picture on (AAC in MP4, one channel); nothing where there is none."""
    with Reader(opened(descriptor), accept_damaged=True) as reader:
        facts = reader.facts
    if facts.sound is None or facts.still:
        return
    written = 0  # samples
    with av.open(target, "w", format="mp4") as out:
        track: Any = out.add_stream("aac", rate=RATE)
        track.codec_context.layout = "mono"
        track.codec_context.bit_rate = 48000
        for start, samples in _mono(descriptor, facts):
            part = samples[max(written - start, 0) :]
            if start > written:
                part = np.concatenate([np.zeros(start - written, np.float32), part])
            if part.size:
                frame = AudioFrame.from_ndarray(part.reshape(1, -1), format="fltp", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = RATE, written, Fraction(1, RATE)
                written += part.size
                out.mux(track.encode(frame))
        out.mux(track.encode(None))


def write_peaks(descriptor: int, peaks: BinaryIO, report: Callable[[int], None]) -> int:
    """Write the loudest sample of every hundredth of a second from the first picture on, 0 to 255; returns how many."""
    with Reader(opened(descriptor), accept_damaged=True) as reader:
        facts = reader.facts
    if facts.sound is None or facts.still:
        return 0
    written = 0
    loudest = 0
    for at, heard in _heard(descriptor, facts):
        share = np.abs(heard.samples).max(axis=0)
        places = ((at + np.arange(share.size) / heard.rate) * PEAKS_A_SECOND).astype(np.int64)
        for place in np.unique(places[places >= 0]):
            if place > written:
                peaks.write(bytes([loudest]) + bytes(int(place) - written - 1))
                written, loudest = int(place), 0
            loudest = max(loudest, min(round(float(share[places == place].max()) * 255), 255))
        report(written)
    peaks.write(bytes([loudest]))
    return written + 1


def _size(facts: ClipFacts) -> tuple[int, int]:
    """Even, in the clip's shape, at most LONGEST_SIDE."""
    width, height = facts.raster.shown_size
    factor = min(LONGEST_SIDE / max(width, height), 1.0)
    return max(round(width * factor / 2) * 2, 2), max(round(height * factor / 2) * 2, 2)


def _heard(descriptor: int, facts: ClipFacts) -> Iterator[tuple[float, Heard]]:
    """The sound with the seconds since the first picture; ends early where it is damaged: it is only a help."""
    assert facts.sound is not None
    shift: float | None = None
    try:
        for heard in listen(opened(descriptor)):
            if shift is None:
                shift = facts.sound.start - facts.picture_start - heard.seconds
            yield heard.seconds + shift, heard
    except SafelightError as error:
        if error.code is not Code.DAMAGED:
            raise


def _mono(descriptor: int, facts: ClipFacts) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """The sound as one channel at RATE, with the place of its first sample since the first picture."""
    resampler = AudioResampler(format="fltp", layout="mono", rate=RATE)
    place: int | None = None
    for at, heard in _heard(descriptor, facts):
        mixed = heard.samples.mean(axis=0, keepdims=True, dtype=np.float32)
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(mixed), format="fltp", layout="mono")
        frame.sample_rate = heard.rate
        if place is None or abs(round(at * RATE) - place) > RATE // 10:
            place = round(at * RATE)
        for part in resampler.resample(frame):
            samples = np.asarray(part.to_ndarray(), np.float32)[0]
            if place + samples.size > 0:
                yield max(place, 0), samples[max(-place, 0) :]
            place += samples.size
