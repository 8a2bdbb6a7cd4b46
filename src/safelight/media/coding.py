"""Pictures as a viewer gets them: coded the way copies are coded, and decoded again, all in memory."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from safelight.media.develop import Developed
from safelight.media.planes import view
from safelight.media.write import PROFILE


def coded(pictures: Sequence[Developed], quality: int) -> list[NDArray[np.uint8]]:
    """Luma of film pictures after coding, each (height, width). ``quality``: x264's rate factor."""
    if not pictures:
        return []
    first = pictures[0].frame
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = first.width, first.height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    encoder.options = PROFILE | {"crf": str(quality)}
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    packets = []
    for number, picture in enumerate(pictures):
        picture.frame.pts, picture.frame.time_base = number, Fraction(1, 25)
        packets += encoder.encode(picture.frame)
    packets += encoder.encode(None)
    frames = [frame for packet in packets for frame in decoder.decode(packet)] + decoder.decode(None)
    return [np.array(view(frame, 0)) for frame in frames]
