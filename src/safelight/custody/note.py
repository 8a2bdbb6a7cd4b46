"""Signed notes and checkpoints as C2SP writes them (c2sp.org/signed-note, tlog-checkpoint, tlog-proof), Ed25519 only.

Read strictly: anything that is not byte for byte what would have been written is refused, so that no bit of a file can
be changed without notice.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_DASH = "— "
_ED25519 = b"\x01"
PROOF = "c2sp.org/tlog-proof@v1"


class BadNote(ValueError):  # noqa: N818 - it names what it is
    """A note that cannot be read, or is not signed by the key that it should be signed by."""


@dataclass(frozen=True)
class Verifier:
    """The public half of a log's key. ``name``: no spaces, no plus; ``public``: 32 bytes."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that stand before each signature."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        """The key in the encoding of Go's note package: name+id+base64."""
        return f"{self.name}+{self.key_id.hex()}+{_encoded(_ED25519 + self.public)}"

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Read what :meth:`__str__` wrote. Raises BadNote."""
        name, _, rest = text.partition("+")
        _, _, key = rest.partition("+")
        data = _decoded(key)
        found = cls(name, data[1:])
        if len(data) != 33 or str(found) != text:
            raise BadNote("this is no key of a log")
        return found

    def check(self, note: str) -> str:
        """The text of a note that has exactly one signature, by this key. Raises BadNote."""
        text, blank, signatures = note.rpartition("\n\n")
        lines = signatures.splitlines()
        if not blank or len(lines) != 1 or signatures != lines[0] + "\n" or not lines[0].startswith(_DASH):
            raise BadNote("this is no note with one signature")
        name, _, encoded = lines[0].removeprefix(_DASH).partition(" ")
        signature = _decoded(encoded)
        if name != self.name or signature[:4] != self.key_id:
            raise BadNote("the note is signed by another key")
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature[4:], (text + "\n").encode())
        except InvalidSignature as error:
            raise BadNote("the signature is wrong") from error
        return text + "\n"


@dataclass(frozen=True)
class Signer:
    """A log's key. ``private``: 32 bytes."""

    name: str
    private: bytes

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self._key.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """The signed note of a text that ends in a newline."""
        signature = self._key.sign(text.encode())
        return f"{text}\n{_DASH}{self.name} {_encoded(self.verifier.key_id + signature)}\n"

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.private)


@dataclass(frozen=True)
class Checkpoint:
    """The head of a log: how many entries, and the root (32 bytes) of their tree."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{_encoded(self.root)}\n"

    @classmethod
    def parse(cls, note: str, verifier: Verifier) -> Checkpoint:
        """Read a signed checkpoint. Raises BadNote."""
        lines = verifier.check(note).splitlines()
        if len(lines) != 3 or not lines[1].isdecimal():
            raise BadNote("this is no checkpoint")
        found = cls(lines[0], int(lines[1]), _decoded(lines[2]))
        if not note.startswith(found.text + "\n") or found.origin != verifier.name:
            raise BadNote("this is no checkpoint of this log")
        return found


def proof(index: int, path: Sequence[bytes], checkpoint: str) -> str:
    """An inclusion proof as c2sp.org/tlog-proof has it; ``checkpoint``: the signed note."""
    return "\n".join([PROOF, f"index {index}", *map(_encoded, path), "", checkpoint])


def read_proof(text: str) -> tuple[int, list[bytes], str]:
    """Index, audit path and signed checkpoint of a proof. Raises BadNote."""
    top, _, checkpoint = text.partition("\n\n")
    lines = top.split("\n")
    index = lines[1].removeprefix("index ") if len(lines) > 1 else ""
    if lines[0] != PROOF or not index.isdecimal():
        raise BadNote("this is no proof")
    path = [_decoded(line) for line in lines[2:]]
    if proof(int(index), path, checkpoint) != text:
        raise BadNote("this proof is not written as it should be")
    return int(index), path, checkpoint


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadNote("this is no base64") from error
    if _encoded(data) != text:  # several spellings of the same bytes would let a bit be changed unseen
        raise BadNote("this is no canonical base64")
    return data
