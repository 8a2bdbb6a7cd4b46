"""The copy: same pictures, same times, in sync, the same bytes each time, and honest failures."""

from __future__ import annotations

import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from safelight.errors import Code, SafelightError
from safelight.media.develop import Developer
from safelight.media.read import Reader
from safelight.media.write import Writer
from tests.media.build import busy, clip
from tests.media.helpers import copy, developed, read, times


def tracks(path: Path) -> dict[str, tuple[float, float]]:
    """Start and end of each track in seconds, by decoding."""
    found = {}
    for kind in ("video", "audio"):
        with av.open(str(path)) as film:
            frames = list(film.decode(**{kind: 0}))
        last = frames[-1]
        length = last.samples / last.sample_rate if kind == "audio" else 0.0
        found[kind] = (float(frames[0].time), float(last.time) + length)
    return found


def test_variable_rate(tmp_path: Path) -> None:
    steps = [3000, 1500, 9000, 3003, 2997, 45000, 100, 3000] * 4
    pts = [int(p) for p in np.cumsum(steps)]
    path = clip(tmp_path / "a.mkv", frames=len(pts), base=Fraction(1, 90000), pts=pts, sound=6.0)
    copy(path, tmp_path / "b.mp4")
    before, after = times(path), times(tmp_path / "b.mp4")
    assert len(before) == len(after) == len(pts)
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) < 0.002


@pytest.mark.parametrize(
    "rate", [Fraction(25), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(15), Fraction(60)]
)
def test_rates(tmp_path: Path, rate: Fraction) -> None:
    path = clip(tmp_path / "a.mp4", frames=40, rate=rate)
    copy(path, tmp_path / "b.mp4")
    before, after = times(path), times(tmp_path / "b.mp4")
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) < 1e-6
    with av.open(str(tmp_path / "b.mp4")) as film:
        track = film.streams.video[0]
        assert track.time_base is not None
        assert float(track.duration * track.time_base) == pytest.approx(40 / rate, abs=1e-3)


@pytest.mark.parametrize(
    ("first", "sound_start", "name"), [(0, 0.0, "a.mp4"), (20, 0.0, "a.mp4"), (0, 0.6, "a.mkv"), (0, 0.0, "a.ts")]
)
def test_sound_goes_from_the_copys_beginning_to_the_end_of_its_picture(
    tmp_path: Path, first: int, sound_start: float, name: str
) -> None:
    path = clip(tmp_path / name, frames=50, pts=list(range(first, first + 50)), sound=2.0, sound_start=sound_start)
    copy(path, tmp_path / "b.mp4")
    before, after = tracks(path), tracks(tmp_path / "b.mp4")
    early = min(start for start, _ in before.values())
    assert after["video"][0] == pytest.approx(before["video"][0] - early, abs=0.03)
    assert after["audio"][0] == pytest.approx(0, abs=0.001)
    with av.open(str(tmp_path / "b.mp4")) as film:
        sound = film.streams.audio[0]
        length = float((sound.start_time + sound.duration) * sound.time_base)
    assert length == pytest.approx(after["video"][1] + 0.04, abs=0.002)


