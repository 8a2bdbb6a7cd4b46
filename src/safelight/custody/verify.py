"""Is a case whole? Everything is checked again; what is wrong is named, with the time since when it was right.

Without a key: signatures, the list of the case's own files, the tree, and every sealed byte of the store against its
inventory. With a key also: every entry, every inventory against the entry that made it, every original's plain hash.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from safelight.custody import ocfl, timestamp
from safelight.custody.case import CONTROL, FACTS, KEYS, LOG, MOMENT, ORIGINAL, STORE, Case, Facts, locked
from safelight.custody.catalogue import IN_MEMORY, Catalogue
from safelight.custody.disk import WORK, recover
from safelight.custody.entry import Act, Entry
from safelight.custody.keys import Ask, Keys, unlock
from safelight.custody.log import CHECKPOINT, ENTRIES, Leaf, leaves, read_checkpoint, read_entry
from safelight.custody.merkle import Tree, root_of
from safelight.custody.note import BadNote, Checkpoint, Verifier
from safelight.custody.seal import NotSealed, unseal_stream
from safelight.errors import SafelightError


@dataclass(frozen=True)
class Problem:
    """What is wrong with which file (relative to the case); ``since``: when it was last known to be right."""

    file: str
    what: str
    since: str = ""

    def __str__(self) -> str:
        return f"{self.file}: {self.what}" + (f" (right at {self.since})" if self.since else "")


@dataclass
class Report:
    """The result. ``opened``: whether a key was there to look inside; ``stamps``: proven times of checkpoints."""

    problems: list[Problem] = field(default_factory=list)
    originals: int = 0
    entries: int = 0
    checkpoint: str = ""
    opened: bool = False
    stamps: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Nothing is wrong."""
        return not self.problems

    @property
    def sentence(self) -> str:
        """The one line."""
        if self.whole:
            how = "" if self.opened else " as far as can be seen without a key"
            return f"The case is whole{how}: {self.originals} originals, {self.entries} acts in the log."
        more = f" and {len(self.problems) - 1} more" if len(self.problems) > 1 else ""
        return f"The case is NOT whole: {self.problems[0]}{more}."


def verify(
    case: Path, keys: Keys | None, *, older: list[str] | None = None, progress: Callable[[str], None] | None = None
) -> Report:
    """Check a case from the outside in.

    ``older``: checkpoints that somebody kept: the log must have grown out of each. Raises only what
    :meth:`Facts.load` raises for something that is no case at all or a newer one, SL-CASE-NOT-FOUND, SL-CASE-VERSION.
    """
    told = progress or (lambda name: None)
    check = _Check(case, keys, told)
    check.own_files()
    check.log(older or [])
    check.store()
    check.strangers()
    check.report.problems.sort(key=lambda problem: problem.file)
    return check.report


def examine(path: Path, *, identity: Path | None, ask: Ask, older: list[str], without_key: bool = False) -> Report:
    """Lock a case, check it, and note in its log that it was found whole (if a key is there and it can be written to).

    Raises what :func:`verify` raises, SL-CASE-LOCKED, and SL-CASE-NO-KEY or SL-CASE-WRONG-KEY when nothing but the key
    is wrong; where keys do not open a damaged case, the report says what can be seen from outside.
    """
    if not (path / FACTS).exists() and not (path / CONTROL).exists():
        Facts.load(path)  # raises: there is no case at all
    with locked(path, MOMENT):
        recover(path)
        keys, refused = None, None
        try:
            keys = None if without_key else unlock(path / KEYS, identity=identity, ask=ask)
        except SafelightError as error:
            refused = error
        report = verify(path, keys, older=older)
        if refused is not None and report.whole:
            raise refused
        if report.whole and keys is not None and os.access(path, os.W_OK):
            facts = Facts.load(path)
            with Catalogue(IN_MEMORY, facts.id) as tables:
                Case(path, keys, facts, tables).note(Act.VERIFIED)
        return report


