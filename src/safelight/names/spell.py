"""In how many ways one value is spelled where nobody reads it: file names, tags, raw bytes."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator


def of_name(spellings: Iterable[str]) -> Iterator[str]:
    """A protected name's spellings, and each without marks, without spaces, and joined as file names join words."""
    for given in spellings:
        name = unicodedata.normalize("NFC", " ".join(given.split()))
        bare = unicodedata.normalize("NFC", "".join(c for c in unicodedata.normalize("NFKD", name) if _counts(c)))
        for form in {name, bare}:
            if form:
                yield form
                if " " in form:
                    yield from (form.replace(" ", joint) for joint in ("", "_", "-", ".", "+"))


def _counts(character: str) -> bool:
    """No accent, no vowel sign, no stretching stroke."""
    return unicodedata.category(character) != "Mn" and character != "ـ"


def degrees_spelled(degrees: float) -> Iterator[str]:
    """A latitude or longitude in decimal degrees, in degrees and minutes, and in degrees, minutes and seconds."""
    if not math.isfinite(degrees) or degrees == 0:
        return
    size = abs(degrees)
    yield f"{size:.4f}"[:-1]  # cut, not rounded: the beginning of every longer spelling
    whole = int(size)
    minutes = (size - whole) * 60
    seconds = (minutes - int(minutes)) * 60
    yield f"{whole},{minutes:.4f}"[:-1]  # XMP
    yield f"{whole}°{int(minutes)}'{int(seconds)}"
    yield f"{whole}° {int(minutes)}' {int(seconds)}"
    yield f"{whole} deg {int(minutes)}' {int(seconds)}"
