"""Which field of an interlaced picture comes first."""

from __future__ import annotations

from fractions import Fraction

from av.error import BlockingIOError as NothingYet
from av.error import EOFError as Finished
from av.filter import Graph
from av.video.frame import VideoFrame


def bottom_first(frame: VideoFrame) -> bool:
    """Whether the lower field of a decoded picture is the earlier one, as the decoder says.

    The binding does not show this flag, but FFmpeg's ``select`` filter reads it: the frame passes or it does not.
    """
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=frame.time_base or Fraction(1, 25),
    )
    chosen = graph.add("select", "eq(interlace_type,BOTTOMFIRST)")
    graph.link_nodes(source, chosen, graph.add("buffersink")).configure()
    graph.push(frame)
    graph.push(None)
    try:
        graph.pull()
    except (NothingYet, Finished):
        return False
    return True
