"""The log on disk: sealed entries named by place, leaf hash and sealed hash, one signed checkpoint over all of them.

Anybody who holds the folder can check that the names make the tree that was signed; who holds a key can check that the
entries are what their names say.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from pyrage.x25519 import Identity

from safelight.custody.entry import Entry
from safelight.custody.merkle import Tree, leaf_hash
from safelight.custody.note import BadNote, Checkpoint, Verifier
from safelight.custody.seal import NotSealed, unseal
from safelight.errors import Code, SafelightError
from safelight.inputs import printable

CHECKPOINT = "checkpoint"
ENTRIES = "entries"
_ENTRY = re.compile(r"([0-9]{8})\.([0-9a-f]{64})\.([0-9a-f]{32})\.age")


@dataclass(frozen=True)
class Leaf:
    """Where an entry lies, what it must hash to, and what its sealed bytes must (first half of their sha256, hex)."""

    index: int
    hash: bytes
    sealed: str
    path: Path

    @property
    def undamaged(self) -> bool:
        """Whether the sealed bytes are those its name speaks of; no key is needed to see that."""
        try:
            return _short(self.path.read_bytes()) == self.sealed
        except OSError:
            return False


def entry_name(index: int, leaf: bytes, sealed: bytes) -> str:
    """The file name of an entry with this leaf hash and these sealed bytes."""
    return f"{index:08}.{leaf.hex()}.{_short(sealed)}.age"


def leaves(log: Path) -> list[Leaf]:
    """All entries by their names, in order; files with other names are passed over."""
    found = []
    for path in (log / ENTRIES).iterdir():
        if match := _ENTRY.fullmatch(path.name):
            found.append(Leaf(int(match[1]), bytes.fromhex(match[2]), match[3], path))
    return sorted(found, key=lambda leaf: (leaf.index, leaf.hash))


def read_entry(leaf: Leaf, identity: Identity) -> Entry:
    """Open an entry. Raises SL-CASE-BROKEN when it is not what its name says."""
    try:
        data = unseal(leaf.path.read_bytes(), identity)
        if leaf_hash(data) != leaf.hash:
            raise ValueError("it is another entry")
        return Entry.parse(data)
    except (OSError, NotSealed, ValueError, ValidationError) as error:
        raise _broken(leaf.path, "This entry of the log is not what was written.") from error


def read_checkpoint(path: Path, verifier: Verifier) -> Checkpoint:
    """Read a signed checkpoint. Raises SL-CASE-BROKEN."""
    try:
        return Checkpoint.parse(path.read_bytes().decode(), verifier)
    except (OSError, UnicodeDecodeError, BadNote) as error:
        raise _broken(path, f"The checkpoint does not hold: {error}.") from error


def tree_of(log: Path, checkpoint: Checkpoint) -> Tree:
    """The tree of all entries. Raises SL-CASE-BROKEN when it is not the one that was signed."""
    found = leaves(log)
    tree = Tree([leaf.hash for leaf in found])
    whole = [leaf.index for leaf in found] == list(range(checkpoint.size))
    if not whole or tree.root != checkpoint.root:
        raise _broken(log, "The entries of the log are not those that were signed.")
    return tree


def _short(sealed: bytes) -> str:
    return hashlib.sha256(sealed).hexdigest()[:32]


def _broken(path: Path, what: str) -> SafelightError:
    return SafelightError(Code.CASE_BROKEN, what, file=printable(path))
