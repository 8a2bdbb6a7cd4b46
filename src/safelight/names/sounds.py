"""From letters to sounds: what a spelling may be pronounced like, whichever script and habit it was written in.

A word becomes a row of :class:`Sound`. Where habits differ, a sound holds all readings: German ``ch`` is Arabic ḫāʾ,
French ``ch`` is the Arabic shīn, Spanish and English ``ch`` the Persian če. Two spellings belong to one name when their
rows can be laid side by side with readings in common; :mod:`safelight.names.align` does that.

Readings: consonants ``B F G H J K L M N R S T V X`` (X: sh and ch; T: also d; S: also z; B: also p), vowels ``a i u``,
and the glide ``Y`` (y in yes), which is never an alif.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import NamedTuple


class Sound(NamedTuple):
    """Readings of one grapheme. ``gap``: what it costs (0 to 1) when the other spelling has nothing in its place."""

    readings: frozenset[str]
    gap: float

    @property
    def firm(self) -> bool:
        """Whether it carries the name: a consonant that is always written."""
        return self.gap >= 0.45


VOWEL_GAP = 0.2
UNWRITTEN = 0.05  # a letter that some spellings leave out: ʿayn, hamza, alif, a silent h
_HALF = 0.15
LONG = 0.35  # a long vowel, which Arabic writes and every other script too
_ASSIMILATED = frozenset("TSRNX")  # before these the l of the article may be spoken as they are

_AI: list[tuple[str, float]] = [("ai", VOWEL_GAP), ("iY", UNWRITTEN)]
# grapheme: rows of (readings, gap); a list holds what must come after another. Longest graphemes first.
_LATIN: dict[str, list[tuple[str, float]]] = {
    "schtsch": [("X", 1)], "chtch": [("X", 1)], "shch": [("X", 1)], "sjtj": [("X", 1)], "stj": [("X", 1)],
    "tsch": [("XJ", 1)], "dsch": [("J", 1)], "sch": [("XJ", 1)], "tch": [("X", 1)], "dzh": [("J", 1)],
    "dj": [("J", 1)], "sh": [("XJ", 1)], "ch": [("XHK", 1)], "kh": [("HK", 1)], "gh": [("GK", 0.7)],
    "th": [("TS", 1)], "dh": [("TS", 1)], "zh": [("JSX", 1), ("H", UNWRITTEN)], "sj": [("X", 1)], "zj": [("J", 1)],
    "tj": [("X", 1)],
    "ts": [("T", UNWRITTEN), ("S", 1)], "tz": [("T", UNWRITTEN), ("S", 1)], "ph": [("F", 1)], "ck": [("K", 1)],
    "ou": [("uV", VOWEL_GAP)], "oo": [("u", VOWEL_GAP)], "ee": [("i", VOWEL_GAP)], "aa": [("a", VOWEL_GAP)],
    "ai": _AI, "ay": _AI, "ei": _AI, "ey": _AI,
    "au": [("auV", VOWEL_GAP)], "aw": [("auV", VOWEL_GAP)], "ow": [("auV", VOWEL_GAP)], "ue": [("ui", VOWEL_GAP)],
    "oe": [("uiV", VOWEL_GAP)], "ae": [("ai", VOWEL_GAP)], "ie": [("iY", VOWEL_GAP)], "gu": [("G", 1)],
    "a": [("a", VOWEL_GAP)], "e": [("ai", VOWEL_GAP)], "i": [("iY", VOWEL_GAP)], "o": [("ua", VOWEL_GAP)],
    "u": [("u", VOWEL_GAP)], "y": [("iY", _HALF)], "w": [("Vu", _HALF)], "v": [("VuF", 0.4)], "j": [("JY", 0.4)],
    "b": [("B", 1)], "c": [("KSJX", 1)], "d": [("T", 1)], "f": [("F", 1)], "g": [("GJ", 1)], "h": [("H", 0.5)],
    "k": [("K", 1)], "l": [("L", 1)], "m": [("M", 1)], "n": [("N", 1)], "p": [("B", 1)], "q": [("KG", 1)],
    "r": [("R", 1)], "s": [("S", 1)], "t": [("T", 1)], "x": [("HK", 1), ("S", UNWRITTEN)], "z": [("S", 1)],
    "ğ": [("G", _HALF)], "ġ": [("G", 1)], "ǧ": [("J", 1)], "ç": [("XSJ", 1)], "č": [("X", 1)], "ş": [("XS", 1)],
    "š": [("X", 1)], "ž": [("J", 1)], "ŝ": [("X", 1)], "şç": [("X", 1)], "ḏ": [("TS", 1)], "ṯ": [("TS", 1)],
    "ḍ": [("TS", 1)], "đ": [("JT", 1)], "ð": [("TS", 1)], "þ": [("TS", 1)], "ł": [("LV", 0.7)], "ħ": [("H", 0.6)],
    "ß": [("S", 1)], "ø": [("ui", VOWEL_GAP)], "æ": [("ai", VOWEL_GAP)], "œ": [("ui", VOWEL_GAP)],
    "ə": [("ai", VOWEL_GAP)],
    "ö": [("ui", VOWEL_GAP)], "ü": [("ui", VOWEL_GAP)], "ä": [("ai", VOWEL_GAP)],
}  # fmt: skip
_CYRILLIC: dict[str, list[tuple[str, float]]] = {
    "дж": [("J", 1)], "а": [("a", VOWEL_GAP)], "б": [("B", 1)], "в": [("VFu", 0.4)], "г": [("GH", 1)], "ґ": [("G", 1)],
    "д": [("T", 1)], "е": [("Yi", UNWRITTEN), ("ai", VOWEL_GAP)],
    "ё": [("Yi", UNWRITTEN), ("uai", VOWEL_GAP)], "є": [("Yi", UNWRITTEN), ("ai", VOWEL_GAP)],
    "ж": [("JX", 1)], "з": [("S", 1)], "и": [("iY", VOWEL_GAP)], "і": [("iY", VOWEL_GAP)], "ї": [("iY", VOWEL_GAP)],
    "й": [("iY", UNWRITTEN)], "ј": [("iY", _HALF)], "љ": [("L", 1), ("Y", UNWRITTEN)],
    "њ": [("N", 1), ("Y", UNWRITTEN)], "ђ": [("J", 1)], "ћ": [("X", 1)], "џ": [("J", 1)], "ѕ": [("S", 1)],
    "к": [("K", 1)], "л": [("L", 1)], "м": [("M", 1)], "н": [("N", 1)],
    "о": [("ua", VOWEL_GAP)], "п": [("B", 1)], "р": [("R", 1)], "с": [("S", 1)], "т": [("T", 1)],
    "у": [("u", VOWEL_GAP)], "ф": [("F", 1)], "х": [("HKX", 1)], "ц": [("T", UNWRITTEN), ("S", 1)], "ч": [("X", 1)],
    "ш": [("X", 1)], "щ": [("X", 1)], "ъ": [], "ь": [], "ы": [("i", VOWEL_GAP)], "э": [("ai", VOWEL_GAP)],
    "ю": [("iY", UNWRITTEN), ("u", VOWEL_GAP)], "я": [("iY", UNWRITTEN), ("a", VOWEL_GAP)],
}  # fmt: skip
_ARABIC: dict[str, list[tuple[str, float]]] = {
    "تش": [("T", UNWRITTEN), ("X", 1)], "دج": [("J", 1)], "كس": [("K", 1), ("S", 0.7)],
    "ا": [("aiu", UNWRITTEN)], "أ": [("aiu", UNWRITTEN)], "إ": [("aiu", UNWRITTEN)], "آ": [("a", UNWRITTEN)],
    "ٱ": [("aiu", UNWRITTEN)], "ء": [], "ئ": [("aiu", UNWRITTEN)], "ؤ": [("uV", UNWRITTEN)], "ى": [("ai", UNWRITTEN)],
    "ب": [("B", 1)], "پ": [("B", 1)], "ت": [("T", 1)], "ث": [("TS", 1)], "ج": [("JG", 1)], "چ": [("XJ", 1)],
    "ح": [("H", 0.6)], "خ": [("HKX", 1)], "د": [("T", 1)], "ذ": [("TS", 1)], "ر": [("R", 1)], "ڕ": [("R", 1)],
    "ز": [("S", 1)], "ژ": [("JX", 1)], "س": [("S", 1)], "ش": [("X", 1)], "ص": [("S", 1)], "ض": [("TS", 1)],
    "ط": [("T", 1)], "ظ": [("TS", 1)], "ع": [("aiu", UNWRITTEN)], "غ": [("GK", 0.8)], "ف": [("F", 1)], "ڤ": [("V", 1)],
    "ق": [("KG", 1)], "ك": [("K", 1)], "ک": [("K", 1)], "گ": [("GJ", 1)], "ل": [("L", 1)], "ڵ": [("L", 1)],
    "م": [("M", 1)], "ن": [("N", 1)], "ه": [("H", 0.5)], "ھ": [("H", 0.5)], "ە": [("ai", UNWRITTEN)],
    "ة": [("Ta", UNWRITTEN)], "و": [("uV", UNWRITTEN)], "ۆ": [("u", UNWRITTEN)], "ۇ": [("u", UNWRITTEN)],
    "ي": [("iY", UNWRITTEN)], "ی": [("iY", UNWRITTEN)], "ێ": [("ai", UNWRITTEN)],
}  # fmt: skip
_VOWELS = frozenset("aiu")
_LONG = frozenset("اىوي")
_GLIDES = frozenset("وي")
_TABLES = (_LATIN, _CYRILLIC, _ARABIC)
_LONGEST = 7
_KEPT = frozenset("ğġčšžǧçşŝḏṯḍöüä")  # with its mark, each of these is another sound; other marks are dropped


@lru_cache(maxsize=1 << 15)
def sounds(word: str) -> tuple[Sound, ...]:
    """The sounds of one word, in any mixture of Latin, Cyrillic and Arabic letters; others are passed over."""
    letters = _letters(word)
    if letters[:2] == "ال" and len(letters) > 3:  # the article, which others write apart, assimilate or leave out
        rest = _row(letters[2:])
        return (*article(rest), *rest)
    if letters[:2] in ("al", "el") and len(letters) > 5 and letters[2] not in "aeiouy":
        return (Sound(frozenset("ai"), UNWRITTEN), Sound(frozenset("L"), 0.3), *_row(letters[2:]))
    return _row(letters)


def _row(letters: str) -> tuple[Sound, ...]:
    """The sounds of letters without an article."""
    row: list[Sound] = []
    place = 0
    while place < len(letters):
        grapheme = next(
            (g for n in range(_LONGEST, 0, -1) if (g := letters[place : place + n]) and _find(g) is not None), ""
        )
        if not grapheme:
            place += 1
            continue
        place += len(grapheme)
        found = _find(grapheme)
        assert found is not None
        at_end = place >= len(letters)
        for readings, gap in found:
            if at_end and (grapheme == "e" or (grapheme in ("h", "ه") and row and not row[-1].firm)):
                gap = UNWRITTEN  # French -e, and -ah and -eh for a final tāʾ marbūṭa
            if grapheme in _LONG and row:
                gap = LONG
            elif at_end and grapheme == "ه":
                readings += "a"
            elif grapheme in _GLIDES and not row:
                gap = 0.4
            row.append(Sound(frozenset(readings), gap))
        while (
            grapheme.isascii()
            and place < len(letters)
            and letters[place] == grapheme[-1]
            and grapheme[-1] not in "aeiou"
        ):
            place += 1  # a doubled letter is one sound
    return tuple(row)


def article(word: tuple[Sound, ...]) -> tuple[Sound, Sound]:
    """The Arabic article before a word: there or not, its l spoken or assimilated to the word's first sound."""
    first = word[0].readings if word else frozenset()
    return Sound(_VOWELS, 0.0), Sound(frozenset("L") | (first & _ASSIMILATED), 0.0)


