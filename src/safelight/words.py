"""What files say: plain formats read here, everything else by a worker; and the search through all of them.

Stands above the workers, below the commands: `names scan` and the publication gate of a story both use it.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from safelight.errors import Code, SafelightError
from safelight.inputs import Original, printable
from safelight.names.passages import MOST, Passage, decoded, of_name, of_text
from safelight.workers.messages import WordsJob
from safelight.workers.parent import left, run

MAX_WORDS = 256 << 20  # bytes of what a worker read out of one document
# How files begin that are no text: what a parser of strangers' bytes must read.
_BINARY = (
    b"PK\x03\x04", b"%PDF-", b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*", b"RIFF", b"BM", b"\x1aE\xdf\xa3",
    b"OggS", b"fLaC", b"ID3",
)  # fmt: skip
_FOURTH = (b"ftyp", b"moov", b"mdat", b"free", b"wide")


class _Told(BaseModel):
    """What a worker found; checked as if a stranger had written it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    passages: list[tuple[Annotated[str, Field(max_length=200)], str, Annotated[int, Field(ge=0)], bool]]
    parts: Annotated[list[Annotated[str, Field(max_length=600)]], Field(max_length=100_000)]
    unread: Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Document:
    """A file, what it says, and which parts of it (a picture, a film) a published file must not have.

    ``unread``: lines in its pictures that look like writing and could not be read.
    """

    name: str
    path: Path
    passages: tuple[Passage, ...]
    parts: tuple[str, ...] = ()
    media: bool = False
    unread: int = 0


def read(path: Path, *, name: str | None = None) -> Document:
    """All that a file says, its name included. ``name``: what to call it, and what its name is searched as.

    Raises SafelightError: as opening raises, SL-DOCUMENT-INVALID for what cannot be read, and a worker's refusals.
    """
    shown = printable(Path(name)) if name is not None else printable(path)
    with Original(path) as opened:
        start = opened.part(0, 12)
        if start.startswith(_BINARY) or start[4:8] in _FOURTH:
            told = _by_worker(opened, shown)
            passages = tuple(Passage(*parts) for parts in told.passages)
            media = not start.startswith((b"PK\x03\x04", b"%PDF-"))
            return Document(
                shown, path, (*of_name(name or path.name), *passages), tuple(told.parts), media, told.unread
            )
        if opened.size > MOST:
            raise SafelightError(Code.DOCUMENT_INVALID, f"The text is larger than {MOST >> 20} MiB.", file=shown)
        text = decoded(opened.part(0, opened.size), shown)
    return Document(shown, path, (*of_name(name or path.name), *of_text(text, path.suffix.lower(), shown)))


def read_all(files: Iterable[tuple[Path, str]]) -> list[Document]:
    """:func:`read` for each (path, name)."""
    return [read(path, name=name) for path, name in files]


def _by_worker(opened: Original, shown: str) -> _Told:
    with tempfile.TemporaryDirectory(prefix="safelight-words-") as folder:
        work = Path(folder)
        try:
            run(WordsJob(), opened.descriptor, work, progress=lambda done, total: None, cancel=threading.Event())
            return _Told.model_validate_json(left(work / "words.json", MAX_WORDS).read_bytes())
        except ValidationError as error:
            raise SafelightError(Code.WORKER_LIED, "What it read could not be understood.", file=shown) from error
        except SafelightError as error:
            error.file = error.file or shown
            raise
