"""Writing the copy: H.264 and AAC in MP4, from an allow-list, so that nothing travels along.

What the file holds: one picture track, at most one sound track, the tables they need. No tags, names, dates or notes of
anybody, the tools that wrote it included. The same pictures give the same bytes on every machine.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import av
from av.bitstream import BitStreamFilterContext
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from safelight.errors import Code, SafelightError
from safelight.media.develop import Developed, copy_colour
from safelight.media.facts import ClipFacts
from safelight.media.sound import Samples, SoundTrack

# The one place that says how copies are coded. Two threads whatever the machine has, and no shortcut that only some
# processors know: both would change the bytes. So would "lookahead-threads=1": with it, the same pictures gave other
# bytes in every run.
QUALITY = 19  # x264's rate factor; treated pictures say themselves what they need
PROFILE: dict[str, str] = {
    "preset": "superfast",
    "crf": str(QUALITY),
    "threads": "2",
    # Always three B pictures between others: choosing took a quarter of the encoder's time, for copies no smaller.
    "x264-params": "cpu-independent=1:open-gop=0:scenecut=0:b-adapt=0",
}
KEY_SECONDS = 2
JPEG_QUALITY = 92
_SEI = 6  # NAL unit type of notes inside the picture stream (H.264, table 7-1); x264 signs its work there


class _Output:
    """The file being written. Remembers the first failure and takes the rest in silence: FFmpeg goes on writing
    after an error and PyAV prints what it cannot raise. The writer looks at ``error`` after every step.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.error: OSError | None = None
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
        self._file: BinaryIO = os.fdopen(os.open(path, flags, 0o600), "wb")

    def write(self, data: bytes) -> int:
        if self.error is None:
            try:
                self._file.write(data)
            except OSError as error:
                self.error = error
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._file.seek(offset, whence)
        except OSError as error:  # seeking writes what was held back
            self.error = self.error or error
            return offset

    def tell(self) -> int:
        return self._file.tell()

    def again(self, url: str, flags: int, options: dict[str, str]) -> BinaryIO:
        """The same file for reading: moving the index to the front needs it. Whatever the URL says."""
        try:
            self._file.flush()
        except OSError as error:
            self.error = self.error or error
        return self._path.open("rb")

    def finish(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)


def _rate(facts: ClipFacts) -> float:
    """Pictures a second as the file claims; a lie of one picture in months must not become a division by zero."""
    return max(facts.rate or 25.0, 0.001)


