"""Who may open a case: members with age keys, the case's own key that all is sealed to, the key that signs the log.

Everything is sealed to one key of the case, and that key to the members. So a member can be added without touching the
originals; one who leaves keeps what they could read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyrage
from pydantic import BaseModel, ConfigDict, TypeAdapter
from pyrage.x25519 import Identity, Recipient

from safelight.custody.note import Signer
from safelight.custody.seal import NotSealed, read_identity, recipient, seal, unseal
from safelight.errors import Code, SafelightError
from safelight.inputs import printable

CASE_KEY = "case.age"
LOG_KEY = "log.age"
MEMBERS = "members.age"
SHORTEST = 10  # characters of a passphrase
PASSPHRASE = "SAFELIGHT_PASSPHRASE"
NEW_PASSPHRASE = "SAFELIGHT_NEW_PASSPHRASE"
IDENTITY = "SAFELIGHT_IDENTITY"

Ask = Callable[[str], str | None]  # asks a person for a passphrase; None when nobody can be asked


class Member(BaseModel):
    """One who may open the case. ``key``: file with the member's own key under their passphrase, if it lies here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    recipient: str
    key: str | None = None


MEMBERS_LIST: TypeAdapter[list[Member]] = TypeAdapter(list[Member])


@dataclass(frozen=True)
class Keys:
    """A case, opened: who opened it, the key everything is sealed to, the key that signs the log, all members."""

    who: str
    case: Identity
    signer: Signer
    members: list[Member]

    @property
    def to(self) -> Recipient:
        """What everything in the case is sealed to."""
        return self.case.to_public()


def new_member(name: str, own: str | None, passphrase: str | None, key_file: str) -> tuple[Member, dict[str, bytes]]:
    """A member and the file for their key: by a recipient of their own (age1…), or by a passphrase.

    Raises SL-RECIPIENT-INVALID, SL-CASE-NO-KEY when there is neither, or the passphrase is too short.
    """
    if own is not None:
        return Member(name=name, recipient=str(recipient(own))), {}
    if passphrase is None or len(passphrase) < SHORTEST:
        raise SafelightError(Code.CASE_NO_KEY, f"A passphrase of at least {SHORTEST} characters is needed.")
    identity = Identity.generate()
    sealed = pyrage.passphrase.encrypt(f"{identity}\n".encode(), passphrase)
    return Member(name=name, recipient=str(identity.to_public()), key=key_file), {key_file: bytes(sealed)}


def files_of(keys: Keys) -> dict[str, bytes]:
    """The files that hold a case's keys, sealed anew (not the members' own)."""
    to_members = [recipient(member.recipient) for member in keys.members]
    members = [member.model_dump(exclude_none=True) for member in keys.members]
    return {
        CASE_KEY: seal(f"{keys.case}\n".encode(), to_members),
        LOG_KEY: seal(json.dumps({"name": keys.signer.name, "key": keys.signer.private.hex()}).encode(), [keys.to]),
        MEMBERS: seal(json.dumps(members).encode(), [keys.to]),
    }


def unlock(folder: Path, *, identity: Path | None, ask: Ask) -> Keys:
    """Open a case's keys with an age identity file, or with a passphrase that is in the environment or asked for.

    Raises SL-CASE-NO-KEY when there is nothing to try, SL-CASE-WRONG-KEY when it opens nothing.
    """
    identity = identity or (Path(os.environ[IDENTITY]) if os.environ.get(IDENTITY) else None)
    if identity is not None:
        return _open(folder, [read_identity(identity)])
    passphrase = os.environ.get(PASSPHRASE) or ask("Passphrase of the case")
    if not passphrase:
        raise SafelightError(Code.CASE_NO_KEY, "The case is sealed.", file=printable(folder.parent))
    return _open(folder, _by_passphrase(folder, passphrase))


def _by_passphrase(folder: Path, passphrase: str) -> list[Identity]:
    """The members' keys that a passphrase opens; whose they are is not told by their names."""
    found = []
    for path in sorted(folder.glob("member-*.age")):
        try:
            key = pyrage.passphrase.decrypt(path.read_bytes(), passphrase).decode().strip()
        except pyrage.DecryptError:
            continue  # somebody else's
        found.append(Identity.from_str(key))
    return found


def _open(folder: Path, identities: list[Identity]) -> Keys:
    for own in identities:
        try:
            case = Identity.from_str(unseal((folder / CASE_KEY).read_bytes(), own).decode().strip())
            log = json.loads(unseal((folder / LOG_KEY).read_bytes(), case))
            members = MEMBERS_LIST.validate_json(unseal((folder / MEMBERS).read_bytes(), case))
            signer = Signer(log["name"], bytes.fromhex(log["key"]))
        except NotSealed:
            continue
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SafelightError(Code.CASE_BROKEN, "The keys are damaged.", file=printable(folder)) from error
        who = next((member.name for member in members if member.recipient == str(own.to_public())), "unknown")
        return Keys(who, case, signer, members)
    raise SafelightError(Code.CASE_WRONG_KEY, "This key does not open the case.", file=printable(folder.parent))
