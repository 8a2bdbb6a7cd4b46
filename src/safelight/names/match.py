"""Names in text: what is certainly one (block), and what a person must look at (look).

Each spelling a desk entered becomes a pattern: its fold, and its row of sounds. A stretch of one to some words of the
text is a name when its fold is the pattern's, or when the two rows lie close (:mod:`safelight.names.align`). Limits
were set on one half of ``benchmarks/spellings.tsv``; the other half tells how good they are (``docs/names.md``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from safelight.names.align import distance
from safelight.names.dates import Calendar
from safelight.names.fold import Word, fold, words
from safelight.names.people import Kind, Person
from safelight.names.sounds import Sound, article, broad, is_unvowelled, sounds

SURE = 0.06  # distance up to which a whole name of enough sounds is the name
NEAR = 0.26  # distance up to which a person must look
NEAR_CASELESS = 0.12  # the same where capitals tell nothing
NEAR_SHORT = 0.2  # the same for names of few sounds
NEAR_ALONE = 0.08  # the same for one word alone: nicknames and family names, which are short
FIRM_SURE = 5  # firm sounds a name needs to be sure without being spelled as entered
FIRM_ALONE = 3
FIRM_GLUED = 7  # the same where several names are written as one word
FIRM_LOWER = 6  # the same for words that do not begin with a capital, as names in prose do
NEAR_WRITTEN = 0.17  # share of letters that may differ where name and text are both written without short vowels
NEAR_FAMILY = 0.03  # as NEAR, for a family name alone
_MORE_WORDS = 2  # a name may be written in that many words more than it was entered in
_WRITTEN_APART = """
al el ul il ad ar as ash asch az at an ed er es ez et en esh esch eth ath adh ech l аль эль ал ад ар ас аш аз ат ан
"""
_ARTICLES = frozenset(_WRITTEN_APART.split())
_JOINED = ("عبد", "ابو", "ابي", "ام", "بن", "ذو")  # an article follows these, often without a space
_LAST = ("الدين", "الله")  # and these follow given names
_PREFIXES = ("و", "ف", "ب", "ل", "ك")  # Arabic words of one letter, written together with the next


class Level(IntEnum):
    """How sure a finding is."""

    LOOK = 1
    BLOCK = 2


@dataclass(frozen=True)
class Match:
    """A finding: whose, what kind of fact, how sure, and the stretch ``text[start:end]`` that was searched."""

    person: str
    kind: str
    level: Level
    start: int
    end: int
    found: str


@dataclass(frozen=True)
class _Pattern:
    person: str
    kind: str
    folds: frozenset[str]
    row: tuple[Sound, ...]
    broad: str
    firm: int
    parts: int
    unvowelled: bool
    alone: bool  # one word: found more easily by chance
    native: bool  # the person was entered in a script without short vowels too
    most: Level  # no finding of this pattern is surer


@dataclass(frozen=True)
class _Stretch:
    words: tuple[Word, ...]
    proper: int  # words that are no articles
    folded: str
    row: tuple[Sound, ...]
    broad: str
    unvowelled: bool
    capital: bool
    evenly: bool  # all words begin with a capital, or none does


class Matcher:
    """Finds the protected people of a roster in text."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._patterns: list[_Pattern] = []
        self._calendar = Calendar()
        for person in people:
            native = any(is_unvowelled(name) for name in person.names)
            for name in person.names:
                self._add(person.id, "name", name, native)
            for fact in person.facts:
                if fact.kind is Kind.DATE:
                    self._calendar.add_date(person.id, fact.value)
                elif fact.kind is Kind.NUMBER:
                    self._calendar.add_number(person.id, fact.value)
                else:
                    self._add(person.id, fact.kind.value, fact.value, False)
        self._by_fold: dict[str, list[_Pattern]] = {}
        for pattern in self._patterns:
            for folded in pattern.folds:
                self._by_fold.setdefault(folded, []).append(pattern)
        self._longest = max((pattern.parts for pattern in self._patterns), default=0) + _MORE_WORDS
        self._broads = [pattern.broad for pattern in self._patterns]
        self._near: dict[str, list[_Pattern]] = {}

    def matches(self, text: str, *, caseless: bool = False) -> list[Match]:
        """All findings in a text, in order; of those that overlap, for each person the surest and longest.

        ``caseless``: the text does not use capitals as prose does (file names, addresses, tags).
        """
        if not self._patterns:
            return self._best(list(self._calendar.matches(text)))
        stretches = list(self._stretches(words(text)))
        self._prepare({stretch.broad for stretch in stretches if stretch.broad})
        found = [match for stretch in stretches for match in self._judge(stretch, text, caseless)]
        return self._best([*found, *self._calendar.matches(text)])

    def _add(self, person: str, kind: str, name: str, native: bool) -> None:
        parts = words(name)
        proper = [word for word in parts if not _is_article(word)]
        if not proper:
            return
        row: list[Sound] = []
        for place, word in enumerate(parts):
            before = _is_article(word) and place < len(parts) - 1
            row += article(sounds(parts[place + 1].text)) if before else sounds(word.text)
        self._keep(person, kind, parts, tuple(row), Level.BLOCK, native)
        if kind == "name" and len(proper) > 1:
            family = proper[-1]
            if sum(sound.firm for sound in sounds(family.text)) >= FIRM_ALONE:
                self._keep(person, "family name", [family], sounds(family.text), Level.LOOK, native)

    def _keep(
        self, person: str, kind: str, parts: Sequence[Word], row: tuple[Sound, ...], most: Level, native: bool
    ) -> None:
        proper = [word for word in parts if not _is_article(word)] or list(parts)
        folds = frozenset({"".join(fold(w.text) for w in parts), "".join(_bare(fold(w.text)) for w in proper)})
        self._patterns.append(
            _Pattern(
                person,
                kind,
                folds,
                row,
                broad(row),
                sum(sound.firm for sound in row),
                len(proper),
                any(is_unvowelled(w.text) for w in parts),
                len(proper) == 1,
                native,
                most,
            )
        )

    def _stretches(self, text: list[Word]) -> Iterator[_Stretch]:
        for first, word in enumerate(text):
            if _is_article(word) and first + 1 < len(text) and not word.capital:
                continue
            taken: list[Word] = []
            row: tuple[Sound, ...] = ()
            folded, unvowelled = "", False
            proper = 0
            for word_ in text[first:]:
                if taken and word_.start - taken[-1].end > 4:
                    break
                taken.append(word_)
                if _is_article(word_) and len(taken) > 1:
                    continue
                proper += 1
                if proper > self._longest:
                    break
                row += sounds(word_.text)
                folded += _bare(fold(word_.text))
                unvowelled |= is_unvowelled(word_.text)
                capital = taken[0].capital and word_.capital
                evenly = len({w.capital for w in taken if not _is_article(w)}) == 1
                yield _Stretch(tuple(taken), proper, folded, row, broad(row), unvowelled, capital, evenly)

    def _prepare(self, keys: set[str]) -> None:
        """Note for each coarse key which patterns may lie near: a look at all pairs, in the library's own loop."""
        new = sorted(keys - self._near.keys())
        if not new:
            return
        distances = cdist(new, self._broads, scorer=Levenshtein.distance, dtype=np.int32)
        allowed = np.array([1 + len(key) // 5 for key in self._broads])
        for key, row in zip(new, distances, strict=True):
            self._near[key] = [self._patterns[i] for i in np.flatnonzero(row <= allowed)]

    def _judge(self, stretch: _Stretch, text: str, caseless: bool) -> Iterator[Match]:
        start, end = stretch.words[0].start, stretch.words[-1].end
        for folded in _endings(stretch.folded):
            for pattern in self._by_fold.get(folded, ()):
                level = min(Level.BLOCK if _shown(pattern, stretch, folded, caseless) else Level.LOOK, pattern.most)
                yield Match(pattern.person, pattern.kind, level, start, end, text[start:end])
        for pattern in self._near.get(stretch.broad, ()):
            near = _level(pattern, stretch, caseless)
            if near is not None:
                yield Match(pattern.person, pattern.kind, near, start, end, text[start:end])

    def _best(self, found: list[Match]) -> list[Match]:
        kept: list[Match] = []
        found.sort(key=lambda m: (-m.level, m.kind == "family name", m.end - m.start, m.start))
        for match in found:
            if not any(k.person == match.person and k.start < match.end and match.start < k.end for k in kept):
                kept.append(match)
        return sorted(kept, key=lambda m: (m.start, m.end, m.person))


def _shown(pattern: _Pattern, stretch: _Stretch, folded: str, caseless: bool) -> bool:
    """Whether a stretch whose fold is the name's is written as a name, and not by chance of other words' letters."""
    if pattern.alone:
        whole = stretch.proper == 1 and folded in (stretch.folded, stretch.folded[:-1])
        return whole and (stretch.capital or caseless or pattern.firm >= FIRM_LOWER)
    return caseless or stretch.evenly or pattern.parts != stretch.proper


def _level(pattern: _Pattern, stretch: _Stretch, caseless: bool) -> Level | None:
    """How sure a stretch is that is not spelled as entered; None where it is another word."""
    if stretch.unvowelled and pattern.native:
        return Level.LOOK if pattern.unvowelled and _written_alike(pattern, stretch) else None
    capital = stretch.capital or caseless
    firm = max(pattern.firm, sum(sound.firm for sound in stretch.row))
    if firm < (FIRM_ALONE if capital else FIRM_LOWER):
        return None
    if stretch.unvowelled and stretch.proper < pattern.parts:
        return None  # without vowels one word is soon like two others
    limit = NEAR
    if pattern.kind == "family name":
        limit = NEAR_FAMILY if not stretch.unvowelled else -1.0
    elif pattern.alone or (stretch.proper == 1 and firm < FIRM_SURE):
        limit = NEAR_ALONE
    elif firm < FIRM_SURE:
        limit = NEAR_SHORT
    if not capital or stretch.unvowelled:
        limit = min(limit, SURE)
    elif not stretch.capital:
        limit = min(limit, NEAR_CASELESS)
    unvowelled = pattern.unvowelled or stretch.unvowelled
    away = min(distance(row, pattern.row, unvowelled=unvowelled) for row in _rows(stretch))
    if away > limit:
        return None
    enough = firm >= (FIRM_SURE if stretch.proper > 1 else FIRM_GLUED)
    sure = away <= SURE and enough and capital and not pattern.alone and pattern.kind == "name"
    return Level.BLOCK if sure and not stretch.unvowelled else Level.LOOK


def _written_alike(pattern: _Pattern, stretch: _Stretch) -> bool:
    """For a script whose spelling hardly varies: few letters differ, and there are as many words."""
    if pattern.alone or stretch.proper != pattern.parts:
        return False
    return any(Levenshtein.distance(folded, stretch.folded) <= NEAR_WRITTEN * len(folded) for folded in pattern.folds)


def _rows(stretch: _Stretch) -> Iterator[tuple[Sound, ...]]:
    yield stretch.row
    first = stretch.words[0].text
    if stretch.unvowelled and len(first) > 3 and first[0] in _PREFIXES:
        yield stretch.row[1:]


def _endings(folded: str) -> Iterator[str]:
    """A fold, and what it is without a genitive's s or a one-letter word before it."""
    yield folded
    if folded.endswith("s"):
        yield folded[:-1]
    if folded[:1] in _PREFIXES and len(folded) > 3:
        yield folded[1:]
        yield _bare(folded[1:])


def _bare(folded: str) -> str:
    """An Arabic word without its articles, which the next writer may leave out or write apart."""
    for joined in _JOINED:
        if folded.startswith(joined + "ال") and len(folded) > len(joined) + 3:
            return joined + folded[len(joined) + 2 :]
    for last in _LAST:
        if folded.endswith(last) and len(folded) > len(last) + 1:
            return folded[: -len(last)] + last[2:]
    for before in ("ال", "لل"):
        if folded.startswith(before) and len(folded) > 3:
            return folded[2:]
    return folded


def _is_article(word: Word) -> bool:
    return fold(word.text) in _ARTICLES
