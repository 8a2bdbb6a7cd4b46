"""A film again from an MP4 or MOV without an index: coded pictures and sound in a new file, holes left open.

The pictures are copied as they are coded; only the index is new. Their times were in the index: they are made up,
evenly, at the rate of the good clip. Where the file has a hole the new film has, on purpose, a picture nobody can
decode. So whatever reads it meets the damage where it is: it refuses, or, told to accept damage, doubts every picture
up to the next one that needs no other.

That a picture decodes does not show that the good clip's settings (parameter sets) are the right ones: with another
quantiser or another offset for colours all decodes, without a complaint, and is wrong. The settings are proven only
where the first picture that needs no other carries the same ones itself, as some cameras write. All other new films are
marked: whoever reads them refuses, or doubts every picture. Settings that do not fit at all are refused here. Runs
inside a worker.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO, Literal

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream
from numpy.typing import NDArray

from safelight.errors import Code, SafelightError
from safelight.media.avc import PICTURES, SEQUENCE, NotAvcError, Sets, by_lengths
from safelight.media.avi import is_avi, mend
from safelight.media.carve import Carver, Coded, Heard, Hole
from safelight.media.source import UNPROVEN, Complaints, file_size, head, listen, open_container, promised_size

_BASE = Fraction(1, 90_000)  # seconds a tick
_NOT_A_PICTURE = b"\x00\x00\xff\xff\x41"  # a unit longer than the packet it is in: no decoder takes it
_FIRST_BOXES = (b"ftyp", b"mdat", b"free", b"skip", b"wide")
_MOST_DELAY = 16  # pictures by which one can be coded before it is shown (H.264, A.3.1: size of the picture buffer)
_REPORTED = 25  # pictures between two reports
_MOST_EXTENSION = 4  # bytes that a record can hold after its sets (profile "high": format and depth of colours)
_TRIED = 8  # pictures that are decoded to see whether the good clip's settings can be theirs
_MOST_PLANES = 8  # channels; of more the binding reads where nothing is


@dataclass
class Saved:
    """What came of it. ``pictures``: written; ``holes``: stretches where pictures may be lost; ``lost``: bytes in
    them; ``sound``: seconds; ``proven``: the film itself carries the good clip's settings.
    """

    pictures: int = 0
    holes: int = 0
    lost: int = 0
    sound: float = 0.0
    proven: bool = False
    form: Literal["mov", "avi"] = "mov"


class Eye:
    """Looks whether pictures that need no other can be of the good clip's settings."""

    def __init__(self, like: VideoStream) -> None:
        listen()
        self._settings = bytes(like.codec_context.extradata or b"")
        self._complaints = Complaints()
        self._tried = 0
        self.decoded = 0

    def proven(self, data: bytes) -> bool:
        """Whether a picture carries the good clip's settings. Raises SL-SALVAGE-LIKE when it carries others."""
        own = [unit for unit in by_lengths(data, 4) if unit and unit[0] & 31 in (SEQUENCE, PICTURES)]
        if any(unit not in self._settings for unit in own):
            raise SafelightError(Code.SALVAGE_LIKE, "The film says that its settings are others than the good clip's.")
        kinds = {unit[0] & 31 for unit in own}
        # Each set stands in the record with two bytes of length; one byte of version, profile, level and two counts.
        whole = 7 + sum(2 + len(unit) for unit in set(own)) >= len(self._settings) - _MOST_EXTENSION
        return whole and kinds == {SEQUENCE, PICTURES}

    def look(self, data: bytes) -> None:
        """Decode a picture that needs no other, if not enough were."""
        if self._tried >= _TRIED:
            return
        self._tried += 1
        context = av.CodecContext.create("h264", "r")
        assert isinstance(context, VideoCodecContext)
        context.extradata, context.thread_count = self._settings, 1
        before = self._complaints.count
        try:
            with self._complaints.heard():
                frames = context.decode(Packet(data)) + context.decode(None)
        except av.error.FFmpegError:
            return
        self.decoded += bool(frames) and self._complaints.count == before


