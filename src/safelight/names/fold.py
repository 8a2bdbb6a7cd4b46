"""Text without what does not tell names apart: case, accents, vowel signs, stretching strokes, invisible characters.

Two texts with the same fold are the same name to a reader. Positions are kept: a finding has a place.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

# Letters that carry no mark in Unicode but are another letter with one to a reader, and letters that writers exchange.
_ALIKE = str.maketrans(
    {
        "ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ŧ": "t",
        "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ئ": "ي", "ې": "ي", "ێ": "ي", "ؤ": "و", "ۆ": "و",
        "ۇ": "و", "ة": "ه", "ۀ": "ه", "ە": "ه", "ھ": "ه", "ہ": "ه", "ک": "ك", "ڪ": "ك", "ڵ": "ل", "ڕ": "ر", "ء": None,
        "ё": "е", "й": "и", "ї": "і", "ґ": "г",
        "'": None, "’": None, "‘": None, "ʻ": None, "ʼ": None, "ʾ": None, "ʿ": None, "ʹ": None, "ʺ": None, "`": None,
        "´": None, "ـ": None,
    }
)  # fmt: skip
_INSIDE = "'’‘ʻʼʾʿʹʺ`´ـ"  # may stand inside a word or begin it
_ASCII = re.compile(r"[a-z0-9 ]*")


def invisible(character: str) -> bool:
    """Whether nothing is drawn for a character: bidirectional marks, joiners, soft hyphens, controls."""
    return unicodedata.category(character) in ("Cf", "Cc") and character not in "\t\n\r"


@lru_cache(maxsize=1 << 16)
def fold(text: str) -> str:
    """The text's fold: lower case, no marks, one form for letters that writers exchange, ASCII digits."""
    if _ASCII.fullmatch(text):
        return text
    folded = []
    for character in unicodedata.normalize("NFKD", _lower(text).translate(_ALIKE)):
        if unicodedata.category(character) in ("Mn", "Me", "Cf", "Lm", "Sk"):
            continue
        digit = unicodedata.decimal(character, None)
        folded.append(character if digit is None else str(digit))
    return "".join(folded).translate(_ALIKE)


def _lower(text: str) -> str:
    """Small letters, also of letters that are drawn in a style of their own (bold, circled, full width)."""
    return unicodedata.normalize("NFKD", text).casefold()


@dataclass(frozen=True)
class Word:
    """A word and where it stands: ``text[start:end]`` of the text it was taken from."""

    text: str
    start: int
    end: int

    @property
    def capital(self) -> bool:
        """Whether it may be a name by its first letter; scripts without case always may."""
        first = next((c for c in self.text if c.isalpha()), "")
        return first != first.lower() or first == first.upper()


def words(text: str) -> list[Word]:
    """The words of a text, in order; letters, digits, marks and what may stand inside a word. Hyphens part words."""
    found: list[Word] = []
    start = None
    for place, character in enumerate(text + "\n"):
        if _belongs(character):
            start = place if start is None else start
        elif start is not None:
            word = text[start:place]
            inner = word.strip(_INSIDE)
            if any(c.isalnum() for c in inner):
                begin = start + word.index(inner)
                found.append(Word(inner, begin, begin + len(inner)))
            start = None
    return found


def _belongs(character: str) -> bool:
    return (
        character.isalnum() or character in _INSIDE or unicodedata.category(character) in ("Mn", "Mc", "Me", "Lm", "Cf")
    )


def line_of(text: str, place: int) -> int:
    """Number of the line, from 1, that a place of a text is on."""
    return text.count("\n", 0, place) + 1
