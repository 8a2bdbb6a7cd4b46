"""Subtitles in and out: the words of a clip as lines with times of the copy."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from pathlib import Path

import pysubs2

from safelight.errors import Code, SafelightError
from safelight.inputs import printable
from safelight.story.transcript import By, Line, Said, State, Transcript, Translated, Translation, mark_of
from safelight.subtitles import read_subtitles

FORMATS = ("srt", "vtt", "ass")
_TOGETHER = 0.05  # seconds by which a translation's times may differ from its line's


def read_lines(path: Path) -> list[Line]:
    """The cues of a file as lines, in order of time, unconfirmed.

    Raises what :func:`safelight.subtitles.read_subtitles` raises, SL-SUBTITLES-INVALID for two cues that overlap.
    """
    lines: list[Line] = []
    for cue in read_subtitles(path):
        if lines and cue.start < lines[-1].end - 1e-6:
            raise SafelightError(
                Code.SUBTITLES_INVALID, f"{cue.where} begins before the one before it ends.", file=printable(path)
            )
        lines.append(Line(id=str(cue.number), start=cue.start, end=cue.end, speaker=cue.speaker, text=cue.text))
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
