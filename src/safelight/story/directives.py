"""From Markdown with directives to the parts of a story. A directive is a fence of colons:

    :::film road
    caption: The road at dawn
    :::

What stands inside is YAML for things that are shown and Markdown for boxes. Which there are: ``docs/story.md``.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator
from typing import Any

from safelight.errors import Code, SafelightError
from safelight.story.front import read_items, read_yaml
from safelight.story.parts import Box, Film, Gallery, Part, Plan, Prose, Quote, Shot
from safelight.story.prose import QUOTED, links_of

_OPEN = re.compile(r"^:::\s*([A-Za-z-]+)\s*(.*)$")
_FENCE = re.compile(r"^\s*(```|~~~)")
_SPAN = re.compile(r"^([a-z0-9-]+) (\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$")
_MOMENT = re.compile(r"^([a-z0-9-]+) (\d+(?:\.\d+)?)$")
_QUOTES = "“”„\"«»‟’‘'"
_BLUR = 500.0  # metres a map's places are coarsened to when it does not say


def parts_of(rows: list[str], file: str, first: int) -> Iterator[Part]:
    """The parts of an edition's text, whose first row is line ``first``.

    Raises SL-DIRECTIVE-UNKNOWN and SL-STORY-INVALID with file and line.
    """
    prose: list[str] = []
    begun, number, code = first, 0, ""
    while number < len(rows):
        row = rows[number]
        fence = _FENCE.match(row)
        if fence:
            code = "" if code == fence[1] else code or fence[1]
        if code or not row.lstrip().startswith(":::"):
            prose.append(row)
            number += 1
            continue
        yield from _prose(prose, file, begun)
        opened = _OPEN.match(row)
        if opened is None:
            raise _wrong(file, first + number, "A line begins a directive with ::: and its name; here there is none.")
        end = next((n for n in range(number + 1, len(rows)) if rows[n].startswith(":::")), None)
        if end is None or rows[end].rstrip() != ":::":
            raise _wrong(file, first + number, "This directive is never closed by a line of :::.")
        part = _directive(opened[1], opened[2].strip(), rows[number + 1 : end], file, first + number)
        yield part
        if isinstance(part, Box):
            yield from inline_quotes(part.markdown, file, part.line + 1)
        number = end + 1
        prose, begun = [], first + number
    yield from _prose(prose, file, begun)


def inline_quotes(markdown: str, file: str, line: int) -> Iterator[Quote]:
    """Quotes in running text: ``[“words”](clip:road#2.0-4.5)``. Raises SL-STORY-INVALID for one with another end."""
    for link in links_of(markdown):
        if not link.address.startswith("clip:"):
            continue
        found = QUOTED.fullmatch(link.address)
        if found is None or float(found[3]) <= float(found[2]):
            raise _wrong(
                file, line + link.below, "A quote in the text points to its clip and a span: `(clip:road#2.0-4.5)`."
            )
        text = " ".join(link.words.split()).strip(_QUOTES)
        yield Quote(line + link.below, text, "", found[1], float(found[2]), float(found[3]), inline=True)


def _prose(rows: list[str], file: str, line: int) -> Iterator[Part]:
    text = "\n".join(rows)
    if text.strip():
        skipped = next(n for n, row in enumerate(rows) if row.strip())
        markdown = "\n".join(rows[skipped:]).rstrip()
        yield Prose(line + skipped, markdown)
        yield from inline_quotes(markdown, file, line + skipped)


def _directive(name: str, words: str, rows: list[str], file: str, line: int) -> Part:
    make = _KINDS.get(name)
    if make is None:
        known = ", ".join(sorted(_KINDS))
        raise SafelightError(
            Code.DIRECTIVE_UNKNOWN, f"There is no directive {name}; there are {known}.", file=f"{file}:{line}"
        )
    return make(words, rows, file, line)


class _Fields:
    """The YAML of a directive, asked for key by key; what nobody asks for is a mistake."""

    def __init__(self, values: Any, file: str, line: int) -> None:
        if not isinstance(values, dict):
            raise _wrong(file, line, "Here lines of `key: value` are expected.")
        self._values: dict[str, Any] = dict(values)
        self._file, self._line = file, line

    def text(self, key: str) -> str:
        """A text that must be there."""
        value = self.maybe(key)
        if value is None:
            raise _wrong(self._file, self._line, f"`{key}:` is missing.")
        return value

    def maybe(self, key: str) -> str | None:
        """A text that may be there."""
        value = self._values.pop(key, None)
        if value is None:
            return None
        if not isinstance(value, str | int | float) or not str(value).strip() or len(str(value)) > 2000:
            raise _wrong(self._file, self._line, f"`{key}:` is no text of a sensible length.")
        return " ".join(str(value).split())

    def number(self, key: str, default: float, most: float) -> float:
        """A number between 0 and ``most``."""
        value = self._values.pop(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= most:
            raise _wrong(self._file, self._line, f"`{key}:` is no number from 0 to {most:g}.")
        return float(value)

    def done(self) -> None:
        """Raise SL-STORY-INVALID for keys that mean nothing."""
        for key in self._values:
            raise _wrong(self._file, self._line, f"`{key}:` means nothing here.")


def _film(words: str, rows: list[str], file: str, line: int) -> Part:
    fields = _Fields(read_yaml("\n".join(rows), file, line + 1), file, line)
    part = Film(line, words, fields.text("caption"), fields.maybe("warning"))
    fields.done()
    return part


def _still(words: str, rows: list[str], file: str, line: int) -> Part:
    fields = _Fields(read_yaml("\n".join(rows), file, line + 1), file, line)
    part = _shot(words, fields, file, line)
    fields.done()
    return part


def _shot(words: str, fields: _Fields, file: str, line: int) -> Shot:
    moment = _MOMENT.match(words)
    if moment is None and (" " in words or not words):
        raise _wrong(
            file, line, "A still is named by its clip and a time in seconds: `road 3.2`; a picture by its name."
        )
    return Shot(
        line,
        fields.text("caption"),
        fields.text("alt"),
        clip=moment[1] if moment else None,
        seconds=float(moment[2]) if moment else 0.0,
        picture=None if moment else words,
        credit=fields.maybe("credit"),
        warning=fields.maybe("warning"),
    )


def _gallery(words: str, rows: list[str], file: str, line: int) -> Part:
    items = read_items("\n".join(rows), file, line + 1)
    if not items or not all(isinstance(item, dict) for item, _ in items):
        raise _wrong(file, line, "A gallery is a list: `- show: road 3.2`, then caption and alt, for each picture.")
    shots = []
    for item, begun in items:
        fields = _Fields(item, file, begun)
        shots.append(_shot(fields.text("show"), fields, file, begun))
        fields.done()
    return Gallery(line, words, tuple(shots))


def _quote(words: str, rows: list[str], file: str, line: int) -> Part:
    span = _SPAN.match(words)
    if span is None:
        raise _wrong(file, line, "A quote names its clip and a span in seconds: `road 2.0-4.5`.")
    start, end = float(span[2]), float(span[3])
    if end <= start:
        raise _wrong(file, line, "The span ends before it begins.")
    fields = _Fields(read_yaml("\n".join(rows), file, line + 1), file, line)
    part = Quote(line, fields.text("text").strip(_QUOTES), fields.text("who"), span[1], start, end)
    fields.done()
    return part


def _map(words: str, rows: list[str], file: str, line: int) -> Part:
    fields = _Fields(read_yaml("\n".join(rows), file, line + 1), file, line)
    part = Plan(line, words, fields.text("caption"), fields.text("alt"), fields.number("blur", _BLUR, 100_000))
    fields.done()
    return part


def _box(kind: str) -> Callable[[str, list[str], str, int], Part]:
    def make(words: str, rows: list[str], file: str, line: int) -> Part:
        text = "\n".join(rows).rstrip()
        if not text:
            raise _wrong(file, line, f"This {kind} is empty.")
        if kind != "correction":
            return Box(line, kind, words, text)
        try:
            datetime.date.fromisoformat(words)
        except ValueError as error:
            raise _wrong(file, line, "A correction names its date: `:::correction 2026-03-04`.") from error
        return Box(line, kind, "", text, date=words)

    return make


def _wrong(file: str, line: int, detail: str) -> SafelightError:
    return SafelightError(Code.STORY_INVALID, detail, file=f"{file}:{line}")


_KINDS: dict[str, Callable[[str, list[str], str, int], Part]] = {
    "film": _film,
    "still": _still,
    "gallery": _gallery,
    "quote": _quote,
    "map": _map,
    "facts": _box("facts"),
    "note": _box("note"),
    "correction": _box("correction"),
}
