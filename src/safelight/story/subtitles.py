"""Subtitles in and out: the words of a clip as lines with times of the copy."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pysubs2
from pydantic import ValidationError

from safelight.errors import Code, SafelightError
from safelight.inputs import printable
from safelight.plan import Plan
from safelight.story.transcript import By, Line, Said, State, Transcript, Translated, Translation, mark_of
from safelight.subtitles import Cue, read_subtitles

FORMATS = ("srt", "vtt", "ass")
_TOGETHER = 0.05  # seconds by which a translation's times may differ from its line's


def read_cues(path: Path) -> list[Cue]:
    """The cues of a file, in order of time.

    Raises what :func:`safelight.subtitles.read_subtitles` raises, SL-SUBTITLES-INVALID for a cue that begins before
    the one before it ends.
    """
    cues = read_subtitles(path)
    for before, cue in pairwise(cues):
        if cue.start < before.end - 1e-6:
            raise _wrong(cue, "begins before the one before it ends", printable(path))
    return cues


def followed(cues: Iterable[Cue], plan: Plan, file: str) -> list[Cue]:
    """Cues with times of the original as the copy of this plan has them: its ends may be cut (`--trim`).

    Raises SL-SUBTITLES-INVALID for a cue that is said in what was cut off.
    """
    if plan.ends is None:
        return list(cues)
    begin, end = (float(second) for second in plan.ends)
    made = []
    for cue in cues:
        start, stop = max(cue.start, begin), min(cue.end, end)
        if stop <= start:
            raise _wrong(cue, "is not in the copy: it lies in an end that was cut off", file)
        made.append(replace(cue, start=round(start - begin, 3), end=round(stop - begin, 3)))
    return made


def lines_of(cues: Iterable[Cue], file: str) -> list[Line]:
    """Cues as lines, unconfirmed. Raises SL-SUBTITLES-INVALID for one that is too long, or later than any film."""
    lines = []
    for cue in cues:
        try:
            lines.append(Line(id=str(cue.number), start=cue.start, end=cue.end, speaker=cue.speaker, text=cue.text))
        except ValidationError as error:
            raise _wrong(cue, "is too long for a subtitle, or lies later than any film lasts", file) from error
    return lines


def translation_of(transcript: Transcript, cues: Iterable[Cue], translator: str, file: str) -> Translation:
    """Subtitles in another language, laid beside the lines they belong to by their times.

    Raises SL-SUBTITLES-INVALID for a cue that no line has the time of.
    """
    by_time = {round(line.start, 2): line for line in transcript.lines}
    found: dict[str, Translated] = {}
    for cue in cues:
        line = next((by_time[key] for d in (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5)
                     if (key := round(cue.start + d / 100, 2)) in by_time), None)  # fmt: skip
        if line is None or abs(line.end - cue.end) > _TOGETHER + 0.5:
            raise _wrong(cue, "translates no line of the clip", file)
        speaker = cue.speaker if cue.speaker != line.speaker else ""
        found[line.id] = Translated(text=cue.text, speaker=speaker, of=mark_of(line.text), by=By.PERSON)
    return Translation(translator=translator, lines=found)


def _wrong(cue: Cue, detail: str, file: str) -> SafelightError:
    return SafelightError(Code.SUBTITLES_INVALID, f"{cue.where} {detail}.", file=f"{file}:{cue.line}")


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
        speaker = f"<v {html.escape(said.speaker)}>" if said.speaker else ""
        yield f"\n{clock(said.line.start)} --> {clock(said.line.end)}\n{speaker}{html.escape(said.text, quote=False)}\n"


def clock(seconds: float) -> str:
    """hh:mm:ss.mmm, as WebVTT writes times."""
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def short_clock(seconds: float) -> str:
    """m:ss, or h:mm:ss after an hour, as players write times."""
    hours, rest = divmod(int(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def _event(said: Said, form: str) -> pysubs2.SSAEvent:
    mark = "" if said.state is State.READY else f"[{said.state.value}{', machine' if said.by is By.MACHINE else ''}] "
    event = pysubs2.SSAEvent(start=round(said.line.start * 1000), end=round(said.line.end * 1000))
    event.plaintext = mark + said.text
    if said.speaker:
        event.name = said.speaker
        if form == "vtt":
            event.text = f"<v {said.speaker}>{event.text}"
    return event
