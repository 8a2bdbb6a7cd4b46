"""Subtitles become spans to be spoken; what is no subtitle is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from safelight.cues import read_cues
from safelight.errors import Code, SafelightError
from safelight.plan import SoundAction
from safelight.subtitles import MOST

SRT = "1\n00:00:01,000 --> 00:00:02,500\n<i>مرحبا</i>\nبكم\n\n2\n00:01:03,000 --> 00:01:05,000\n{\\an8}ثانيا\n"
VTT = """WEBVTT

NOTE a note is not spoken

00:01.000 --> 00:02.500 align:start
<v Rana>First &amp; <b>second</b></v>

00:00:04.000 --> 00:00:05.000
<v.loud Omar>Third
"""


def written(folder: Path, data: str | bytes) -> Path:
    path = folder / "subtitles"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_srt(tmp_path: Path) -> None:
    cues = read_cues(written(tmp_path, "\ufeff" + SRT.replace("\n", "\r\n")), "ar")
    assert [(c.start, c.end, c.text, c.cue) for c in cues] == [(1, 2.5, "مرحبا بكم", 1), (63, 65, "ثانيا", 2)]
    assert {(c.action, c.language, c.speaker) for c in cues} == {(SoundAction.REVOICE, "ar", "")}


def test_vtt_names_its_speakers(tmp_path: Path) -> None:
    cues = read_cues(written(tmp_path, VTT), "en")
    assert [(c.start, c.text, c.speaker) for c in cues] == [(1, "First & second", "Rana"), (4, "Third", "Omar")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\xff\xfe\x00\x01" * 20,
        "1\n00:00:01,000 --> 00:00:02,000\nmarhab\xe4\n".encode("latin-1"),
        "1\n00:00:05,000 --> 00:00:02,000\nbackwards\n",
        "1\n00:00:01,000 --> 00:00:02,000\n\n\n",
        "WEBVTT\n\nNOTE nothing else\n",
        "1\n00:00:01,000 --> 00:00:02,000\n" + "long " * 1000,
        b"x" * (MOST + 1),
    ],
)
def test_what_is_no_subtitle_is_refused(tmp_path: Path, data: str | bytes) -> None:
    with pytest.raises(SafelightError) as caught:
        read_cues(written(tmp_path, data), "ar")
    assert caught.value.code is Code.SUBTITLES_INVALID


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SafelightError) as caught:
        read_cues(tmp_path / "none.srt", "ar")
    assert caught.value.code is Code.NOT_FOUND
