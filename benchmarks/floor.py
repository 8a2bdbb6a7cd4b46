"""The floor under any tool that rewrites film: decode every frame, encode it with Safelight's own encoder settings.

`python -m benchmarks.floor IN OUT`. Nothing is found, nothing is hidden; the sound is left out.
"""

from __future__ import annotations

import sys
from fractions import Fraction

import av

from safelight.media.write import KEY_SECONDS, PROFILE


def main() -> None:
    """Decode and encode."""
    source, target = sys.argv[1:]
    with av.open(source) as read, av.open(target, "w") as written:
        stream = read.streams.video[0]
        stream.thread_type = "AUTO"
        rate = stream.average_rate or Fraction(25)
        film = written.add_stream("libx264", rate=rate, options=PROFILE | {"g": str(round(rate * KEY_SECONDS))})
        film.width, film.height, film.pix_fmt = stream.width, stream.height, "yuv420p"
        film.time_base = stream.time_base
        for frame in read.decode(stream):
            frame.pict_type = av.video.frame.PictureType.NONE
            written.mux(film.encode(frame))
        written.mux(film.encode())


if __name__ == "__main__":
    main()
