"""Subtitles in and out: SRT, WebVTT and ASS, by pysubs2; the words of a clip as lines with times of the copy."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pysubs2

from safelight.errors import Code, SafelightError
from safelight.inputs import printable
from safelight.story.transcript import By, Line, Said, State, Transcript, Translated, Translation, mark_of

MOST = 8 << 20  # bytes of one file
FORMATS = ("srt", "vtt", "ass")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]{1,200})>", re.IGNORECASE)
_TAGS = re.compile(r"<[^>]{0,200}>|\{\\[^}]{0,200}\}")
_TOGETHER = 0.05  # seconds by which a translation's times may differ from its line's


def read_subtitles(path: Path) -> list[Line]:
    """The cues of a file as lines, in order of time, unconfirmed.

    Raises SL-NOT-FOUND, and SL-SUBTITLES-INVALID with the cue: no such format, not UTF-8, no words, a cue that ends
    before it begins, or two cues that overlap.
    """
    file = printable(path)
    try:
        data = path.open("rb").read(MOST + 1)
    except OSError as error:
        raise SafelightError(Code.NOT_FOUND, "The subtitles cannot be read.", file=file) from error
    if len(data) > MOST:
        raise SafelightError(Code.SUBTITLES_INVALID, "The file is too large to be subtitles.", file=file)
    try:
        text = data.decode("utf-8-sig")
        events = pysubs2.SSAFile.from_string(text, format_=_format(text), keep_unknown_html_tags=True)
    except UnicodeDecodeError as error:
        raise SafelightError(Code.SUBTITLES_INVALID, "The subtitles are not UTF-8 text.", file=file) from error
    except (pysubs2.exceptions.Pysubs2Error, ValueError) as error:
        raise SafelightError(Code.SUBTITLES_INVALID, "This is neither SRT, WebVTT nor ASS.", file=file) from error
    lines: list[Line] = []
    for number, event in enumerate((e for e in events if not e.is_comment), 1):
        words = _words(event.text)
        if not words:
            continue
        where = f"Cue {number} at {event.start / 1000:.3f} s"
        if event.end <= event.start:
            raise SafelightError(Code.SUBTITLES_INVALID, f"{where} ends before it begins.", file=file)
        if lines and event.start / 1000 < lines[-1].end - 1e-6:
            raise SafelightError(Code.SUBTITLES_INVALID, f"{where} begins before the one before it ends.", file=file)
        lines.append(
            Line(
                id=str(number),
                start=event.start / 1000,
                end=event.end / 1000,
                speaker=_speaker(event),
                text=words,
            )
        )
    if not lines:
        raise SafelightError(Code.SUBTITLES_INVALID, "There are no words in it.", file=file)
    return lines


def translation_of(transcript: Transcript, lines: Iterable[Line], translator: str, file: str) -> Translation:
    """Subtitles in another language, laid beside the lines they belong to by their times.

    Raises SL-SUBTITLES-INVALID for a cue that no line has the time of.
    """
    by_time = {round(line.start, 2): line for line in transcript.lines}
    found: dict[str, Translated] = {}
    for cue in lines:
        line = next((by_time[key] for d in (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5)
                     if (key := round(cue.start + d / 100, 2)) in by_time), None)  # fmt: skip
        if line is None or abs(line.end - cue.end) > _TOGETHER + 0.5:
            raise SafelightError(
                Code.SUBTITLES_INVALID, f"Cue {cue.id} at {cue.start:.3f} s translates no line of the clip.", file=file
            )
        found[line.id] = Translated(text=cue.text, of=mark_of(line.text), by=By.PERSON)
    return Translation(translator=translator, lines=found)


def written(transcript: Transcript, language: str, form: str) -> str:
    """The words of a clip in a language as a subtitle file.

    Lines that are missing are left out; a line that is stale or not confirmed says so. Raises SL-WORDS-INCOMPLETE when
    nothing is left.
    """
    file = pysubs2.SSAFile()
    for said in transcript.said(language):
        if said.text:
            file.append(_event(said, form))
    if not file.events:
        raise SafelightError(Code.WORDS_INCOMPLETE, f"No line is translated into {language}.")
    text: str = file.to_string(form)
    return text


def vtt(lines: Iterable[Said]) -> Iterator[str]:
    """WebVTT for a page: the words and nothing else, no note and no style; speakers by voice tags."""
    yield "WEBVTT\n"
    for said in lines:
        speaker = f"<v {html.escape(said.line.speaker)}>" if said.line.speaker else ""
        yield f"\n{clock(said.line.start)} --> {clock(said.line.end)}\n{speaker}{html.escape(said.text, quote=False)}\n"


def clock(seconds: float) -> str:
    """hh:mm:ss.mmm, as WebVTT writes times."""
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def _event(said: Said, form: str) -> pysubs2.SSAEvent:
    mark = "" if said.state is State.READY else f"[{said.state.value}{', machine' if said.by is By.MACHINE else ''}] "
    event = pysubs2.SSAEvent(start=round(said.line.start * 1000), end=round(said.line.end * 1000))
    event.plaintext = mark + said.text
    if said.line.speaker:
        event.name = said.line.speaker
        if form == "vtt":
            event.text = f"<v {said.line.speaker}>{event.text}"
    return event


def _format(text: str) -> str:
    if text.lstrip().startswith("WEBVTT"):
        return "vtt"
    return "ass" if "[Events]" in text else "srt"


def _words(raw: str) -> str:
    text = raw.replace("\\N", " ").replace("\\n", " ").replace("\\h", " ")
    return " ".join(html.unescape(_TAGS.sub("", text)).split())


def _speaker(event: pysubs2.SSAEvent) -> str:
    voice = _VOICE.search(event.text)
    return (voice.group(1) if voice else event.name or "").strip()