class _Check:
    def __init__(self, case: Path, keys: Keys | None, told: Callable[[str], None]) -> None:
        self.case = case
        self.keys = keys
        self.told = told
        self.report = Report(opened=keys is not None)
        self.expected: set[str] = set()  # every file that may be there
        self.entries: list[tuple[Leaf, Entry]] = []
        self.whole_at = ""  # the last time somebody found the case whole
        facts = self._facts()
        self.verifier = keys.signer.verifier if keys else facts.verifier if facts else None

    def bad(self, file: str, what: str, since: str = "") -> None:
        """Note a problem, one a file."""
        if all(problem.file != file for problem in self.report.problems):
            self.report.problems.append(Problem(file, what, max(since, self.whole_at if since else "")))

    def _facts(self) -> Facts | None:
        try:
            return Facts.load(self.case)
        except SafelightError as error:
            if error.code.value in ("SL-CASE-NOT-FOUND", "SL-CASE-VERSION") and not (self.case / CONTROL).exists():
                raise
            self.bad(FACTS, "it is not what was written")
            return None

    def own_files(self) -> None:
        """The case's own unchanging files against the signed list of them."""
        self.expected |= {CONTROL, FACTS}
        try:
            text = (self.case / CONTROL).read_bytes().decode()
            listed = (self.verifier.check(text) if self.verifier else text.rpartition("\n\n")[0] + "\n").splitlines()
        except (OSError, UnicodeDecodeError, BadNote) as error:
            self.bad(CONTROL, f"the list of the case's own files does not hold: {_why(error)}")
            return
        for line in listed:
            digest, _, name = line.partition("  ")
            self.expected.add(name)
            found = _sha256(self.case / name)
            if found != digest:
                self.bad(name, "it is missing" if found is None else "it is not what was written")

    def log(self, older: list[str]) -> None:
        """Checkpoint, tree, entries, and checkpoints that were kept elsewhere."""
        if self.verifier is None:
            return
        head, name = None, f"{LOG}/{CHECKPOINT}"
        self.expected.add(name)
        try:
            head = read_checkpoint(self.case / name, self.verifier)
            self.report.checkpoint = (self.case / name).read_text()
        except SafelightError as error:
            self.bad(name, error.detail)
        found = self._leaves()
        tree = Tree([leaf.hash for leaf in found])
        self.report.entries = len(found)
        if head is not None and (head.size, head.root) != (len(found), tree.root):
            self.bad(
                name,
                f"it speaks of {head.size} entries, and {len(found)} lie there"
                if head.size != len(found)
                else "it was signed over other entries",
            )
        if head is not None:
            for missing in range(len(found), head.size):
                self.bad(f"{LOG}/{ENTRIES}/{missing:08}", "this entry is missing")
            for leaf in found[head.size :]:
                self.bad(self._name(leaf.path), "the checkpoint does not speak of this entry")
        if self.keys is not None:
            self._open(found, self.keys)
        for text in older:
            self._kept(text, tree, self.verifier)

    def _leaves(self) -> list[Leaf]:
        folder = self.case / LOG
        found = leaves(folder) if (folder / ENTRIES).is_dir() else []
        good: list[Leaf] = []
        for leaf in found:
            name = self._name(leaf.path)
            self.expected.add(name)
            if not leaf.undamaged:
                self.bad(name, "it is not the entry that was written")
            while len(good) < leaf.index:
                missing = len(good)
                self.bad(f"{LOG}/{ENTRIES}/{missing:08}", "this entry is missing")
                good.append(Leaf(missing, bytes(32), "", folder))
            if leaf.index < len(good):
                self.bad(name, "there are two entries of this number")
            else:
                good.append(leaf)
        return good

    def _open(self, found: list[Leaf], keys: Keys) -> None:
        for leaf in found:
            if leaf.path == self.case / LOG:
                continue  # missing, and told so
            try:
                entry = read_entry(leaf, keys.case)
            except SafelightError:
                self.bad(self._name(leaf.path), "it is not the entry that was written")
                continue
            self.entries.append((leaf, entry))
            if entry.act is Act.VERIFIED:
                self.whole_at = entry.time
        control: dict[str, tuple[str, str]] = {}
        for _, entry in self.entries:
            control |= {name: (digest, entry.time) for name, digest in entry.files.items()}
        for name, (digest, time) in control.items():
            self.expected.add(name)
            actual = _sha256(self.case / name)
            if actual != digest:
                self.bad(name, "it is missing" if actual is None else "it is not what was written", time)
        for name, said in timestamp.proven(self.case / LOG):
            if isinstance(said, SafelightError):
                self.bad(f"{LOG}/{name}", said.detail)
            else:
                self.report.stamps.append(said)

    def _kept(self, text: str, tree: Tree, verifier: Verifier) -> None:
        name = f"{LOG}/{CHECKPOINT}"
        try:
            kept = Checkpoint.parse(text, verifier)
        except BadNote as error:
            self.bad("kept checkpoint", f"it is not of this case: {error}")
            return
        if kept.size > len(tree.leaves):
            self.bad(
                name, f"the log is shorter than the kept checkpoint says ({kept.size} entries): it was rolled back"
            )
        elif root_of(tree.leaves[: kept.size]) != kept.root:
            self.bad(name, f"the log has not grown out of the kept checkpoint of {kept.size} entries: it was rewritten")

    def store(self) -> None:
        """Every object."""
        root = self.case / STORE
        logged: dict[str, list[Entry]] = {}
        for _, entry in self.entries:
            if entry.object is not None:
                logged.setdefault(entry.object, []).append(entry)
        places = {root / ocfl.place_of(name): name for name in logged}
        marks = {path.parent for path in root.rglob(ocfl.OBJECT_MARK[0])} | set(places)
        for place in sorted(marks):
            self.told(place.name[:8])
            known = logged.get(places.get(place, ""))
            if self.keys is not None and known is None:
                self.bad(self._name(place), "the log knows of no such object")
            self._object(place, known or [])

    def _object(self, place: Path, known: list[Entry]) -> None:
        times = {entry.version: entry.time for entry in known}
        digests = {entry.version: entry.inventory for entry in known}
        mark = place / ocfl.OBJECT_MARK[0]
        self._exactly(mark, ocfl.OBJECT_MARK[1].encode(), times.get(1, ""))
        head = self._inventory(place, digests.get(len(known)) if known else None, times.get(len(known), ""))
        for version in range(1, (head.version if head else len(known)) + 1):
            self._inventory(place / f"v{version}", digests.get(version), times.get(version, ""))
        if head is None:
            head = self._last_whole(place, digests)
        if head is None:
            self.report.originals += not known or known[0].clip is not None
            return
        self.report.originals += ORIGINAL in head.states[-1]
        for digest, path in head.manifest.items():
            number = (
                int(path.partition("/")[0][1:]) if path[:1] == "v" and path.partition("/")[0][1:].isdecimal() else 0
            )
            self._content(place / path, digest, times.get(number, ""), known[0] if known and number == 1 else None)

    def _last_whole(self, place: Path, digests: dict[int | None, str | None]) -> ocfl.Inventory | None:
        """The inventory in the newest version's folder, where the one in the object's root does not hold."""
        for version in sorted((v for v in digests if v), reverse=True):
            path = place / f"v{version}" / ocfl.INVENTORY
            if _sha256(path) == digests[version]:
                return ocfl.Inventory.parse(path.read_bytes())
        return None

    def _inventory(self, folder: Path, logged: str | None, since: str) -> ocfl.Inventory | None:
        path = folder / ocfl.INVENTORY
        self.expected.add(self._name(path))
        digest = _sha256(path)
        self._exactly(folder / ocfl.SIDECAR, ocfl.sidecar(logged or digest or ""), since)
        if digest is None:
            self.bad(self._name(path), "it is missing", since)
            return None
        try:
            if logged not in (None, digest):
                raise ValueError("it is not what was written")
            return ocfl.Inventory.parse(path.read_bytes())
        except ValueError as error:
            self.bad(self._name(path), str(error), since)
            return None

    def _content(self, path: Path, digest: str, since: str, sealed: Entry | None) -> None:
        name = self._name(path)
        self.expected.add(name)
        about = sealed.about if sealed is not None and path.name == ORIGINAL else None
        try:
            with path.open("rb", buffering=0) as file:
                if self.keys is not None and about is not None:
                    plain, whole = unseal_stream(file.fileno(), len, self.keys.case)
                    if plain != about.sha256:
                        raise NotSealed
                else:
                    whole = hashlib.file_digest(file, "sha256").hexdigest()
            if whole != digest:
                raise NotSealed
        except NotSealed:
            self.bad(name, "it is not what was sealed", since)
        except OSError as error:
            self.bad(name, _why(error), since)

    def _exactly(self, path: Path, data: bytes, since: str) -> None:
        name = self._name(path)
        self.expected.add(name)
        try:
            if path.read_bytes() != data:
                self.bad(name, "it is not what was written", since)
        except OSError as error:
            self.bad(name, _why(error), since)

    def strangers(self) -> None:
        """Files that nothing speaks of; what only the log's entries speak of needs a key."""
        if self.keys is None:
            self.expected |= {self._name(path) for path in (self.case / LOG / timestamp.FOLDER).glob("*")}
        for path in self.case.rglob("*"):
            name = self._name(path)
            inside = name.split("/")[0] != WORK
            if inside and (path.is_symlink() or not path.is_dir()) and name not in self.expected:
                self.bad(name, "nothing in the case speaks of this file")

    def _name(self, path: Path) -> str:
        return path.relative_to(self.case).as_posix()


def _sha256(path: Path) -> str | None:
    """Of a file, in hex; None when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "it is missing"
    return f"it cannot be read ({os.strerror(error.errno or errno.EIO)})" if isinstance(error, OSError) else str(error)
