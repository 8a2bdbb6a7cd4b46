"""From Markdown to safe HTML. Raw HTML is not taken over; what comes out passes an allow-list once more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from mdit_py_plugins.deflist import deflist_plugin

_TAGS = set(
    "p em strong s a ul ol li blockquote code pre h2 h3 h4 hr br table thead tbody tr th td dl dt dd".split()  # noqa: SIM905
)
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}
QUOTED = re.compile(r"clip:([a-z0-9-]+)#(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)")


def _parser(*, raw: bool) -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": raw}).enable(["table", "strikethrough"]).use(deflist_plugin)


def html_of(markdown: str) -> Markup:
    """Markdown as HTML. Quotes that point into a clip become links to the film on the same page."""
    parser = _parser(raw=False)
    tokens = parser.parse(markdown)
    for token in _all(tokens):
        if token.type == "link_open" and (quote := QUOTED.fullmatch(str(token.attrGet("href") or ""))):
            token.attrSet("href", f"#film-{quote[1]}")
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{max(int(token.tag[1]), 2)}"  # the page has one h1, its title
    made = parser.renderer.render(tokens, parser.options, {})
    clean = nh3.clean(
        made, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"http", "https"}, link_rel="noopener noreferrer"
    )
    return Markup(clean)


@dataclass(frozen=True)
class Link:
    """A link in Markdown: lines below the first, where it leads, and the words it stands on."""

    below: int
    address: str
    words: str


def links_of(markdown: str) -> Iterator[Link]:
    """Every link and image in Markdown, also those by reference."""
    open_: Link | None = None
    for below, token in _placed(markdown, raw=False):
        if token.type == "link_open":
            open_ = Link(below, str(token.attrGet("href") or ""), "")
        elif token.type == "link_close" and open_ is not None:
            yield open_
            open_ = None
        elif token.type == "image":
            yield Link(below, str(token.attrGet("src") or ""), token.content)
        elif open_ is not None:
            said = token.content if token.type in ("text", "code_inline") else " "
            open_ = replace(open_, words=open_.words + said)


def images_in(markdown: str) -> Iterator[int]:
    """Lines below the first on which Markdown shows an image past the directives."""
    return (below for below, token in _placed(markdown, raw=False) if token.type == "image")


def raw_html_in(markdown: str) -> Iterator[int]:
    """Lines below the first on which there is raw HTML, comments included."""
    return (below for below, token in _placed(markdown, raw=True) if token.type in ("html_block", "html_inline"))


def _placed(markdown: str, *, raw: bool) -> Iterator[tuple[int, Token]]:
    """Every token that stands in running text, or is a block of HTML, with its line below the first."""
    for block in _parser(raw=raw).parse(markdown):
        below = block.map[0] if block.map else 0
        if block.type == "html_block":
            yield below, block
        for token in block.children or []:
            yield below, token
            if token.type in ("softbreak", "hardbreak"):
                below += 1


def _all(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _all(token.children or [])
