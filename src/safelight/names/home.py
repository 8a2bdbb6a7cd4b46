"""Where a roster lies: only ever sealed. A case has a home of its own (``custody/paper.py``); else it is one age file.

The file opens with age's own command line (``age --decrypt``) and the passphrase.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Protocol

import pyrage

from safelight.errors import Code, SafelightError
from safelight.names.people import Roster

_AGE = b"age-encryption.org/v1\n"
MOST = 16 << 20  # bytes of a sealed roster


class Home(Protocol):
    """A sealed place for one document."""

    def load(self) -> bytes | None:
        """The document in plain, or None when there is none yet. Raises SafelightError when it cannot be opened."""

    def save(self, data: bytes) -> None:
        """Seal the document; the old one is replaced in one moment. Plain bytes never reach a disk."""


class AgeHome:
    """One file, encrypted by age to a passphrase."""

    def __init__(self, path: Path, passphrase: str) -> None:
        self.path = path
        self._passphrase = passphrase

    def load(self) -> bytes | None:
        """Decrypt the file. Raises SL-NOT-FOUND, SL-UNREADABLE, SL-SEALED."""
        try:
            if self.path.stat().st_size > MOST:
                raise SafelightError(Code.SEALED, "This is no sealed list of names.", file=self.path.name)
            sealed = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SafelightError(Code.UNREADABLE, f"{os.strerror(error.errno or 5)}.", file=self.path.name) from error
        try:
            return bytes(pyrage.passphrase.decrypt(sealed, self._passphrase))
        except (pyrage.DecryptError, OSError, ValueError):
            raise SafelightError(
                Code.SEALED, "It could not be opened: wrong passphrase, or the file was changed.", file=self.path.name
            ) from None

    def save(self, data: bytes) -> None:
        """Encrypt and rename into place. Raises SL-NOT-WRITABLE."""
        sealed = pyrage.passphrase.encrypt(data, self._passphrase)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix=".safelight-", dir=self.path.parent)
            made = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(sealed)
                    file.flush()
                    os.fsync(file.fileno())
                made.replace(self.path)
            finally:
                made.unlink(missing_ok=True)
        except OSError as error:
            raise SafelightError(
                Code.NOT_WRITABLE, f"The list could not be saved: {os.strerror(error.errno or 5)}.", file=self.path.name
            ) from error


def is_sealed(path: Path) -> bool:
    """Whether a file is one that age made. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(_AGE)) == _AGE


def load(home: Home) -> Roster:
    """The roster that lies in a home; an empty one, with a seed of its own, where none lies yet."""
    data = home.load()
    return Roster() if data is None else Roster.from_json(data)


def save(home: Home, roster: Roster) -> None:
    """Seal a roster."""
    home.save(roster.to_json())
