"""Dates and ages that do not add up: two dates of one event, the 31st of April, a woman of two ages."""

from __future__ import annotations

import calendar
import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from babel.dates import get_day_names

from safelight.names.dates import LANGUAGES, months
from safelight.names.fold import Word, fold, words
from safelight.story.figures import figures_of
from safelight.story.sentences import Sentence

_ISO = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
_YEAR = re.compile(r"(?:\b(?:in|since|i|år|sedan)|عام|سنه|سنة|منذ) (\d{4})(?!\d)", re.IGNORECASE)
_DAYS = {"day", "days", "dag", "dagar", "dygn", "يوم", "يوما", "ايام"}
_FIRST = r"[A-ZÀ-ÖØ-ÞĀČĐĞŁŚŞŠŻŽ\u0621-\u064a]"  # a name begins with a capital, or is Arabic
_NAME = rf"(?P<name>{_FIRST}[\w'’-]+(?: {_FIRST}[\w'’-]+){{0,2}})"
_YEARS = r"(?: years old| år| years| عاما| سنة| عام| أعوام| سنوات)"
_AGES = (
    re.compile(_NAME + r"(?:[,،] | \()(?P<age>\d{1,3})(?:" + _YEARS + r"(?: gammal| old)?)?(?=[,،.;)]|$)"),
    re.compile(_NAME + r" (?:is|was|är|var) (?P<age>\d{1,3})(?:" + _YEARS + r"|(?=[,.;)]|$))"),
    re.compile(r"(?P<age>\d{1,3})(?:-year-old|-åriga|-årige) " + _NAME),
)
_BORN = re.compile(
    _NAME + r"[^.]{0,60}?\b(?:born(?: in)?|född(?: år)?|ولدت?(?: في)? عام|مواليد(?: عام)?) (?P<year>\d{4})"
)
_MOST = 2000  # sentences with dates that are compared with each other


@dataclass(frozen=True)
class When:
    """A date in a sentence; None for what is not said."""

    day: int | None
    month: int | None
    year: int | None
    weekday: int | None = None

    def __str__(self) -> str:
        return ".".join(str(part) for part in (self.day, self.month, self.year) if part is not None)

    def differs(self, other: When) -> bool:
        """Whether both cannot be the same day."""
        pairs = ((self.day, other.day), (self.month, other.month), (self.year, other.year))
        return any(a is not None and b is not None and a != b for a, b in pairs)

    @property
    def date(self) -> datetime.date | None:
        """The day itself, where all of it is said and there is such a day."""
        if self.day is None or self.month is None or self.year is None or not self.possible:
            return None
        return datetime.date(self.year, self.month, self.day)

    @property
    def possible(self) -> bool:
        """Whether there is such a day; the 29th of February may be, where no year is told."""
        if self.day is None or self.month is None:
            return True
        if not 1 <= self.month <= 12:
            return False
        return 1 <= self.day <= calendar.monthrange(self.year or 2024, self.month)[1]


def dates_of(text: str) -> list[When]:
    """The dates of a sentence: with a month's name, or as 2024-03-05; else years alone."""
    found = [When(int(day), int(month), int(year)) for year, month, day in _ISO.findall(text)]
    known = words(text)
    for place, word in enumerate(known):
        month = months().get(fold(word.text))
        before = _number(known, place - 1)
        after = _number(known, place + 1)
        day, then = (before, place + 1) if before is not None and before <= 31 else (after, place + 2)
        if month is None or day is None or day > 31:
            continue
        year = _number(known, then)
        first = place - 1 if day == before else place
        weekday = next((w for w in known[max(first - 2, 0) : first] if fold(w.text) in _weekdays()), None)
        found.append(
            When(
                day,
                month,
                year if year is not None and 1000 <= year <= 2999 else None,
                _weekdays()[fold(weekday.text)] if weekday else None,
            )
        )
    return found or [When(None, None, int(year)) for year in _YEAR.findall(text)]


def _number(known: list[Word], place: int) -> int | None:
    found = re.match(r"\d{1,4}(?!\d)", known[place].text) if 0 <= place < len(known) else None
    return int(found.group()) if found else None


@cache
def _weekdays() -> dict[str, int]:
    named = {fold(name): number for code in LANGUAGES for number, name in get_day_names("wide", "format", code).items()}
    return {name: number for name, number in named.items() if " " not in name}


def events(sentences: list[Sentence]) -> Iterator[tuple[int, str]]:
    """(line, text) for dates that cannot be, and for two dates in sentences that seem to tell of the same."""
    dated: list[tuple[Sentence, When]] = []
    for sentence in sentences:
        dates = dates_of(sentence.text)
        for when in dates:
            if not when.possible:
                yield sentence.line, f"There is no day {when}."
            elif when.weekday is not None and when.date is not None and when.date.weekday() != when.weekday:
                yield sentence.line, f"{when} was another day of the week."
        if len(dates) == 1:
            dated.append((sentence, dates[0]))
        elif len(dates) == 2 and (first := dates[0].date) and (last := dates[1].date):
            lasted = {f.value for f in figures_of(sentence) if f.after and f.after[0] in _DAYS}
            days = (last - first).days
            if days < 0:
                yield sentence.line, f"{dates[1]} lies before {dates[0]}."
            elif lasted and not lasted & {days, days + 1}:
                yield sentence.line, f"From {dates[0]} to {dates[1]} are {days} days, not {min(lasted):g}."
    for (one, mine), (other, theirs) in combinations(dated[:_MOST], 2):
        if mine.differs(theirs) and one.tells_of(other):
            yield other.line, f"Two dates of what seems to be one event: {mine} (line {one.line}), {theirs}."


def ages(sentences: list[Sentence], published: str) -> Iterator[tuple[int, str]]:
    """(line, text) for people of two ages, and for ages that do not fit a year of birth."""
    year = datetime.date.fromisoformat(published).year
    aged: dict[str, tuple[int, int]] = {}
    born: dict[str, tuple[int, int]] = {}
    for sentence in sentences:
        for pattern in _AGES:
            for found in pattern.finditer(sentence.text):
                name, age = _called(found["name"]), int(found["age"])
                known, line = aged.setdefault(name, (age, sentence.line))
                if known != age:
                    yield sentence.line, f"{name} is {known} (line {line}) and {age}."
        for found in _BORN.finditer(sentence.text):
            born.setdefault(_called(found["name"]), (int(found["year"]), sentence.line))
    for name, (when, line) in born.items():
        if name in aged and not 0 <= year - when - aged[name][0] <= 1:
            yield line, f"{name}, {aged[name][0]} (line {aged[name][1]}), was born in {when}."


def _called(name: str) -> str:
    """A name as it is told apart: where no capital says where it begins, its last word."""
    return name if name[0].isupper() else name.split()[-1]
