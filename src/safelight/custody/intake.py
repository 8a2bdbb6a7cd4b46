"""Taking in a card: every file hashed and sealed in one pass, what is known recognised, the card only read."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from safelight.custody import ocfl
from safelight.custody.case import ABOUT, ORIGINAL, STORE, Case, sha256
from safelight.custody.catalogue import Clip
from safelight.custody.disk import sync_tree, write_new
from safelight.custody.entry import About, Act, clip_name
from safelight.custody.seal import Digests, seal, seal_stream
from safelight.errors import Code, SafelightError
from safelight.inputs import Item, Original, expand, printable
from safelight.outputs import writing

_STOPS = frozenset({Code.DISK_FULL, Code.NOT_WRITABLE, Code.CASE_BROKEN, Code.CASE_CATALOGUE})
_FINAL = frozenset({Code.EMPTY, Code.NOT_A_FILE})  # asking again would not help


class Watch(Protocol):
    """Is told how one file is getting on; may raise to call the work off."""

    def stage(self, name: str) -> None:
        """A new stage begins."""

    def progress(self, done: int, total: int | None) -> None:
        """So many of so many bytes are read."""


class Came(StrEnum):
    """How one file ended."""

    SEALED = "sealed"
    DUPLICATE = "duplicate"
    ALREADY = "already sealed"
    REFUSED = "refused"


@dataclass(frozen=True)
class Arrived:
    """One file of an intake. ``clip``: its number in the case; ``known``: published material that it is."""

    path: Path
    came: Came
    clip: int | None = None
    known: tuple[str, ...] = ()
    refusal: SafelightError | None = None

    @property
    def name(self) -> str:
        """What the clip is called in the case; nothing when the file was refused."""
        return clip_name(self.clip) if self.clip is not None else ""


def intake(
    case: Case, paths: list[Path], source: str, *, known: dict[str, list[str]], watch: Callable[[Path], Watch]
) -> Iterator[Arrived]:
    """Seal every file that ``paths`` name; yields how each ended, as they come.

    An intake of the same paths from the same source that was interrupted goes on: what it sealed is not read again.
    Raises SL-DISK-FULL, SL-NOT-WRITABLE when the case cannot be written to; what one file is refused for is yielded.
    """
    note = "\n".join([source, *(printable(path.absolute()) for path in paths)])
    began = case.catalogue.unfinished(note)
    done: dict[tuple[str, int, int], int] = {}
    if began is None:
        case.act(case.entry(Act.BEGAN, note=note))
    else:
        arrivals = case.catalogue.arrivals(source, began)
        done = {(arrival.path, arrival.size, arrival.taken_ns): arrival.clip for arrival in arrivals}
    unfinished = False
    for arrived in _files(paths, case.path):
        if isinstance(arrived, Item):
            arrived = _one(case, arrived, source, known, done, watch)
        if arrived.refusal is not None and arrived.refusal.code not in _FINAL:
            unfinished = True
        yield arrived
    if not unfinished:
        case.act(case.entry(Act.ENDED, note=note))


def derive(case: Case, film: Original, of: Clip, ending: str, note: str) -> Arrived:
    """Seal a film that was made from an original as a clip of its own. ``note``: how, for the log, where it stands
    beside the new clip's hash. The same film again is recognised, and noted as such.
    """
    first = next(arrival for arrival in case.catalogue.arrivals(of.source) if arrival.clip == of.number)
    name = str(Path(of.path).with_suffix(ending))
    return _seal(case, film, _Arriving(name, of.source, first.taken_ns, {}), lambda read: None, note)


def _files(paths: list[Path], leave_out: Path) -> Iterator[Item | Arrived]:
    """All files; a folder that cannot be listed (the card was pulled out) is a refusal in its place."""
    for path in paths:
        try:
            yield from expand([path], leave_out=leave_out)
        except SafelightError as error:
            yield Arrived(path, Came.REFUSED, refusal=error)


def _one(
    case: Case,
    item: Item,
    source: str,
    known: dict[str, list[str]],
    done: dict[tuple[str, int, int], int],
    watch: Callable[[Path], Watch],
) -> Arrived:
    name = printable(item.below / item.path.name)
    try:
        with Original(item.path) as original:
            facts = os.fstat(original.descriptor)
            clip = done.get((name, facts.st_size, facts.st_mtime_ns))
            if clip is not None:
                return Arrived(item.path, Came.ALREADY, clip)
            told = watch(item.path)
            told.stage("sealing")
            about = _Arriving(name, source, facts.st_mtime_ns, known)
            return _seal(case, original, about, lambda read: told.progress(read, original.size))
    except SafelightError as error:
        if error.code in _STOPS:
            raise
        error.file = error.file or printable(item.path)
        return Arrived(item.path, Came.REFUSED, refusal=error)


@dataclass(frozen=True)
class _Arriving:
    """What is known of a file before it is read."""

    name: str
    source: str
    taken_ns: int
    known: dict[str, list[str]]

    def about(self, size: int, sha256: str, blake3: str) -> About:
        taken = datetime.fromtimestamp(self.taken_ns / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        labels = sorted({*self.known.get(sha256, []), *self.known.get(blake3, [])})
        return About(
            path=self.name,
            source=self.source,
            size=size,
            sha256=sha256,
            blake3=blake3,
            taken=taken,
            taken_ns=self.taken_ns,
            known=labels,
        )


def _seal(
    case: Case, original: Original, arriving: _Arriving, progress: Callable[[int], None], note: str = ""
) -> Arrived:
    if case.catalogue.has_size(original.size):  # likely seen before: then there is nothing to write
        seen = case.catalogue.number_of(original.sha256(progress))
        if seen is not None:
            return _duplicate(case, original, arriving, seen)
    identifier = f"urn:uuid:{uuid.uuid4()}"
    os.lseek(original.descriptor, 0, os.SEEK_SET)
    with case.staging() as stage, writing(case.path):
        version = stage / "object" / "v1"
        content = version / "content"
        content.mkdir(parents=True, mode=0o700)
        file = printable(original.path)
        sealed = seal_stream(original.descriptor, content / ORIGINAL, [case.keys.to], name=file, progress=progress)
        original.require_unchanged()
        about = arriving.about(sealed.size, sealed.sha256, sealed.blake3)
        inventory = _inventory(case, identifier, about, sealed, content)
        write_new(stage / "object" / ocfl.OBJECT_MARK[0], ocfl.OBJECT_MARK[1].encode())
        digest = ocfl.write_inventory(version, inventory)
        ocfl.write_inventory(stage / "object", inventory)
        sync_tree(stage)
        number = case.catalogue.next_number
        entry = case.entry(
            Act.SEALED,
            clip=number,
            object=identifier,
            version=1,
            inventory=digest,
            kinds=["original"],
            about=about,
            note=note,
        )
        case.act(entry, moves=[(stage / "object", case.path / STORE / ocfl.place_of(identifier))])
    return Arrived(original.path, Came.SEALED, number, tuple(about.known))


def _inventory(case: Case, identifier: str, about: About, sealed: Digests, content: Path) -> ocfl.Inventory:
    told = seal(ocfl.as_json(about.model_dump()), [case.keys.to])
    write_new(content / ABOUT, told)
    return ocfl.Inventory(identifier).next({ORIGINAL: sealed.sealed, ABOUT: sha256(told)})


def _duplicate(case: Case, original: Original, arriving: _Arriving, number: int) -> Arrived:
    original.require_unchanged()
    clip = case.clip(clip_name(number))
    about = arriving.about(clip.size, clip.sha256, clip.blake3)
    before = case.catalogue.arrivals(arriving.source)
    if any(
        (arrival.path, arrival.clip, arrival.taken_ns) == (about.path, number, about.taken_ns) for arrival in before
    ):
        return Arrived(original.path, Came.ALREADY, number, tuple(about.known))
    case.act(case.entry(Act.DUPLICATE, clip=number, about=about))
    return Arrived(original.path, Came.DUPLICATE, number, tuple(about.known))
