"""One clip on the desk: its plan and journal, who has it, what was seen, and the copy being made of it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from safelight.desk import risk
from safelight.desk.edits import Changed, Delta, Edit, change
from safelight.desk.journal import Journal, sha256
from safelight.desk.pictures import Pictures
from safelight.desk.store import Standing, State, Store, Taken
from safelight.errors import Cancelled, Code, SafelightError
from safelight.kept import Kept
from safelight.plan import Plan

HOLD_SECONDS = 20.0


@dataclass
class Making:
    """A copy being made in the background."""

    stage: str = "reading"
    done: int = 0
    total: int = 0
    failed: str = ""
    finished: bool = False
    cancel: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def begin(self, name: str) -> None:
        """A new stage."""
        self.stage, self.done, self.total = name, 0, 0


class _Observer:
    def __init__(self, making: Making) -> None:
        self._making = making

    def stage(self, name: str) -> None:
        self._making.begin(name)

    def progress(self, done: int, total: int | None) -> None:
        self._making.done, self._making.total = done, total or 0


class _Lines:
    """A journal that can only be looked at."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines

    def read(self) -> list[bytes]:
        return self._lines

    def append(self, line: bytes) -> None:
        raise SafelightError(Code.DESK_TAKEN, "The clip must be taken before it is edited.")


@dataclass(frozen=True)
class Holder:
    """Who has the clip. ``session``: the browser's, empty when it is one of another desk, which may not tell ``who``;
    ``until``: when it is free again unless renewed (monotonic).
    """

    session: str
    who: str
    until: float