class Writer:
    """Writes one film. A context manager: left by an exception, it removes what it wrote.

    ``quality``: x264's rate factor, lower is better. Everything else about the coding is the same for all copies.
    ``sound``: what is heard from time 0 of the copy on, in blocks; asked for little by little, silence after its end.
    There is a sound track if, and only if, the source has one.

    Raises SafelightError: SL-IN-THE-WAY when ``path`` exists, SL-DISK-FULL, SL-NOT-WRITABLE.
    """

    def __init__(self, path: Path, facts: ClipFacts, quality: int = QUALITY, sound: Iterable[Samples] = ()) -> None:
        self._path = path
        self._quality = quality
        self._facts = facts
        self._heard = sound
        try:
            self._file = _Output(path)
        except OSError as error:
            raise not_written(error, path) from error
        opened: Any = av.open(
            self._file,
            mode="w",
            format="mp4",
            container_options={
                "movflags": "+faststart",
                "fflags": "+bitexact",
                "empty_hdlr_name": "1",
                "write_tmcd": "0",
                "movie_timescale": "90000",  # in which the start of a late picture or sound is written
            },
            io_open=self._file.again,
        )
        self._container: OutputContainer = opened
        self._video: VideoStream | None = None
        self._filter: BitStreamFilterContext | None = None
        self._sound: SoundTrack | None = None
        self._held: tuple[VideoFrame, int] | None = None
        self._step = max(round(1 / (Fraction(_rate(facts)).limit_denominator(100000) * facts.base)), 1)
        self._zero: int | None = None
        self._end = 0.0  # seconds at which the last picture ends
        self._open = True

    def picture(self, developed: Developed) -> None:
        """Add the next picture; times must rise. Its place on the time line is the one it has in the source."""
        if self._zero is None:
            self._zero = developed.pts - round(self._facts.picture_start / self._facts.base)
            self._start(developed.frame)
        pts = developed.pts - self._zero
        if self._held is not None:
            self._step = pts - self._held[1]
            self._encode(*self._held, self._step)
        self._held = (developed.frame, pts)

    def close(self) -> None:
        """Write what is left, the sound and the index, and bring all to the disk."""
        if not self._open:
            return
        try:
            if self._held is not None:
                self._encode(*self._held, self._step)
                self._held = None
                assert self._video is not None
                self._mux(self._video.encode(None))
                self._flush_filter()
            if self._sound is not None:
                with self._failures():
                    self._sound.finish(self._end)
            with self._failures():
                self._container.close()
            with self._failures():
                self._file.finish()
        except BaseException:
            self._abandon()
            raise
        self._open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._abandon()

    # ------------------------------------------------------------------------------------------------------------

    def _start(self, frame: VideoFrame) -> None:
        self._begin(self._encoder(frame))

    def _begin(self, video: VideoStream) -> None:
        """Write the head of the file, now that the picture track is known."""
        if self._facts.sound is not None:
            self._sound = SoundTrack(self._container, self._heard)
        with self._failures():
            self._container.start_encoding()
        self._video = video
        self._filter = BitStreamFilterContext(f"filter_units=remove_types={_SEI}", video)

    def _encoder(self, frame: VideoFrame) -> VideoStream:
        rate = Fraction(_rate(self._facts)).limit_denominator(1001)
        video = self._container.add_stream("libx264", rate=rate, options=PROFILE | {"crf": str(self._quality)})
        assert isinstance(video, VideoStream)
        colour = copy_colour(self._facts)
        video.width, video.height, video.pix_fmt = frame.width, frame.height, "yuv420p"
        video.time_base = video.codec_context.time_base = self._facts.base
        video.codec_context.gop_size = max(round(KEY_SECONDS * rate), 1)
        video.codec_context.flags |= Flags.bitexact | Flags.closed_gop | Flags.global_header
        video.codec_context.color_range = 1
        video.codec_context.colorspace = colour.matrix
        video.codec_context.color_primaries = colour.primaries
        video.codec_context.color_trc = colour.transfer
        video.codec_context.thread_count = int(PROFILE["threads"])
        return video

    def _encode(self, frame: VideoFrame, pts: int, duration: int) -> None:
        assert self._video is not None
        frame.pts, frame.duration, frame.time_base = pts, duration, self._facts.base
        frame.pict_type = 0
        self._end = float((pts + duration) * self._facts.base)
        if self._sound is not None:
            with self._failures():
                self._sound.until(float(pts * self._facts.base))
        self._mux(self._video.encode(frame))

    def _mux(self, packets: list[Packet[VideoStream]]) -> None:
        assert self._filter is not None
        for packet in packets:
            self._put(self._filter.filter(packet))

    def _flush_filter(self) -> None:
        assert self._filter is not None
        self._put(self._filter.filter(None))

    def _put(self, packets: list[Packet[Any]]) -> None:
        for packet in packets:
            assert self._video is not None
            packet.stream = self._video
            with self._failures():
                self._container.mux(packet)

    @contextlib.contextmanager
    def _failures(self) -> Any:
        """Turn failures of the disk into refusals."""
        try:
            yield
        except (OSError, av.error.FFmpegError) as error:
            raise not_written(self._file.error or error, self._path) from error
        if self._file.error is not None:
            raise not_written(self._file.error, self._path)

    def _abandon(self) -> None:
        if self._open:
            self._open = False
            with contextlib.suppress(OSError, av.error.FFmpegError):
                self._container.close()
            self._file.abandon()


def not_written(error: Exception, path: Path) -> SafelightError:
    """The refusal for a copy that could not be written."""
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return SafelightError(Code.DISK_FULL, "The disk is full.", file=str(path))
    if number == errno.EEXIST:
        return SafelightError(Code.IN_THE_WAY, "A file of this name is there already.", file=str(path))
    reason = os.strerror(number) if isinstance(number, int) and 0 < number < 200 else "the encoder gave up"
    return SafelightError(Code.NOT_WRITABLE, f"Writing failed: {reason}.", file=str(path))


def write_still(path: Path, developed: Developed) -> None:
    """Write a still afresh: as JPEG when ``path`` ends in .jpg or .jpeg, else as PNG; pixels and nothing else.

    Raises SafelightError: SL-IN-THE-WAY when ``path`` exists, SL-DISK-FULL, SL-NOT-WRITABLE.
    """
    image = Image.fromarray(developed.rgb())
    jpeg = path.suffix.lower() in (".jpg", ".jpeg")
    try:
        output = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise not_written(error, path) from error
    try:
        with output:
            if jpeg:
                image.save(output, format="JPEG", quality=JPEG_QUALITY)
            else:
                image.save(output, format="PNG")
            output.flush()
            os.fsync(output.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)
        raise not_written(error, path) from error
