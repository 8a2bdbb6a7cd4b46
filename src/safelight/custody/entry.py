"""One line of the log: who did what when, to which object. Its bytes are the leaf of the tree."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Act(StrEnum):
    """What can happen in a case."""

    MADE = "case made"
    MEMBER = "member added"
    BEGAN = "intake began"
    ENDED = "intake ended"
    SEALED = "sealed"
    DUPLICATE = "duplicate recognised"
    TRACED = "compared"
    OPENED = "opened"
    PLAN = "plan changed"
    NAMES = "names changed"
    PROTECTED = "protected"
    ATTACKED = "attacked"
    APPROVED = "approved"
    PUBLISHED = "published"
    EXPORTED = "exported"
    TIMESTAMP = "timestamp asked for"
    STAMPED = "timestamp kept"
    VERIFIED = "found whole"


class About(BaseModel):
    """What is known about an original that arrived. ``path``: below what was named; ``taken``: the file's own time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    source: str
    size: int
    sha256: Sha256
    blake3: Sha256
    taken: str
    taken_ns: int
    known: list[str] = []  # labels of published material that has this hash


class Entry(BaseModel):
    """One act. ``salt`` keeps the tree's hashes, which anybody may see, from telling what was hashed.

    ``clip``: its number in the case, none for what is the whole case's; ``object``, ``version``, ``inventory``:
    identifier, version and inventory (sha256) of the object as it is after the act; ``files``: sha256 of the case's own
    files that the act wrote.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    act: Act
    who: str
    time: str
    salt: str
    clip: int | None = None
    object: str | None = None
    version: int | None = None
    inventory: Sha256 | None = None
    kinds: list[str] = []
    about: About | None = None
    files: dict[str, Sha256] = {}
    note: str = ""

    @classmethod
    def make(cls, act: Act, who: str, **more: Any) -> Entry:
        """An act that happens now."""
        return cls.model_validate({"act": act, "who": who, "time": now(), "salt": secrets.token_hex(32), **more})

    def to_bytes(self) -> bytes:
        """The leaf: JSON with sorted keys, nothing that is left at its default."""
        return json.dumps(
            self.model_dump(mode="json", exclude_defaults=True), sort_keys=True, separators=(",", ":")
        ).encode()

    @classmethod
    def parse(cls, data: bytes) -> Entry:
        """Read a leaf. Raises pydantic.ValidationError."""
        return cls.model_validate_json(data)


def now() -> str:
    """The time by this machine's clock, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clip_name(number: int) -> str:
    """How a clip is called where its file name must not be told."""
    return f"clip-{number:04}"
