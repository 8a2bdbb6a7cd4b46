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
_CLOCK = r"(?:\d{1,4}:)?[0-5]?\d:[0-5]\d[.,]\d{1,3}"
_TIMES = re.compile(rf"^\s*{_CLOCK}\s+-->\s+{_CLOCK}(?:\s.*)?$")
_ARROW = re.compile(r"-->|^\s*\d[\d:.,]*\s*-+>")  # a row that is meant to hold times
_ASS_TIMES = re.compile(r"\d{1,4}:[0-5]\d:[0-5]\d[.:]\d{1,3}\s*,\s*\d{1,4}:[0-5]\d:[0-5]\d[.:]\d{1,3}\s*,")
_ROWS = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Cue:
    """One subtitle with words. ``number``: its place in the file, from 1; ``line``: of its times, from 1; ``start``,
    ``end``: seconds.
    """

    number: int
    line: int
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
    before it begins or whose times cannot be read, with its line.
    """
    file = printable(path)
    cues = []
    for number, (line, event) in enumerate(_events(path, file), 1):
        raw = event.text.replace("\\N", " ").replace("\\n", " ").replace("\\h", " ")
        words = " ".join(html.unescape(_TAGS.sub("", raw)).split())
        if not words:
            continue
        voice = _VOICE.search(raw)
        speaker = (voice.group(1) if voice else event.name or "").strip()
        cue = Cue(number, line, event.start / 1000, event.end / 1000, speaker, words)
        if cue.end <= cue.start:
            raise SafelightError(Code.SUBTITLES_INVALID, f"{cue.where} ends before it begins.", file=f"{file}:{line}")
        cues.append(cue)
    if not cues:
        raise SafelightError(Code.SUBTITLES_INVALID, "There are no words in it.", file=file)
    return cues


def _events(path: Path, file: str) -> list[tuple[int, pysubs2.SSAEvent]]:
    """(line, event) of every cue, in the file's order; comments are none."""
    try:
        with path.open("rb") as opened:
            data = opened.read(MOST + 1)
    except OSError as error:
        raise SafelightError(Code.NOT_FOUND, "The subtitles cannot be read.", file=file) from error
    if len(data) > MOST:
        raise SafelightError(Code.SUBTITLES_INVALID, "The file is too large to be subtitles.", file=file)
    try:
        text = data.decode("utf-8-sig")
        form = _format(text)
        lines = _lines(text, form, file)
        read = pysubs2.SSAFile.from_string(text, format_=form, keep_unknown_html_tags=True)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SafelightError(
            Code.SUBTITLES_INVALID, "The subtitles are not UTF-8 text.", file=f"{file}:{line}"
        ) from error
    except (pysubs2.exceptions.Pysubs2Error, ValueError) as error:
        raise SafelightError(Code.SUBTITLES_INVALID, "This is neither SRT, WebVTT nor ASS.", file=file) from error
    events = [event for event in read if not event.is_comment]
    if len(events) != len(lines):
        detail = f"It has {len(lines)} times, but {len(events)} subtitles could be read."
        raise SafelightError(Code.SUBTITLES_INVALID, detail, file=file)
    return list(zip(lines, events, strict=True))


def _lines(text: str, form: str, file: str) -> list[int]:
    """The lines on which cues have their times. The library takes a time that it cannot read for words of the cue
    before it, and 99 seconds for a time; a page would then show the one and nobody would say the other.
    """
    found = []
    for number, row in enumerate(_ROWS.split(text), 1):
        if not (row.startswith("Dialogue:") if form == "ass" else _ARROW.search(row)):
            continue
        if not (_ASS_TIMES.search(row) if form == "ass" else _TIMES.match(row)):
            raise SafelightError(Code.SUBTITLES_INVALID, "These are no times of a subtitle.", file=f"{file}:{number}")
        found.append(number)
    return found


def _format(text: str) -> str:
    if text.lstrip().startswith("WEBVTT"):
        return "vtt"
    return "ass" if "[Events]" in text else "srt"
