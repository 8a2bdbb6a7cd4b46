"""What cannot be read is refused with its code; what is readable in part only comes when asked for, with its gaps."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest

from safelight.errors import Code, SafelightError
from safelight.media import tracks
from safelight.media.read import Reader
from tests.media.build import busy, clip
from tests.media.helpers import read


def code(data: bytes, *, accept_damaged: bool = False) -> Code | None:
    try:
        with Reader(io.BytesIO(data), accept_damaged=accept_damaged) as reader:
            for _ in reader.pictures():
                pass
    except SafelightError as error:
        return error.code if error.detail.endswith(".") else None
    return None


def test_empty() -> None:
    assert code(b"") is Code.EMPTY


@pytest.mark.parametrize(
    "text",
    [
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b";FFMETADATA1\ntitle=/etc/hostname\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
        b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>/etc/</BaseURL></MPD>',
        b'<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/hostname"/></svg>',
        b"%PDF-1.7\n" + bytes(4000),
        b"PK\x03\x04" + bytes(4000),
        b"just some notes\n" * 300,
        b"\x00" * 5000,
    ],
)
def test_what_is_no_film_is_refused(text: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    assert code(text) is Code.NOT_MEDIA
    assert capfd.readouterr() == ("", "")


def test_noise_is_refused() -> None:
    for seed in range(5):
        assert code(random.Random(seed).randbytes(20000)) is not None


def test_a_film_may_not_open_other_files(tmp_path: Path) -> None:
    """A QuickTime data reference to another file is not followed."""
    path = clip(tmp_path / "a.mov", frames=3)
    data = bytearray(path.read_bytes())
    at = data.find(b"url \x00\x00\x00\x01")
    assert at > 0
    data[at + 7] = 0  # the pictures are elsewhere, it says now; the reference has no name, so there are none
    assert code(bytes(data)) in (Code.DAMAGED, Code.NOT_MEDIA, Code.NO_FRAMES, None)


def test_sound_only(tmp_path: Path) -> None:
    import av
    import numpy as np
    from av.audio.frame import AudioFrame

    for name, codec in (("a.mp4", "aac"), ("a.wav", "pcm_s16le"), ("a.mka", "aac"), ("a.flac", "flac")):
        with av.open(str(tmp_path / name), "w") as out:
            track = out.add_stream(codec, rate=48000)
            track.codec_context.layout = "mono"
            kind = track.codec_context.format.name
            samples = np.zeros((1, 4800), np.float32 if kind.startswith("flt") else np.int16)
            frame = AudioFrame.from_ndarray(samples, format=kind, layout="mono")
            frame.sample_rate = 48000
            out.mux(track.encode(frame))
            out.mux(track.encode(None))
        assert code((tmp_path / name).read_bytes()) is Code.NO_PICTURE, name


def test_index_missing(tmp_path: Path) -> None:
    data = clip(tmp_path / "a.mp4", frames=60).read_bytes()
    for share in (0.1, 0.5, 0.99):
        for accept in (False, True):
            assert code(data[: int(len(data) * share)], accept_damaged=accept) is Code.TRUNCATED


@pytest.mark.parametrize(
    ("name", "codec", "container"),
    [
        ("a.mp4", "libx264", {"movflags": "faststart"}),
        ("f.mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
        ("a.mkv", "libx264", {}),
        ("a.avi", "mpeg4", {}),
        ("h.avi", "libx264", {}),
        ("m.avi", "mjpeg", {}),
        ("a.ts", "libx264", {}),
        ("a.flv", "libx264", {}),
        ("a.wmv", "wmv2", {}),
        ("a.webm", "libvpx", {}),
        ("a.mpg", "mpeg2video", {}),
        ("a.gif", "gif", {}),
    ],
)
def test_cut_films_are_never_shorter_in_silence(
    tmp_path: Path, name: str, codec: str, container: dict[str, str]
) -> None:
    pixels = {"mjpeg": "yuvj420p", "gif": "rgb8"}.get(codec, "yuv420p")
    path = clip(
        tmp_path / name, codec=codec, pixels=pixels, frames=60, container=container, options={"g": "20"}, picture=busy
    )
    whole = path.read_bytes()
    assert code(whole) is None
    for share in (0.45, 0.8):
        path.write_bytes(whole[: int(len(whole) * share)])
        assert code(path.read_bytes()) in (Code.DAMAGED, Code.TRUNCATED), share
        _facts, pictures, missing = read(path, accept_damaged=True)
        assert 0 < len(pictures) < 60
        assert missing
        assert [p.index for p in pictures] == list(range(len(pictures)))


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "libx264"), ("a.avi", "mpeg4"), ("a.avi", "mjpeg")])
def test_flipped_bytes_are_noticed(tmp_path: Path, name: str, codec: str) -> None:
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = clip(tmp_path / name, codec=codec, pixels=pixels, frames=40, picture=busy)
    whole = path.read_bytes()
    noticed = 0
    for seed in range(6):
        chance = random.Random(seed)
        data = bytearray(whole)
        for _ in range(10):
            data[chance.randrange(len(data) // 4, len(data) * 9 // 10)] ^= chance.randrange(1, 256)
        path.write_bytes(data)
        refused = code(bytes(data))
        _, pictures, missing = read(path, accept_damaged=True)
        noticed += refused is Code.DAMAGED
        # Either nothing was noticed in either way and all pictures are there, or both say so.
        assert (refused is None) == (not missing)
        if refused is None:
            assert len(pictures) == 40
        elif pictures:
            assert any(p.doubtful for p in pictures) or missing
    assert noticed >= 5


def test_a_hole_in_the_middle(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", frames=80, options={"g": "10"}, picture=busy)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    path.write_bytes(data)
    assert code(bytes(data)) is Code.DAMAGED
    _, pictures, missing = read(path, accept_damaged=True)
    assert missing
    assert len(pictures) == 80 or sum(gap.frames or 1 for gap in missing) > 0
    assert not pictures[0].doubtful


def test_too_large(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", frames=2)
    monkeypatch.setattr(tracks, "MAX_PIXELS", 1000)
    assert code(path.read_bytes()) is Code.TOO_LARGE


def test_size_changes_midway(tmp_path: Path) -> None:
    """Two streams of different size one after the other, as a broken recorder leaves them."""
    one = clip(tmp_path / "a.h264", frames=5).read_bytes()
    two = clip(tmp_path / "b.h264", frames=5, width=96, height=160).read_bytes()
    assert code(one + two) is Code.UNSUPPORTED


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp", "a.tiff"])
def test_cut_stills(tmp_path: Path, name: str) -> None:
    import numpy as np
    from PIL import Image

    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    assert code(whole) is None
    assert code(whole[: len(whole) // 2]) is Code.DAMAGED


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(clip(tmp_path / "a.mkv", frames=40, tags={"title": "EVIL"}).read_bytes())
    data[len(data) // 2 :: 50] = bytes(len(data[len(data) // 2 :: 50]))
    capfd.readouterr()
    code(bytes(data))
    code(bytes(data), accept_damaged=True)
    assert capfd.readouterr() == ("", "")


def test_unreadable_disk(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 3000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    data = clip(tmp_path / "a.mkv", frames=60, sound=2).read_bytes()
    with pytest.raises(SafelightError) as caught, Reader(Broken(data)) as reader:
        list(reader.pictures())
    assert caught.value.code is Code.UNREADABLE
