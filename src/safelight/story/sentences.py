"""What a reader reads in an edition, sentence by sentence, with its line: what contradictions are looked for in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from safelight.names.dates import months
from safelight.names.fold import fold, words
from safelight.story.parts import Box, Edition, Film, Gallery, Plan, Prose, Quote, Shot

_END = re.compile(r"(?<=[.!?؟])[”»\"’)]*\s+(?=\S)|\n[^\S\n]*\n|\n(?=[^\S\n]*(?:[-*+#>:|]|\d+\.)\s)")
_ADDRESS = re.compile(r"\]\([^)\n]*\)")
_JOINED = re.compile(r"^(?:[وف]?[بلك]?ال|لل|[وف](?=\w{4}))")  # the article and words of one letter, written together
_LEAST = 4  # letters of a word that says what a sentence is about; Arabic writes words shorter
_SAY_NOTHING = """
about after also been before could from have into later many more most only over said than that their then there they
this were what when which while with would
blev denna deras efter eller fran hade innan inte kunde manga mera samma sedan skulle till under varit vilka
كان كانت كانوا هذا هذه ذلك علي الي بعد قبل عند قال قالت
"""  # folded words that say nothing about what a sentence is about
_EMPTY = frozenset(_SAY_NOTHING.split())
_SHARED, _SHARE = 2, 0.6  # so many words, and so much of the shorter sentence, are the same when two tell of one thing


@dataclass(frozen=True)
class Sentence:
    """A sentence and the line it begins on; digits are ASCII ones."""

    line: int
    text: str

    @cached_property
    def about(self) -> frozenset[str]:
        """The words that say what it is about: folded, long ones, no numbers and no months."""
        return frozenset(
            stem
            for word in words(self.text)
            if len(stem := stem_of(word.text)) >= (_LEAST if stem.isascii() else _LEAST - 1)
            and not stem[0].isdigit()
            and stem not in months()
            and stem not in _EMPTY
        )

    def tells_of(self, other: Sentence, *, without: frozenset[str] = frozenset()) -> bool:
        """Whether both seem to tell of the same thing."""
        mine, theirs = self.about - without, other.about - without
        return len(mine & theirs) >= max(_SHARED, _SHARE * min(len(mine), len(theirs)))


def stem_of(word: str) -> str:
    """A folded word without the Arabic article and the words of one letter before it."""
    folded = fold(word)
    return folded if folded.isascii() else _JOINED.sub("", folded)


def sentences_of(edition: Edition) -> list[Sentence]:
    """All sentences of an edition."""
    return [sentence for line, text in texts_of(edition) for sentence in _parted(line, text)]


def texts_of(edition: Edition) -> Iterator[tuple[int, str]]:
    """(line, text) of everything a reader reads in an edition."""
    yield 1, f"{edition.head.title}. {edition.head.lead}"
    for part in edition.parts:
        if isinstance(part, Prose):
            yield part.line, part.markdown
        elif isinstance(part, Box):
            yield part.line + 1, part.markdown
        elif isinstance(part, Quote) and not part.inline:
            yield part.line, part.text
        elif isinstance(part, Film | Shot | Plan):
            yield part.line, part.caption
        elif isinstance(part, Gallery):
            yield from ((shot.line, shot.caption) for shot in part.shots)


def _parted(line: int, text: str) -> Iterator[Sentence]:
    plain = _ADDRESS.sub("]", "".join(plain_digit(c) for c in text))
    begin = 0
    for end in [*(found.end() for found in _END.finditer(plain)), len(plain)]:
        piece = plain[begin:end]
        if piece.strip():
            skipped = len(piece) - len(piece.lstrip())
            yield Sentence(line + plain.count("\n", 0, begin + skipped), " ".join(piece.split()))
        begin = end


def plain_digit(character: str) -> str:
    """An ASCII digit for any digit, a point and a space for Arabic separators; other characters as they are."""
    if character in "٫٬":
        return "." if character == "٫" else " "
    return fold(character) if character.isdecimal() else character
