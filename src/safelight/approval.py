"""The approval of a copy: who signed exactly these bytes after exactly this attack. It lies beside the copy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from safelight.errors import Code, SafelightError
from safelight.inputs import printable

MAX_APPROVAL = 1 << 20  # bytes
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Document(BaseModel):
    """Base of everything in an approval."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class CopyFacts(Document):
    """The copy that was approved."""

    name: Annotated[str, Field(max_length=1000)]
    sha256: Sha256


class VerdictFacts(Document):
    """The attack it held against. ``sha256``: of the verdict's file."""

    outcome: Literal["held"]
    sha256: Sha256


class Signed(Document):
    """One signature: a member's pseudonym and the time, UTC."""

    who: Annotated[str, Field(min_length=1, max_length=200)]
    when: Annotated[str, Field(max_length=40)]


class Approval(Document):
    """Who stands for a copy."""

    format: Literal["safelight-approval"] = "safelight-approval"
    version: Literal[1] = 1
    copy_: Annotated[CopyFacts, Field(alias="copy")]
    verdict: VerdictFacts
    signed: Annotated[list[Signed], Field(min_length=1, max_length=100)]

    def to_json(self) -> str:
        """The document as text."""
        return self.model_dump_json(by_alias=True, indent=1) + "\n"

    @classmethod
    def load(cls, path: Path) -> Approval | None:
        """Read an approval; None when there is none. Raises SL-UNREADABLE for anything else that lies there."""
        try:
            if not path.exists():
                return None
            if path.stat().st_size > MAX_APPROVAL:
                raise ValueError("too large")
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValueError, ValidationError) as error:
            raise SafelightError(Code.UNREADABLE, "This is no approval.", file=printable(path)) from error
