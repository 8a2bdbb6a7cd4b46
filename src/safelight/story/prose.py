"""From Markdown to safe HTML. Raw HTML is not taken over; what comes out passes an allow-list once more."""

from __future__ import annotations

import re
from collections.abc import Iterator

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from mdit_py_plugins.deflist import deflist_plugin

_TAGS = set(
    "p em strong s a ul ol li blockquote code pre h2 h3 h4 hr br table thead tbody tr th td dl dt dd".split()  # noqa: SIM905
)
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}
_QUOTE = re.compile(r"^clip:([a-z0-9-]+)#(\d+(?:\.\d+)?)-\d")


def _parser(*, raw: bool) -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": raw}).enable(["table", "strikethrough"]).use(deflist_plugin)


def html_of(markdown: str) -> Markup:
    """Markdown as HTML. Quotes that point into a clip become links to the film on the same page."""
    parser = _parser(raw=False)
    tokens = parser.parse(markdown)
    for token in _all(tokens):
        if token.type == "link_open" and (quote := _QUOTE.match(str(token.attrGet("href") or ""))):
            token.attrSet("href", f"#film-{quote[1]}")
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{max(int(token.tag[1]), 2)}"  # the page has one h1, its title
    made = parser.renderer.render(tokens, parser.options, {})
    clean = nh3.clean(
        made, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"http", "https"}, link_rel="noopener noreferrer"
    )
    return Markup(clean)


def links_of(markdown: str) -> Iterator[tuple[int, str]]:
    """(lines below the first, address) of every link and image in Markdown."""
    for block in _parser(raw=False).parse(markdown):
        line = block.map[0] if block.map else 0
        for token in _all([block]):
            address = token.attrGet("href") or token.attrGet("src")
            if address:
                yield line, str(address)


def images_in(markdown: str) -> Iterator[int]:
    """Lines below the first on which Markdown shows an image past the directives."""
    for block in _parser(raw=False).parse(markdown):
        if any(token.type == "image" for token in _all([block])):
            yield block.map[0] if block.map else 0


def raw_html_in(markdown: str) -> Iterator[int]:
    """Lines below the first on which there is raw HTML, comments included."""
    for block in _parser(raw=True).parse(markdown):
        if any(token.type in ("html_block", "html_inline") for token in _all([block])):
            yield block.map[0] if block.map else 0


def _all(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _all(token.children or [])
