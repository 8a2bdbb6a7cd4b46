"""Building the site: past the gate, into a private folder, searched once more, then renamed into place."""

from __future__ import annotations

import base64
import datetime
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import format_datetime
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from safelight.errors import Code, SafelightError
from safelight.inputs import printable
from safelight.names.match import Level
from safelight.names.passages import Passage, of_name, of_text
from safelight.names.people import Roster
from safelight.names.scan import Scanner, hidden_marks
from safelight.outputs import private_folder, writing
from safelight.story.copies import Copies
from safelight.story.credentials import DeskKey
from safelight.story.front import at
from safelight.story.gate import Report, approvals, examine, named
from safelight.story.media import Media
from safelight.story.pages import EDITIONS, corrections_of, href, languages_of, page
from safelight.story.parts import Film, Story
from safelight.story.phrases import phrases
from safelight.story.source import read_story

MARK = ".safelight-site"  # lies in a folder that a build may replace
_POLICY = (
    "default-src 'none'; img-src 'self'; media-src 'self' data:; style-src '{}'; base-uri 'none'; form-action 'none'"
)
_ADDRESS = re.compile(r"""(?:src|href|poster|srcset|action|data|content)\s*=\s*["']?\s*((?:https?:)?//[^"'\s>]+)""")
_READ = (".html", ".xml", ".vtt")


@dataclass(frozen=True)
class Built:
    """A site, or the reasons why there is none. ``bytes``: of each page, without what it loads."""

    report: Report
    folder: Path | None
    pages: dict[str, int]


def build(folder: Path, out: Path, roster: Roster, *, draft: bool = False, key: DeskKey | None = None) -> Built:
    """Build the site of a story's folder into ``out``, which is replaced if a build made it.

    ``draft``: build in spite of refusals; every page says that it is a draft. ``key``: signs films and pictures.

    Raises SafelightError when the story cannot be read at all, or ``out`` is something else.
    """
    story = read_story(folder)
    if out.exists() and not (out / MARK).is_file():
        raise SafelightError(Code.IN_THE_WAY, "There is something there that no build made.", file=printable(out))
    copies = Copies(story)
    report = examine(story, roster, copies)
    if not report.passed and not draft:
        return Built(report, None, {})
    with private_folder(out.absolute().parent) as work:
        site = work / "site"
        with writing(out):
            site.mkdir()
            pages = _write(story, copies, site, draft=draft, key=key)
            report.refusals += _searched(site, story, roster)
            if not draft:  # again: a copy may have been made anew while the pages were written
                report.refusals += approvals(story)
        if report.refusals and not draft:
            return Built(report, None, {})
        with writing(out):
            if out.exists():
                out.rename(work / "old")
            site.rename(out)
    return Built(report, out, pages)


def _write(story: Story, copies: Copies, site: Path, *, draft: bool, key: DeskKey | None) -> dict[str, int]:
    media = Media(story, copies, site, key)
    clips = sorted({part.clip for each in story.editions.values() for part in each.parts if isinstance(part, Film)})
    media.write(clips, [shot for each in story.editions.values() for shot in each.shots])
    style = resources.files(__package__).joinpath("site.css").read_text(encoding="utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    common: dict[str, Any] = {
        "style": Markup(style),
        "policy": _POLICY.format(f"sha256-{digest}"),
        "draft": draft,
        "desk": story.book.desk,
        "fingerprint": key.fingerprint if key else "",
    }
    templates = Environment(
        loader=PackageLoader("safelight.story"), undefined=StrictUndefined, autoescape=True, trim_blocks=False
    )
    made: dict[str, int] = {}
    for language, told in story.editions.items():
        for edition in EDITIONS:
            text = templates.get_template("page.html.j2").render(common | page(story, told, edition, media))
            made[href(language, edition)] = _save(site / href(language, edition), text)
        made[f"feed.{language}.xml"] = _save(
            site / f"feed.{language}.xml", _feed(templates, story, language, draft=draft)
        )
    first = story.book.languages[0]
    values = common | {"languages": languages_of(story, "full"), "t": phrases(first)}
    made["index.html"] = _save(site / "index.html", templates.get_template("index.html.j2").render(values))
    (site / MARK).write_text("Made by safelight story build; the next build replaces this folder.\n")
    return made


def _feed(templates: Environment, story: Story, language: str, *, draft: bool) -> str:
    told, address = story.editions[language], story.book.address
    values = {
        "draft": draft,
        "desk": story.book.desk,
        "story": story.book.story,
        "language": language,
        "head": told.head,
        "t": phrases(language),
        "link": f"{address}/{href(language, 'full')}" if address else href(language, "full"),
        "published": _stamp(story.book.published),
        "corrections": [c | {"stamp": _stamp(c["iso"])} for c in corrections_of(told)],
    }
    return templates.get_template("feed.xml.j2").render(values)


def _stamp(date: str) -> str:
    day = datetime.datetime.combine(datetime.date.fromisoformat(date), datetime.time(), datetime.UTC)
    return format_datetime(day)


def _save(path: Path, text: str) -> int:
    data = "\n".join(line for line in text.splitlines() if line.strip()) + "\n"
    path.write_text(data, encoding="utf-8")
    return len(data.encode())


def _searched(site: Path, story: Story, roster: Roster) -> Iterator[SafelightError]:
    """The last look, at what was made: names, and addresses that the page would load or lead to."""
    scanner = Scanner(roster)
    own = (story.book.address or "\0", "https://schema.org")
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site).as_posix()
        passages: list[Passage] = list(of_name(name))
        if path.suffix in _READ:
            text = path.read_text(encoding="utf-8")
            passages += of_text(text, path.suffix, name)
            for found in _ADDRESS.findall(text):
                if not found.startswith(own) and found not in story.book.links:
                    yield SafelightError(Code.LINK_UNLISTED, "The page would lead elsewhere.", file=name)
        for line, _ in hidden_marks(passages):
            yield at(Code.INVISIBLE, name, line, "There is an invisible character on the page.")
            break
        for finding in scanner.findings(name, passages):
            if finding.level is Level.BLOCK:
                yield named(finding)
