"""Where results go: their names, the private folder they grow in, and the one moment they appear.

Nothing half-done ever has a final name: workers write into a private folder beside the target, and finished files are
renamed into place, the account last. Whoever finds an account finds everything it speaks of.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safelight.errors import Code, SafelightError
from safelight.inputs import printable

COPIES = (".mp4", ".png", ".jpg")  # what a copy's name may end in
PRIVATE = ".safelight-"  # prefix of private folders; the rest is random
_MOMENT = 0.02  # seconds


@dataclass(frozen=True)
class Names:
    """The final names of everything made of one clip. ``stem`` is the clip's name without its extension."""

    folder: Path
    stem: str

    def copy(self, extension: str) -> Path:
        """The copy, the only file meant to be published."""
        return self.folder / f"{self.stem}.safelight{extension}"

    @property
    def account(self) -> Path:
        """What was done, for the desk."""
        return self.folder / f"{self.stem}.safelight.json"

    @property
    def plan(self) -> Path:
        """The plan, for the desk."""
        return self.folder / f"{self.stem}.safelight-plan.json"

    @property
    def edits(self) -> Path:
        """The desk's journal of what people changed in the plan. Locked by the desk that has the clip in work."""
        return self.folder / f"{self.stem}.safelight-edits.jsonl"

    @property
    def report(self) -> Path:
        """What the attackers found, as a page."""
        return self.folder / f"{self.stem}.safelight-report.html"

    @property
    def verdict(self) -> Path:
        """What the attackers found, for machines."""
        return self.folder / f"{self.stem}.safelight-report.json"

    @property
    def timeline(self) -> Path:
        """What was seen when, by which finder."""
        return self.folder / f"{self.stem}.safelight-timeline.png"

    @property
    def sheet(self) -> Path:
        """Contact sheet of the hidden tracks."""
        return self.folder / f"{self.stem}.safelight-sheet.png"


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn failures to write into refusals: SL-DISK-FULL, SL-NOT-WRITABLE."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        code = Code.DISK_FULL if full else Code.NOT_WRITABLE
        why = os.strerror(error.errno) if error.errno else str(error)
        raise SafelightError(code, f"The folder could not be written to: {why}.", file=printable(folder)) from error


@contextlib.contextmanager
def private_folder(target: Path) -> Iterator[Path]:
    """A private folder on the target's file system, gone afterwards whatever happens.

    Left-overs of runs that were killed are removed: a folder nobody holds a lock on belongs to nobody.
    """
    with writing(target):
        target.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        folder = Path(tempfile.mkdtemp(prefix=PRIVATE, dir=target))
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


@contextlib.contextmanager
def private_rooms(work: Path, count: int) -> Iterator[list[Path]]:
    """Private folders for so many workers, gone afterwards."""
    with writing(work):
        room = Path(tempfile.mkdtemp(dir=work))
        folders = [room / str(number) for number in range(count)]
        for folder in folders:
            folder.mkdir(mode=0o700)
    try:
        yield folders
    finally:
        shutil.rmtree(room, ignore_errors=True)


@contextlib.contextmanager
def undisturbed(names: Names) -> Iterator[None]:
    """Keep desks away from a clip while a command works with its plan. Raises SL-DESK-TAKEN when one has it in work."""
    try:
        journal = os.open(names.edits, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        yield  # it never was at a desk
        return
    try:
        if not claimed(journal):
            where = printable(names.plan)
            raise SafelightError(Code.DESK_TAKEN, "Somebody else has this clip in work.", file=where)
        yield
    finally:
        os.close(journal)


def claimed(journal: int) -> bool:
    """Lock an opened journal; False when somebody else has it. Whoever only looks may hold it for a moment."""
    for last in (False, False, True):
        try:
            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if not last:
                time.sleep(_MOMENT)
    return False


def memory_folder() -> Path:
    """A folder that lies in memory (on a tmpfs). Raises SL-CASE-MEMORY when the system has none."""
    in_memory = _in_memory()
    for name in (os.environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm"):
        folder = Path(name)
        if folder.is_absolute() and os.access(folder, os.W_OK | os.X_OK) and folder.stat().st_dev in in_memory:
            return folder
    raise SafelightError(Code.CASE_MEMORY, "This system has no folder in memory (tmpfs) to work in.")


def _in_memory() -> set[int]:
    """Device numbers of the mounted tmpfs, by Linux's table of mounts; none on systems without it."""
    table = Path("/proc/self/mountinfo")
    found = set()
    for line in table.read_text().splitlines() if table.exists() else []:
        mount, _, kind = line.partition(" - ")
        if kind.split()[0] == "tmpfs":
            found.add(os.makedev(*map(int, mount.split()[2].split(":"))))
    return found


def _sweep(target: Path) -> None:
    for left in target.glob(PRIVATE + "*"):
        try:
            found = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue  # not a folder, or just removed by its owner
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass  # somebody is working in it
        else:
            shutil.rmtree(left, ignore_errors=True)
        finally:
            os.close(found)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let nobody else give names in this folder meanwhile: two who made the same clip must not mix what they made.

    A private folder belongs to one process anyway, which holds the lock on it. Raises SL-NOT-WRITABLE.
    """
    if folder.name.startswith(PRIVATE):
        yield
        return
    with writing(folder):
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with writing(folder):
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def publish(moves: list[tuple[Path, Path]]) -> None:
    """Give finished files their final names, in order, each durable before the next (fsync of file and folder)."""
    for made, final in moves:
        with writing(final.parent):
            with made.open("rb") as file:
                os.fsync(file.fileno())
            made.replace(final)
            folder = os.open(final.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def withdraw(names: Names) -> None:
    """Take an earlier copy of the same clip out of the way, its account first: nobody may take it for a later one."""
    with writing(names.folder):
        for path in (names.account, *(names.copy(extension) for extension in COPIES)):
            path.unlink(missing_ok=True)


def names_for(source: Path, folder: Path, taken: set[str]) -> Names:
    """Final names for a source: by its stem, or by its full name where another clip of the batch has the stem.

    ``taken``: stems given away in this batch, lower case, by folder; the new one is added.
    """
    for stem in (source.stem, source.name):
        key = os.fspath(folder / stem).lower()  # two names that differ in case only are one on some disks
        if key not in taken:
            taken.add(key)
            return Names(folder, stem)
    raise SafelightError(
        Code.IN_THE_WAY, "Two clips of this batch would give copies of one name.", file=printable(source)
    )


def put(path: Path, data: bytes) -> None:
    """Put a small file in the place of another, at once or not at all. Raises SL-DISK-FULL, SL-NOT-WRITABLE."""
    passing = path.with_name(f"{PRIVATE}{path.name}.{os.getpid()}.{threading.get_ident()}")
    with writing(path.parent):
        try:
            descriptor = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            passing.replace(path)
            sync_folder(path.parent)
        finally:
            passing.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