def _find(grapheme: str) -> list[tuple[str, float]] | None:
    for table in _TABLES:
        if grapheme in table:
            return table[grapheme]
    return None


def _letters(word: str) -> str:
    """Lower case; marks are dropped, except where they make another sound of a letter."""
    kept: list[str] = []
    for character in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", word).lower().replace("ı", "i")):
        if unicodedata.combining(character):
            whole = unicodedata.normalize("NFC", kept[-1] + character) if kept else ""
            if whole in _KEPT or whole in _ARABIC or whole in _CYRILLIC:
                kept[-1] = whole
        elif character.isalpha():
            kept.append(character)
    return "".join(kept)


def is_unvowelled(word: str) -> bool:
    """Whether short vowels are not written in the word's script."""
    return any("\u0600" <= c <= "\u06ff" or "\u0750" <= c <= "\u077f" for c in word)


_BROAD = {**dict.fromkeys("SXJGKHT", "o"), **dict.fromkeys("BFV", "b"), **{c: c.lower() for c in "MNLR"}}


def broad(row: tuple[Sound, ...]) -> str:
    """The firm sounds in six classes: a coarse key, equal or nearly so for spellings of one name."""
    return "".join(_BROAD[min(r for r in sound.readings if r.isupper())] for sound in row if sound.firm)
