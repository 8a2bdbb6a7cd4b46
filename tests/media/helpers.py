"""Reading, developing and writing in one line each."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from safelight.media.develop import Developed, Developer
from safelight.media.facts import ClipFacts, Gap
from safelight.media.read import Picture, Reader
from safelight.media.write import Writer, write_still


def read(path: Path, *, accept_damaged: bool = False) -> tuple[ClipFacts, list[Picture], list[Gap]]:
    """Everything a reader gives."""
    with path.open("rb") as file, Reader(file, accept_damaged=accept_damaged) as reader:
        pictures = list(reader.pictures())
        return reader.facts, pictures, reader.missing


def copy(path: Path, target: Path, *, accept_damaged: bool = False) -> ClipFacts:
    """The copy of a clip with nothing hidden."""
    with path.open("rb") as file, Reader(file, accept_damaged=accept_damaged) as reader:
        developer = Developer(reader.facts)
        if reader.facts.still:
            for picture in reader.pictures():
                for done in developer.develop(picture.planes(), picture.pts) + developer.finish():
                    write_still(target, done)
            return reader.facts
        with Writer(target, reader.facts) as writer:
            for picture in reader.pictures():
                for done in developer.develop(picture.planes(), picture.pts):
                    writer.picture(done)
            for done in developer.finish():
                writer.picture(done)
        return reader.facts


def developed(path: Path) -> list[Developed]:
    """All pictures as the copy would show them."""
    facts, pictures, _ = read(path)
    developer = Developer(facts)
    result = [done for p in pictures for done in developer.develop(p.planes(), p.pts)]
    return result + developer.finish()


def times(path: Path) -> list[float]:
    """The presentation times of a film in seconds, by FFmpeg itself."""
    with av.open(str(path)) as film:
        return [frame.time for frame in film.decode(video=0)]


def rgb(path: Path, index: int = 0) -> NDArray[np.uint8]:
    """One frame of a film as RGB, by FFmpeg itself, rotation not applied."""
    with av.open(str(path)) as film:
        for number, frame in enumerate(film.decode(video=0)):
            if number == index:
                return frame.to_ndarray(format="rgb24")
    raise AssertionError("no such frame")