class Work:
    """One clip. Safe to use from several threads."""

    _journal: Journal

    def __init__(self, store: Store, clip: str) -> None:
        """Read plan and journal. Raises SafelightError when they cannot be read."""
        self.id = clip
        self._store = store
        self._lock = threading.RLock()
        self._taken: Taken | None = None
        self._holder: Holder | None = None
        self._pictures: Pictures | None = None
        self._gone: list[Pictures] = []  # of clips that turned out to be others
        self._stamp: object = None
        self.proven = 0.0  # how much of the clip was read to know that it is the plan's; 1: it is
        self.making: Making | None = None
        self._queue: tuple[tuple[int, Standing], list[risk.Item]] | None = None
        self._read()

    # -- reading -------------------------------------------------------------------------------------------------

    @property
    def plan(self) -> Plan:
        """The plan as it is now."""
        return self._journal.plan

    @property
    def version(self) -> int:
        """What an edit must name."""
        return self._journal.version

    @property
    def undoable(self) -> tuple[str, str]:
        """What undo and redo would do, empty when nothing."""
        return self._journal.can_undo, self._journal.can_redo

    @property
    def rate(self) -> float:
        """Frames per second on average."""
        clip = self.plan.clip
        seconds = (clip.last_pts - clip.first_pts) * clip.time_base[0] / clip.time_base[1]
        return (clip.frames - 1) / seconds if seconds > 0 else 25.0

    def pictures(self) -> Pictures:
        """Its pictures. Raises SL-NOT-FOUND, SL-PLAN-OTHER-CLIP when the clip is not there."""
        with self._lock:
            if self._pictures is None:
                self._pictures = Pictures(self._store.original(self.id), self.plan)
            if self.proven < 1.0:
                try:
                    self.proven = self._store.proven(self.id, self._pictures.original)
                except SafelightError:
                    self._gone.append(self._pictures)
                    self._pictures = None
                    raise
            return self._pictures

    def look(self) -> None:
        """Read what another desk changed; not while somebody has the clip here."""
        with self._lock:
            if self._taken is None and self._store.stamp(self.id) != self._stamp:
                self._read()

    def standing(self) -> Standing:
        """What lies there of its copy."""
        return self._store.standing(self.id)

    def queue(self) -> list[risk.Item]:
        """The risk queue, worst first."""
        standing = self.standing()
        with self._lock:
            key = (self.version, standing)
            if self._queue is None or self._queue[0] != key:
                self._queue = (key, risk.queue(self.plan, self.rate, standing.hits, standing.gaps))
            return self._queue[1]

    def seen(self) -> set[str]:
        """Keys of the items that a person has looked at."""
        return set(self._journal.seen)

    def state(self) -> State:
        """How far it is."""
        standing = self.standing()
        if standing.copy and standing.of_plan == self._journal.sha256:
            if standing.published:
                return State.PUBLISHED
            if len({s.who for s in standing.signed}) >= self._store.signatures:
                return State.APPROVED
            if standing.outcome == "held":
                return State.ATTACKED
        return State.IN_REVIEW if self._journal.edited else State.FOUND

    # -- who has it ----------------------------------------------------------------------------------------------

    def holder(self) -> Holder | None:
        """Who has it now."""
        with self._lock:
            if self._holder is not None and self._holder.until < time.monotonic():
                self._let_go()
            if self._taken is None and (who := self._store.taken_by(self.id)) is not None:
                return Holder("", who, math.inf)
            return self._holder

    def hold(self, session: str, who: str) -> Holder:
        """Take the clip, or keep it. Raises SL-DESK-TAKEN when somebody else has it."""
        with self._lock:
            holder = self.holder()
            if holder is not None and holder.session != session:
                raise SafelightError(Code.DESK_TAKEN, f"{holder.who or 'Another desk'} has this clip open.")
            if self._taken is None:
                self._taken = self._store.take(self.id)
                try:
                    self._read()
                except BaseException:
                    self._let_go()
                    raise
            self._holder = Holder(session, who, time.monotonic() + HOLD_SECONDS)
            return self._holder

    def release(self, session: str) -> None:
        """Give the clip back."""
        with self._lock:
            if self._holder is not None and self._holder.session == session:
                self._let_go()

    def _let_go(self) -> None:
        """Nobody here has it any more; another desk may, once no copy is being made that will bring its plan."""
        self._holder = None
        if self._taken is not None and not self._busy:
            taken, self._taken = self._taken, None
            try:
                taken.close()
            finally:
                self._read()

    @property
    def _busy(self) -> bool:
        return self.making is not None and not self.making.finished

    def _read(self) -> None:
        self._stamp = self._store.stamp(self.id)
        plan = self._store.plan(self.id)
        lines = self._taken.lines if self._taken is not None else _Lines(self._store.journal(self.id))
        self._journal = Journal(lines, plan)
        if self._taken is not None and self._journal.plan is not plan:
            self._store.save(self.id, self._journal.text)

    # -- changing ------------------------------------------------------------------------------------------------

    def edit(self, session: str, version: int, edit: Edit) -> Delta:
        """Make an edit. Raises SL-DESK-TAKEN, SL-DESK-BEHIND, SL-EDIT-REFUSED; then nothing is changed."""

        times = self.pictures().times()
        return self._changed(
            session, version, lambda who: self._journal.edit(who, edit.op, change(self.plan, edit, times, who))
        )

    def undo(self, session: str, version: int) -> Delta:
        """Take the last edit back."""
        return self._changed(session, version, lambda who: self._journal.undo(who))

    def redo(self, session: str, version: int) -> Delta:
        """Make the edit again that was undone last."""
        return self._changed(session, version, lambda who: self._journal.redo(who))

    def _changed(self, session: str, version: int, make: Callable[[str], Delta]) -> Delta:
        with self._writing(session) as who:
            if version != self.version:
                raise SafelightError(Code.DESK_BEHIND, "The plan is not the one this was meant for.")
            delta = make(who)
            self._store.save(self.id, self._journal.text)
            return delta

    def mark(self, session: str, items: list[str], *, seen: bool) -> None:
        """Note what was looked at."""
        with self._writing(session) as who:
            known = {item.key for item in self.queue()}
            self._journal.mark(who, [item for item in items if item in known], seen=seen)

    def note(self, session: str, act: str) -> None:
        """Note an act in the journal and the store's log. Raises SL-DESK-TAKEN."""
        with self._writing(session) as who:
            self._journal.note(who, act)
            self._store.note(self.id, who, act)

    @contextmanager
    def _writing(self, session: str) -> Iterator[str]:
        """Who has the clip, once it is known to be the plan's. Raises SL-DESK-TAKEN, SL-PLAN-OTHER-CLIP."""
        with self._lock:
            self._require(session)
        while self.proven < 1.0:  # others may look meanwhile
            self._store.prove(self.id, self.pictures().original)
        with self._lock:
            who = self._require(session)
            try:
                yield who
            except SafelightError as error:
                if error.code is Code.DESK_TAKEN:  # the store says so: it was changed from elsewhere
                    self._let_go()
                raise

    def _require(self, session: str) -> str:
        holder = self.holder()
        if holder is None or holder.session != session:
            who = (holder.who or "Another desk") if holder else "Nobody"
            raise SafelightError(Code.DESK_TAKEN, f"{who} has this clip open; it is not yours.")
        return holder.who

    # -- the copy ------------------------------------------------------------------------------------------------

    def make(self, session: str) -> Making:
        """Begin to make and attack the copy of the plan as it is now; edits go on meanwhile. Raises SL-NOT-READY."""
        with self._writing(session):
            if self._busy:
                raise SafelightError(Code.NOT_READY, "The copy is being made already.")
            self.note(session, "make the copy and attack it")
            making = Making()
            assert self._taken is not None  # whoever writes has it
            making.thread = threading.Thread(target=self._make, args=(making, self.plan, self._taken.kept), daemon=True)
            self.making = making
            making.thread.start()
            return making

    def _make(self, making: Making, plan: Plan, kept: Kept) -> None:
        try:
            self._store.make(self.id, plan.model_copy(deep=True), kept, _Observer(making), making.cancel)
        except SafelightError as error:
            making.failed = str(error)
        except Cancelled:
            making.failed = "stopped"
        finally:
            with self._lock:
                try:
                    self._catch_up(plan)
                finally:
                    making.finished = True
                    if self._holder is None:
                        self._let_go()

    def _catch_up(self, made_of: Plan) -> None:
        """Making a copy puts its plan in place, with what the attack proposes; the one on the desk may be newer."""
        there = self._store.plan(self.id)
        if self._taken is None or sha256(there) == self._journal.sha256:
            return
        known = {region.id for region in (*made_of.regions, *self.plan.regions)}
        new = [region for region in there.regions if region.id not in known]
        if new:
            at = len(self.plan.regions)
            added = [Changed(at=at + n, before=None, after=region) for n, region in enumerate(new)]
            self._journal.edit("attack", "propose", Delta(regions=added))
        self._store.save(self.id, self._journal.text)

    # -- approval ------------------------------------------------------------------------------------------------

    def missing(self, who: str) -> list[str]:
        """Why ``who`` cannot sign yet, as short names the page has sentences for; empty when nothing is missing."""
        standing = self.standing()
        why = []
        if {item.key for item in self.queue()} - self.seen():
            why.append("unseen")
        if standing.checking:
            why.append("checking")
        elif not standing.copy:
            why.append("no-copy")
        elif standing.of_plan != self._journal.sha256:
            why.append("old-copy")
        elif not standing.outcome:
            why.append("not-attacked")
        elif standing.outcome != "held":
            why.append("not-held")
        if self._store.members and who not in self._store.members:
            why.append("no-member")
        if any(s.who == who for s in standing.signed):
            why.append("signed-already")
        if self._busy:
            why.append("making")
        return why

    def sign(self, session: str) -> None:
        """Sign the copy. Raises SL-NOT-READY with what is missing."""
        with self._writing(session) as who:
            standing = self.standing()
            missing = self.missing(who)
            if missing:
                raise SafelightError(Code.NOT_READY, f"The copy cannot be signed yet: {', '.join(missing)}.")
            self.note(session, f"sign copy {standing.copy}")
            self._store.sign(self.id, who, standing)

    def publish(self, session: str) -> None:
        """Note that the approved copy went out. Raises SL-NOT-READY when it is not approved."""
        with self._writing(session) as who:
            if self.state() is not State.APPROVED:
                raise SafelightError(Code.NOT_READY, "Only an approved copy can be published, and once.")
            standing = self.standing()
            self.note(session, f"published copy {standing.copy}")
            self._store.publish(self.id, who, standing)

    def close(self) -> None:
        """End everything that runs for this clip."""
        if self.making is not None and self.making.thread is not None:
            self.making.cancel.set()
            self.making.thread.join()
        with self._lock:
            self._let_go()
            for pictures in (*self._gone, self._pictures):
                if pictures is not None:
                    pictures.close()
            self._gone, self._pictures = [], None
