"""A JPEG that a worker made for a page or the desk is nothing but a picture, or nobody gets it."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.media.build import clip
from tests.workers.takeover import taken_over

from safelight.errors import Code, SafelightError
from safelight.inputs import Original
from safelight.workers.jpeg import jpeg_left, require_plain
from safelight.workers.messages import StillsJob
from safelight.workers.parent import run
from safelight.workers.viewer import Viewer
from safelight.workers.views import StillAsk

NOISE = np.random.default_rng(1).integers(0, 255, (60, 90, 3), dtype=np.uint8)


def made(**options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(NOISE).save(out, "jpeg", **options)
    return out.getvalue()


def test_what_honest_workers_make_is_plain() -> None:
    for options in ({}, {"optimize": True, "quality": 82}, {"quality": 92}, {"quality": 100, "subsampling": 0}):
        require_plain(made(**options), "x")
    require_plain(cv2.imencode(".jpg", NOISE, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes(), "x")


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "Damascus"
    return made(exif=exif)


def _twice(marker: bytes) -> bytes:
    data = made()
    at = data.index(marker)
    part = data[at : at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")]
    return data[:at] + part + data[at:]


PLAIN = made()
SCAN = PLAIN.index(b"\xff\xda")
BAD = {
    "nothing": b"",
    "another kind": b"\x89PNG\r\n\x1a\n" + PLAIN,
    "EXIF": _exif(),
    "a comment": made(comment=b"Damascus"),
    "a colour profile": made(icc_profile=b"profile"),
    "several scans": made(progressive=True),
    "something behind": PLAIN + b"Damascus",
    "another picture behind": PLAIN + PLAIN,
    "no end": PLAIN[:-2],
    "cut off": PLAIN[:SCAN],
    "cut off in a part": PLAIN[: SCAN - 30],
    "two headers": _twice(b"\xff\xc0"),
    "two notes": _twice(b"\xff\xe0"),
    "a thumbnail": PLAIN.replace(
        b"JFIF\0\x01\x01\x00\x00\x01\x00\x01\x00\x00", b"JFIF\0\x01\x01\x00\x00\x01\x00\x01\x01\x01"
    ),
    "a comment in the scan": PLAIN[: SCAN + 40] + b"\xff\xfe\x00\x0aDamascus" + PLAIN[SCAN + 40 :],
    "more in a table": PLAIN.replace(b"\xff\xdb\x00C", b"\xff\xdb\x00K", 1).replace(
        b"\xff\xc0", b"Damascus\xff\xc0", 1
    ),
    "no size": PLAIN.replace(b"\xff\xc0\x00\x11\x08\x00\x3c", b"\xff\xc0\x00\x11\x08\x00\x00"),
}


@pytest.mark.parametrize("name", BAD)
def test_anything_more_is_refused(name: str, tmp_path: Path) -> None:
    assert BAD[name] != PLAIN
    (tmp_path / "still-00-480.jpg").write_bytes(BAD[name])
    with pytest.raises(SafelightError) as refused:
        jpeg_left(tmp_path / "still-00-480.jpg", 1 << 20)
    assert refused.value.code is Code.WORKER_LIED


@pytest.mark.parametrize("exact", [False, True])
def test_the_desk_shows_plain_pictures(exact: bool, tmp_path: Path) -> None:
    film = clip(tmp_path / "film.mp4", frames=4, width=96, height=64)
    with film.open("rb") as source:
        viewer = Viewer(source.fileno())
        try:
            _, picture = viewer.still(StillAsk(index=1, exact=exact))
        finally:
            viewer.close()
    assert picture[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0")


def test_stills_of_a_page_hold_nothing_of_the_copy_but_its_picture(tmp_path: Path) -> None:
    """Even of a copy that somebody else made, with words in it, by a worker that is honest."""
    film = clip(
        tmp_path / "film.mp4", frames=10, width=96, height=64, tags={"title": "Damascus", "comment": "Damascus"}
    )
    folder = tmp_path / "work"
    folder.mkdir()
    with Original(film) as opened:
        job = StillsJob(seconds=[0.1], widths=[48])
        run(job, opened.descriptor, folder, progress=lambda *_: None, cancel=threading.Event())
    still = jpeg_left(folder / "still-00-48.jpg", 1 << 20).read_bytes()
    assert b"Damascus" in film.read_bytes()
    assert b"Damascus" not in still
    with Image.open(io.BytesIO(still)) as picture:
        assert picture.size == (48, 32)
        assert not picture.getexif()


def test_a_view_worker_that_adds_something_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken_over(tmp_path, monkeypatch).write_text(
        "import cv2\nfrom safelight.workers import child, viewing\nhonest = cv2.imencode\n"
        "class Longer(bytes):\n    def tobytes(self): return bytes(self) + b'<script>'\n"
        "def imencode(*words):\n    done, made = honest(*words)\n    return done, Longer(made.tobytes())\n"
        "viewing.cv2.imencode = imencode\nraise SystemExit(child.main())\n"
    )
    film = clip(tmp_path / "film.mp4", frames=4, width=96, height=64)
    with film.open("rb") as source:
        viewer = Viewer(source.fileno())
        try:
            with pytest.raises(SafelightError) as refused:
                viewer.still(StillAsk(index=1))
        finally:
            viewer.close()
    assert refused.value.code is Code.WORKER_LIED
    assert "plain JPEG" in refused.value.detail
