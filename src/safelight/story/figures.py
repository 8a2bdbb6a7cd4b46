"""Figures that do not agree: two exchange rates, two counts of the same. Simple patterns; they miss much."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from safelight.names.dates import months
from safelight.names.fold import words
from safelight.story.sentences import Sentence, stem_of

NUMBER = re.compile(r"(?<![\w.,:])\d{1,3}(?:[ \u00a0,.]\d{3})+(?!\d)|(?<![\w.,:])\d+(?:[.,]\d+)?(?![\w:])")
_CURRENCIES = (
    "dollar", "euro", "pound", "pund", "lira", "dinar", "krona", "kronor", "riyal", "rial", "dirham", "rouble", "rubel",
    "rubl", "hryvni", "shekel", "toman", "franc", "frank", "peso", "rupee", "rupie", "yen", "tenn", "دولار", "ليره",
    "دينار", "يورو", "ريال", "درهم", "جنيه", "روبل", "تومان", "شيكل",
)  # fmt: skip
_SAME = {"pund": "pound", "kronor": "krona", "rial": "riyal", "rubel": "rouble", "rubl": "rouble", "frank": "franc",
         "rupie": "rupee", "دولار": "dollar", "ليره": "lira", "دينار": "dinar", "يورو": "euro", "ريال": "riyal",
         "درهم": "dirham", "جنيه": "pound", "روبل": "rouble", "تومان": "toman", "شيكل": "shekel"}  # fmt: skip
_SIGNS = {"$": " dollar ", "€": " euro ", "£": " pound "}
_WRITTEN = {
    word: number
    for row in (
        "two three four five six seven eight nine ten eleven twelve",
        "tva tre fyra fem sex sju atta nio tio elva tolv",
        "اثنان ثلاث اربع خمس ست سبع ثماني تسع عشر",
        "اثنتان ثلاثه اربعه خمسه سته سبعه ثمانيه تسعه عشره",
    )
    for number, word in enumerate(row.split(), 2)
}
_UNIT_WITHIN = 3  # words between a number and its currency
_LONGER = 4  # letters that an ending adds to a currency's name
_YEARS = range(1900, 2100)  # such a number is rather a year than a count
_MOST = 2000  # sentences with figures that are compared with each other


@dataclass(frozen=True)
class Figure:
    """A number in a sentence, and the words after it."""

    value: float
    after: tuple[str, ...]


def value_of(text: str) -> float:
    """12,500 and 12 500 are thousands; 12.5 and 12,5 are not."""
    grouped = re.fullmatch(r"\d{1,3}(?:[ \u00a0,.]\d{3})+", text)
    return float(re.sub(r"[ \u00a0,.]", "", text) if grouped else text.replace(",", "."))


def figures_of(sentence: Sentence) -> list[Figure]:
    """The numbers of a sentence, also small ones that are written as words."""
    text = "".join(_SIGNS.get(c, c) for c in sentence.text)
    found = {m.start(): (value_of(m.group()), m.end()) for m in NUMBER.finditer(text)}
    for word in words(text):
        if (number := _WRITTEN.get(stem_of(word.text))) is not None:
            found[word.start] = (float(number), word.end)
    return [
        Figure(value, tuple(stem_of(word.text) for word in words(text[end : end + 80])[:6]))
        for _, (value, end) in sorted(found.items())
    ]


def rates(sentences: list[Sentence]) -> Iterator[tuple[int, str]]:
    """(line, text) for exchange rates of two values."""
    seen: defaultdict[str, dict[float, int]] = defaultdict(dict)
    for sentence in sentences:
        text = "".join(_SIGNS.get(c, c) for c in sentence.text)
        named = {money for word in words(text) if (money := _currency(stem_of(word.text)))}
        if len(named) != 2:
            continue
        for figure in figures_of(sentence):
            unit = next((m for word in figure.after[:_UNIT_WITHIN] if (m := _currency(word))), None)
            if unit and figure.value != 1:
                (other,) = named - {unit}
                seen[f"{unit} for one {other}"].setdefault(figure.value, sentence.line)
    for key, values in seen.items():
        if len(values) > 1:
            told = ", ".join(f"{value:,g} (line {line})" for value, line in values.items())
            yield max(values.values()), f"Two exchange rates, {key}: {told}."


def counts(sentences: list[Sentence]) -> Iterator[tuple[int, str]]:
    """(line, text) for two counts of the same things in sentences that seem to tell of the same."""
    counted: list[tuple[Sentence, dict[str, set[float]]]] = []
    for sentence in sentences:
        things: defaultdict[str, set[float]] = defaultdict(set)
        for figure in figures_of(sentence):
            thing = figure.after[0] if figure.after else ""
            if figure.value in _YEARS:
                continue
            if len(thing) > 2 and not thing[0].isdigit() and thing not in months() and not _currency(thing):
                things[thing].add(figure.value)
                if len(figure.after) > 1:
                    things[f"{thing} {figure.after[1]}"].add(figure.value)
        if things:
            counted.append((sentence, dict(things)))
    for (one, mine), (other, theirs) in combinations(counted[:_MOST], 2):
        for thing in sorted(mine.keys() & theirs.keys(), key=len, reverse=True):
            if mine[thing] & theirs[thing]:
                break  # one of them tells both values
            two = thing.split()
            if (len(two) == 2 and len(two[0]) > 3 and len(two[1]) > 2) or one.tells_of(other, without=frozenset(two)):
                told = f"{min(mine[thing]):g} (line {one.line}), {min(theirs[thing]):g} (line {other.line})"
                yield other.line, f"Two values for “{thing}”: {told}."
                break


def _currency(stem: str) -> str | None:
    for money in _CURRENCIES:
        if stem.startswith(money) and len(stem) <= len(money) + _LONGER:
            return _SAME.get(money, money)
    return None
