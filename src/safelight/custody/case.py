"""A case: a folder that can lie on a stick. Made, opened by a member, and changed only by acts that the log holds."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from pyrage.x25519 import Identity

from safelight.custody import ocfl
from safelight.custody.catalogue import IN_MEMORY, Catalogue, Clip, Papers
from safelight.custody.disk import JOURNAL, WORK, commit, make_folder, recover, sweep, sync_tree, write_new
from safelight.custody.entry import Act, Entry
from safelight.custody.keys import Ask, Keys, files_of, new_member, unlock
from safelight.custody.log import CHECKPOINT, ENTRIES, Leaf, entry_name, leaves, read_checkpoint, read_entry, tree_of
from safelight.custody.merkle import Tree, leaf_hash
from safelight.custody.note import BadNote, Checkpoint, Signer, Verifier
from safelight.custody.seal import NotSealed, seal, unseal
from safelight.errors import Code, SafelightError
from safelight.inputs import printable
from safelight.outputs import private_folder, writing

FORMAT = "safelight-case"
VERSION = 1
FACTS = "case.json"
CONTROL = "control"
STORE = "store"
LOG = "log"
KEYS = "keys"
ORIGINAL = "original.age"
ABOUT = "about.age"
MOMENT = 1.0  # seconds to wait for a process that locks the case for one act only
_PAUSE = 0.01  # seconds between two tries


class Facts(BaseModel):
    """What anybody may know about a case. ``log``: the key that checks the log's signatures."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str
    version: int
    id: str
    log: str

    @classmethod
    def load(cls, case: Path) -> Facts:
        """Read a case's facts. Raises SL-CASE-NOT-FOUND, SL-CASE-VERSION, SL-CASE-BROKEN."""
        path = case / FACTS
        try:
            told = json.loads(path.read_bytes())
            version = int(told["version"]) if told["format"] == FORMAT else 0
        except (FileNotFoundError, NotADirectoryError) as error:
            raise SafelightError(Code.CASE_NOT_FOUND, "There is no case.", file=printable(case)) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _broken(path, "This file cannot be read.") from error
        if version > VERSION:
            raise SafelightError(Code.CASE_VERSION, f"This is a case of version {version}.", file=printable(case))
        try:
            return cls.model_validate(told)
        except ValidationError as error:
            raise _broken(path, "This file cannot be read.") from error

    @property
    def verifier(self) -> Verifier:
        """The log's key. Raises SL-CASE-BROKEN."""
        try:
            return Verifier.parse(self.log)
        except BadNote as error:
            raise SafelightError(Code.CASE_BROKEN, f"{error}.", file=FACTS) from error


def create(path: Path, member: str, *, recipient: str | None, passphrase: str | None) -> None:
    """Make a new case with its first member, whole or not at all.

    Raises SL-CASE-IN-THE-WAY when something has the name, SL-CASE-NO-KEY, SL-RECIPIENT-INVALID, SL-DISK-FULL.
    """
    if os.path.lexists(path):
        raise SafelightError(Code.CASE_IN_THE_WAY, "Something lies there already.", file=printable(path))
    identifier = secrets.token_hex(8)
    first, own = new_member(member, recipient, passphrase, f"member-{secrets.token_hex(4)}.age")
    signer = Signer(f"safelight/case/{identifier}", secrets.token_bytes(32))
    keys = Keys(member, Identity.generate(), signer, [first])
    facts = Facts(format=FORMAT, version=VERSION, id=identifier, log=str(signer.verifier))
    with private_folder(path.parent) as work, writing(path.parent):
        new = work / "case"
        for folder in (KEYS, WORK, f"{LOG}/{ENTRIES}", STORE):
            (new / folder).mkdir(parents=True, mode=0o700)
        write_new(new / FACTS, ocfl.as_json(facts.model_dump()))
        ocfl.write_root(new / STORE)
        for name, data in {**own, **files_of(keys)}.items():
            write_new(new / KEYS / name, data)
        control = signer.sign(control_text(new))
        write_new(new / CONTROL, control.encode())
        entry = Entry.make(Act.MADE, member, files={CONTROL: sha256(control.encode())})
        tree = Tree([leaf_hash(entry.to_bytes())])
        sealed = seal(entry.to_bytes(), [keys.to])
        write_new(new / LOG / ENTRIES / entry_name(0, tree.leaves[0], sealed), sealed)
        head = Checkpoint(signer.name, 1, tree.root)
        write_new(new / LOG / CHECKPOINT, signer.sign(head.text).encode())
        sync_tree(new)
        new.rename(path)


