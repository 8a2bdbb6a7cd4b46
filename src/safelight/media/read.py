"""Reading a clip: its facts at once, then its pictures one by one, in flat memory. Runs inside a worker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from safelight.media.colour import PQ, Colour
from safelight.media.facts import ClipFacts, Gap
from safelight.media.film import Film
from safelight.media.pieces import Part
from safelight.media.planes import Planes, has_luma, pack, unpack, view
from safelight.media.scale import Scaler, shrunk
from safelight.media.sniff import is_still

if TYPE_CHECKING:
    from safelight.media.stills import Still


@dataclass
class Picture:
    """One decoded frame. ``index``: 0-based, presentation order, no gaps. ``pts``: ticks of ``facts.time_base``,
    strictly rising. ``doubtful``: decoded after damage, only with ``accept_damaged``.
    """

    index: int
    pts: int
    doubtful: bool
    _frame: VideoFrame = field(repr=False)
    _facts: ClipFacts = field(repr=False)
    _mirrored: bool = field(repr=False)
    _scaler: Scaler = field(repr=False)

    @property
    def full_range(self) -> bool:
        """Whether :meth:`luma` goes from 0 to 255, not from 16 to 235."""
        frame = self._frame
        if not has_luma(frame.format) or self._facts.transfer == PQ:
            return True  # made from colours
        return frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")

    def planes(self) -> Planes:
        """A private writable copy of the stored picture; what is painted on it never reaches the decoder."""
        planes = unpack(self._frame)
        return planes.mirrored() if self._mirrored else planes

    def bgr(self, width: int, height: int) -> NDArray[np.uint8]:
        """The shown picture (upright, square pixels, HDR as BT.709) scaled to that size: shape (height, width, 3)."""
        frame, facts = self._frame, self._facts
        simple = not self._mirrored and not any(part.is_alpha for part in frame.format.components)
        if not simple or frame.format.has_palette:
            frame = pack(self.planes())
        colour = Colour(facts.matrix, facts.primaries, facts.transfer)
        return self._scaler.pixels(frame, colour, facts.turn, width, height)

    def luma(self, width: int, height: int) -> NDArray[np.uint8]:
        """How light the shown picture is, scaled to that size: shape (height, width). For following, not for keeping:
        where the file holds luma it is taken as stored, in its own range; otherwise it is made from the colours.
        """
        if not has_luma(self._frame.format) or self._facts.transfer == PQ:
            return np.asarray(cv2.cvtColor(self.bgr(width, height), cv2.COLOR_BGR2GRAY), np.uint8)
        stored = (height, width) if self._facts.turn % 2 else (width, height)
        small = shrunk(view(self._frame, 0), *stored)
        if self._mirrored:
            small = small[:, ::-1]
        return np.ascontiguousarray(np.rot90(small, -self._facts.turn))


class Reader:
    """A clip being read from an open binary file that can seek. A context manager.

    Parses a stranger's file: use it inside a worker only. Raises SafelightError with SL-EMPTY, SL-NOT-MEDIA,
    SL-NO-PICTURE, SL-NO-FRAMES, SL-TRUNCATED, SL-DAMAGED, SL-UNSUPPORTED, SL-TOO-LARGE or SL-UNREADABLE when made, and
    the last five while reading. With ``accept_damaged`` damage is not refused but listed in ``missing``.
    """

    facts: ClipFacts
    _clip: Film | Still
    doubts: list[tuple[int, int]]  # first and last picture of each stretch read so far that is doubtful

    def __init__(self, source: BinaryIO, *, accept_damaged: bool = False) -> None:
        self._clip = _still(source, accept_damaged) if is_still(source) else Film(source, accept_damaged)
        self.facts = self._clip.facts
        self.doubts = []

    @property
    def missing(self) -> list[Gap]:
        """What could not be read so far; complete after the last picture."""
        return self._clip.missing

    @property
    def mirrored(self) -> bool:
        """Whether pictures are stored with left and right exchanged."""
        return self._clip.mirrored

    def pictures(self, part: Part | None = None) -> Iterator[Picture]:
        """All pictures in presentation order, or those of a film's ``part``. Can be used once; each picture may be
        kept, at its cost in memory.
        """
        scaler = Scaler()
        if part is not None and not isinstance(self._clip, Film):
            raise ValueError("a still has no parts")
        shots = self._clip.shots() if part is None or not isinstance(self._clip, Film) else self._clip.part(part)
        for index, shot in enumerate(shots, 0 if part is None else part.first):
            if shot.doubtful:
                began = self.doubts.pop()[0] if self.doubts and self.doubts[-1][1] == index - 1 else index
                self.doubts.append((began, index))
            yield Picture(index, shot.pts, shot.doubtful, shot.frame, self.facts, self._clip.mirrored, scaler)

    def close(self) -> None:
        """Let go of the clip; the file stays open, it belongs to the caller."""
        self._clip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _still(source: BinaryIO, accept_damaged: bool) -> Still:
    """Loaded where it is needed: most clips are films."""
    from safelight.media.stills import Still

    return Still(source, accept_damaged)


class Excerpt:
    """A part of a film as if it were a film of its own: its pictures are numbered from 0, their times stay."""

    def __init__(self, reader: Reader, part: Part) -> None:
        self.facts = reader.facts
        self._reader, self._part = reader, part

    def pictures(self) -> Iterator[Picture]:
        """Its pictures in presentation order, once."""
        for picture in self._reader.pictures(self._part):
            yield replace(picture, index=picture.index - self._part.first)
