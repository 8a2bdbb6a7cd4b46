"""A folder of results as a place of clips: plans, copies, verdicts as `protect` leaves them, originals beside them."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from safelight.account import Account, FileFacts
from safelight.approval import Approval, CopyFacts, Signed, VerdictFacts
from safelight.attack.verdict import Verdict
from safelight.desk.hashes import Hashes
from safelight.desk.journal import now
from safelight.desk.risk import Hit
from safelight.desk.store import Entry, Signature, Standing
from safelight.errors import Code, SafelightError
from safelight.inputs import Original, printable
from safelight.kept import Kept
from safelight.observer import Observer
from safelight.outputs import COPIES, PRIVATE, Names, claimed, put, sync_folder, writing
from safelight.plan import Plan
from safelight.protect import protect_as_planned
from safelight.published import Published
from safelight.trial import MAX_VERDICT

_PLAN = ".safelight-plan.json"
T = TypeVar("T")


class Folder:
    """Clips whose plans lie in a folder or below it. One person confirms; there is no log but each clip's journal."""

    signatures = 1

    def __init__(self, folder: Path, originals: Path | None = None) -> None:
        """``originals``: where to look for the clips themselves, beside each plan's folder and the one above it.

        Raises SL-NOT-FOUND when either is no folder.
        """
        for place in (folder, originals):
            if place is not None and not place.is_dir():
                raise SafelightError(Code.NOT_FOUND, "There is no such folder.", file=printable(place))
        self._folder, self._originals = folder, originals
        self._names: dict[str, Names] = {}
        self._kept: dict[tuple[str, Path], tuple[object, Any]] = {}
        self._lock = threading.Lock()
        self._hashes = Hashes()

    @property
    def members(self) -> list[str]:
        """Anyone who gives a name."""
        return []

    def entries(self) -> list[Entry]:
        """All clips that have a plan, by name."""
        found: dict[str, Names] = {}
        for path in sorted(self._folder.rglob("*" + _PLAN)):
            below = path.relative_to(self._folder)
            if path.is_file() and not any(part.startswith(PRIVATE) for part in below.parts):
                name = hashlib.sha256(os.fsencode(below)).hexdigest()[:16]
                found[name] = Names(path.parent, path.name.removesuffix(_PLAN))
        with self._lock:
            self._names = found
        return [Entry(key, _shown(names, self._folder)) for key, names in found.items()]

    def name(self, clip: str) -> str:
        """Where it lies below the folder, and its name."""
        return _shown(self._of(clip), self._folder)

    def plan(self, clip: str) -> Plan:
        """The plan as it lies there."""
        return self._fresh("plan", self._of(clip).plan, Plan.load)

    def save(self, clip: str, text: bytes) -> None:
        """Write the plan under a passing name, bring it to the disk, give it its name."""
        put(self._of(clip).plan, text)

    def stamp(self, clip: str) -> object:
        """Of the files' facts."""
        names = self._of(clip)
        return tuple(_facts(path) for path in (names.plan, names.edits))

    def taken_by(self, clip: str) -> str | None:
        """Whether another desk or a command has the journal locked; whose it is nobody tells."""
        try:
            journal = os.open(self._of(clip).edits, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return None  # nobody wrote one yet, or it cannot be read: then taking the clip says why
        try:
            fcntl.flock(journal, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return ""
        finally:
            os.close(journal)
        return None

    def original(self, clip: str) -> Original:
        """The clip, found by its name and known by its hash; before that is known when it is the only one."""
        names = self._of(clip)
        wanted = self.plan(clip).clip.sha256
        files = list(dict.fromkeys(self._candidates(names)))
        unknown = []
        for path in files:
            with Original(path) as file:
                digest = self._hashes.of(file, first=True)
            if digest == wanted:
                return Original(path)
            if digest is None:
                unknown.append(path)
        for path in unknown:
            file = Original(path)
            if len(unknown) == 1 or self._hashes.wait(file) == wanted:
                return file
            os.close(file.descriptor)
        if files:
            raise _other(names)
        raise SafelightError(
            Code.NOT_FOUND,
            "The clip is not beside its plan; name its folder with --originals.",
            file=printable(Path(names.stem)),
        )

    def proven(self, clip: str, original: Original) -> float:
        """By its hash, which is made in the background."""
        digest = self._hashes.of(original, first=True)
        if digest is None:
            return min(self._hashes.share(original), 0.999)
        if digest != self.plan(clip).clip.sha256:
            raise _other(self._of(clip))
        return 1.0

    def prove(self, clip: str, original: Original) -> None:
        """Wait for the hash."""
        self._hashes.wait(original)
        self.proven(clip, original)

    def journal(self, clip: str) -> list[bytes]:
        """The lines of the journal."""
        return _whole_lines(self._of(clip).edits)

    def take(self, clip: str) -> Held:
        """Lock the clip's journal."""
        return Held(self._of(clip).edits)

    def standing(self, clip: str) -> Standing:
        """What lies beside the plan, looked at again only where files changed."""
        names = self._of(clip)
        account = self._fresh("account", names.account, Account.load) if names.account.exists() else None
        verdict = self._verdict(names)
        copy = self._copy(names)
        known = self._hashes.of_path(copy) if copy is not None else ""
        if known is None:
            return Standing(checking=True)
        sha256 = known
        ours = account is not None and account.copy_.sha256 == sha256
        tried = verdict if verdict is not None and (not copy or verdict.copy_.sha256 == sha256) else None
        return Standing(
            copy=sha256,
            of_plan=account.plan.sha256 if account is not None and ours else "",
            outcome=tried.outcome.value if tried else "",
            sentence=tried.sentence if tried else "",
            hits=tuple(_hits(tried)) if tried else (),
            gaps=tuple(account.frames.missing) if account is not None else (),
            signed=self._signed(names, sha256) if tried else (),
            published=bool(sha256) and (told := Published.load(names)) is not None and told.sha256 == sha256,
        )

    def copy(self, clip: str) -> Original:
        """The copy as it lies there."""
        path = self._copy(self._of(clip))
        if path is None:
            raise SafelightError(Code.NOT_FOUND, "There is no copy.", file=self.name(clip))
        return Original(path)

    def make(self, clip: str, plan: Plan, kept: Kept, observer: Observer, cancel: threading.Event) -> None:
        """Hide and attack; leave copy, account and verdict beside the plan, or only the verdict and its proposals."""
        names = self._of(clip)
        account = Account.load(names.account)
        damaged = account is not None and account.options.accept_damaged
        with self.original(clip) as original:
            protect_as_planned(
                original.path,
                plan,
                names,
                accept_damaged=damaged,
                observer=observer,
                cancel=cancel,
                kept=kept,
            )

    def sign(self, clip: str, who: str, standing: Standing) -> None:
        """Write the approval beside the copy."""
        names = self._of(clip)
        copy, verdict = self._copy(names), self._verdict(names)
        same = copy is not None and verdict is not None and verdict.copy_.sha256 == _hash(copy) == standing.copy
        if copy is None or not same or self.standing(clip) != standing or standing.outcome != "held":
            raise SafelightError(Code.NOT_READY, "The copy or its attack changed meanwhile.")
        signed = [Signed(who=s.who, when=s.when) for s in standing.signed]
        approval = Approval(
            copy_=CopyFacts(name=printable(Path(copy.name)), sha256=standing.copy),
            verdict=VerdictFacts(outcome="held", sha256=_hash(names.verdict)),
            signed=[*signed, Signed(who=who, when=now())],
        )
        put(approval_of(names), approval.to_json().encode())

    def publish(self, clip: str, who: str, standing: Standing) -> None:
        """Note beside the approval that the copy went out."""
        Published.now(standing.copy, f"said by {who}").save(self._of(clip))

    def note(self, clip: str, who: str, act: str) -> None:
        """A folder has no log of its own; the clip's journal has it already."""

    # ------------------------------------------------------------------------------------------------------------

    def _of(self, clip: str) -> Names:
        if clip not in self._names:
            self.entries()
        names = self._names.get(clip)
        if names is None:
            raise SafelightError(Code.NOT_FOUND, "There is no such clip.")
        return names

    def _fresh(self, what: str, path: Path, make: Callable[[Path], T]) -> T:
        """What ``make`` makes of a file, made anew only when the file changed."""
        stamp = _facts(path)
        kept = self._kept.get((what, path))
        if kept is None or kept[0] != stamp:
            kept = (stamp, make(path))
            self._kept[what, path] = kept
        made: T = kept[1]
        return made

    def _candidates(self, names: Names) -> Iterator[Path]:
        """Files that may be the clip, by name: beside the plan, in the folder above, below ``originals``."""
        account = Account.load(names.account)
        places = [names.folder.glob("*"), names.folder.resolve().parent.glob("*")]
        if self._originals is not None:
            places.append(self._originals.rglob("*"))
        for paths in places:
            for path in sorted(paths):
                hint = account is not None and printable(Path(path.name)) == account.source.name
                named = names.stem in (path.stem, path.name) and ".safelight" not in path.suffixes
                if (hint or named) and path.is_file():
                    yield path

    def _copy(self, names: Names) -> Path | None:
        return next((path for ext in COPIES if (path := names.copy(ext)).is_file()), None)

    def _verdict(self, names: Names) -> Verdict | None:
        path = names.verdict
        if not path.is_file() or path.stat().st_size > MAX_VERDICT:
            return None
        return self._fresh("verdict", path, _load_verdict)

    def _signed(self, names: Names, copy: str) -> tuple[Signature, ...]:
        """Signatures under exactly this copy and the verdict that lies there."""
        approval = Approval.load(approval_of(names))
        if approval is None or approval.copy_.sha256 != copy:
            return ()
        if approval.verdict.sha256 != self._fresh("sha256", names.verdict, _hash):
            return ()
        return tuple(Signature(signed.who, signed.when) for signed in approval.signed)


class FileLines:
    """A journal in a file: a line is there when :meth:`append` returns, also after the power fails."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor

    def read(self) -> list[bytes]:
        """All whole lines; what a kill left of the last one is cut off."""
        lines = _whole_lines(self._path)
        os.ftruncate(self._descriptor, sum(len(line) + 1 for line in lines))
        return lines

    def append(self, line: bytes) -> None:
        """Add a line; when that fails, what was written of it is taken back."""
        with writing(self._path.parent):
            end = os.lseek(self._descriptor, 0, os.SEEK_END)
            try:
                left = memoryview(line + b"\n")
                while left:
                    left = left[os.write(self._descriptor, left) :]
                os.fsync(self._descriptor)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._descriptor, end)
                raise


class Held:
    """A locked journal."""

    def __init__(self, path: Path) -> None:
        with writing(path.parent):
            new = not path.exists()
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            if new:
                sync_folder(path.parent)
        if not claimed(self._descriptor):
            os.close(self._descriptor)
            raise SafelightError(Code.DESK_TAKEN, "Another desk or command has this clip in work.")
        self.lines = FileLines(path, self._descriptor)
        self.kept = Kept(path.parent)

    def close(self) -> None:
        """Unlock it."""
        self.kept.close()
        os.close(self._descriptor)


def approval_of(names: Names) -> Path:
    """Where the approval of a copy lies."""
    return names.folder / f"{names.stem}.safelight-approval.json"


def _shown(names: Names, folder: Path) -> str:
    return printable(names.folder.relative_to(folder) / names.stem)


def _facts(path: Path) -> tuple[int, ...] | None:
    """What is another one when a file was written to or replaced; None without one."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns


def _other(names: Names) -> SafelightError:
    shown = printable(Path(names.stem))
    return SafelightError(Code.PLAN_OTHER_CLIP, "The clip that lies there is another one.", file=shown)


def _hash(path: Path) -> str:
    return FileFacts.of(path).sha256


def _hits(verdict: Verdict) -> Iterator[Hit]:
    """Where attacks succeeded, once a frame."""
    frames = {e.frame for finding in verdict.findings for e in finding.evidence if e.frame is not None}
    return (Hit(frame, "") for frame in sorted(frames))


def _load_verdict(path: Path) -> Verdict | None:
    try:
        return Verdict.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None  # whatever lies there proves nothing: the copy counts as not attacked


def _whole_lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SafelightError(Code.UNREADABLE, "The journal could not be read.", file=printable(path)) from error
