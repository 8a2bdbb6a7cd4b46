"""Dates and numbers of protected people, however they are written."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from babel.dates import get_month_names

from safelight.names.fold import fold, words

if TYPE_CHECKING:
    from safelight.names.match import Match

LANGUAGES = ("en", "sv", "ar", "ar_SY", "ar_DZ", "fr", "de", "tr", "fa", "ku", "ru", "uk", "es")
_NUMBER = re.compile(r"\d(?:[ ./\-\u00a0()]{0,2}\d){4,}")
_WITHIN = 4  # words a written date spans


@cache
def months() -> dict[str, int]:
    """Folded names of the months, whole and short, in the languages stories are read in."""
    names: dict[str, int] = {}
    for language in LANGUAGES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, language).items():
                    for word in words(name):
                        names.setdefault(fold(word.text), number)
    return {name: number for name, number in names.items() if len(name) > 2 and not name.isdigit()}


class Calendar:
    """Finds protected dates and numbers in text."""

    def __init__(self) -> None:
        self._dates: dict[tuple[int, int], list[tuple[str, int]]] = {}
        self._numbers: list[tuple[str, str]] = []

    def add_date(self, person: str, iso: str) -> None:
        """A date to look for, as YYYY-MM-DD."""
        day = datetime.date.fromisoformat(iso)
        self._dates.setdefault((day.day, day.month), []).append((person, day.year))

    def add_number(self, person: str, number: str) -> None:
        """A number to look for: its digits and letters."""
        self._numbers.append((person, "".join(c for c in fold(number) if c.isdigit())))

    def matches(self, text: str) -> Iterator[Match]:
        """Findings: a date with its year and a whole number block, a date without year is to be looked at."""
        if self._dates:
            yield from self._dated(text)
        if self._numbers:
            plain = "".join(str(ord_) if (ord_ := _digit(c)) is not None else c for c in text)
            for found in _NUMBER.finditer(plain):
                digits = "".join(c for c in found.group() if c.isdigit())
                for person, number in self._numbers:
                    if number in digits:
                        yield _match(person, "number", 2, found.start(), found.end(), text)

    def _dated(self, text: str) -> Iterator[Match]:
        known = [(word, fold(word.text)) for word in words(text)]
        for first, (word, _) in enumerate(known):
            near = known[first : first + _WITHIN]
            for span in range(2, len(near) + 1):
                for day, month, year in _readings([folded for _, folded in near[:span]]):
                    for person, wanted in self._dates.get((day, month), ()):
                        if year is None or year in (wanted, wanted % 100):
                            level = 1 if year is None else 2
                            yield _match(person, "date", level, word.start, near[span - 1][0].end, text)
            yield from self._compact(word.text, word.start, text)

    def _compact(self, word: str, start: int, text: str) -> Iterator[Match]:
        digits = fold(word)
        if len(digits) != 8 or not digits.isdigit():
            return
        for year, month, day in ((digits[:4], digits[4:6], digits[6:]), (digits[4:], digits[2:4], digits[:2])):
            for person, wanted in self._dates.get((int(day), int(month)), ()):
                if int(year) == wanted:
                    yield _match(person, "date", 2, start, start + len(word), text)


def _digit(character: str) -> int | None:
    folded = fold(character)
    return int(folded) if len(folded) == 1 and folded.isdigit() else None


def _readings(parts: list[str]) -> Iterator[tuple[int, int, int | None]]:
    """(day, month, year or None) that two to four words may mean; names of months, or numbers in any usual order."""
    numbers = [int(match.group()) for part in parts if (match := re.match(r"\d{1,4}(?=\D|$)", part))]
    named = [months()[part] for part in parts if part in months()]
    if len(named) == 1 and parts[0] != parts[-1] and (parts[0] in months() or parts[0][:1].isdigit()):
        if len(numbers) == 1 and len(parts) == 2 and numbers[0] <= 31:
            yield numbers[0], named[0], None
        elif len(numbers) == 2 and max(numbers) > 31:
            yield min(numbers), named[0], max(numbers)
    elif not named and len(numbers) == 3 and len(parts) == 3:
        first, second, third = numbers
        if first > 31:
            yield third, second, first
        else:
            yield first, second, third
            yield second, first, third


def _match(person: str, kind: str, level: int, start: int, end: int, text: str) -> Match:
    from safelight.names.match import Level, Match

    return Match(person, kind, Level(level), start, end, text[start:end])