class Ear:
    """Decodes pieces of AAC with the settings of the good clip.

    Each piece leaves something behind that sounds in the next. So pieces are tried by a decoder of their own.
    """

    def __init__(self, like: AudioStream) -> None:
        listen()
        self._settings = bytes(like.codec_context.extradata or b"")
        self._complaints = Complaints()
        self._context = self._new()
        self.rate = like.codec_context.sample_rate
        self.layout = like.codec_context.layout.name
        self.channels = like.codec_context.channels

    def _new(self) -> av.AudioCodecContext:
        context = av.CodecContext.create("aac", "r")
        context.extradata = self._settings
        assert isinstance(context, av.AudioCodecContext)
        return context

    def hears(self, data: bytes) -> bool:
        """Whether the bytes are whole sound of this kind, from the first to the last."""
        return self._decoded(self._new(), data) is not None

    def heard(self, data: bytes) -> NDArray[np.float32]:
        """The samples of the next piece, one that was tried: shape (channels, samples)."""
        samples = self._decoded(self._context, data)
        return samples if samples is not None else np.zeros((self.channels, 0), np.float32)

    def _decoded(self, context: av.AudioCodecContext, data: bytes) -> NDArray[np.float32] | None:
        before = self._complaints.count
        try:
            with self._complaints.heard():
                frames = context.decode(Packet(data))
        except (av.error.FFmpegError, ValueError):
            return None
        fits = all(f.sample_rate == self.rate and f.layout.nb_channels == self.channels for f in frames)
        if self.channels > _MOST_PLANES or not frames or not fits or self._complaints.count > before:
            return None
        return np.concatenate([np.asarray(f.to_ndarray(), np.float32) for f in frames], axis=1)


def salvage(
    damaged: BinaryIO,
    like: BinaryIO,
    target: Path,
    report: Callable[[int, int | None], None],
) -> Saved:
    """Write ``target`` (MOV: the pictures as they were coded, sound as samples) from what ``damaged`` still holds.

    Where the good clip is an AVI, an AVI is written: see :mod:`safelight.media.avi`.

    ``like``: a whole clip of the same camera with the same settings. ``report``: bytes gone through, and bytes. Raises
    SafelightError: SL-SALVAGE-KIND for files of other forms and those that have their index, SL-SALVAGE-LIKE when
    ``like`` is no MP4 or MOV with H.264 or shows to be of other settings, SL-NOTHING-SAVED when no picture was found,
    SL-EMPTY, and what opening ``like`` raises.
    """
    size = file_size(damaged)
    if is_avi(head(like)):
        if head(damaged)[4:8] in _FIRST_BOXES:
            raise SafelightError(Code.SALVAGE_LIKE, "The good clip is an AVI, the film is none.")
        done = mend(damaged, like, target, report)
        return Saved(done.pictures, done.holes, done.lost, done.sound, proven=True, form="avi")
    _require_lost_index(damaged, size)
    with open_container(like, Complaints()) as good, mmap(damaged.fileno(), size, access=ACCESS_READ) as data:
        track, sets = _pictures_like(good)
        sound = next((s for s in good.streams.audio if s.codec_context.name.startswith("aac")), None)
        ear = Ear(sound) if sound is not None else None
        try:
            carver = Carver(data, sets, ear.hears if ear else None)
        except NotAvcError as error:
            raise _no_example(error) from error
        eye = Eye(track)
        with _Writing(target, track, ear, eye, _priming(good, sound), lambda at: report(at, size)) as out:
            for part in carver.parts():
                out.take(part, carver.place)
        if not out.saved.pictures:
            raise SafelightError(Code.NOTHING_SAVED, "No picture like those of the good clip was found.")
        if not eye.decoded:
            raise SafelightError(Code.SALVAGE_LIKE, "No picture decodes with the settings of the good clip.")
        return out.saved


def _require_lost_index(damaged: BinaryIO, size: int) -> None:
    if head(damaged)[4:8] not in _FIRST_BOXES:
        raise SafelightError(Code.SALVAGE_KIND, "This is no MP4 or MOV.")
    try:
        promised_size(damaged, size)
    except SafelightError as error:
        if error.code is Code.TRUNCATED:
            return
        raise
    raise SafelightError(Code.SALVAGE_KIND, "This MP4 or MOV has its index; there is nothing to salvage.")


def _pictures_like(good: InputContainer) -> tuple[VideoStream, Sets]:
    track = next(iter(good.streams.video), None)
    if track is None or track.codec_context.name != "h264" or "mp4" not in good.format.name:
        raise SafelightError(Code.SALVAGE_LIKE, "The good clip is no MP4 or MOV with H.264.")
    try:
        record = bytes(track.codec_context.extradata or b"")
        if len(record) > 4 and record[4] & 3 != 3:
            raise NotAvcError("lengths are not written in four bytes")
        return track, Sets.of_record(record)
    except NotAvcError as error:
        raise _no_example(error) from error


def _no_example(error: NotAvcError) -> SafelightError:
    return SafelightError(Code.SALVAGE_LIKE, f"The good clip cannot serve as an example: {error}.")


