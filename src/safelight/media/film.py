"""Decoding a film, and noticing everything that does not come out as the container promised."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Generator, Iterator
from fractions import Fraction
from typing import Any, BinaryIO, cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from pydantic import ValidationError

from safelight.errors import Code, SafelightError
from safelight.media import colour, tracks, upright
from safelight.media.facts import ClipFacts, Gap
from safelight.media.fields import bottom_first
from safelight.media.pieces import Part
from safelight.media.shot import Shot
from safelight.media.source import (
    MAX_PIXELS,
    UNPROVEN,
    Complaints,
    file_size,
    open_container,
    promised_size,
    unreadable,
)
from safelight.media.watch import Opening, Watch

# Codecs in which each packet holds one picture, so that a packet without a picture is a loss. Not among them: VP8, VP9
# and AV1 (invisible reference pictures), and MPEG-4 part 2 (packed pictures, placeholders).
_ONE_TO_ONE_NAMES = """
h264 hevc mjpeg mpeg2video mpeg1video dvvideo prores dnxhd ffv1 huffyuv ffvhuff rawvideo
"""
_ONE_TO_ONE = frozenset(_ONE_TO_ONE_NAMES.split())
_INDEXED = frozenset({"mov,mp4,m4a,3gp,3g2,mj2"})
_TIMED = frozenset({"matroska,webm", "avi", "asf", "flv", "mxf"})
_MAX_READ_ERRORS = 100
_BACK = 16  # pictures that may be coded after one shown later than they, at most
_MOST_AHEAD = 40  # pictures that a decoder keeps back to put them in order, at most
_UNDOUBTED, _FOREVER = -1, 1 << 62


class _Ticket:
    """Goes through the decoder with a packet and comes out with its picture. The binding keeps such things by where
    they lie in memory, so a plain number, which two films would share, gets lost.
    """

    def __init__(self, number: int) -> None:
        self.number = number


class Film:
    """A film being read: ``facts`` at once, then :meth:`shots`, then ``missing``."""

    def __init__(self, source: BinaryIO, accept_damaged: bool) -> None:
        self.missing: list[Gap] = []
        self._accept = accept_damaged
        self._complaints = Complaints()
        self._size = file_size(source)
        self._promised = promised_size(source, self._size)
        self._container: InputContainer = open_container(source, self._complaints)
        self._track = tracks.choose(self._container)
        self._context = self._track.codec_context
        # One thread: FFmpeg's complaints are heard in Python, and a decoding thread that complains while Python waits
        # for that thread would wait for Python. It also makes it certain which picture a complaint is about.
        self._context.thread_count = 1
        self._context.copy_opaque = True  # which packet a picture came from
        self._context.options = {"max_pixels": str(MAX_PIXELS), "err_detect": "crccheck+bitstream"}
        self._base = self._track.time_base or Fraction(1, 90000)
        self._one_to_one = self._context.codec.canonical_name in _ONE_TO_ONE
        self._index = -1
        self._shape = (0, 0, "")
        self._end = 0.0  # seconds of the container up to which anything was read
        self._packets = 0
        # Pictures that are still to come: which packet they are; when they are shown (in AVI the same number again).
        self._pending: dict[int, int] = {}
        self._anew = 0  # the packet since which the clock was not set back
        self._latest: int | None = None  # the latest time of a packet since then
        self._watch = Watch(source, self._container.format.name, self._track)
        self._opening = Opening(self._watch)
        self._last_packet = False  # the one that is being decoded is the film's last
        self._cut_off: int | None = None  # the packet of a last picture that is not whole
        # AVI has no presentation times, and those FFmpeg makes up are wrong when pictures are reordered: the n-th
        # picture shown belongs to the n-th packet's place.
        self._places: deque[int] | None = deque() if self._container.format.name == "avi" else None
        self._rate = _sane_rate(self._track)
        # Seconds by which times must go back before it is the clock, and not the order of coding.
        self._back = max(Fraction(1), _BACK / self._rate) if self._rate else Fraction(1)
        self._last: int | None = None
        self._offset = 0
        self._doubt = False
        self._doubt_until = _UNDOUBTED  # a key frame of a later packet than this ends the doubt
        self._origin = 0.0
        if self._container.metadata.get("comment") == UNPROVEN:
            self._damage("It was salvaged with settings of another film", at=_FOREVER)
        self._frames = self._decode()
        first = next(self._frames, None)
        if first is None:
            raise SafelightError(Code.NO_FRAMES, "No picture could be read.")
        self._first: Shot | None = first
        self.mirrored, turn = upright.of_frame(first.frame)
        try:
            self.facts = self._describe(first, turn)
        except ValidationError as error:
            what = error.errors()[0]["loc"][-1]
            raise SafelightError(Code.UNSUPPORTED, f"What the file says of itself cannot be ({what}).") from error

    def close(self) -> None:
        """Let go of the file."""
        self._frames.close()
        # The decoder's threads report errors through Python. Taken down while one of them waits for the interpreter,
        # which is held meanwhile, the decoder would wait for it forever; flushing lets them finish first.
        self._context.flush_buffers()
        self._container.close()

    def shots(self) -> Iterator[Shot]:
        """All frames in presentation order, once."""
        first, self._first = self._first, None
        if first is None:
            raise ValueError("a film can be read once")
        yield self._tagged(first)
        for shot in self._frames:
            yield self._tagged(shot)

    def part(self, part: Part) -> Iterator[Shot]:
        """Some of the frames, read from a key frame on, wherever reading stood.

        Raises SafelightError SL-DAMAGED also when they are not those that were promised.
        """
        self._frames.close()
        self._first = None
        self._context.flush_buffers()
        self._watch.forget()
        self._pending.clear()
        self._last, self._index = None, part.first - 1
        self._container.seek(part.pts, stream=self._track, backward=True)
        self._frames = self._decode_part(part)
        for shot in self._frames:
            yield self._tagged(shot)

    def _decode_part(self, part: Part) -> Generator[Shot]:
        for packet in itertools.chain(self._read(part.pts), [None]):
            for shot in self._pictures_of(packet):
                if self._index == part.first and shot.pts != part.pts:
                    self._damage("The key frame is another one than promised")
                yield shot
                if self._index + 1 == part.stop:
                    return
        self._damage("Pictures are missing")

    def _tagged(self, shot: Shot) -> Shot:
        """The shot with the colours settled once for the whole film; FFmpeg refuses to convert from reserved codes."""
        layout = shot.frame.format
        if not (layout.is_rgb or layout.has_palette):
            shot.frame.colorspace = self.facts.matrix
        shot.frame.color_primaries = shot.frame.color_trc = colour.UNSPECIFIED
        return shot

    # -- facts ---------------------------------------------------------------------------------------------------

    def _describe(self, first: Shot, turn: int) -> ClipFacts:
        frame, track, container = first.frame, self._track, self._container
        sound = tracks.sound_of(container)
        picture = float(first.pts * self._base)
        heard = tracks.seconds(sound.start_time, sound.time_base) if sound is not None else None
        self._origin = picture if heard is None else min(picture, heard)
        rgb = frame.format.is_rgb or frame.format.has_palette
        meaning = colour.settle(
            0 if rgb else frame.colorspace, frame.color_primaries, frame.color_trc, frame.width, frame.height
        )
        order = self._context.field_order
        interlaced = frame.interlaced_frame or order in (2, 3, 4, 5)
        duration = tracks.seconds(track.duration, track.time_base)
        if duration is None and container.duration is not None:
            duration = container.duration / 1e6
        aspect = track.sample_aspect_ratio
        shape = float(aspect) if aspect else 1.0
        return ClipFacts(
            container=container.format.name[:100],
            codec=self._context.codec.canonical_name[:50],
            pixel_format=frame.format.name,
            still=False,
            stored_width=frame.width,
            stored_height=frame.height,
            pixel_aspect=shape if 0.1 <= shape <= 10 else 1.0,
            turn=turn,
            interlaced=interlaced,
            bottom_first=bottom_first(frame) if frame.interlaced_frame else order in (3, 4),
            hdr=meaning.hdr,
            matrix=meaning.matrix,
            primaries=meaning.primaries,
            transfer=meaning.transfer,
            time_base=(self._base.numerator, self._base.denominator),
            frames_expected=track.frames if track.frames > 0 else None,
            rate=float(self._rate) if self._rate else None,
            duration=duration,
            picture_start=picture - self._origin,
            sound=tracks.sound_facts(container, sound, self._origin),
            dropped=tracks.dropped(container, track, frame),
        )

    # -- damage --------------------------------------------------------------------------------------------------

    def _damage(
        self,
        reason: str,
        *,
        at: int | None = None,
        frames: int | None = None,
        span: tuple[float, float] | None = None,
    ) -> None:
        """Refuse, or note what is missing and doubt all that follows until a key frame of a later packet than ``at``
        (default: the last that was read).
        """
        where = f" after picture {self._index}" if self._index >= 0 else " at the start"
        if not self._accept:
            raise SafelightError(Code.DAMAGED, f"{reason}{where}.")
        start, end = (span[0] - self._origin, span[1] - self._origin) if span else (None, None)
        gap = Gap(after=self._index, frames=frames, start=start, end=end, reason=reason)
        last = self.missing[-1] if self.missing else None
        if last is None or (last.after, last.reason) != (gap.after, gap.reason) or frames:
            self.missing.append(gap)
        self._doubt = True
        self._doubt_until = max(self._doubt_until, self._packets - 1 if at is None else at)

    # -- decoding ------------------------------------------------------------------------------------------------

    def _decode(self) -> Generator[Shot]:
        packets = self._read()
        if self._watch.transport is None:
            for packet in packets:
                yield from self._pictures_of(packet)
        else:
            before = next(packets, None)
            while before is not None:
                following = next(packets, None)
                self._last_packet = following is None
                yield from self._pictures_of(before)
                before = following
        yield from self._pictures_of(None)
        if self._index >= 0:
            self._check_end()

    def _pictures_of(self, packet: Packet[VideoStream] | None) -> Iterator[Shot]:
        """What the decoder gives for a packet, or at the end for None."""
        if self._last_packet and packet is not None and self._watch.cut_off:
            self._ends_cut_off(_number(packet))
        before, at = self._complaints.count, _number(packet) if packet is not None else None
        frames: list[VideoFrame] = []
        try:
            with self._complaints.heard():
                frames = self._context.decode(packet)
        except av.error.FFmpegError:
            if not self._ends_cut_off(at):
                self._damage("A picture could not be decoded", at=at)
            if self._places:
                self._places.popleft()
        else:
            if self._complaints.count > before and not self._ends_cut_off(at):
                self._damage("The picture stream is damaged", at=at)
        for frame in frames:
            if self._cut_off is None or _number(frame) != self._cut_off:
                yield self._accepted(frame)

    def _ends_cut_off(self, at: int | None) -> bool:
        """Whether this is the last picture of a transport stream, which may be cut off anywhere. It is left out and
        named, not refused, like what lies before the first key frame.
        """
        if self._watch.transport is None or not self._last_packet:
            return False
        if self._cut_off is None:
            self._cut_off = self._packets - 1 if at is None else at
            self._pending.pop(self._cut_off, None)
            gap = Gap(after=self._index, frames=1, start=None, end=None, reason="The last picture is cut off")
            self.missing.append(gap)
        return True

    def _read(self, since: int | None = None) -> Iterator[Packet[VideoStream]]:
        """The film's packets; errors of the disk and the container become refusals.

        ``since``: only those from the key frame of that time on, without pictures that are shown before it.
        """
        errors = 0
        begun = since is None
        while True:
            packets = self._container.demux()
            try:
                while True:
                    before = self._complaints.count
                    with self._complaints.heard():
                        packet = next(packets, None)
                    if packet is None:
                        return
                    self._note_end(packet)
                    if self._complaints.count > before and not self._opening.waits:
                        self._damage("The container is damaged")
                    if packet.stream_index != self._track.index or not packet.size:
                        continue
                    if since is not None:
                        begun = begun or (packet.is_keyframe and packet.pts == since)
                        if not begun or packet.pts is None or packet.pts < since:
                            continue  # these lean on pictures of the part before, which has them
                    if self._expect(packet):
                        yield cast("Packet[VideoStream]", packet)
            except av.error.FFmpegError:
                self._damage("The container cannot be read on")
                errors += 1
                if errors > _MAX_READ_ERRORS:
                    return
            except OSError as error:
                raise unreadable(error) from error
            except IndexError:
                # The binding stumbles at the very end when a track turned up midway; all packets were delivered.
                return

    def _expect(self, packet: Packet[Any]) -> bool:
        """Number a packet, look for damage, and note that it should become a picture; whether it is to be decoded."""
        number = self._packets
        packet.opaque = _Ticket(number)
        self._packets += 1
        reason = self._watch.hurt(packet)
        passes = self._opening.passes(packet)
        # Of transport streams FFmpeg also calls what was cut or joined cleanly corrupt; there the watch is the judge.
        if reason is None and packet.is_corrupt and self._watch.transport is None:
            reason = "A packet is damaged"
        if reason is not None and not self._opening.waits:
            self._damage(reason, at=number)
        if packet.is_discard or packet.is_disposable:
            return passes
        if self._places is not None:
            if packet.dts is not None:
                self._places.append(packet.dts)
            self._pending[number] = number
        elif packet.pts is not None:
            self._pending[number] = packet.pts
            if self._latest is not None and packet.pts + self._back / self._base < self._latest:
                self._anew, self._latest = number, None
            self._latest = max(packet.pts, self._latest or packet.pts)
        return passes

    def _note_end(self, packet: Packet[Any]) -> None:
        if packet.pts is not None and packet.time_base:
            self._end = max(self._end, float((packet.pts + (packet.duration or 0)) * packet.time_base))

    def _accepted(self, frame: VideoFrame) -> Shot:
        """Check a frame, settle its time and number it."""
        tracks.check_size(frame.width, frame.height)
        if self._index >= 0 and (frame.width, frame.height, frame.format.name) != self._shape:
            raise SafelightError(Code.UNSUPPORTED, "The picture changes its size or pixel format midway.")
        self._shape = (frame.width, frame.height, frame.format.name)
        self._note_lost(frame)
        number = _number(frame)
        # What the decoder made up for a picture that was not there has no number.
        if frame.key_frame and number is not None and number > self._doubt_until:
            self._doubt = False
        if frame.is_corrupt and (self._watch.transport is None or number is None):
            self._damage("A picture is damaged", at=number)
        pts = self._stamp(frame)
        self._index += 1
        return Shot(frame, pts, self._doubt)

    def _note_lost(self, frame: VideoFrame) -> None:
        """Packets that should have been shown before this frame and never came out are losses."""
        number, shown, behind = _number(frame), frame.pts, 0
        if self._places is not None:
            shown, behind = number, _MOST_AHEAD
        if number is None or shown is None:
            return
        self._pending.pop(number, None)
        anew = number >= self._anew
        # Times can be compared only between packets before the clock was set back, or after it; when the first picture
        # after it comes, none from before it is still to come.
        lost = [
            other
            for other, told in self._pending.items()
            if (told < shown - behind if (other >= self._anew) == anew else anew)
        ]
        times = [self._pending.pop(other) for other in lost]
        if not lost or not self._one_to_one or frame.interlaced_frame:
            return
        if self._index < 0:
            # A film cut out of a longer one may begin with pictures that need what was cut away. No player
            # shows them; they are named, not refused.
            gap = Gap(after=-1, frames=len(lost), start=None, end=None, reason="Before the first key frame")
            self.missing.append(gap)
        else:
            span = None if behind else (float(min(times) * self._base), float(shown * self._base))
            self._damage("Pictures were lost", at=max(lost), frames=len(lost), span=span)

    def _stamp(self, frame: VideoFrame) -> int:
        """A presentation time that rises strictly."""
        step = frame.duration or max(round(1 / ((self._rate or 25) * self._base)), 1)
        told = frame.pts
        if self._places is not None:
            told = self._places.popleft() if self._places else None
        if self._last is None:
            self._last = told if told is not None else 0
            return self._last
        if told is None:
            pts = self._last + step
        else:
            pts = told + self._offset
            if pts + 1 / self._base < self._last:  # the clock was set back: go on from here
                self._offset += self._last + step - pts
                pts = self._last + step
        self._last = max(pts, self._last + 1)
        return self._last

    def _check_end(self) -> None:
        """Compare what was read with what the container promised."""
        name = self._container.format.name
        if self._pending and self._context.codec.canonical_name in _ONE_TO_ONE and not self._context.field_order > 1:
            self._damage("Pictures at the end were lost", frames=len(self._pending))
        if self._promised > self._size:
            self._damage(f"The file was cut off: {self._promised - self._size} bytes are missing")
        elif name in _INDEXED and self._packets < len(self._track.index_entries):
            self._damage("Pictures at the end are missing", frames=len(self._track.index_entries) - self._packets)
        elif name in _TIMED and self._container.duration is not None:
            promised = ((self._container.start_time or 0) + self._container.duration) / 1e6
            if self._end < promised - 0.5:
                self._damage("The film ends before its time", span=(self._end, promised))


def _number(of: Packet[Any] | VideoFrame) -> int | None:
    """Which packet this is, or a picture came from."""
    return of.opaque.number if isinstance(of.opaque, _Ticket) else None


def _sane_rate(track: VideoStream) -> Fraction | None:
    """Frames per second as far as the container can be believed; used for progress and key frames only."""
    for rate in (track.average_rate, track.guessed_rate, track.base_rate):
        if rate and 0 < rate <= 300:
            return rate
    return None
