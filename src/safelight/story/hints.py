"""What an editor should look at twice: figures, dates, ages, captions and speakers that do not agree, quotes that prove
nothing, and what one language has and another lacks. Hints, never refusals.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from safelight.errors import SafelightError
from safelight.names.fold import fold, words
from safelight.story.days import ages, events
from safelight.story.figures import NUMBER, counts, rates, value_of
from safelight.story.parts import Box, Edition, Film, Gallery, Part, Plan, Prose, Quote, Shot, Story
from safelight.story.sentences import plain_digit, sentences_of
from safelight.story.source import words_of

_STILL_QUOTED = re.compile(r"[“«”„\"]([^“”«»„\"]{2,400})[”»“\"]")
_QUOTE_LEAST = 3  # words; fewer are rather a term than what somebody said


@dataclass(frozen=True)
class Hint:
    """A place and what is odd about it. ``line``: 0 where a file has none."""

    file: str
    line: int
    text: str

    @property
    def where(self) -> str:
        """File, and line if there is one."""
        return f"{self.file}:{self.line}" if self.line else self.file


def hints(story: Story) -> list[Hint]:
    """All hints about a story, in order of file and line."""
    found: list[Hint] = []
    for edition in story.editions.values():
        sentences = sentences_of(edition)
        for told in (rates(sentences), counts(sentences), events(sentences), ages(sentences, story.book.published)):
            found += [Hint(edition.file, line, text) for line, text in told]
        found += _captions(edition)
        found += _loose_quotes(edition)
        found += _speakers(story, edition)
    found += _across(story)
    return sorted(dict.fromkeys(found), key=lambda hint: (hint.file, hint.line))


def _captions(edition: Edition) -> Iterator[Hint]:
    first: dict[tuple[str, float], Shot] = {}
    for shot in edition.shots:
        other = first.setdefault(shot.key, shot)
        if other.caption != shot.caption:
            yield Hint(edition.file, shot.line, f"The same picture has another caption on line {other.line}.")


def _loose_quotes(edition: Edition) -> Iterator[Hint]:
    proven = [" ".join(fold(word.text) for word in words(quote.text)) for quote in edition.parts
              if isinstance(quote, Quote)]  # fmt: skip
    for part in edition.parts:
        if isinstance(part, Prose):
            for found in _STILL_QUOTED.finditer(part.markdown):
                spoken = words(found[1])
                if len(spoken) < _QUOTE_LEAST:
                    continue
                said = " ".join(fold(word.text) for word in spoken)
                if not any(said in known or known in said for known in proven):
                    line = part.line + part.markdown.count("\n", 0, found.start())
                    yield Hint(edition.file, line, "This quote points to no clip and time.")


def _speakers(story: Story, edition: Edition) -> Iterator[Hint]:
    """Quotes of one person that the words of the clip give to another, where they name one in this language."""
    for quote in edition.of(Quote):
        assert isinstance(quote, Quote)
        try:
            transcript = words_of(story, quote.clip)
        except SafelightError:
            continue  # the gate refuses a story whose words cannot be read
        if quote.inline or transcript is None:
            continue
        translation = transcript.translations.get(edition.language)
        for said in transcript.said(edition.language):
            if said.line.start >= quote.end or said.line.end <= quote.start:
                continue
            translated = translation.lines.get(said.line.id) if translation else None
            named = edition.language == transcript.language or (translated is not None and translated.speaker)
            if named and said.speaker and fold(said.speaker) != fold(quote.who):
                text = f"The quote is of {quote.who}; in the words of {quote.clip} it is {said.speaker}."
                yield Hint(edition.file, quote.line, text)
                break


def _across(story: Story) -> Iterator[Hint]:
    """Numbers that stand in one language of a paragraph and not in the other; parts that one language lacks."""
    first, *others = story.editions.values()
    mine = _figures(first)
    for edition in others:
        yield from _missing(first, edition)
        theirs = _figures(edition)
        if len(theirs) != len(mine):
            yield Hint(edition.file, 1, f"It has {len(theirs)} paragraphs, {first.file} has {len(mine)}.")
            continue
        for (line, numbers), (other_line, others_numbers) in zip(theirs, mine, strict=True):
            if numbers != others_numbers:
                yield Hint(edition.file, line, f"Its figures are not those of {first.file} line {other_line}.")


def _missing(first: Edition, other: Edition) -> Iterator[Hint]:
    left = Counter(_what(part) for part in other.parts)
    for part in first.parts:
        what = _what(part)
        if what is None:
            continue
        if left[what]:
            left[what] -= 1
        else:
            yield Hint(other.file, 1, f"It lacks the {what} of {first.file} line {part.line}.")


def _what(part: Part) -> str | None:
    if isinstance(part, Prose) or (isinstance(part, Quote) and part.inline):
        return None
    if isinstance(part, Film):
        return f"film {part.clip}"
    if isinstance(part, Shot):
        return f"still {part.named}"
    if isinstance(part, Gallery):
        return f"gallery of {len(part.shots)} pictures"
    if isinstance(part, Quote):
        return f"quote at {part.clip} {part.start:g}-{part.end:g}"
    if isinstance(part, Plan):
        return f"map {part.map}"
    assert isinstance(part, Box)
    return f"correction of {part.date}" if part.date else {"facts": "fact box"}.get(part.kind, part.kind)


def _figures(edition: Edition) -> list[tuple[int, list[float]]]:
    found = []
    for part in edition.parts:
        if isinstance(part, Prose):
            line = part.line
            for paragraph in re.split(r"\n\s*\n", part.markdown):
                plain = "".join(plain_digit(c) for c in paragraph)
                plain = re.sub(r"\]\([^)]*\)", "]", plain)
                found.append((line, sorted(value_of(n) for n in NUMBER.findall(plain))))
                line += paragraph.count("\n") + 2
    return found
