"""A verifier of signed notes, checkpoints and inclusion proofs, written from the C2SP and RFC texts alone.

It shares no line with the program, so that a mistake there is not repeated here.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def note_text(note: bytes, vkey: str) -> bytes:
    """c2sp.org/signed-note: the text, if a signature by this key verifies."""
    text, signatures = note[: note.rindex(b"\n\n") + 1], note[note.rindex(b"\n\n") + 2 :]
    name, key_id, key = vkey.split("+", 2)
    raw = base64.b64decode(key)
    assert raw[0] == 1
    assert hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() == key_id
    for line in signatures.decode().split("\n")[:-1]:
        dash, who, signature = line.split(" ")
        assert dash == "\u2014"
        blob = base64.b64decode(signature)
        if who == name and blob[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(raw[1:]).verify(blob[4:], text)
            return text
    raise AssertionError("no signature of this key")


def checkpoint(note: bytes, vkey: str) -> tuple[int, bytes]:
    """c2sp.org/tlog-checkpoint: size and root."""
    origin, size, root = note_text(note, vkey).decode().splitlines()[:3]
    assert origin == vkey.split("+")[0]
    return int(size), base64.b64decode(root)


def included(entry: bytes, proof: bytes, vkey: str) -> int:
    """c2sp.org/tlog-proof with the check of RFC 9162, 2.1.3.2: the index at which the entry is in the signed tree."""
    head, note = proof.split(b"\n\n", 1)
    first, index, *path = head.decode().split("\n")
    assert first == "c2sp.org/tlog-proof@v1"
    number = int(index.removeprefix("index "))
    size, root = checkpoint(note, vkey)
    assert number < size
    fn, sn, r = number, size - 1, hashlib.sha256(b"\x00" + entry).digest()
    for p in (base64.b64decode(line) for line in path):
        assert sn != 0
        if fn & 1 or fn == sn:
            r = hashlib.sha256(b"\x01" + p + r).digest()
            while not fn & 1 and fn != 0:
                fn >>= 1
                sn >>= 1
        else:
            r = hashlib.sha256(b"\x01" + r + p).digest()
        fn >>= 1
        sn >>= 1
    assert (sn, r) == (0, root)
    return number
