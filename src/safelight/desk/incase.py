"""A case as a place of clips: while the desk runs its documents lie in memory (tmpfs); each edit is sealed when made.

Each member has a desk of their own, with their own key; several may have the case open at once. What one of them seals
the others read within a second; a clip that one has in work no other can change. All acts on the case happen in one
thread of each desk: its catalogue and its log know no other.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Self, TypeVar

from safelight.approval import Approval
from safelight.custody.case import Case
from safelight.custody.catalogue import Clip
from safelight.custody.entry import Act
from safelight.custody.lend import sealed_original, unsealed
from safelight.custody.shared import PATIENCE, ClipLock, Shared, in_work
from safelight.desk.folder import Folder, Held, approval_of
from safelight.desk.journal import Lines
from safelight.desk.store import Entry, Standing
from safelight.errors import Code, SafelightError
from safelight.inputs import Original, printable
from safelight.kept import Kept
from safelight.observer import Observer
from safelight.outputs import COPIES, Names, memory_folder, private_folder, put, writing
from safelight.plan import Plan
from safelight.protect import protect_as_planned
from safelight.published import told_by_case
from safelight.sealed import documents, lay_out, seal_results, sought_in

T = TypeVar("T")
LINES_A_DOCUMENT = 50  # of a journal; a version of a clip names every document, so there must not be one for each edit
_POLL = 0.5  # seconds
_TAKEN = "taken into work at the desk"  # notes in the log
_LOOK = "desk"
_BARE = "look at the original"


class InCase:
    """The clips of a case that have a plan. A context manager: the case is open as long as it is entered."""

    signatures = 2

    def __init__(self, enter: Callable[[], AbstractContextManager[Shared]], out: Path) -> None:
        """``enter`` opens the case; ``out``: the folder outside where copies lie and go."""
        self._enter, self._out = enter, out
        self._thread = ThreadPoolExecutor(1)
        self._stack = ExitStack()
        self._ours: dict[str, _Sealing] = {}  # clips in work here, by the case's names for them
        self._others: dict[str, str] = {}  # clips in work elsewhere: who has them
        self._read: dict[str, str] = {}  # clip → inventory of the version that was read
        self._laid: dict[Path, object] = {}  # what each file in memory was made of
        self._head = b""
        self._polled = 0.0
        self._polling = threading.Lock()

    def __enter__(self) -> Self:
        """Open the case and lay its documents out. Raises what opening a case raises, SL-CASE-MEMORY."""
        try:
            self._thread.submit(self._begin).result()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.submit(self._stack.close).result()
        self._thread.shutdown()

    def _begin(self) -> None:
        self._shared = self._stack.enter_context(self._enter())
        self._place = self._stack.enter_context(private_folder(memory_folder()))
        self._folder = Folder(self._place)
        self._turn(lambda case: None, PATIENCE)

    # -- the case ------------------------------------------------------------------------------------------------

    def _do(self, act: Callable[[Case], T], patience: float = PATIENCE) -> T:
        """Act on the case as it is now, locked against others. Raises SL-CASE-LOCKED."""
        return self._thread.submit(self._turn, act, patience).result()

    def _turn(self, act: Callable[[Case], T], patience: float) -> T:
        with self._shared.turn(patience) as case:
            self._catch_up(case)
            try:
                return act(case)
            finally:
                self._read = {clip.name: clip.inventory for clip in case.catalogue.clips()}
                self._head = self._shared.head

    def _catch_up(self, case: Case) -> None:
        """Lay out what others sealed; a clip in work here that they changed all the same is lost to its holder."""
        if self._head == self._shared.head:
            return
        for clip in case.catalogue.clips():
            changed = self._read.get(clip.name) != clip.inventory
            if changed and clip.name in self._ours:
                self._ours[clip.name].lost = True
            elif changed:
                self._lay(case, clip)
            self._tell(case, clip)

    def _lay(self, case: Case, clip: Clip) -> None:
        names, outside = Names(self._place, clip.name), Names(self._out, clip.name)
        if case.sealed_sha256(clip, "plan") is None:
            return
        lines = b"".join(line + b"\n" for line in _lines(case, clip))
        if lines:
            put(names.edits, lines)
        for kind, path in {**documents(names), "approval": approval_of(names)}.items():
            sealed = case.sealed_sha256(clip, kind)
            if self._laid.get(path) != sealed and (data := case.document(clip, kind)) is not None:
                put(path, data)
                self._laid[path] = sealed
        for extension in COPIES:
            self._lay_copy(outside.copy(extension), names.copy(extension), ours=names.account.exists())

    def _lay_copy(self, outside: Path, copy: Path, *, ours: bool) -> None:
        stamp = _stamp(outside)
        if self._laid.get(copy) == stamp:
            return
        if stamp is not None and not ours:
            raise SafelightError(Code.IN_THE_WAY, "It is no copy of this clip.", file=printable(outside))
        self._laid[copy] = stamp
        with writing(self._place):
            if stamp is None:
                copy.unlink(missing_ok=True)
            else:
                _bring(outside, copy)

    def _tell(self, case: Case, clip: Clip) -> None:
        names = Names(self._place, clip.name)
        if not names.plan.exists():
            return
        approved = Approval.load(approval_of(names))
        for told in told_by_case(case, clip.number, approved.copy_.sha256 if approved else ""):
            told.save(names)

    def _poll(self) -> None:
        """Look what others did and have, now and then; not now when somebody works in the case or looks already."""
        if time.monotonic() < self._polled or not self._polling.acquire(blocking=False):
            return
        try:
            self._others = self._do(self._elsewhere, 0.0)
        except SafelightError as error:
            if error.code is not Code.CASE_LOCKED:
                raise
        finally:
            self._polled = time.monotonic() + _POLL
            self._polling.release()

    def _elsewhere(self, case: Case) -> dict[str, str]:
        clips = [clip for clip in case.catalogue.clips() if clip.name not in self._ours]
        return {clip.name: _holder(case, clip) for clip in clips if in_work(case, clip)}

    def _clip(self, clip: str) -> Clip:
        name = self._folder.name(clip)
        return self._do(lambda case: case.clip(name))

    # -- the place of clips ----------------------------------------------------------------------------------------

    @property
    def members(self) -> list[str]:
        """The member who opened the case at this desk."""
        return [self._shared.who]

    def entries(self) -> list[Entry]:
        """All clips that have a plan, as the case calls them: file names stay sealed."""
        self._poll()
        return self._folder.entries()

    def name(self, clip: str) -> str:
        """What the case calls it."""
        return self._folder.name(clip)

    def plan(self, clip: str) -> Plan:
        """The plan in memory."""
        return self._folder.plan(clip)

    def save(self, clip: str, text: bytes) -> None:
        """Keep the plan in memory; it is sealed when the clip is given back, and the sealed journal leads to it."""
        self._folder.save(clip, text)

    def stamp(self, clip: str) -> object:
        """Of plan and journal in memory, after a look at what others did."""
        self._poll()
        return self._folder.stamp(clip)

    def taken_by(self, clip: str) -> str | None:
        """The member at another desk who has it."""
        self._poll()
        return self._others.get(self._folder.name(clip))

    def original(self, clip: str) -> Original:
        """The original in nameless memory; the log says who opened it."""
        taken = self._clip(clip)
        if taken.sha256 != self.plan(clip).clip.sha256:
            raise SafelightError(Code.PLAN_OTHER_CLIP, "The plan was made for another clip.", file=taken.name)

        def lend(case: Case) -> Callable[[], int]:
            case.note(Act.OPENED, taken, _LOOK)
            sealed, key = sealed_original(case, case.clip(taken.name)), case.keys.case
            return lambda: unsealed(sealed, taken, key)

        return Original(Path(taken.name), self._do(lend)())

    def proven(self, clip: str, original: Original) -> float:
        """It was, when it was unsealed."""
        return 1.0

    def prove(self, clip: str, original: Original) -> None:
        """It was, when it was unsealed."""

    def journal(self, clip: str) -> list[bytes]:
        """The lines of the journal."""
        return self._folder.journal(clip)

    def take(self, clip: str) -> _Sealing:
        """Take the clip; every line of its journal is sealed from now on."""
        name = self._folder.name(clip)

        def lock(case: Case) -> _Sealing:
            taken = case.clip(name)
            try:
                held = ClipLock(case, taken)
            except SafelightError as error:
                if error.code is Code.DESK_TAKEN:
                    error.detail = f"{_holder(case, taken) or 'Somebody'} has this clip in work elsewhere."
                raise
            try:
                case.note(Act.OPENED, taken, _TAKEN)
                sealing = _Sealing(self, clip, self._folder.take(clip), held, _lines(case, taken))
            except BaseException:
                held.close()
                raise
            self._ours[name] = sealing
            return sealing

        return self._do(lock)

    def standing(self, clip: str) -> Standing:
        """What is known of the copy."""
        return self._folder.standing(clip)

    def copy(self, clip: str) -> Original:
        """The copy."""
        return self._folder.copy(clip)

    def make(self, clip: str, plan: Plan, kept: Kept, observer: Observer, cancel: threading.Event) -> None:
        """Hide and attack in memory; seal what came of it, and let the copy out when it held."""
        taken = self._clip(clip)
        outside = Names(self._out, taken.name)
        with private_folder(memory_folder()) as folder, self.original(clip) as original:
            names = Names(folder, taken.name)
            before = self._do(lambda case: lay_out(case, taken, names, outside))
            sought = self._do(sought_in)
            names.plan.write_text(plan.to_json(), encoding="utf-8")
            try:
                protect_as_planned(
                    original,
                    plan,
                    names,
                    sought=sought,
                    accept_damaged=False,
                    observer=observer,
                    cancel=cancel,
                    kept=kept,
                )
            finally:
                self._do(lambda case: seal_results(case, taken, names, outside, before))
                self._bring_results(names, Names(self._place, taken.name))

    def _bring_results(self, made: Names, place: Names) -> None:
        """Results of a run to where the desk looks; a copy that was withdrawn goes."""
        paths = {source: target for (_, source), (_, target) in zip(_items(made), _items(place), strict=True)}
        paths |= {made.copy(extension): place.copy(extension) for extension in COPIES}
        with writing(place.folder):
            for source, target in paths.items():
                if source.exists():
                    _bring(source, target)
                elif target.exists() and target.suffix in COPIES:
                    target.unlink()

    def sign(self, clip: str, who: str, standing: Standing) -> None:
        """Sign, and seal the approval."""
        path = approval_of(Names(self._place, self.name(clip)))
        before = path.read_bytes() if path.exists() else None
        self._folder.sign(clip, who, standing)
        try:
            self.seal(clip, "approval", path.read_bytes(), Act.APPROVED, f"copy {standing.copy}")
        except SafelightError:
            path.unlink() if before is None else path.write_bytes(before)
            raise

    def publish(self, clip: str, who: str, standing: Standing) -> None:
        """Write into the log that the copy went out."""
        taken = self._clip(clip)
        self._do(lambda case: case.note(Act.PUBLISHED, taken, f"copy {standing.copy} said by {who}"))
        self._folder.publish(clip, who, standing)

    def note(self, clip: str, who: str, act: str) -> None:
        """The log says when somebody looked at the original; other acts write themselves."""
        if act.startswith(_BARE):
            taken = self._clip(clip)
            self._do(lambda case: case.note(Act.OPENED, taken, act))

    def seal(self, clip: str, kind: str, data: bytes, act: Act, note: str = "") -> None:
        """Seal one document of a clip in work here, unless it is there already.

        Raises SL-DESK-TAKEN when somebody else changed the clip all the same: what they did is not written over.
        """
        name = self._folder.name(clip)

        def do(case: Case) -> None:
            if name not in self._ours or self._ours[name].lost:
                raise SafelightError(Code.DESK_TAKEN, "The clip was changed from elsewhere meanwhile.", file=name)
            taken = case.clip(name)
            if case.document(taken, kind) != data:
                case.seal_documents(taken, {kind: data}, act, note)

        self._do(do)

    def give_back(self, clip: str, *, lost: bool) -> None:
        """No longer in work here; after others changed it, it is read anew."""
        name = self._folder.name(clip)

        def do(case: Case) -> None:
            del self._ours[name]
            if lost:
                self._lay(case, case.clip(name))

        self._do(do)


class _Sealing:
    """A clip of a case that somebody has in work here. ``lost``: others changed it all the same."""

    def __init__(self, store: InCase, clip: str, held: Held, lock: ClipLock, lines: list[bytes]) -> None:
        self._store, self._clip, self._held, self._lock = store, clip, held, lock
        self._lines = lines
        self.lost = False

    @property
    def lines(self) -> Lines:
        """The clip's journal."""
        return self

    @property
    def kept(self) -> Kept:
        """In memory, like everything of a case here."""
        return self._held.kept

    def read(self) -> list[bytes]:
        """All lines."""
        return self._held.lines.read()

    def append(self, line: bytes) -> None:
        """Seal a line, then keep it."""
        document, begun = divmod(len(self._lines), LINES_A_DOCUMENT)
        text = b"\n".join([*self._lines[len(self._lines) - begun :], line])
        self._store.seal(self._clip, _kind(document), text, Act.PLAN, "desk")
        self._lines.append(line)
        self._held.lines.append(line)

    def close(self) -> None:
        """Seal the plan and give the clip back."""
        try:
            if not self.lost:
                plan = self._store.plan(self._clip).to_json().encode()
                self._store.seal(self._clip, "plan", plan, Act.PLAN, "desk")
        finally:
            self._held.close()
            self._store.give_back(self._clip, lost=self.lost)
            self._lock.close()


def _lines(case: Case, clip: Clip) -> list[bytes]:
    """The sealed journal."""
    lines: list[bytes] = []
    number = 0
    while (text := case.document(clip, _kind(number))) is not None:
        lines += text.split(b"\n")
        number += 1
    return lines


def _kind(number: int) -> str:
    return f"edits-{number:06d}"


def _holder(case: Case, clip: Clip) -> str:
    """Who took a clip into work last: at a desk, or by a command that opened the original for more than a look."""
    for act in reversed(case.catalogue.acts(clip.number)):
        note = str(act["note"] or "")
        if act["act"] == Act.OPENED.value and note != _LOOK and not note.startswith(_BARE):
            return str(act["who"])
    return ""


def _bring(source: Path, target: Path) -> None:
    passing = target.with_name(f"{target.name}.new")
    shutil.copyfile(source, passing)
    passing.replace(target)


def _stamp(path: Path) -> object:
    if not os.path.lexists(path):
        return None
    facts = path.stat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


def _items(names: Names) -> list[tuple[str, Path]]:
    return list(documents(names).items())
