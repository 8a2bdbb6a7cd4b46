"""What is said in a clip, and what it means in other languages: a document a clip, times of the *copy*.

A line is made by a machine or a person and counts only once a person has confirmed it. A translation remembers the
words it was made from, so that it goes stale when they are changed.
"""

from __future__ import annotations

import datetime
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from safelight.errors import Code, SafelightError
from safelight.inputs import printable
from safelight.story.places import line_at

MOST = 16 << 20  # bytes of one document
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Words = Annotated[str, Field(max_length=4000)]
Seconds = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class Document(BaseModel):
    """Base of everything in a transcript."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class By(StrEnum):
    """Who made a line."""

    PERSON = "person"
    MACHINE = "machine"


class Signed(Document):
    """A person who stands for the words: a member's pseudonym, and when."""

    who: Annotated[str, Field(min_length=1, max_length=200)]
    when: datetime.datetime


class Line(Document):
    """One stretch of speech. ``speaker``: a pseudonym, never a name."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,40}$")]
    start: Seconds
    end: Seconds
    speaker: Annotated[str, Field(max_length=200)] = ""
    text: Words
    by: By = By.PERSON
    confirmed: Signed | None = None

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.end <= self.start:
            raise ValueError(f"line {self.id} ends before it begins")
        return self


class Translated(Document):
    """A line in another language; ``of``: hash of the words it was made from; ``speaker``: the pseudonym as it is
    written in that language, where it is written otherwise.
    """

    text: Words
    speaker: Annotated[str, Field(max_length=200)] = ""
    of: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    by: By = By.PERSON
    confirmed: Signed | None = None


class Translation(Document):
    """A language; ``translator`` as credited, a pseudonym where it must be."""

    translator: Annotated[str, Field(min_length=1, max_length=200)]
    lines: dict[str, Translated]


class State(StrEnum):
    """What a line is worth in a language."""

    READY = "ready"
    MISSING = "untranslated"
    STALE = "stale"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True)
class Said:
    """A line in one language, who says it, and what it is worth."""

    line: Line
    speaker: str
    text: str
    state: State
    by: By


class Transcript(Document):
    """All that is said in one clip."""

    format: Literal["safelight-words"] = "safelight-words"
    version: Literal[1] = 1
    language: Language
    lines: Annotated[list[Line], Field(max_length=20_000)]
    translations: dict[Language, Translation] = {}

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        ids = [line.id for line in self.lines]
        if len(ids) != len(set(ids)):
            raise ValueError(f"two lines have the id {next(one for one in ids if ids.count(one) > 1)}")
        for language, translation in self.translations.items():
            unknown = translation.lines.keys() - set(ids)
            if unknown or language == self.language:
                raise ValueError(f"the translation {language} speaks of lines that do not exist")
        return self

    @classmethod
    def load(cls, path: Path, *, name: str | None = None) -> Transcript:
        """Read a document; ``name``: what to call it. Raises SL-NOT-FOUND, SL-STORY-INVALID with line and place."""
        file = name or printable(path)
        try:
            if path.stat().st_size > MOST:
                raise SafelightError(Code.STORY_INVALID, "The words are too large.", file=file)
            data = path.read_bytes()
        except OSError as error:
            raise SafelightError(Code.NOT_FOUND, "There are no such words.", file=file) from error
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the whole"
            line = line_at(data.decode("utf-8-sig", errors="replace"), first["loc"])
            raise SafelightError(
                Code.STORY_INVALID, f"Wrong at {where}: {first['msg']}.", file=f"{file}:{line}"
            ) from error

    def save(self, path: Path) -> None:
        """Write the document, renamed into place. Raises SL-NOT-WRITABLE."""
        made = path.with_name(f".safelight-{path.name}.{os.getpid()}")
        try:
            made.write_text(self.model_dump_json(indent=1, exclude_defaults=False) + "\n", encoding="utf-8")
            made.replace(path)
        except OSError as error:
            made.unlink(missing_ok=True)
            raise SafelightError(Code.NOT_WRITABLE, "The words could not be saved.", file=printable(path)) from error

    @property
    def languages(self) -> list[str]:
        """The language spoken, then the translations."""
        return [self.language, *sorted(self.translations)]

    def said(self, language: str) -> Iterator[Said]:
        """Every line in a language; a language that is not there has all lines missing."""
        translation = self.translations.get(language)
        for line in self.lines:
            if language == self.language:
                yield Said(line, line.speaker, line.text, State.READY if line.confirmed else State.UNCONFIRMED, line.by)
                continue
            other = translation.lines.get(line.id) if translation else None
            speaker = (other.speaker if other else "") or line.speaker
            if other is None or not other.text.strip():
                yield Said(line, speaker, "", State.MISSING, By.PERSON)
            elif other.of != mark_of(line.text):
                yield Said(line, speaker, other.text, State.STALE, other.by)
            else:
                ready = line.confirmed and other.confirmed
                yield Said(line, speaker, other.text, State.READY if ready else State.UNCONFIRMED, other.by)

    def confirmed(self, language: str, who: str) -> Transcript:
        """The document with every line of a language that is neither missing nor stale confirmed by a person."""
        signed = Signed(who=who, when=datetime.datetime.now(datetime.UTC).replace(microsecond=0))
        if language == self.language:
            lines = [line if line.confirmed else line.model_copy(update={"confirmed": signed}) for line in self.lines]
            return self.model_copy(update={"lines": lines})
        if language not in self.translations:
            raise SafelightError(Code.WORDS_INCOMPLETE, f"There is no translation {language}.")
        states = {said.line.id: said.state for said in self.said(language)}
        translation = self.translations[language]
        kept = {
            key: line.model_copy(update={"confirmed": signed})
            if states[key] is State.UNCONFIRMED and line.confirmed is None
            else line
            for key, line in translation.lines.items()
        }
        return self.with_translation(language, Translation(translator=translation.translator, lines=kept))

    def with_translation(self, language: str, translation: Translation) -> Transcript:
        """The document with a language added or replaced. Raises SL-STORY-INVALID for one that cannot be."""
        return Transcript.of(self.language, self.lines, {**self.translations, language: translation})

    def respoken(self, language: str, lines: list[Line]) -> Transcript:
        """The document with other words spoken. Lines that are as they were stay confirmed; translations stay with
        their lines, and go stale where the words have changed. Raises SL-STORY-INVALID.
        """
        signed = {(line.id, line.start, line.end, line.speaker, line.text): line.confirmed for line in self.lines}
        if language == self.language:
            lines = [
                line.model_copy(
                    update={"confirmed": signed.get((line.id, line.start, line.end, line.speaker, line.text))}
                )
                for line in lines
            ]
        there = {line.id for line in lines}
        kept = {
            code: Translation(
                translator=each.translator, lines={key: line for key, line in each.lines.items() if key in there}
            )
            for code, each in self.translations.items()
            if code != language
        }
        return Transcript.of(language, lines, kept)

    @classmethod
    def of(cls, language: str, lines: list[Line], translations: dict[str, Translation] | None = None) -> Transcript:
        """A document of what a person gave. Raises SL-STORY-INVALID for a language that is none, or a wrong line."""
        try:
            return cls(language=language, lines=lines, translations=translations or {})
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the words"
            raise SafelightError(Code.STORY_INVALID, f"Wrong at {where}: {first['msg']}.") from error


def mark_of(text: str) -> str:
    """A short hash of the words a translation was made from."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:16]
