"""Hand-over: chosen clips of a case as a BagIt package, encrypted to another desk, with proofs out of the log.

The list of protected names goes along only when it is asked for.

Inside the bag the payload is an OCFL root again, and beside it lie the log's entries about these clips, each with an
inclusion proof, and nothing about any other clip. Where a checkpoint has a trusted time, that goes along, with a proof
for each entry that is older. The receiver needs age, sha256sum, openssl and the log's key, not Safelight.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import bagit
from pydantic import ValidationError
from pyrage.x25519 import Identity, Recipient

from safelight.custody import ocfl, timestamp
from safelight.custody.case import LOG, ORIGINAL, STORE, Case
from safelight.custody.catalogue import Clip, Papers
from safelight.custody.disk import sync_tree, write_new
from safelight.custody.entry import Act, Entry
from safelight.custody.log import read_entry
from safelight.custody.merkle import inclusion, leaf_hash, root_by_inclusion
from safelight.custody.note import BadNote, Checkpoint, Verifier, proof, read_proof
from safelight.custody.seal import NotSealed, recipient, reseal_stream, seal, unseal, unseal_stream
from safelight.errors import Code, SafelightError
from safelight.inputs import printable
from safelight.outputs import private_folder, writing

KEY = "key"
CHECKPOINT = "checkpoint"
_UNPROVEN = (BadNote, NotSealed, ValidationError, OSError, UnicodeDecodeError)
README = """This is a BagIt package made by Safelight.

Check it:        sha256sum -c manifest-sha256.txt
Open a file:     age -d -i your.key data/store/.../v1/content/original.age > original
The log:         data/log/key is the public key, data/log/checkpoint the signed head (c2sp.org/tlog-checkpoint);
                 NNNNNNNN.json.age is an entry, NNNNNNNN.tlog-proof proves that it is in the log (c2sp.org/tlog-proof).
