"""What an editor should look at twice: figures, dates, ages and captions that do not agree. Hints, never refusals."""

from __future__ import annotations

import datetime
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from safelight.names.dates import months
from safelight.names.fold import fold, words
from safelight.story.parts import Box, Edition, Film, Gallery, Plan, Prose, Quote, Shot, Story

_CURRENCIES = {
    "dollar", "dollars", "euro", "euros", "pound", "pounds", "lira", "liras", "dinar", "dinars", "krona", "kronor",
    "tenn", "tenns", "دولار", "ليره", "دينار", "يورو",
}  # fmt: skip
_NUMBER = re.compile(r"(?<![\w.,:])\d{1,3}(?:[  ,.]\d{3})+(?!\d)|(?<![\w.,:])\d+(?:[.,]\d+)?(?![\w:])")
_AGED = re.compile(r"\b([A-ZÅÄÖ][\w'’-]+(?: [A-ZÅÄÖ][\w'’-]+){0,2}), (\d{1,3})(?=[,.;)])")
_BORN = re.compile(r"\b([A-ZÅÄÖ][\w'’-]+(?: [A-ZÅÄÖ][\w'’-]+){0,2})[^.]{0,60}\b(?:born in|född(?: år)?) (\d{4})")
_BEFORE = 3  # words before a date that tell what happened then
_STILL_QUOTED = re.compile(r"[“«”„]([^“”«»„]{25,300})[”»“]")


@dataclass(frozen=True)
class Hint:
    """A place and what is odd about it."""

    file: str
    line: int
    text: str


def hints(story: Story) -> list[Hint]:
    """All hints about a story, in order of file and line."""
    found: list[Hint] = []
    for edition in story.editions.values():
        texts = list(texts_of(edition))
        found += _values(edition.file, texts)
        found += _events(edition.file, texts)
        found += _ages(edition.file, texts, story.book.published)
        found += _captions(edition)
        found += _loose_quotes(edition)
    found += _across(story)
    return sorted(set(found), key=lambda hint: (hint.file, hint.line))


def texts_of(edition: Edition) -> Iterator[tuple[int, str]]:
    """(line, text) of everything a reader reads in an edition."""
    yield 1, f"{edition.head.title}. {edition.head.lead}"
    for part in edition.parts:
        if isinstance(part, Prose | Box):
            for number, row in enumerate(part.markdown.split("\n")):
                yield part.line + number, row
        elif isinstance(part, Quote):
            yield part.line, part.text
        elif isinstance(part, Film | Shot | Plan):
            yield part.line, part.caption
        elif isinstance(part, Gallery):
            yield from ((shot.line, shot.caption) for shot in part.shots)


def _values(file: str, texts: list[tuple[int, str]]) -> Iterator[Hint]:
    """The same quantity with two values: exchange rates, and a number before the same two words."""
    seen: defaultdict[str, dict[float, int]] = defaultdict(dict)
    for line, text in texts:
        plain = "".join(str(d) if c.isdigit() and (d := fold(c)) else c for c in text)
        for found in _NUMBER.finditer(plain):
            after = [fold(word.text) for word in words(plain[found.end() : found.end() + 60])[:4]]
            money = [word for word in after if word in _CURRENCIES]
            key = ""
            if len(money) == 2 and money[0] != money[1]:
                key = f"{money[0]} for one {money[1]}"
            elif len(after) >= 2 and len(after[0]) > 3 and after[1] not in months():
                key = f"{after[0]} {after[1]}"
            if key:
                seen[key].setdefault(_value(found.group()), line)
    for key, values in seen.items():
        if len(values) > 1:
            told = ", ".join(f"{value:g} (line {line})" for value, line in values.items())
            yield Hint(file, max(values.values()), f"Two values for “{key}”: {told}.")


def _value(text: str) -> float:
    grouped = re.fullmatch(r"\d{1,3}(?:[  ,.]\d{3})+", text)
    return float(re.sub(r"[  ,.]", "", text) if grouped else text.replace(",", "."))


def _events(file: str, texts: list[tuple[int, str]]) -> Iterator[Hint]:
    """The same words before two different dates."""
    seen: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for line, text in texts:
        known = [fold(word.text) for word in words(text)]
        for place in range(_BEFORE + 1, len(known)):
            month = months().get(known[place])
            if month is None:
                continue
            days = [n for n in (known[place - 1], known[place + 1] if place + 1 < len(known) else "") if n.isdigit()]
            if len(days) < 1 or int(days[0]) > 31:
                continue
            start = place - 1 if known[place - 1].isdigit() else place
            before = [word for word in known[max(start - _BEFORE - 2, 0) : start] if len(word) > 2][-_BEFORE:]
            if len(before) == _BEFORE:
                seen[" ".join(before)].setdefault(f"{int(days[0])}.{month}.", line)
    for key, dates in seen.items():
        if len(dates) > 1:
            told = ", ".join(f"{date} (line {line})" for date, line in dates.items())
            yield Hint(file, max(dates.values()), f"Two dates after “{key}”: {told}.")


def _ages(file: str, texts: list[tuple[int, str]], published: str) -> Iterator[Hint]:
    year = datetime.date.fromisoformat(published).year
    ages: dict[str, tuple[int, int]] = {}
    born: dict[str, tuple[int, int]] = {}
    for line, text in texts:
        for name, age in _AGED.findall(text):
            if name in ages and ages[name][0] != int(age):
                yield Hint(file, line, f"{name} is {ages[name][0]} (line {ages[name][1]}) and {age} (line {line}).")
            ages.setdefault(name, (int(age), line))
        for name, when in _BORN.findall(text):
            born.setdefault(name, (int(when), line))
    for name, (when, line) in born.items():
        if name in ages and not 0 <= year - when - ages[name][0] <= 1:
            yield Hint(file, line, f"{name}, {ages[name][0]} (line {ages[name][1]}), was born in {when} (line {line}).")


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
                said = " ".join(fold(word.text) for word in words(found[1]))
                if not any(said in known or known in said for known in proven):
                    line = part.line + part.markdown.count("\n", 0, found.start())
                    yield Hint(edition.file, line, "This quote points to no clip and time.")


def _across(story: Story) -> Iterator[Hint]:
    """Numbers that stand in one language of a paragraph and not in the other."""
    first, *others = story.editions.values()
    mine = _figures(first)
    for edition in others:
        theirs = _figures(edition)
        if len(theirs) != len(mine):
            yield Hint(edition.file, 1, f"It has {len(theirs)} paragraphs, {first.file} has {len(mine)}.")
            continue
        for (line, numbers), (other_line, others_numbers) in zip(theirs, mine, strict=True):
            if numbers != others_numbers:
                yield Hint(edition.file, line, f"Its figures are not those of {first.file} line {other_line}.")


def _figures(edition: Edition) -> list[tuple[int, list[float]]]:
    found = []
    for part in edition.parts:
        if isinstance(part, Prose):
            line = part.line
            for paragraph in re.split(r"\n\s*\n", part.markdown):
                plain = "".join(str(fold(c)) if c.isdigit() else c for c in paragraph.replace("٬", " "))
                plain = re.sub(r"\]\([^)]*\)", "]", plain)
                found.append((line, sorted(_value(n) for n in _NUMBER.findall(plain))))
                line += paragraph.count("\n") + 2
    return found