def _priming(good: InputContainer, sound: AudioStream | None) -> int:
    """Samples at the start of the sound that the camera's encoder put there and no player lets be heard."""
    if sound is None or sound.time_base is None:
        return 0
    first = next((p for p in good.demux(sound) if p.pts is not None), None)
    early = -first.pts * sound.time_base * sound.codec_context.sample_rate if first is not None and first.pts else 0
    return max(round(early), 0)


class _Writing:
    """The new film. Context manager; the file is whole after it."""

    def __init__(
        self,
        target: Path,
        like: VideoStream,
        ear: Ear | None,
        eye: Eye,
        priming: int,
        report: Callable[[int], None],
    ) -> None:
        self.saved = Saved()
        self._eye = eye
        self._report = report
        self._ear = ear
        self._skip = priming
        rate = like.average_rate or like.guessed_rate
        self._step = round(1 / (rate if rate and 1 <= rate <= 1000 else Fraction(25)) / _BASE)
        self._file: OutputContainer = av.open(str(target), "w", format="mov", options={"fflags": "+bitexact"})
        self._track = self._file.add_stream_from_template(like)
        self._track.metadata.clear()
        self._track.time_base = _BASE
        self._sound: AudioStream | None = None
        if ear is not None:
            self._sound = self._file.add_stream("pcm_f32le", rate=ear.rate, layout=ear.layout)
        self._group: list[Coded | None] = []  # coded pictures up to the next that needs no other; None: a hole
        self._delay: int | None = None
        self._done = 0  # packets of pictures written
        self._samples = 0
        self._begun = False
        self._early: list[bytes] = []  # pieces of sound before the first picture

    def __enter__(self) -> _Writing:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._flush()
            self.saved.sound = self._samples / self._ear.rate if self._ear else 0.0
        self._file.close()

    def take(self, part: Coded | Heard | Hole, place: int) -> None:
        """Add what was found. ``place``: how far the file has been gone through."""
        if isinstance(part, Coded):
            if part.key:
                self._flush()
                self._eye.look(part.data)
                if not self._begun:
                    self._begin(part)
            elif not self._begun:
                return
            self._group.append(part)
            self.saved.pictures += 1
            if self.saved.pictures % _REPORTED == 0:
                self._report(place)
        elif isinstance(part, Heard):
            if self._begun:
                self._hear(part.data)
            else:
                self._early.append(part.data)
        elif self._begun:
            if self._group[-1:] != [None]:
                self._group.append(None)
                self.saved.holes += 1
            self.saved.lost += part.size

    def _flush(self) -> None:
        """Write a group of pictures: times by the order in which they are shown."""
        group, self._group = self._group, []
        if not group:
            return
        for number, (part, rank) in enumerate(zip(group, _ranks(group), strict=True), self._done):
            packet = Packet(_NOT_A_PICTURE if part is None else part.data)
            packet.stream, packet.time_base = self._track, _BASE
            packet.pts = (self._done + rank + _MOST_DELAY) * self._step
            packet.dts = number * self._step
            packet.duration = self._step
            packet.is_keyframe = part is not None and part.key
            self._file.mux(packet)
        self._done += len(group)

    def _begin(self, first: Coded) -> None:
        """Say what is to be thought of the film; it must be known before anything is written."""
        self._begun = True
        self.saved.proven = self._eye.proven(first.data)
        if not self.saved.proven:
            self._file.metadata["comment"] = UNPROVEN
        early, self._early = self._early, []
        for data in early:
            self._hear(data)

    def _hear(self, data: bytes) -> None:
        assert self._ear is not None
        assert self._sound is not None
        samples = self._ear.heard(data)
        skipped = min(self._skip, samples.shape[1])
        self._skip -= skipped
        samples = samples[:, skipped:]
        lead = _MOST_DELAY * self._step * _BASE * self._ear.rate
        if not samples.shape[1]:
            return
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples.T.reshape(1, -1)), format="flt", layout=self._ear.layout
        )
        frame.sample_rate = self._ear.rate
        frame.time_base = Fraction(1, self._ear.rate)
        frame.pts = round(lead) + self._samples
        self._samples += samples.shape[1]
        for packet in self._sound.encode(frame):
            self._file.mux(packet)


def _ranks(group: list[Coded | None]) -> list[int]:
    """For each part of a group, when it is shown. A hole splits the group: what follows it is shown after it."""
    ranks: list[int] = []
    for hole, run in itertools.groupby(group, lambda part: part is None):
        parts = list(run)
        base = len(ranks)
        order = sorted(range(len(parts)), key=lambda n: 0 if hole else _place(parts[n]))
        shown = {number: rank for rank, number in enumerate(order)}
        ranks += [base + shown[number] for number in range(len(parts))]
    return ranks


def _place(part: Coded | None) -> int:
    return part.place if part is not None else 0
