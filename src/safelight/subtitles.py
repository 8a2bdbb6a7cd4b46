"""Reading subtitles: SRT, WebVTT and ASS, by pysubs2. Markup is dropped; a voice tag or an ASS name says who speaks."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from pathlib import Path

import pysubs2

from safelight.errors import Code, SafelightError
from safelight.inputs import printable

MOST = 8 << 20  # bytes of one file
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]{1,200})>", re.IGNORECASE)  # WebVTT 1.0, 5.1: who speaks
_TAGS = re.compile(r"<[^>]{0,200}>|\{\\[^}]{0,200}\}")


@dataclass(frozen=True)
class Cue:
    """One subtitle with words. ``number``: its place in the file, from 1; ``start``, ``end``: seconds."""

    number: int
    start: float
    end: float
    speaker: str
    text: str

    @property
    def where(self) -> str:
        """How a refusal calls it."""
        return f"Cue {self.number} at {self.start:.3f} s"


def read_subtitles(path: Path) -> list[Cue]:
    """The cues of a file that hold words, as they stand there. They may overlap.

    Raises SL-NOT-FOUND, and SL-SUBTITLES-INVALID: no such format, not UTF-8, too large, no words, or a cue that ends
    before it begins.
    """
    file = printable(path)
    cues = []
    for number, event in enumerate((e for e in _events(path, file) if not e.is_comment), 1):
        raw = event.text.replace("\\N", " ").replace("\\n", " ").replace("\\h", " ")
        words = " ".join(html.unescape(_TAGS.sub("", raw)).split())
        if not words:
            continue
        voice = _VOICE.search(raw)
        speaker = (voice.group(1) if voice else event.name or "").strip()
        cue = Cue(number, event.start / 1000, event.end / 1000, speaker, words)
        if cue.end <= cue.start:
            raise SafelightError(Code.SUBTITLES_INVALID, f"{cue.where} ends before it begins.", file=file)
        cues.append(cue)
    if not cues:
        raise SafelightError(Code.SUBTITLES_INVALID, "There are no words in it.", file=file)
    return cues


def _events(path: Path, file: str) -> pysubs2.SSAFile:
    try:
        with path.open("rb") as opened:
            data = opened.read(MOST + 1)
    except OSError as error:
        raise SafelightError(Code.NOT_FOUND, "The subtitles cannot be read.", file=file) from error
    if len(data) > MOST:
        raise SafelightError(Code.SUBTITLES_INVALID, "The file is too large to be subtitles.", file=file)
    try:
        text = data.decode("utf-8-sig")
        return pysubs2.SSAFile.from_string(text, format_=_format(text), keep_unknown_html_tags=True)
    except UnicodeDecodeError as error:
        raise SafelightError(Code.SUBTITLES_INVALID, "The subtitles are not UTF-8 text.", file=file) from error
    except (pysubs2.exceptions.Pysubs2Error, ValueError) as error:
        raise SafelightError(Code.SUBTITLES_INVALID, "This is neither SRT, WebVTT nor ASS.", file=file) from error


def _format(text: str) -> str:
    if text.lstrip().startswith("WEBVTT"):
        return "vtt"
    return "ass" if "[Events]" in text else "srt"
