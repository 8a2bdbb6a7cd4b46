"""Subtitles as spans of a plan: the words a desk has confirmed, to be spoken by a synthetic voice."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from safelight.errors import Code, SafelightError
from safelight.inputs import printable
from safelight.plan import Sound, SoundAction, SoundKind
from safelight.subtitles import read_subtitles

CUES_BY = "subtitles"  # who decided such a span; a later run with other subtitles replaces it


def read_cues(path: Path, language: str) -> list[Sound]:
    """The cues of an SRT, WebVTT or ASS file as spans to be spoken; times are seconds from the copy's beginning.

    Raises SafelightError: what :func:`safelight.subtitles.read_subtitles` raises, SL-SUBTITLES-INVALID for a cue that
    makes no span, such as one that is too long to be spoken.
    """
    return [
        _span(
            path,
            start=cue.start,
            end=cue.end,
            kind=SoundKind.VOICE,
            action=SoundAction.REVOICE,
            decided_by=CUES_BY,
            text=cue.text,
            language=language,
            speaker=cue.speaker,
            cue=cue.number,
        )
        for cue in read_subtitles(path)
    ]


def _span(path: Path, *, cue: int, **values: object) -> Sound:
    try:
        return Sound.model_validate({"cue": cue, **values})
    except ValidationError as error:
        said = error.errors(include_url=False, include_input=False)[0]["msg"]
        detail = f"Cue {cue} is not valid: {said}."
        raise SafelightError(Code.SUBTITLES_INVALID, detail, file=printable(path)) from error