def control_text(case: Path) -> str:
    """The list of a case's own unchanging files, as sha256sum prints it."""
    files = [case / FACTS, *(case / KEYS).iterdir(), *_store_files(case / STORE)]
    return "".join(f"{sha256(path.read_bytes())}  {path.relative_to(case).as_posix()}\n" for path in sorted(files))


def _store_files(store: Path) -> list[Path]:
    names = (ocfl.ROOT_MARK[0], "ocfl_layout.json", f"extensions/{ocfl.EXTENSION}/config.json")
    return [store / name for name in names]


def sha256(data: bytes) -> str:
    """In hex."""
    return hashlib.sha256(data).hexdigest()


class Case:
    """An opened case, locked against other processes: always (:func:`opened`) or for each act (``shared``)."""

    def __init__(self, path: Path, keys: Keys, facts: Facts, catalogue: Catalogue) -> None:
        self.path = path
        self.keys = keys
        self.facts = facts
        self.catalogue = catalogue
        self.checkpoint = read_checkpoint(path / LOG / CHECKPOINT, facts.verifier)
        self._tree = tree_of(path / LOG, self.checkpoint)
        self._behind = False
        self._feed()

    def _feed(self) -> None:
        size, root = self.catalogue.head
        if size > self.checkpoint.size or (size and Tree(self._tree.leaves[:size]).root.hex() != root):
            self.catalogue.clear()  # of another time or another log: it has nothing that the log has not
            size = 0
        new = [(leaf.index, read_entry(leaf, self.keys.case)) for leaf in self.leaves()[size:]]
        self.catalogue.feed(new, self.checkpoint.size, self.checkpoint.root)

    def catch_up(self) -> None:
        """Read what other processes did since it was read last. With the case locked and tidy.

        Raises SL-CASE-BROKEN when the log is not the one that was read, grown.
        """
        head = read_checkpoint(self.path / LOG / CHECKPOINT, self.facts.verifier)
        if head == self.checkpoint and not self._behind:
            return
        tree = tree_of(self.path / LOG, head)
        if head.size < self.checkpoint.size or Tree(tree.leaves[: self.checkpoint.size]).root != self.checkpoint.root:
            raise _broken(self.path / LOG, "The log is not the one that was read before.")
        self.checkpoint, self._tree, self._behind = head, tree, False
        self._feed()

    def leaves(self) -> list[Leaf]:
        """The entries of the log, as they lie there."""
        return leaves(self.path / LOG)

    @property
    def signed_checkpoint(self) -> str:
        """The newest checkpoint, to be kept by somebody outside of the house."""
        return (self.path / LOG / CHECKPOINT).read_text()

    def clip(self, word: str) -> Clip:
        """The clip that a person means: by name (clip-0007), number, file name, or the beginning of its sha256.

        Raises SL-CASE-NO-CLIP when there is none, or more than one.
        """
        clips = self.catalogue.clips()
        exact = [c for c in clips if word in (c.name, str(c.number), c.path)]
        found = exact or [
            c for c in clips if Path(c.path).name == word or (len(word) >= 8 and c.sha256.startswith(word))
        ]
        if len(found) != 1:
            many = "More than one clip goes" if found else "No clip goes"
            raise SafelightError(Code.CASE_NO_CLIP, f"{many} by this name.", file=printable(Path(word)))
        return found[0]

    def act(self, *entries: Entry, moves: list[tuple[Path, Path]] | None = None) -> None:
        """Let acts happen: staged files go to their places and the log says so, all of it or none of it.

        Raises SL-DISK-FULL, SL-NOT-WRITABLE; then nothing has happened, or the next command on the case finishes it.
        """
        if self._behind:
            raise SafelightError(Code.NOT_WRITABLE, "An act before this one is unfinished.", file=printable(self.path))
        with self.staging() as stage, writing(self.path):
            moves = list(moves or [])
            tree = self._tree.copy()
            places = []
            for entry in entries:
                leaf, sealed = leaf_hash(entry.to_bytes()), seal(entry.to_bytes(), [self.keys.to])
                name = entry_name(len(tree.leaves), leaf, sealed)
                places.append(len(tree.leaves))
                tree.append(leaf)
                write_new(stage / name, sealed)
                moves.append((stage / name, self.path / LOG / ENTRIES / name))
            head = Checkpoint(self.keys.signer.name, len(tree.leaves), tree.root)
            write_new(stage / CHECKPOINT, self.keys.signer.sign(head.text).encode())
            moves.append((stage / CHECKPOINT, self.path / LOG / CHECKPOINT))
            self._behind = True  # until it is known that what is in memory is what lies on the disk
            commit(self.path, moves)
            self._behind = False
        self.checkpoint, self._tree = head, tree
        self.catalogue.feed(zip(places, entries, strict=True), head.size, head.root)

    def note(self, act: Act, clip: Clip | None = None, note: str = "") -> None:
        """Log an act that changes no file of the case."""
        self.act(self.entry(act, clip=clip.number if clip else None, note=note))

    def entry(self, act: Act, **more: object) -> Entry:
        """An act of the member who opened the case, now."""
        return Entry.make(act, self.keys.who, **more)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A folder inside the case for what is not yet part of it. Only sealed things may be written there."""
        stage = self.path / WORK / secrets.token_hex(4)
        with writing(self.path):
            stage.mkdir(mode=0o700)
        try:
            yield stage
        finally:
            if not (self.path / WORK / JOURNAL).exists():  # else the next command still needs what is staged
                shutil.rmtree(stage, ignore_errors=True)  # what stays is swept when the case is opened next

    def object(self, of: Clip | Papers) -> tuple[Path, ocfl.Inventory]:
        """Where an object lies, and its inventory. Raises SL-CASE-BROKEN when it is not the one logged."""
        place = self.path / STORE / ocfl.place_of(of.object)
        path = place / ocfl.INVENTORY
        try:
            data = path.read_bytes()
            if sha256(data) != of.inventory:
                raise ValueError("not the inventory that was logged")
            return place, ocfl.Inventory.parse(data)
        except (OSError, ValueError) as error:
            raise _broken(path, "The inventory is not what was written.") from error

    def _newest(self, clip: Clip | None) -> tuple[Path, ocfl.Inventory] | None:
        """:meth:`object` of a clip as it is now, or, without a clip, of the whole case; None where none is yet."""
        of = self.clip(clip.name) if clip is not None else self.catalogue.papers()
        return self.object(of) if of is not None else None

    def seal_documents(self, clip: Clip | None, documents: dict[str, bytes], act: Act, note: str = "") -> None:
        """Seal documents (kind → bytes: plan, account, sheet, …) as the next version of a clip's object.

        Without a clip they are the whole case's (kind: names), which has an object of its own.
        """
        newest = self._newest(clip)
        with self.staging() as stage, writing(self.path):
            if newest is None:
                inventory = ocfl.Inventory(f"urn:uuid:{uuid.uuid4()}")
                place = self.path / STORE / ocfl.place_of(inventory.identifier)
                write_new(stage / ocfl.OBJECT_MARK[0], ocfl.OBJECT_MARK[1].encode())
            else:
                place, inventory = newest
            version = stage / f"v{inventory.version + 1}"
            content = version / "content"
            content.mkdir(parents=True, mode=0o700)
            added = {}
            for kind, data in documents.items():
                sealed = seal(data, [self.keys.to])
                write_new(content / f"{kind}.age", sealed)
                added[f"{kind}.age"] = sha256(sealed)
            inventory = inventory.next(added)
            digest = ocfl.write_inventory(version, inventory)
            ocfl.write_inventory(stage, inventory)
            sync_tree(stage)
            names = (version.name, ocfl.INVENTORY, ocfl.SIDECAR, *([] if newest else [ocfl.OBJECT_MARK[0]]))
            moves = [(stage / name, place / name) for name in names]
            entry = self.entry(
                act,
                clip=clip.number if clip is not None else None,
                object=inventory.identifier,
                version=inventory.version,
                inventory=digest,
                kinds=sorted(documents),
                note=note,
            )
            self.act(entry, moves=moves)

    def document(self, clip: Clip | None, kind: str) -> bytes | None:
        """The newest document of a clip, or of the whole case; None when there is none. Raises SL-CASE-BROKEN."""
        newest = self._newest(clip)
        if newest is None:
            return None
        place, inventory = newest
        path = inventory.path(f"{kind}.age")
        if path is None:
            return None
        try:
            data = (place / path).read_bytes()
            if sha256(data) != inventory.states[-1][f"{kind}.age"]:
                raise NotSealed("another version of it, or none of ours")
            return unseal(data, self.keys.case)
        except (OSError, NotSealed) as error:
            raise _broken(place / path, "It is not what was sealed.") from error

    def sealed_sha256(self, clip: Clip | None, kind: str) -> str | None:
        """The hash of :meth:`document` as it is sealed: another one with each sealing. None when there is none."""
        newest = self._newest(clip)
        return newest[1].states[-1].get(f"{kind}.age") if newest is not None else None

    def add_member(self, name: str, *, recipient: str | None, passphrase: str | None) -> None:
        """Let one more person open the case. Raises SL-RECIPIENT-INVALID, SL-CASE-NO-KEY."""
        member, own = new_member(name, recipient, passphrase, f"member-{secrets.token_hex(4)}.age")
        keys = Keys(self.keys.who, self.keys.case, self.keys.signer, [*self.keys.members, member])
        with self.staging() as stage, writing(self.path):
            moves = []
            written = {f"{KEYS}/{file}": data for file, data in {**own, **files_of(keys)}.items()}
            lines = dict(line.split("  ")[::-1] for line in control_text(self.path).splitlines())
            lines |= {file: sha256(data) for file, data in written.items()}
            text = "".join(f"{digest}  {file}\n" for file, digest in sorted(lines.items()))
            written[CONTROL] = keys.signer.sign(text).encode()
            for number, (file, data) in enumerate(written.items()):
                write_new(stage / str(number), data)
                moves.append((stage / str(number), self.path / file))
            entry = self.entry(Act.MEMBER, files={CONTROL: sha256(written[CONTROL])}, note=name)
            self.act(entry, moves=moves)
        self.keys = keys


@contextmanager
def opened(path: Path, *, identity: Path | None = None, ask: Ask, catalogue: str = IN_MEMORY) -> Iterator[Case]:
    """Open a case for its members, one process at a time; finish or sweep what a killed one left.

    Raises SL-CASE-NOT-FOUND, SL-CASE-VERSION, SL-CASE-LOCKED, SL-CASE-NO-KEY, SL-CASE-WRONG-KEY, SL-CASE-BROKEN,
    SL-CASE-CATALOGUE.
    """
    facts = Facts.load(path)
    with locked(path, MOMENT):
        tidy(path)
        keys = unlocked(path, facts, identity=identity, ask=ask)
        with Catalogue(catalogue, facts.id) as tables:
            yield Case(path, keys, facts, tables)


def tidy(path: Path) -> None:
    """Finish or sweep what a killed process left. With the case locked. Raises SL-CASE-BROKEN, SL-DISK-FULL."""
    recover(path)
    make_folder(path / WORK)
    sweep(path)


def unlocked(path: Path, facts: Facts, *, identity: Path | None, ask: Ask) -> Keys:
    """The keys of a member. Raises SL-CASE-NO-KEY, SL-CASE-WRONG-KEY, SL-CASE-BROKEN."""
    keys = unlock(path / KEYS, identity=identity, ask=ask)
    if str(keys.signer.verifier) != facts.log:
        raise _broken(path / FACTS, "The key of the log is not the one that was written.")
    return keys


@contextmanager
def locked(path: Path, patience: float = 0.0) -> Iterator[None]:
    """Hold the case; wait for it at most ``patience`` seconds.

    The lock is the kernel's: it goes with its process, so a stale one cannot be. Raises SL-CASE-LOCKED with the number
    of the process that holds it, where the system tells.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    end = time.monotonic() + patience
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() < end:
                    time.sleep(_PAUSE)
                    continue
                who = _holder(os.fstat(descriptor).st_ino)
                raise SafelightError(
                    Code.CASE_LOCKED, f"Another process{who} is working in the case.", file=printable(path)
                ) from error
        yield
    finally:
        os.close(descriptor)


def _holder(inode: int) -> str:
    try:
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return ""  # not told on this system
    numbers = [line.split()[4] for line in lines if "FLOCK" in line and line.split()[5].endswith(f":{inode}")]
    return f" (number {numbers[0]})" if numbers else ""


def _broken(path: Path, what: str) -> SafelightError:
    return SafelightError(Code.CASE_BROKEN, what, file=printable(path))
