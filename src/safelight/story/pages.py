"""What stands on a page, as plain values for the template: one story, one language, one edition."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import nh3
from markupsafe import Markup

from safelight.story.drawing import draw
from safelight.story.geo import read_map
from safelight.story.media import Media, Source
from safelight.story.parts import Box, Edition, Film, Gallery, Part, Plan, Prose, Quote, Shot, Story, credited
from safelight.story.phrases import direction, language_name, long_date, phrases
from safelight.story.prose import html_of
from safelight.story.source import words_of
from safelight.story.subtitles import short_clock
from safelight.story.transcript import By, State

EDITIONS = ("full", "light", "text")
MARKS = ("held", "lost", "contested", "route", "place")  # what a map's legend explains, in this order


@dataclass(frozen=True)
class Shown:
    """A picture as a page shows it."""

    sources: list[Source]
    alt: str
    caption: str
    credit: str
    warning: str | None


def href(language: str, edition: str) -> str:
    """A page's file name. The choice of an edition is kept in the address, so every link keeps it."""
    return f"{language}.html" if edition == "full" else f"{language}.{edition}.html"


def languages_of(story: Story, edition: str) -> list[dict[str, Any]]:
    """The story's languages, with the address of the same edition in each."""
    return [
        {
            "code": code,
            "name": language_name(code),
            "dir": direction(code),
            "href": href(code, edition),
            "title": each.head.title,
            "lead": each.head.lead,
            "t": phrases(code),
        }
        for code, each in story.editions.items()
    ]


def page(story: Story, told: Edition, edition: str, media: Media) -> dict[str, Any]:
    """All values of one page."""
    language = told.language
    films = {part.clip for part in told.parts if isinstance(part, Film)}
    parts: list[dict[str, Any]] = []
    for number, part in enumerate(told.parts, 1):
        value = _part(story, told, part, number, edition, media, films)
        if value is not None:
            parts.append(value)
    maps = [value for value in parts if value["kind"] == "map"]
    for value in maps:
        value["first"] = value is maps[0]
    corrections = corrections_of(told)
    return {
        "language": language,
        "dir": direction(language),
        "t": phrases(language),
        "head": told.head,
        "desk": story.book.desk,
        "address": story.book.address or "",
        "edition": edition,
        "editions": [{"name": name, "href": href(language, name)} for name in EDITIONS],
        "languages": languages_of(story, edition),
        "published": {"iso": story.book.published, "long": long_date(story.book.published, language)},
        "corrections": corrections,
        "corrected": corrections[0] if corrections else None,
        "parts": parts,
        "card": card(told, media),
        "about": about(story, told, media),
    }


def corrections_of(told: Edition) -> list[dict[str, Any]]:
    """Corrections, the latest first."""
    found = [part for part in told.parts if isinstance(part, Box) and part.kind == "correction"]
    found.sort(key=lambda part: part.date or "", reverse=True)
    return [
        {"iso": part.date or "", "long": long_date(part.date or "", told.language), "html": html_of(part.markdown)}
        for part in found
    ]


def card(told: Edition, media: Media) -> dict[str, str] | None:
    """The picture of a link to the story: the one named in the front matter, or the first without a warning."""
    wanted = told.head.shared
    for shot in told.shots:
        if shot.warning is None and wanted in (None, shot.named):
            return {"file": media.pictures[shot.key][-1].file, "alt": shot.alt}
    return None


