"""What a story is made of, as plain data. Every part knows the line it was written on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from safelight.story.transcript import Language

Text = Annotated[str, Field(min_length=1, max_length=2000)]
Short = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
Inside = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$")]  # a path below the story, checked again


Credit = Short | dict[Language, Short]  # one for all, or one a language


class Front(BaseModel):
    """Base of everything that is written as YAML."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Clip(Front):
    """A published copy and its words."""

    file: Inside
    words: Inside | None = None
    credit: Credit


class Photo(Front):
    """A drawn or taken picture that is no still of a clip."""

    file: Inside
    credit: Credit


class Book(Front):
    """``story.yaml``: what all languages share. The first language is the one the story was written in."""

    story: Name
    desk: Short
    address: Annotated[str, Field(pattern=r"^https?://[^\s\"'<>]+[^/]$", max_length=300)] | None = None
    published: str  # YYYY-MM-DD
    languages: Annotated[list[Language], Field(min_length=1, max_length=40)]
    clips: dict[Name, Clip] = {}
    pictures: dict[Name, Photo] = {}
    maps: dict[Name, Inside] = {}
    links: list[Annotated[str, Field(pattern=r"^https?://", max_length=500)]] = []
    members: Annotated[int, Field(ge=1, le=10)] = 1  # who must have approved each copy, at least


class Head(Front):
    """Front matter of one language."""

    title: Short
    lead: Text
    authors: Annotated[list[Short], Field(min_length=1, max_length=20)]
    translator: Short | None = None
    statement: Text  # how the story was made and checked, for the reader
    share: Annotated[str, Field(pattern=r"^[a-z0-9-]+( \d+(\.\d+)?)?$")] | None = None  # picture of the share card

    @property
    def shared(self) -> str | None:
        """The picture of the share card, as `Shot.named` calls it."""
        name, _, seconds = (self.share or "").partition(" ")
        return f"{name} {float(seconds):g}" if seconds else name or None


def credited(credit: Credit, language: str) -> str:
    """The credit in a language; where there is none, the first that was written."""
    if isinstance(credit, str):
        return credit
    return credit.get(language) or next(iter(credit.values()), "")


@dataclass(frozen=True)
class Part:
    """Base: the line of the file a part begins on."""

    line: int


@dataclass(frozen=True)
class Prose(Part):
    """Markdown between directives; ``level`` of nothing: rendered as it stands."""

    markdown: str


@dataclass(frozen=True)
class Film(Part):
    """A published copy with its words beside it."""

    clip: str
    caption: str
    warning: str | None = None


@dataclass(frozen=True)
class Shot(Part):
    """One picture: a still of a clip at a time, or a picture of the story."""

    caption: str
    alt: str
    clip: str | None = None
    seconds: float = 0.0
    picture: str | None = None
    credit: str | None = None
    warning: str | None = None

    @property
    def key(self) -> tuple[str, float]:
        """Which picture it is, whatever is said about it."""
        return (self.clip or f"/{self.picture}", self.seconds)

    @property
    def named(self) -> str:
        """How front matter calls it: a picture's name, or a clip and a time."""
        return self.picture if self.picture is not None else f"{self.clip} {self.seconds:g}"


@dataclass(frozen=True)
class Gallery(Part):
    """Pictures to go through."""

    title: str
    shots: tuple[Shot, ...]


@dataclass(frozen=True)
class Quote(Part):
    """Words somebody says in a clip, drawn out of the text."""

    text: str
    who: str
    clip: str
    start: float
    end: float
    inline: bool = False


@dataclass(frozen=True)
class Box(Part):
    """A fact box, a note or a correction: ``kind`` is facts, note or correction; ``date`` of a correction."""

    kind: str
    title: str
    markdown: str
    date: str | None = None


@dataclass(frozen=True)
class Plan(Part):
    """A map; ``blur``: metres to which coordinates are coarsened."""

    map: str
    caption: str
    alt: str
    blur: float


@dataclass(frozen=True)
class Edition:
    """A story in one language."""

    language: str
    file: str
    head: Head
    parts: tuple[Part, ...]

    def of(self, *kinds: type[Part]) -> list[Part]:
        """Parts of these kinds, in order."""
        return [part for part in self.parts if isinstance(part, kinds)]

    @property
    def shots(self) -> list[Shot]:
        """Every picture that is shown, also those in galleries."""
        found: list[Shot] = []
        for part in self.parts:
            if isinstance(part, Shot):
                found.append(part)
            elif isinstance(part, Gallery):
                found.extend(part.shots)
        return found


@dataclass(frozen=True)
class Story:
    """A whole story as it lies in its folder."""

    folder: Path
    book: Book
    editions: dict[str, Edition]
    files: tuple[Path, ...] = field(default=())
