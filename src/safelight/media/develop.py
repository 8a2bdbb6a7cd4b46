"""From stored planes to the picture people see: everything that mixes neighbours, so everything after hiding.

De-interlacing, HDR and wide gamuts to BT.709, full range to limited, square pixels, 8-bit 4:2:0, upright, even size.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.error import BlockingIOError as NothingYet
from av.error import EOFError as Finished
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from safelight.media.colour import BT709, Colour
from safelight.media.facts import ClipFacts
from safelight.media.planes import Planes, format_name, pack, view
from safelight.media.scale import Scaler
from safelight.media.tonemap import table

_EXACT = "accurate_rnd+bitexact+full_chroma_int+full_chroma_inp"
# FFmpeg's names of the H.273 code points the filters need.
_MATRICES = {
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "ycgco",
    9: "bt2020nc",
    10: "bt2020c",
}
_TURNS = {1: "transpose=clock", 2: "hflip,vflip", 3: "transpose=cclock"}


@dataclass
class Developed:
    """A picture of the copy. ``frame``: 8-bit YUV in limited range, 4:2:0 and of even size for films; 4:4:4 and of the
    exact size for stills. ``pts``: ticks of the clip's time base, as read. ``size``: (width, height) without padding.
    """

    frame: VideoFrame
    pts: int
    colour: Colour
    size: tuple[int, int]

    def bgr(self, width: int, height: int) -> NDArray[np.uint8]:
        """The picture scaled to that size, shape (height, width, 3), for sheets and finders."""
        return Scaler(exact=True).pixels(self.frame, self.colour, 0, width, height)

    def rgb(self) -> NDArray[np.uint8]:
        """The picture as it is, padding included, shape (height, width, 3)."""
        return Scaler(exact=True).pixels(self.frame, self.colour, 0, self.frame.width, self.frame.height, "rgb24")


class Developer:
    """Develops the pictures of one clip in order. The same planes always give the same picture."""

    def __init__(self, facts: ClipFacts) -> None:
        self._facts = facts
        self._stored = Colour(facts.matrix, facts.primaries, facts.transfer)
        self.colour = copy_colour(facts)
        self.size = facts.raster.shown_size
        self._layout = "yuv444p" if facts.still else "yuv420p"
        self._graph: Graph | None = None
        self._key: tuple[str, bool] | None = None
        self._count = 0
        self._waiting: deque[int] = deque()

    def develop(self, planes: Planes, pts: int) -> list[Developed]:
        """Take one picture as stored, give the pictures that are done: each once, in order, with its own ``pts``.

        De-interlacing holds one picture back.
        """
        frame = pack(planes)
        steps = self._steps(planes)
        if not steps:
            return [self._done(frame, pts)]
        key = (format_name(planes), planes.full_range)
        done: list[Developed] = []
        if key != self._key:
            done = self.finish()
            self._graph, self._key = self._build(frame, key, steps), key
        assert self._graph is not None
        frame.colorspace = self._stored.matrix
        frame.pts, frame.time_base = self._count, Fraction(1, 25)
        self._count += 1
        self._waiting.append(pts)
        self._graph.push(frame, at=0)
        return done + self._pull()

    def finish(self) -> list[Developed]:
        """The pictures that were held back. Nothing may be developed afterwards but another run of pictures."""
        if self._graph is None:
            return []
        self._graph.push(None, at=0)
        done = self._pull()
        self._graph = self._key = None
        return done

    # ------------------------------------------------------------------------------------------------------------

    def _steps(self, planes: Planes) -> str:
        """The filters a picture needs, as FFmpeg writes them; empty when it is stored as it is to be shown."""
        facts, height, width = self._facts, *planes.y.shape
        steps = []
        if facts.interlaced and not facts.still and height >= 4 and width >= 4:
            parity = "bff" if facts.bottom_first else "tff"
            steps.append(f"bwdif=mode=send_frame:parity={parity}:deint=all")
        square = facts.raster.square_size
        turned_odd = facts.turn and (square[0] % 2 or square[1] % 2)
        layout = "yuv444p" if turned_odd else self._layout
        converts = self._stored.needs_conversion
        if converts or square != (width, height) or planes.full_range or format_name(planes) != layout:
            steps += self._scales(square, layout, planes.full_range)
        if facts.turn:
            steps.append(_TURNS[facts.turn])
        if layout != self._layout:
            steps += [f"scale=flags=bicubic+{_EXACT}", f"format={self._layout}"]
        return ",".join(steps)

    def _scales(self, square: tuple[int, int], layout: str, full: bool) -> list[str]:
        stored, copy = self._stored, self.colour
        size = f"scale=w={square[0]}:h={square[1]}:flags=bicubic+{_EXACT}"
        if not stored.needs_conversion:
            matrices = (
                f"in_color_matrix={_MATRICES.get(stored.matrix, 'bt709')}:out_color_matrix={_MATRICES[copy.matrix]}"
            )
            return [f"{size}:in_range={'pc' if full else 'tv'}:out_range=tv:{matrices}", f"format={layout}"]
        matrices = f"in_color_matrix={_MATRICES.get(stored.matrix, 'bt2020nc')}:in_range={'pc' if full else 'tv'}"
        out = f"scale=flags=bicubic+{_EXACT}:out_color_matrix=bt709:out_range=tv"
        return [f"{size}:{matrices}", "format=rgb48le", "haldclut", out, f"format={layout}"]

    def _build(self, frame: VideoFrame, key: tuple[str, bool], steps: str) -> Graph:
        graph = Graph()
        graph.threads = 1
        matrix = _MATRICES.get(self._stored.matrix, "bt709")
        node = graph.add(
            "buffer",
            f"video_size={frame.width}x{frame.height}:pix_fmt={key[0]}:time_base=1/25:pixel_aspect=1/1:"
            f"colorspace={matrix}:range={'pc' if key[1] else 'tv'}",
        )
        colours: VideoFrame | None = None
        for step in steps.split(","):
            name, _, arguments = step.partition("=")
            following = graph.add(name, arguments or None)
            node.link_to(following)
            if name == "haldclut":
                colours = table(self._stored)
                size = f"video_size={colours.width}x{colours.height}"
                graph.add("buffer", f"{size}:pix_fmt=rgb48le:time_base=1/25").link_to(following, 0, 1)
            node = following
        node.link_to(graph.add("buffersink"))
        graph.configure()
        if colours is not None:
            colours.pts, colours.time_base = 0, Fraction(1, 25)
            graph.push(colours, at=1)
            graph.push(None, at=1)
        return graph

    def _pull(self) -> list[Developed]:
        done: list[Developed] = []
        assert self._graph is not None
        while True:
            try:
                frame = self._graph.vpull()
            except (NothingYet, Finished):
                return done
            done.append(self._done(frame, self._waiting.popleft()))

    def _done(self, frame: VideoFrame, pts: int) -> Developed:
        if not self._facts.still and (frame.width % 2 or frame.height % 2):
            frame = _even(frame)
        frame.color_range = ColorRange.MPEG
        frame.colorspace = self.colour.matrix
        frame.color_primaries, frame.color_trc = self.colour.primaries, self.colour.transfer
        frame.pts = pts
        return Developed(frame, pts, self.colour, self.size)


def copy_colour(facts: ClipFacts) -> Colour:
    """What the numbers of the copy mean: as in the source where an ordinary player understands it, else BT.709."""
    stored = Colour(facts.matrix, facts.primaries, facts.transfer)
    if stored.needs_conversion or facts.matrix not in (1, 5, 6):
        return Colour(BT709, BT709, BT709)
    primaries = facts.primaries if facts.primaries in (1, 5, 6) else BT709
    return Colour(facts.matrix, primaries, facts.transfer if facts.transfer in (1, 6) else BT709)


def _even(frame: VideoFrame) -> VideoFrame:
    """One more column or row where needed, repeating the last; nothing is stretched or cut."""
    even = VideoFrame(frame.width + frame.width % 2, frame.height + frame.height % 2, frame.format.name)
    for index in range(len(frame.format.components)):
        source, target = view(frame, index), view(even, index)
        rows, columns = source.shape
        target[:rows, :columns] = source
        target[rows:, :columns] = source[-1:]
        target[:, columns:] = target[:, columns - 1 : columns]
    return even
