"""The roster: who is protected, under which names and by which other facts they could be known, and what they are
called in public. It is the most dangerous list in the house and lies nowhere but sealed (:mod:`safelight.names.home`).
"""

from __future__ import annotations

import datetime
import secrets
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from safelight.errors import Code, SafelightError
from safelight.names.fold import fold, invisible

_JOINERS = "\u200c\u200d"  # belong to the spelling of Persian and Indic names


def _plain(text: str) -> str:
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    hidden = [c for c in text if invisible(c) and c not in _JOINERS]
    if hidden:
        raise ValueError(
            f"it holds an invisible character ({unicodedata.name(hidden[0], repr(hidden[0]))}); type it anew"
        )
    if not fold(text).strip():
        raise ValueError("it holds no letter and no digit")
    return text


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_plain)]


class Document(BaseModel):
    """Base of everything in a roster."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Kind(StrEnum):
    """What a fact beside the name is."""

    STREET = "street"
    EMPLOYER = "employer"
    DATE = "date"  # as YYYY-MM-DD
    NUMBER = "number"  # identity card, telephone, plate: looked for by its digits
    KIN = "kin"  # the name of a relative
    OTHER = "other"


class Fact(Document):
    """Something else by which a person can be known."""

    kind: Kind
    value: Text

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if self.kind is Kind.DATE:
            datetime.date.fromisoformat(self.value)
        if self.kind is Kind.NUMBER and sum(c.isdigit() for c in self.value) < 5:
            raise ValueError("a number needs five digits or more, or it would be found everywhere")
        return self


class Person(Document):
    """One protected person. ``names``: every known spelling and nickname, in any script; the more, the surer."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
    pseudonym: Text
    names: Annotated[list[Text], Field(min_length=1, max_length=100)]
    facts: Annotated[list[Fact], Field(max_length=100)] = []


class Place(Document):
    """A place that must not be told, nor what lies near it. Degrees on WGS 84; ``radius`` in metres."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    radius: Annotated[float, Field(gt=0, le=100_000)] = 500


class Roster(Document):
    """All that is protected in one story. ``seed`` signs waivers: only who can open the roster can waive."""

    format: Literal["safelight-names"] = "safelight-names"
    version: Literal[1] = 1
    seed: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(default_factory=lambda: secrets.token_hex(32))
    people: Annotated[list[Person], Field(max_length=5000)] = []
    places: Annotated[list[Place], Field(max_length=5000)] = []

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        seen: set[str] = set()
        for person in self.people:
            if person.id in seen:
                raise ValueError(f"two people have the id {person.id}")
            seen.add(person.id)
        return self

    def to_json(self) -> bytes:
        """The document as UTF-8 text."""
        return self.model_dump_json(indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Roster:
        """Read a roster. Raises SL-NAMES-INVALID with the place of the mistake, never with a name."""
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise SafelightError(
                Code.NAMES_INVALID, f"The list of names is wrong at {where}: {first['msg']}."
            ) from None

    def with_person(self, person: Person) -> Roster:
        """The roster with one more person, or with another state of a person it has."""
        others = [known for known in self.people if known.id != person.id]
        return Roster(seed=self.seed, people=[*others, person], places=self.places)

    def without(self, person: str) -> Roster:
        """The roster without a person. Raises SL-NAMES-INVALID when nobody has this id."""
        left = [known for known in self.people if known.id != person]
        if len(left) == len(self.people):
            raise SafelightError(Code.NAMES_INVALID, f"Nobody on the list has the id {person}.")
        return self.model_copy(update={"people": left})

    @property
    def spellings(self) -> list[list[str]]:
        """The real names only: each person's spellings."""
        return [list(person.names) for person in self.people]

    def joined(self, other: Roster) -> Roster:
        """This roster with another's people and places; an empty one takes its seed over too, so waivers go on."""
        if not self.people and not self.places:
            return other
        roster = self.model_copy(update={"places": list(dict.fromkeys([*self.places, *other.places]))})
        for person in other.people:
            roster = roster.with_person(person)
        return roster


@dataclass(frozen=True)
class Sought:
    """Whose names are looked for in a copy: each person's spellings, and which version of the sealed list they are of.

    ``version``: the hash of the sealed file, which tells nothing about who is in it; "" where no list is sealed.
    """

    spellings: tuple[tuple[str, ...], ...] = ()
    version: str = ""


def from_lines(text: str) -> list[list[str]]:
    """People of a plain list: one a line, spellings separated by commas or semicolons; empty lines are passed over."""
    rows = [[name.strip() for name in line.replace(";", ",").split(",") if name.strip()] for line in text.splitlines()]
    return [row for row in rows if row]