def test_sound_is_silence_mono(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", frames=25, sound=1.0)
    copy(path, tmp_path / "b.mp4")
    with av.open(str(tmp_path / "b.mp4")) as film:
        assert [track.type for track in film.streams] == ["video", "audio"]
        sound = film.streams.audio[0]
        assert (sound.codec_context.name, sound.rate, sound.channels) == ("aac", 48000, 1)
        assert all(np.abs(frame.to_ndarray()).max() == 0 for frame in film.decode(sound))
    copy(clip(tmp_path / "c.mp4", frames=5), tmp_path / "d.mp4")
    with av.open(str(tmp_path / "d.mp4")) as film:
        assert [track.type for track in film.streams] == ["video"]


def test_index_comes_first_and_key_frames_often(tmp_path: Path) -> None:
    copy(clip(tmp_path / "a.mp4", frames=130), tmp_path / "b.mp4")
    data = (tmp_path / "b.mp4").read_bytes()
    assert data.find(b"moov") < data.find(b"mdat")
    with av.open(str(tmp_path / "b.mp4")) as film:
        keys = [p.pts * p.time_base for p in film.demux(video=0) if p.is_keyframe and p.pts is not None]
    assert [float(key) for key in keys] == [0, 2, 4]


def test_same_bytes_each_time(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", frames=60, sound=2.0, picture=busy)
    copy(path, tmp_path / "b.mp4")
    copy(path, tmp_path / "c.mp4")
    assert (tmp_path / "b.mp4").read_bytes() == (tmp_path / "c.mp4").read_bytes()


def test_the_picture_is_good(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", frames=20, codec="ffv1", width=320, height=180)
    copy(path, tmp_path / "b.mp4")
    expected = developed(path)
    _, pictures, _ = read(tmp_path / "b.mp4")
    for picture, wanted in zip(pictures, expected, strict=True):
        error = (picture.bgr(320, 180).astype(float) - wanted.bgr(320, 180)) ** 2
        assert 10 * np.log10(255**2 / error.mean()) > 36


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed to compare with")
def test_ffprobe_sees_what_we_say(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", frames=50, pts=list(range(20, 70)), sound=3.0, colour=(1, 1, 1, 1), rotate=90)
    copy(path, tmp_path / "b.mp4")
    fields = (
        "stream=codec_name,start_time,nb_frames,color_space,color_range,width,height:stream_side_data:format=nb_streams"
    )
    command = ["ffprobe", "-v", "error", "-show_entries", fields, "-of", "flat", str(tmp_path / "b.mp4")]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert 'streams.stream.0.start_time="0.800000"' in told
    assert "width=96" in told
    assert "rotation" not in told
    assert 'color_space="bt709"' in told
    assert 'nb_frames="50"' in told


def test_nothing_is_overwritten_and_no_half_copy_stays(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", frames=10)
    target = tmp_path / "b.mp4"
    target.write_bytes(b"mine")
    with pytest.raises(SafelightError) as caught:
        copy(path, target)
    assert caught.value.code is Code.IN_THE_WAY
    assert target.read_bytes() == b"mine"
    with path.open("rb") as file, Reader(file) as reader:
        developer = Developer(reader.facts)
        writer = Writer(tmp_path / "c.mp4", reader.facts)
        for picture in reader.pictures():
            for done in developer.develop(picture.planes(), picture.pts):
                writer.picture(done)
        writer.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not (tmp_path / "c.mp4").exists()


def test_no_such_folder(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", frames=2)
    with pytest.raises(SafelightError) as caught:
        copy(path, tmp_path / "none" / "b.mp4")
    assert caught.value.code is Code.NOT_WRITABLE


@pytest.mark.parametrize("limit", [2000, 60000])
def test_a_full_disk(tmp_path: Path, limit: int) -> None:
    """The size limit of a process fails writes like a full disk does (EFBIG): same code, same clean-up."""
    path = clip(tmp_path / "a.mp4", frames=100, picture=busy, sound=4.0)
    program = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from safelight.errors import SafelightError\n"
        "from tests.media.helpers import copy\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "try: copy(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "except SafelightError as e: sys.exit(0 if e.code == 'SL-DISK-FULL' else str(e))\n"
        "sys.exit('written')\n"
    )
    command = [sys.executable, "-c", program, str(path), str(tmp_path / "b.mp4")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "b.mp4").exists()


def test_long_clips_need_no_more_memory(tmp_path: Path) -> None:
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from tests.media.helpers import copy\n"
        "copy(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    peaks = []
    for frames in (100, 1000):
        path = clip(tmp_path / f"{frames}.mp4", frames=frames, sound=frames / 25, options={"preset": "ultrafast"})
        command = [sys.executable, "-c", program, str(path), str(tmp_path / f"{frames}.copy.mp4")]
        peaks.append(int(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    assert peaks[1] < peaks[0] * 1.1
