"""That a copy went out: exactly these bytes, where to, and when. It lies at the desk, beside the approval."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, ValidationError

from safelight.approval import Approval, Document, Sha256
from safelight.custody.entry import Act
from safelight.errors import SafelightError
from safelight.outputs import Names, put

if TYPE_CHECKING:  # a case brings a database along, which other work does without
    from safelight.custody.case import Case

_APPROVAL = ".safelight-approval.json"
_MOST = 1 << 20  # bytes
_COPY = "copy "  # begins the note of the case's log, followed by the copy's SHA-256 and where it went


class Published(Document):
    """``sha256``: of the copy. ``where``: the story's name, or what a person said. ``when``: UTC."""

    format: Literal["safelight-published"] = "safelight-published"
    version: Literal[1] = 1
    sha256: Sha256
    where: Annotated[str, Field(max_length=500)]
    when: Annotated[str, Field(max_length=40)]

    @classmethod
    def now(cls, sha256: str, where: str) -> Published:
        """It went out just now."""
        return cls(sha256=sha256, where=where[:500], when=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))

    def save(self, names: Names) -> None:
        """Put it beside the clip's other results. Raises SL-DISK-FULL, SL-NOT-WRITABLE."""
        put(published_of(names), (self.model_dump_json(indent=1) + "\n").encode())

    @classmethod
    def load(cls, names: Names) -> Published | None:
        """What lies there; None when there is none, or something that proves nothing."""
        path = published_of(names)
        try:
            if not path.is_file() or path.stat().st_size > _MOST:
                return None
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None  # unreadable: then nobody can say that it was published


def published_of(names: Names) -> Path:
    """Where it lies."""
    return names.folder / f"{names.stem}.safelight-published.json"


def tell_folder(folder: Path, copies: Iterable[Path], where: str) -> list[Path]:
    """Note at the desk's folder, and below, which of its approved copies went out; returns the notes written."""
    went = _digests(copies)
    told = []
    for path in sorted(folder.rglob("*" + _APPROVAL)):
        names = Names(path.parent, path.name.removesuffix(_APPROVAL))
        sha256 = _approved(path)
        if sha256 in went:
            Published.now(sha256, where).save(names)
            told.append(published_of(names))
    return told


def tell_case(case: Case, copies: Iterable[Path], where: str) -> list[str]:
    """Write into the case's log which of its approved copies went out; returns the clips' names."""
    went = _digests(copies)
    told = []
    for clip in case.catalogue.clips():
        data = case.document(clip, "approval")
        sha256 = Approval.model_validate_json(data).copy_.sha256 if data is not None else ""
        if sha256 in went:
            case.note(Act.PUBLISHED, clip, f"{_COPY}{sha256} {where}"[:500])
            told.append(clip.name)
    return told


def told_by_case(case: Case, number: int, approved: str) -> Iterator[Published]:
    """What the log says of a clip's copies that went out. ``approved``: the copy that a person's words are about who
    recorded by hand that it was published.
    """
    for act in case.catalogue.acts(number):
        if act["act"] == Act.PUBLISHED.value:
            note = str(act["note"] or "")
            sha256, _, where = note.removeprefix(_COPY).partition(" ") if note.startswith(_COPY) else ("", "", note)
            if sha256 or approved:
                yield Published(sha256=sha256 or approved, where=where, when=str(act["time"]))


def _approved(path: Path) -> str:
    try:
        approval = Approval.load(path)
    except SafelightError:
        return ""  # no approval, so nothing that was approved
    return approval.copy_.sha256 if approval is not None else ""


def _digests(copies: Iterable[Path]) -> set[str]:
    found = set()
    for path in copies:
        with path.open("rb") as file:
            found.add(hashlib.file_digest(file, "sha256").hexdigest())
    return found
