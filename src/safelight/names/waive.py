"""Waivers: a person looked at a finding that is only near a name, and signed why it may stay.

A waiver names its finding by a keyed hash, so that the file of waivers, which lies beside the story, tells nobody
whose name it was near. Key and signing key follow from the roster's seed: only who can open the roster can waive, and a
waiver holds for these words in this passage of this file only.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import os
from pathlib import Path
from typing import Annotated, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import Field, ValidationError

from safelight.errors import Code, SafelightError
from safelight.names.fold import fold
from safelight.names.match import Level
from safelight.names.people import Document, Roster, Text
from safelight.names.scan import Finding

Hex = Annotated[str, Field(pattern=r"^[0-9a-f]+$", max_length=200)]


class Waiver(Document):
    """One signed reason. ``who``: a member's pseudonym. ``mark``: the keyed hash of the finding."""

    mark: Hex
    file: Annotated[str, Field(max_length=1000)]
    reason: Text
    who: Text
    when: datetime.datetime
    signature: Hex

    @property
    def signed(self) -> bytes:
        """What the signature is over."""
        return "\n".join((self.mark, self.file, self.reason, self.who, self.when.isoformat())).encode()


class Waivers(Document):
    """The file beside the story."""

    format: Literal["safelight-waivers"] = "safelight-waivers"
    version: Literal[1] = 1
    waivers: Annotated[tuple[Waiver, ...], Field(max_length=10_000)] = ()

    @classmethod
    def load(cls, path: Path) -> Waivers:
        """Read the file; none yet is an empty one. Raises SL-NAMES-INVALID."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return cls()
        except (OSError, ValidationError) as error:
            raise SafelightError(Code.NAMES_INVALID, "The waivers cannot be read.", file=path.name) from error

    def save(self, path: Path) -> None:
        """Write the file anew, renamed into place. Raises SL-NOT-WRITABLE."""
        made = path.with_name(f".safelight-{path.name}.{os.getpid()}")
        try:
            made.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
            made.replace(path)
        except OSError as error:
            made.unlink(missing_ok=True)
            raise SafelightError(Code.NOT_WRITABLE, "The waivers could not be saved.", file=path.name) from error


def mark(roster: Roster, finding: Finding) -> str:
    """The finding's keyed hash."""
    told = "\n".join((finding.file, finding.person, finding.kind, fold(finding.found), fold(finding.passage)))
    return hmac.new(_derived(roster, b"mark"), told.encode(), hashlib.sha256).hexdigest()


def waive(roster: Roster, finding: Finding, reason: str, who: str) -> Waiver:
    """Sign a waiver. Raises SL-NAME-FOUND for a finding that is no near match: what is a name is not waived."""
    if finding.level is Level.BLOCK:
        raise SafelightError(
            Code.NAME_FOUND, "What is certainly a protected name cannot be waived.", file=finding.where
        )
    unsigned = Waiver(
        mark=mark(roster, finding),
        file=finding.file,
        reason=reason,
        who=who,
        when=datetime.datetime.now(datetime.UTC).replace(microsecond=0),
        signature="0",
    )
    return unsigned.model_copy(update={"signature": _key(roster).sign(unsigned.signed).hex()})


def waived(roster: Roster, waivers: Waivers, finding: Finding) -> bool:
    """Whether a valid waiver covers this finding. Raises SL-NAMES-INVALID for a signature that is not ours."""
    if finding.level is Level.BLOCK:
        return False
    wanted = mark(roster, finding)
    for waiver in waivers.waivers:
        if waiver.mark == wanted:
            try:
                _key(roster).public_key().verify(bytes.fromhex(waiver.signature), waiver.signed)
            except (InvalidSignature, ValueError):
                raise SafelightError(
                    Code.NAMES_INVALID, "A waiver was not signed by who holds the names.", file=waiver.file
                ) from None
            return True
    return False


def _key(roster: Roster) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_derived(roster, b"sign"))


def _derived(roster: Roster, purpose: bytes) -> bytes:
    return hmac.new(bytes.fromhex(roster.seed), b"safelight waivers " + purpose, hashlib.sha256).digest()
