"""What a document says, as passages: its text, and all that travels with it without being seen.

Plain formats (text, Markdown, subtitles, HTML, JSON, GeoJSON) are read here; what needs a parser of strangers' bytes is
read by :mod:`safelight.names.office` inside a worker.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

from safelight.errors import Code, SafelightError
from safelight.names.fold import line_of

MOST = 32 << 20  # bytes of one document that are read
_ENDINGS = frozenset(
    "txt md html htm xml json geojson yaml yml srt vtt ass csv docx odt pdf png jpg jpeg webp mp4 mov mkv".split()  # noqa: SIM905
)
IN_PICTURE = "words in the picture"  # the place of what is written in its pixels
_DEPTH = 60  # of nested JSON
_OVERRIDES = re.compile(r"\{\\[^}]*\}|</?(?:[a-z]+)(?:[.\s][^>]*)?>|[*_~`]{1,3}", re.IGNORECASE)
_ESCAPED = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U(00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4}))")  # JSON, YAML
_INLINE = frozenset("a abbr b bdi bdo cite code em i mark q s small span strong sub sup u wbr".split())  # noqa: SIM905


@dataclass(frozen=True)
class Passage:
    """A piece of a document. ``line``: of its beginning, from 1, or 0 where there are none. ``caseless``: see match."""

    place: str
    text: str
    line: int = 0
    caseless: bool = False


def of_name(name: str) -> Iterator[Passage]:
    """A file's own name; the ending that tells its kind names nobody."""
    stem, _, ending = name.rpartition(".")
    yield Passage("file name", unquote(stem if stem and ending.lower() in _ENDINGS else name), caseless=True)


def decoded(data: bytes, file: str) -> str:
    """Text of a document in UTF-8 or marked UTF-16. Raises SL-DOCUMENT-INVALID for anything else."""
    coding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(coding)
    except UnicodeDecodeError as error:
        raise SafelightError(
            Code.DOCUMENT_INVALID, "It is neither UTF-8 text nor a known format.", file=file
        ) from error
    if "\0" in text:
        raise SafelightError(Code.DOCUMENT_INVALID, "It holds zero bytes and is no text.", file=file)
    return text


def of_text(text: str, suffix: str, file: str) -> Iterator[Passage]:
    """Passages of a plain document: the text as it stands, and what it says once its markup is read.

    Raises SL-DOCUMENT-INVALID for JSON that cannot be read.
    """
    whole = Passage("text", text, 1)
    yield whole
    yield from _unwrapped(whole)
    if suffix in (".html", ".htm", ".xhtml", ".svg", ".xml"):
        yield from of_html(text)
    elif suffix in (".json", ".geojson"):
        try:
            yield from of_json(json.loads(text), "")
        except (ValueError, RecursionError) as error:
            raise SafelightError(Code.DOCUMENT_INVALID, f"The JSON cannot be read: {error}.", file=file) from error


def _unwrapped(passage: Passage) -> Iterator[Passage]:
    """The same passage without what stands inside words or for letters: marks of style, entities, escapes."""
    for place, text in (
        ("text without its marks", _OVERRIDES.sub("", passage.text)),
        ("entities in the text", html.unescape(passage.text) if "&" in passage.text else passage.text),
        ("percent signs in the text", unquote(passage.text) if "%" in passage.text else passage.text),
        ("text in another coding", reread(passage.text)),
        ("escapes in the text", _ESCAPED.sub(lambda m: chr(int(m[1] or m[2] or m[3], 16)), passage.text)),
    ):
        if text != passage.text:
            yield replace(
                passage, place=place, text=text, line=1 if text.count("\n") == passage.text.count("\n") else 0
            )


def reread(text: str) -> str:
    """UTF-8 that somebody took for Latin-1, as tags of pictures often are, as what it was; other text as it is."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def of_json(value: Any, path: str, depth: int = 0) -> Iterator[Passage]:
    """Every key and every word of a JSON document. Raises SL-DOCUMENT-INVALID when it is nested too deeply."""
    if depth > _DEPTH:
        raise SafelightError(Code.DOCUMENT_INVALID, "The JSON is nested too deeply.")
    if isinstance(value, dict):
        for key, part in value.items():
            yield Passage(f"key in {path or 'the document'}", str(key), caseless=True)
            yield from of_json(part, f"{path}.{key}" if path else str(key), depth + 1)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from of_json(part, f"{path}[{number}]", depth + 1)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield Passage(path, str(value))


class _Reader(HTMLParser):
    """Text by block, attributes and comments of an HTML document."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.passages: list[Passage] = []
        self._text: list[str] = []
        self._line = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._block(tag)
        for name, value in attrs:
            if value:
                links = name in ("href", "src", "id", "class", "srcset", "poster")
                told = unquote(value) if links else value
                self.passages.append(Passage(f"attribute {name}", told, self.getpos()[0], caseless=links))

    def handle_endtag(self, tag: str) -> None:
        self._block(tag)

    def handle_data(self, data: str) -> None:
        if not self._text:
            self._line = self.getpos()[0]
        self._text.append(data)

    def handle_comment(self, data: str) -> None:
        self.passages.append(Passage("comment", data, self.getpos()[0]))

    def handle_decl(self, decl: str) -> None:
        self.handle_comment(decl)

    def unknown_decl(self, data: str) -> None:
        self.handle_comment(data)

    def handle_pi(self, data: str) -> None:
        self.handle_comment(data)

    def close(self) -> None:
        super().close()
        self._block("")

    def _block(self, tag: str) -> None:
        if tag not in _INLINE and self._text:
            self.passages.append(Passage("text", "".join(self._text), self._line))
            self._text = []


def of_html(text: str) -> Iterator[Passage]:
    """Text, attributes and comments of HTML or another markup, words joined over inline elements."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    yield from reader.passages


def line_in(passage: Passage, place: int) -> int:
    """The document's line of a place in a passage; 0 where it has none."""
    return passage.line and passage.line + line_of(passage.text, place) - 1
