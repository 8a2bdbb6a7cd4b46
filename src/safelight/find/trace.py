"""What a clip is recognised by and the times it tells, taken in one reading. Runs inside a worker.

Every picture is hashed, at most 32 in a second (imagehash, BSD: "phash", the signs of a DCT's low frequencies).
Clocks that are burnt in are read from few pictures only: from the first that shows something, and, if one is there,
from others ever farther on, and from the last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from safelight.custody.trace import BYTES, FIRST_YEAR, LAST_YEAR, MOST, STEP, Clock, Told, Trace, to_text
from safelight.errors import Code, SafelightError
from safelight.find import clock
from safelight.find.reading import LARGEST, TextReader
from safelight.media.labels import labels
from safelight.media.read import Picture, Reader

_SIDE = 64  # pixels: what the hash is made from
_FREQUENCIES = 16  # each way: 256 bits
_FLAT = 4.0  # standard deviation of grey levels below which a picture shows nothing
_NEXT = 1.0  # seconds after which a clock is read for the second time
_FARTHER = 4.0  # times as long from one reading of a clock to the next
_TAGS = 20  # times that are told of one file
_LONGEST = 1e9  # seconds: a file may claim any time
_SAME = 1e-6  # seconds: the same moment


def trace(clip: BinaryIO, report: Callable[[int, int | None], None]) -> Trace:
    """Read a clip once; damage is passed over. Raises SafelightError like :class:`Reader`."""
    told = [
        Told(where=label.place, time=time)
        for label in labels(clip)
        if (time := clock.of_tag(label.text)) is not None and FIRST_YEAR <= time.year <= LAST_YEAR
    ][:_TAGS]
    clip.seek(0)
    hashes: list[NDArray[np.uint8]] = []
    seconds = begin = 0.0
    with Reader(clip, accept_damaged=True) as reader:
        clocks = _Clocks(reader.facts.raster.shown_size)
        for picture in reader.pictures():
            at = float(picture.pts * reader.facts.base)
            begin = begin if picture.index else at
            seconds = min(max(at - begin, 0.0), _LONGEST)
            if seconds >= len(hashes) * STEP - _SAME:
                if len(hashes) == MOST:
                    break
                hashed = _hash(picture)
                missed = min(int((seconds + _SAME) / STEP), MOST - 1) - len(hashes)
                hashes += hashes[-1:] * missed  # a picture stands until the next one comes
                hashes.append(hashed)
                clocks.see(picture, seconds, blank=not hashed.any())
            report(picture.index + 1, reader.facts.frames_expected)
        return Trace(
            seconds=seconds,
            hashes=to_text(np.array(hashes, np.uint8).reshape(-1, BYTES).view(np.uint64)),
            told=told,
            clocks=clocks.read(),
            read=clocks.able,
        )


def _hash(picture: Picture) -> NDArray[np.uint8]:
    grey = picture.luma(_SIDE, _SIDE)
    if float(grey.std()) < _FLAT:
        return np.zeros(BYTES, np.uint8)
    signs = imagehash.phash(Image.fromarray(grey), hash_size=_FREQUENCIES).hash
    return np.asarray(np.packbits(signs), np.uint8)


class _Clocks:
    """Decides which pictures a clock is read from."""

    def __init__(self, size: tuple[int, int]) -> None:
        shrink = min(LARGEST / max(size), 1.0)
        self._size = max(round(size[0] * shrink), 1), max(round(size[1] * shrink), 1)
        self._found: list[Clock] = []
        self._next = 0.0
        self._last: tuple[float, Picture] | None = None
        try:
            self._reader: TextReader | None = TextReader()
        except SafelightError as error:
            if error.code is not Code.WEIGHTS_MISSING:
                raise
            self._reader = None  # nobody can read here; that is told
        self.able = self._reader is not None

    def see(self, picture: Picture, seconds: float, *, blank: bool) -> None:
        """A picture goes by."""
        if self._reader is None or blank:
            return
        if seconds >= self._next:
            self._read(seconds, picture)
            self._last = None
            self._next = max(seconds * _FARTHER, _NEXT)
            if not self._found:
                self._reader = None  # a clock that is not there at first is not waited for
        else:
            self._last = seconds, picture

    def read(self) -> list[Clock]:
        """All that was read, the last picture's too; before the clip is closed."""
        if self._last is not None and self._reader is not None:
            self._read(*self._last)
        return self._found

    def _read(self, seconds: float, picture: Picture) -> None:
        assert self._reader is not None
        written = clock.of_picture(self._reader.read(picture.bgr(*self._size)).text)
        if written is not None:
            self._found.append(Clock(at=seconds, time=written.time, either=written.either))
