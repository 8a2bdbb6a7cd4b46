"""Proof of quotes: the quoted words are in what a person has confirmed, at the time that is named, inside the copy."""

from __future__ import annotations

import re
from collections.abc import Sequence

from safelight.names.fold import fold, words
from safelight.story.parts import Quote
from safelight.story.transcript import State, Transcript

_LEFT_OUT = re.compile(r"\[?(?:…|\.\.\.)\]?")
_SLACK = 0.05  # seconds


def unproven(quote: Quote, transcript: Transcript | None, language: str, duration: float) -> str | None:
    """Why a quote is not proven; None when it is. ``duration``: of the published copy, in seconds."""
    if quote.end > duration + _SLACK:
        return f"The span ends at {quote.end:g} s, but the copy ends at {duration:.2f} s."
    if transcript is None:
        return f"The clip {quote.clip} has no words."
    if language not in transcript.languages:
        return f"The words of {quote.clip} are not translated into {language}."
    near = [said for said in transcript.said(language) if said.line.start < quote.end and said.line.end > quote.start]
    if not near:
        return f"Nothing is said in {quote.clip} from {quote.start:g} to {quote.end:g} s."
    if not _holds(" ".join(said.text for said in near), quote.text):
        return f"These words are not in {quote.clip} from {quote.start:g} to {quote.end:g} s."
    doubtful = [said for said in near if said.state is not State.READY]
    if doubtful and not _holds(" ".join(said.text for said in near if said.state is State.READY), quote.text):
        return f"Line {doubtful[0].line.id} of {quote.clip} is {doubtful[0].state.value} in {language}."
    return None


def _holds(said: str, quoted: str) -> bool:
    """Whether the words quoted are said in this order, next to each other but for what is marked as left out."""
    spoken = _bare(said)
    at = 0
    for piece in _LEFT_OUT.split(quoted):
        wanted = _bare(piece)
        found = next(
            (n for n in range(at, len(spoken) - len(wanted) + 1) if spoken[n : n + len(wanted)] == wanted), None
        )
        if found is None:
            return False
        at = found + len(wanted)
    return bool(_bare(quoted))


def _bare(text: str) -> Sequence[str]:
    return [fold(word.text) for word in words(text)]
