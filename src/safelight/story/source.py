"""Reading a story's folder: `story.yaml`, one Markdown file a language, and what they name.
Every mistake is told with file and line.
"""

from __future__ import annotations

import datetime
import os
from pathlib import Path

from safelight.errors import Code, SafelightError
from safelight.names.passages import Passage
from safelight.names.scan import hidden_marks
from safelight.story.directives import parts_of
from safelight.story.front import MOST_FRONT, at, front, line_of_key, read_yaml
from safelight.story.parts import Book, Edition, Film, Head, Plan, Quote, Shot, Story
from safelight.story.transcript import Transcript

BOOK = "story.yaml"
MOST_TEXT = 4 << 20  # bytes of one language
_FILES_MOST = 5000


def read_story(folder: Path) -> Story:
    """Read a story's folder and check that all it names is there.

    Raises SafelightError with file and line: SL-NOT-FOUND, SL-STORY-INVALID, SL-DIRECTIVE-UNKNOWN, SL-INVISIBLE.
    """
    text = _text(folder / BOOK, BOOK, MOST_FRONT)
    book = front(Book, read_yaml(text, BOOK), text, BOOK)
    try:
        datetime.date.fromisoformat(book.published)
    except ValueError as error:
        raise at(Code.STORY_INVALID, BOOK, 1 + line_of_key(text, ["published"]), "This is no date.") from error
    named = [clip.file for clip in book.clips.values()] + [c.words for c in book.clips.values() if c.words]
    named += [photo.file for photo in book.pictures.values()] + list(book.maps.values())
    for name in named:
        _inside(folder, name, text)
    editions = {language: _edition(folder, language, book) for language in book.languages}
    return Story(folder, book, editions, tuple(_all_files(folder)))


def words_of(story: Story, clip: str) -> Transcript | None:
    """The words of a clip; None when it has none."""
    words = story.book.clips[clip].words
    return None if words is None else Transcript.load(story.folder / words, name=words)


def _inside(folder: Path, name: str, text: str) -> None:
    line = 1 + next((n for n, row in enumerate(text.splitlines()) if name in row), 0)
    path = folder / name
    if any(part.startswith(".") for part in Path(name).parts) or not path.resolve().is_relative_to(folder.resolve()):
        raise at(Code.STORY_INVALID, BOOK, line, f"{name} is hidden or lies outside the story's folder.")
    if not path.is_file():
        raise at(Code.NOT_FOUND, BOOK, line, f"{name} is not there.")


def _edition(folder: Path, language: str, book: Book) -> Edition:
    file = f"{language}.md"
    text = _text(folder / file, file, MOST_TEXT)
    for line, _ in hidden_marks([Passage("text", text, 1)]):
        raise at(Code.INVISIBLE, file, line, "There is an invisible character that turns text around or hides it.")
    rows = text.split("\n")
    end = next((n for n, row in enumerate(rows[1:], 1) if row.rstrip() == "---"), None)
    if rows[0].rstrip() != "---" or end is None:
        raise at(Code.STORY_INVALID, file, 1, "The file does not begin with front matter between two lines of ---.")
    matter = "\n".join(rows[1:end])
    head = front(Head, read_yaml(matter, file, 2), matter, file, 2)
    parts = tuple(parts_of(rows[end + 1 :], file, end + 2))
    edition = Edition(language, file, head, parts)
    _named(edition, book, 2 + line_of_key(matter, ["share"]))
    return edition


def _named(edition: Edition, book: Book, share: int) -> None:
    """Raise SL-NOT-FOUND for a clip, picture or map that `story.yaml` does not list, or a share card of nothing."""
    for part in [*edition.parts, *edition.shots]:
        clip = part.clip if isinstance(part, Film | Shot | Quote) else None
        if clip is not None and clip not in book.clips:
            raise at(Code.NOT_FOUND, edition.file, part.line, f"story.yaml lists no clip {clip}.")
        if isinstance(part, Shot) and part.picture is not None and part.picture not in book.pictures:
            raise at(Code.NOT_FOUND, edition.file, part.line, f"story.yaml lists no picture {part.picture}.")
        if isinstance(part, Plan) and part.map not in book.maps:
            raise at(Code.NOT_FOUND, edition.file, part.line, f"story.yaml lists no map {part.map}.")
    if edition.head.shared not in (None, *(shot.named for shot in edition.shots)):
        raise at(Code.NOT_FOUND, edition.file, share, f"The text shows no picture {edition.head.share} to share.")


def _text(path: Path, file: str, most: int) -> str:
    try:
        with path.open("rb") as opened:
            data = opened.read(most + 1)
    except OSError as error:
        raise SafelightError(
            Code.NOT_FOUND, f"It cannot be read: {os.strerror(error.errno or 5)}.", file=file
        ) from error
    if len(data) > most:
        raise at(Code.STORY_INVALID, file, 1, f"The file is larger than {most >> 10} KiB.")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise at(Code.STORY_INVALID, file, line, "This is not UTF-8 text.") from error


def _all_files(folder: Path) -> list[Path]:
    """Every file of the folder: whatever lies there is searched for names, used or not."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    if len(files) > _FILES_MOST:
        raise SafelightError(Code.STORY_INVALID, f"The folder holds more than {_FILES_MOST} files.", file=folder.name)
    return files
