"""A case as a place of clips: while the desk runs its documents lie in memory (tmpfs); each edit is sealed when made.

The case belongs to one process and to the member who opened it, so two people sign one after the other, each with a
desk of their own. All acts on the case happen in one thread: its catalogue and its log know no other.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Self, TypeVar

from safelight.approval import Approval
from safelight.custody.case import Case
from safelight.custody.catalogue import Clip
from safelight.custody.entry import Act
from safelight.custody.lend import in_memory
from safelight.desk.folder import Folder, Held, approval_of, journal_of
from safelight.desk.journal import Lines
from safelight.desk.store import Entry, Standing
from safelight.errors import Code, SafelightError
from safelight.inputs import Original
from safelight.observer import Observer
from safelight.outputs import COPIES, Names, memory_folder, private_folder, writing
from safelight.plan import Plan
from safelight.protect import protect_as_planned
from safelight.published import told_by_case
from safelight.sealed import documents, lay_out, seal_results, sought_in

T = TypeVar("T")


class InCase:
    """The clips of a case that have a plan. A context manager: the case is held as long as it is entered."""

    signatures = 2

    def __init__(self, enter: Callable[[], AbstractContextManager[Case]], out: Path) -> None:
        """``enter`` opens the case; ``out``: the folder outside where copies lie and go."""
        self._enter, self._out = enter, out
        self._thread = ThreadPoolExecutor(1)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Open the case and lay its documents out. Raises what opening a case raises, SL-CASE-MEMORY."""
        try:
            self._do(self._begin)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._stack.close)
        self._thread.shutdown()

    def _begin(self) -> None:
        self._case = self._stack.enter_context(self._enter())
        self._place = self._stack.enter_context(private_folder(memory_folder()))
        for clip in self._case.catalogue.clips():
            names = Names(self._place, clip.name)
            kept = lay_out(self._case, clip, names, Names(self._out, clip.name))
            if "plan" not in kept:
                continue
            approval = self._case.document(clip, "approval")
            with writing(self._place):
                if approval is not None:
                    approval_of(names).write_bytes(approval)
                lines = b"".join(line + b"\n" for line in self._lines(clip))
                if lines:
                    journal_of(names).write_bytes(lines)
            approved = Approval.load(approval_of(names))
            for told in told_by_case(self._case, clip.number, approved.copy_.sha256 if approved else ""):
                told.save(names)
        self._folder = Folder(self._place)

    def _lines(self, clip: Clip) -> list[bytes]:
        lines: list[bytes] = []
        while (line := self._case.document(clip, _kind(len(lines)))) is not None:
            lines.append(line)
        return lines

    def _do(self, act: Callable[[], T]) -> T:
        return self._thread.submit(act).result()

    def _clip(self, clip: str) -> Clip:
        name = self._folder.name(clip)
        return self._do(lambda: self._case.clip(name))

    # -- the place of clips ----------------------------------------------------------------------------------------

    @property
    def members(self) -> list[str]:
        """The member who opened the case."""
        return [self._case.keys.who]

    def entries(self) -> list[Entry]:
        """All clips that have a plan, as the case calls them: file names stay sealed."""
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

    def original(self, clip: str) -> Original:
        """The original in nameless memory; the log says who opened it."""
        taken = self._clip(clip)

        def lend() -> int:
            self._case.note(Act.OPENED, taken, "desk")
            return in_memory(self._case, taken)

        if taken.sha256 != self.plan(clip).clip.sha256:
            raise SafelightError(Code.PLAN_OTHER_CLIP, "The plan was made for another clip.", file=taken.name)
        return Original(Path(taken.name), self._do(lend))

    def journal(self, clip: str) -> list[bytes]:
        """The lines of the journal."""
        return self._folder.journal(clip)

    def take(self, clip: str) -> _Sealing:
        """Take the clip; every line of its journal is sealed from now on."""
        return _Sealing(self, clip, self._folder.take(clip))

    def standing(self, clip: str) -> Standing:
        """What is known of the copy."""
        return self._folder.standing(clip)

    def copy(self, clip: str) -> Original:
        """The copy."""
        return self._folder.copy(clip)

    def make(self, clip: str, plan: Plan, observer: Observer, cancel: threading.Event) -> None:
        """Hide and attack in memory; seal what came of it, and let the copy out when it held."""
        taken = self._clip(clip)
        outside = Names(self._out, taken.name)
        with private_folder(memory_folder()) as folder, self.original(clip) as original:
            names = Names(folder, taken.name)
            kept = self._do(lambda: lay_out(self._case, taken, names, outside))
            sought = self._do(lambda: sought_in(self._case))
            names.plan.write_text(plan.to_json(), encoding="utf-8")
            try:
                protect_as_planned(
                    original, plan, names, sought=sought, accept_damaged=False, observer=observer, cancel=cancel
                )
            finally:
                self._do(lambda: seal_results(self._case, taken, names, outside, kept))
                self._bring(names, Names(self._place, taken.name))

    def _bring(self, made: Names, place: Names) -> None:
        """Results of a run to where the desk looks; a copy that was withdrawn goes."""
        paths = {source: target for (_, source), (_, target) in zip(_items(made), _items(place), strict=True)}
        paths |= {made.copy(extension): place.copy(extension) for extension in COPIES}
        with writing(place.folder):
            for source, target in paths.items():
                if source.exists():
                    passing = target.with_name(f"{target.name}.new")
                    shutil.copyfile(source, passing)
                    passing.replace(target)
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
        self._do(lambda: self._case.note(Act.PUBLISHED, taken, f"copy {standing.copy} said by {who}"))
        self._folder.publish(clip, who, standing)

    def note(self, clip: str, who: str, act: str) -> None:
        """The log says when somebody looked at the original; other acts write themselves."""
        if act.startswith("look at the original"):
            taken = self._clip(clip)
            self._do(lambda: self._case.note(Act.OPENED, taken, act))

    def seal(self, clip: str, kind: str, data: bytes, act: Act, note: str = "") -> None:
        """Seal one document of a clip, unless it is there already."""
        taken = self._clip(clip)

        def do() -> None:
            if self._case.document(taken, kind) != data:
                self._case.seal_documents(taken, {kind: data}, act, note)

        self._do(do)


class _Sealing:
    """A clip of a case that somebody has."""

    def __init__(self, store: InCase, clip: str, held: Held) -> None:
        self._store, self._clip, self._held = store, clip, held
        self._count = len(store.journal(clip))

    @property
    def lines(self) -> Lines:
        """The clip's journal."""
        return self

    def read(self) -> list[bytes]:
        """All lines."""
        return self._held.lines.read()

    def append(self, line: bytes) -> None:
        """Seal a line, then keep it."""
        self._store.seal(self._clip, _kind(self._count), line, Act.PLAN, "desk")
        self._count += 1
        self._held.lines.append(line)

    def close(self) -> None:
        """Seal the plan and give the clip back."""
        try:
            plan = self._store.plan(self._clip).to_json().encode()
            self._store.seal(self._clip, "plan", plan, Act.PLAN, "desk")
        finally:
            self._held.close()


def _kind(number: int) -> str:
    return f"edit-{number:06d}"


def _items(names: Names) -> list[tuple[str, Path]]:
    return list(documents(names).items())
