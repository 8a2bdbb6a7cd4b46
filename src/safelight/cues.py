"""Subtitles as spans of a plan: the words a desk has confirmed, to be spoken by a synthetic voice."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pysubs2
from pydantic import ValidationError

from safelight.errors import Code, SafelightError
from safelight.inputs import printable
from safelight.plan import Sound, SoundAction, SoundKind

CUES_BY = "subtitles"  # who decided such a span; a later run with other subtitles replaces it
MAX_SUBTITLES = 8 << 20  # bytes

_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]{1,200})>", re.IGNORECASE)  # WebVTT 1.0, 5.1: who speaks
_TAGS = re.compile(r"<[^>]{0,200}>|\{\\[^}]{0,200}\}")


def read_cues(path: Path, language: str) -> list[Sound]:
    """The cues of an SRT or WebVTT file as spans to be spoken.

    Times are seconds from the copy's beginning. Markup is dropped; WebVTT's voice tag names the speaker.

    Raises SafelightError: SL-NOT-FOUND, SL-SUBTITLES-INVALID for what is no such file, holds no words, or has a cue
    that ends before it begins.
    """
    file = printable(path)
    try:
        with path.open("rb") as opened:
            data = opened.read(MAX_SUBTITLES + 1)
    except OSError as error:
        raise SafelightError(Code.NOT_FOUND, "The subtitles could not be read.", file=file) from error
    if len(data) > MAX_SUBTITLES:
        raise SafelightError(Code.SUBTITLES_INVALID, "The file is too large to be subtitles.", file=file)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SafelightError(Code.SUBTITLES_INVALID, "The subtitles are not UTF-8 text.", file=file) from error
    format_ = "vtt" if text.lstrip().startswith("WEBVTT") else "srt"
    try:
        found = pysubs2.SSAFile.from_string(text, format_=format_, keep_unknown_html_tags=True)
    except (pysubs2.exceptions.Pysubs2Error, ValueError) as error:
        raise SafelightError(Code.SUBTITLES_INVALID, "This is neither SRT nor WebVTT.", file=file) from error
    cues = []
    for number, event in enumerate(found, 1):
        raw = event.text.replace("\\N", " ").replace("\\n", " ").replace("\\h", " ")
        voice = _VOICE.search(raw)
        words = " ".join(html.unescape(_TAGS.sub("", raw)).split())
        if not words:
            continue
        try:
            cue = Sound(
                start=event.start / 1000,
                end=event.end / 1000,
                kind=SoundKind.VOICE,
                action=SoundAction.REVOICE,
                decided_by=CUES_BY,
                text=words,
                language=language,
                speaker=voice.group(1).strip() if voice else "",
                cue=number,
            )
        except ValidationError as error:
            said = error.errors(include_url=False, include_input=False)[0]["msg"]
            raise SafelightError(Code.SUBTITLES_INVALID, f"Cue {number} is not valid: {said}.", file=file) from error
        cues.append(cue)
    if not cues:
        raise SafelightError(Code.SUBTITLES_INVALID, "There are no words in it.", file=file)
    return cues