Trusted times:   data/log/timestamps, if there are any (RFC 3161); N/NNNNNNNN.tlog-proof: the entry was in N.checkpoint
                 openssl ts -verify -data N.checkpoint -in N.tsr -CAfile N.pem   (compare N.pem with the service's own)
Compare data/log/key with the key that the other desk tells you by another way.
"""


def export(case: Case, clips: list[Clip], folder: Path, recipients: list[str], *, names: bool = False) -> None:
    """Write the package ``folder``, whole or not at all; the case's log says that it was made, and for whom.

    ``names``: with the case's list of protected names, every older version of which stays at home.

    Raises SL-CASE-IN-THE-WAY, SL-RECIPIENT-INVALID, SL-CASE-BROKEN for an original that is not what was sealed,
    SL-NOT-FOUND when there are no names, SL-DISK-FULL, SL-NOT-WRITABLE.
    """
    if folder.exists():
        raise SafelightError(Code.CASE_IN_THE_WAY, "Something lies there already.", file=printable(folder))
    to = [recipient(text) for text in recipients]
    if not to:
        raise SafelightError(Code.RECIPIENT_INVALID, "Nobody was named who could open the package.")
    papers = case.catalogue.papers() if names else None
    if names and papers is None:
        raise SafelightError(Code.NOT_FOUND, "There is no list of names in the case.", file=printable(case.path))
    with private_folder(folder.parent) as work, writing(folder.parent):
        bag = work / "bag"
        (bag / LOG).mkdir(parents=True, mode=0o700)
        (bag / STORE).mkdir(mode=0o700)
        ocfl.write_root(bag / STORE)
        chosen: list[Clip | Papers] = [*clips, *([papers] if papers else [])]
        for of in chosen:
            _object(case, of, bag / STORE, to)
        told = [*(clip.name for clip in clips), *(["names"] if papers else [])]
        case.note(Act.EXPORTED, note=f"{', '.join(told)} to {', '.join(map(str, to))}")
        _log(case, {of.object for of in chosen}, {clip.number for clip in clips}, bag / LOG, to)
        write_new(bag / "README.txt", README.encode())
        made = bagit.make_bag(str(bag), {"Source-Organization": case.facts.id}, checksums=["sha256"])
        made.save()
        sync_tree(bag)
        bag.rename(folder)


def _object(case: Case, of: Clip | Papers, store: Path, to: list[Recipient]) -> None:
    """An object with its newest documents as the first version of a new one, under the same identifier."""
    place, inventory = case.object(of)
    target = store / ocfl.place_of(of.object)
    content = target / "v1" / "content"
    content.mkdir(parents=True, mode=0o700)
    added = {}
    for name in inventory.states[-1]:
        path = place / (inventory.path(name) or "")
        try:
            with path.open("rb", buffering=0) as sealed:
                digests = reseal_stream(sealed.fileno(), content / name, case.keys.case, to, name=printable(path))
        except NotSealed as error:
            raise SafelightError(Code.CASE_BROKEN, "It is not what was sealed.", file=printable(path)) from error
        if name == ORIGINAL and isinstance(of, Clip) and digests.sha256 != of.sha256:
            raise SafelightError(Code.CASE_BROKEN, "It is not what was sealed.", file=printable(path))
        added[name] = digests.sealed
    fresh = ocfl.Inventory(of.object).next(added)
    write_new(target / ocfl.OBJECT_MARK[0], ocfl.OBJECT_MARK[1].encode())
    ocfl.write_inventory(target / "v1", fresh)
    ocfl.write_inventory(target, fresh)


def _log(case: Case, objects: set[str], numbers: set[int], folder: Path, to: list[Recipient]) -> None:
    leaves = case.leaves()
    hashes = [leaf.hash for leaf in leaves]
    checkpoint = case.signed_checkpoint
    told: list[int] = []
    write_new(folder / KEY, f"{case.facts.log}\n".encode())
    write_new(folder / CHECKPOINT, checkpoint.encode())
    for leaf in leaves:
        entry = read_entry(leaf, case.keys.case)
        if entry.clip in numbers or entry.object in objects:
            write_new(folder / f"{leaf.index:08}.json.age", seal(entry.to_bytes(), to))
            text = proof(leaf.index, inclusion(leaf.index, hashes), checkpoint)
            write_new(folder / f"{leaf.index:08}.tlog-proof", text.encode())
            told.append(leaf.index)
    _times(case.path / LOG / timestamp.FOLDER, told, hashes, folder / timestamp.FOLDER)


def _times(kept: Path, told: list[int], hashes: list[bytes], folder: Path) -> None:
    """For each entry that is told, the oldest checkpoint with a trusted time that has it, and the proof that it has."""
    proven = 0  # entries before this one have theirs
    for reply in sorted(kept.glob("*.tsr")):
        size = int(reply.stem)
        here = [index for index in told if proven <= index < size]
        proven = max(proven, size)
        if not here:
            continue
        (folder / reply.stem).mkdir(parents=True, mode=0o700)
        for ending in timestamp.ENDINGS:
            write_new(folder / f"{reply.stem}{ending}", reply.with_suffix(ending).read_bytes())
        checkpoint = reply.with_suffix(".checkpoint").read_text()
        for index in here:
            text = proof(index, inclusion(index, hashes[:size]), checkpoint)
            write_new(folder / reply.stem / f"{index:08}.tlog-proof", text.encode())


@dataclass(frozen=True)
class Checked:
    """What a package was found to be. ``key``: of its log, to be compared elsewhere; ``problems``: file and why;
    ``times``: which acts existed when, by a trusted clock.
    """

    key: str
    originals: int
    entries: int
    problems: list[str]
    opened: bool
    times: list[str] = field(default_factory=list)


def is_package(folder: Path) -> bool:
    """Whether this is a package and no case."""
    return (folder / "bagit.txt").is_file() and (folder / "data" / LOG / KEY).is_file()


def check(folder: Path, identity: Identity | None, *, key: str | None = None) -> Checked:
    """Check a package: every byte against the bag, every proof against the log's key; with our key also the insides.

    ``key``: the log's key as the other desk told it; without it the package's own is taken, which proves only that the
    package is of one piece.
    """
    problems: list[str] = []
    try:
        bagit.Bag(str(folder)).validate()
    except bagit.BagValidationError as error:
        problems += [str(detail) for detail in error.details] or [str(error)]
    except (bagit.BagError, OSError) as error:
        problems.append(str(error))
    log = folder / "data" / LOG
    told = key or (log / KEY).read_text().strip()
    try:
        verifier, note = Verifier.parse(told), (log / CHECKPOINT).read_text()
        head = Checkpoint.parse(note, verifier)
    except (BadNote, OSError, UnicodeDecodeError) as error:
        return Checked(told, 0, 0, [*problems, f"data/log/checkpoint: {error}"], identity is not None)
    originals = sorted((folder / "data" / STORE).rglob(ORIGINAL))
    proofs = sorted(log.glob("*.tlog-proof"))
    entries = []
    for path in proofs:
        try:
            entries += _proven(path, log, note, head, identity)
        except _UNPROVEN as error:
            problems.append(f"data/log/{path.name}: it does not hold ({error})")
    if identity is not None:
        problems += _insides(folder, originals, entries, identity)
    times = _existed(log, verifier, identity, problems)
    return Checked(told, len(originals), len(proofs), problems, identity is not None, times)


def _existed(log: Path, verifier: Verifier, identity: Identity | None, problems: list[str]) -> list[str]:
    """What the trusted times in a package prove; what does not hold is added to ``problems``."""
    times = []
    for name, said in timestamp.proven(log):
        stem = Path(name).stem
        proofs = sorted((log / timestamp.FOLDER / stem).glob("*.tlog-proof"))
        try:
            if isinstance(said, SafelightError):
                raise BadNote(said.detail)
            note = (log / timestamp.FOLDER / f"{stem}.checkpoint").read_text()
            head = Checkpoint.parse(note, verifier)
            for path in proofs:
                _proven(path, log, note, head, identity)
        except _UNPROVEN as error:
            problems.append(f"data/log/{name}: it does not hold ({error})")
            continue
        acts = ", ".join(str(int(path.stem)) for path in proofs)
        times.append(f"{said}, with acts {acts}; trusted: data/log/{timestamp.FOLDER}/{stem}.pem")
    return times


def _proven(path: Path, log: Path, note: str, head: Checkpoint, identity: Identity | None) -> list[Entry]:
    """The entry that a proof is for, if a key opens it. ``note``, ``head``: the checkpoint. Raises ``_UNPROVEN``."""
    index, steps, signed = read_proof(path.read_bytes().decode())
    if path.stem != f"{index:08}" or signed != note:
        raise BadNote("it is for another entry or checkpoint")
    if identity is None:
        return []
    data = unseal((log / f"{path.stem}.json.age").read_bytes(), identity)
    if root_by_inclusion(index, head.size, leaf_hash(data), steps) != head.root:
        raise BadNote("the entry is not in the log")
    return [Entry.parse(data)]


def _insides(folder: Path, originals: list[Path], entries: list[Entry], identity: Identity) -> list[str]:
    """What is wrong with the originals, measured by the entries that are proven."""
    problems = []
    wanted = {entry.about.sha256 for entry in entries if entry.act is Act.SEALED and entry.about is not None}
    for path in originals:
        name = path.relative_to(folder).as_posix()
        try:
            with path.open("rb", buffering=0) as sealed:
                plain, _ = unseal_stream(sealed.fileno(), len, identity)
        except (NotSealed, OSError) as error:
            problems.append(f"{name}: it cannot be opened ({error})")
            continue
        if plain not in wanted:
            problems.append(f"{name}: the log does not speak of it")
        wanted.discard(plain)
    return problems + [f"an original that the log speaks of is missing (sha256 {digest})" for digest in sorted(wanted)]
