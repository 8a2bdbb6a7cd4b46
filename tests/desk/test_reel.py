"""The film to play: in pieces near where somebody is, in bounded memory, and never with another film's times."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from desk.folders import make_clip
from safelight.desk import reel
from safelight.desk.reel import Reel
from safelight.errors import SafelightError


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("film") / "clip.mp4", frames=1200, sound=48.0, options={"g": "25"})


@contextmanager
def reel_of(film: Path, change: Callable[[list[int]], None] = lambda times: None) -> Iterator[tuple[Reel, list[str]]]:
    """A reel, and what it said of times that differ."""
    with av.open(str(film)) as opened:
        times = sorted(packet.pts for packet in opened.demux(video=0) if packet.pts is not None)
    change(times)
    said: list[str] = []
    source = os.open(film, os.O_RDONLY)
    made = Reel(source, lambda: times, lambda: said.append("differ"))
    try:
        yield made, said
    finally:
        made.close()
        os.close(source)


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_memory_is_that_of_what_is_near(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reel, "KEPT", 1)
    with reel_of(film) as (made, said):
        made.want(0)
        until(lambda: made.ready == [0, 1] and made.peaks is not None)
        assert made.starts == [0, 250, 500, 750]
        with made.lent(1) as descriptor:
            data = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
        with av.open(io.BytesIO(data)) as piece:
            assert sum(1 for _ in piece.decode(video=0)) == 250
            assert not piece.streams.audio
        made.want(1199)
        until(lambda: made.ready == [3])
        with pytest.raises(SafelightError, match="SL-NOT-READY"), made.lent(0):
            pass
        assert said == []
        assert made.sound is not None
        heard = made.sound.read(0, made.sound.size)
        with av.open(io.BytesIO(heard)) as sound:
            samples = sum(frame.samples for frame in sound.decode(audio=0))
        assert samples / 24000 == pytest.approx(48, abs=0.2)


def test_pieces_with_other_times_than_the_film_are_not_shown(film: Path) -> None:
    def shift(times: list[int]) -> None:
        times[100] += 1

    with reel_of(film, shift) as (made, said):
        made.want(0)
        until(lambda: made.ready == [0] and made.starts == [0])
        assert said[:1] == ["differ"]
        with made.lent(0) as descriptor, av.open(io.BytesIO(os.pread(descriptor, 1 << 30, 0))) as whole:
            assert sum(1 for _ in whole.decode(video=0)) == 1200