def about(story: Story, told: Edition, media: Media) -> Markup:
    """schema.org's NewsArticle as JSON that can stand inside a script element."""
    corrections = corrections_of(told)
    shown = card(told, media)
    value: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": told.head.title,
        "description": told.head.lead,
        "inLanguage": told.language,
        "datePublished": story.book.published,
        "dateModified": corrections[0]["iso"] if corrections else story.book.published,
        "author": [{"@type": "Person", "name": author} for author in told.head.authors],
        "publisher": {"@type": "NewsMediaOrganization", "name": story.book.desk},
    }
    if told.head.translator:
        value["translator"] = {"@type": "Person", "name": told.head.translator}
    if shown:
        value["image"] = (f"{story.book.address}/" if story.book.address else "") + shown["file"]
    if corrections:
        value["correction"] = [
            {"@type": "CorrectionComment", "datePublished": c["iso"], "text": _plain(c["html"])} for c in corrections
        ]
    text = json.dumps(value, ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026"))


def _plain(html: str) -> str:
    return " ".join(nh3.clean(html, tags=set()).split())


def _part(
    story: Story, told: Edition, part: Part, number: int, edition: str, media: Media, films: set[str]
) -> dict[str, Any] | None:
    if isinstance(part, Prose):
        return {"kind": "prose", "html": html_of(part.markdown)}
    if isinstance(part, Film):
        return _film(story, told, part, media)
    if isinstance(part, Shot):
        return {"kind": "still", "shot": _shown(story, told, part, edition, media)}
    if isinstance(part, Gallery):
        shots = [_shown(story, told, shot, edition, media) for shot in part.shots]
        return {"kind": "gallery", "id": f"g{number}", "title": part.title, "shots": shots}
    if isinstance(part, Quote):
        if part.inline:
            return None  # it stands in the text already
        time = short_clock(part.start)
        on_page = part.clip in films
        return {
            "kind": "quote",
            "text": part.text,
            "who": part.who,
            "clip": part.clip,
            "time": time,
            "on_page": on_page,
        }
    if isinstance(part, Box):
        if part.kind == "correction":
            return None  # all of them stand at the end
        return {"kind": part.kind, "title": part.title, "html": html_of(part.markdown)}
    assert isinstance(part, Plan)
    file = story.book.maps[part.map]
    features = read_map(story.folder / file, file, list(story.book.languages))
    return {
        "kind": "map",
        "id": f"m{number}",
        "caption": part.caption,
        "alt": part.alt,
        "blur": f"{part.blur:g}" if part.blur else "",
        "drawing": draw(features, told.language, part.blur),
        "marks": [mark for mark in MARKS if any(mark in (each.status, each.kind) for each in features)],
    }


def _shown(story: Story, told: Edition, shot: Shot, edition: str, media: Media) -> Shown:
    book = story.book
    source = book.clips[shot.clip] if shot.clip else book.pictures[shot.picture or ""]
    credit = shot.credit or credited(source.credit, told.language)
    sources = media.pictures[shot.key]
    return Shown(sources[:1] if edition == "light" else sources, shot.alt, shot.caption, credit, shot.warning)


def _film(story: Story, told: Edition, part: Film, media: Media) -> dict[str, Any]:
    files = media.films[part.clip]
    t = phrases(told.language)
    transcript = words_of(story, part.clip)
    languages = [] if transcript is None else list(dict.fromkeys((told.language, transcript.language)))
    columns, lines = [], []
    if transcript is not None:
        for language in languages:
            other = transcript.translations.get(language)
            columns.append({
                "language": language, "dir": direction(language), "name": language_name(language),
                "translator": other.translator if other else None,
            })  # fmt: skip
        for row in zip(*(list(transcript.said(language)) for language in languages), strict=True):
            cells = [
                {
                    "language": language,
                    "dir": direction(language),
                    "text": said.text,
                    "state": "" if said.state is State.READY else t["machine" if said.by is By.MACHINE else said.state],
                }
                for language, said in zip(languages, row, strict=True)
            ]
            lines.append({"time": short_clock(row[0].line.start), "speaker": row[0].speaker, "cells": cells})
    return {
        "kind": "film",
        "clip": part.clip,
        "caption": part.caption,
        "warning": part.warning,
        "credit": credited(story.book.clips[part.clip].credit, told.language),
        "file": files.file,
        "size": _size(files.facts.size),
        "width": files.facts.width,
        "height": files.facts.height,
        "poster": files.poster,
        "poster_small": files.poster_small,
        "subtitles": [
            {"language": language, "file": file, "name": language_name(language)}
            for language, file in files.subtitles.items()
        ],
        "columns": columns,
        "lines": lines,
    }


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{max(count // 1000, 1)} kB"
