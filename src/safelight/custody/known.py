"""Lists of known material, for instance published clips of the other side: told by hash, and by what is seen.

A list is text. ``HASH  LABEL`` (sha256 or blake3, as sha256sum prints it) knows exactly these bytes;
``phash:WORD  LABEL`` (what ``safelight known`` writes) knows the pictures, however they were coded anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from safelight.custody.trace import Hashes, Trace, from_text
from safelight.errors import Code, SafelightError
from safelight.inputs import printable

_LINE = re.compile(r"(?:([0-9A-Fa-f]{64})|phash:([A-Za-z0-9+/=]+))\s+[* ]?(.*\S)\s*")


@dataclass
class Known:
    """A list. ``hashes``: hash → labels; ``seen``: label and hashes of pictures."""

    hashes: dict[str, list[str]] = field(default_factory=dict)
    seen: list[tuple[str, Hashes]] = field(default_factory=list)


def read_known(path: Path) -> Known:
    """Read a list. Raises SL-NOT-FOUND, SL-KNOWN-INVALID."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SafelightError(Code.NOT_FOUND, "The list could not be read.", file=printable(path)) from error
    except UnicodeDecodeError as error:
        raise SafelightError(Code.KNOWN_INVALID, "The list is no text.", file=printable(path)) from error
    known = Known()
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        try:
            if match and match[1]:
                known.hashes.setdefault(match[1].lower(), []).append(match[3])
            elif match:
                known.seen.append((match[3], from_text(match[2])))
            elif line.strip() and not line.startswith("#"):
                raise ValueError
        except ValueError as error:
            wrong = f"Line {number} is no hash with a label."
            raise SafelightError(Code.KNOWN_INVALID, wrong, file=printable(path)) from error
    return known


def lines_of(sha256: str, trace: Trace, label: str) -> list[str]:
    """What a list says of one clip."""
    seen = [f"phash:{trace.hashes}  {label}"] if trace.hashes else []
    return [f"{sha256}  {label}", *seen]
