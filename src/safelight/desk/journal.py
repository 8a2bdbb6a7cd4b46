"""The journal of a clip: every edit as one line that is on the disk before anybody is told that it was made.

Nothing in a journal is ever changed. Undoing is a line of its own, so undo and redo have no end and survive a crash;
the plan file is a result of the journal, and a plan that lags behind it (a kill between the two) is brought up to date.
A last line without its end was never confirmed to anybody and is dropped.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from safelight.desk.edits import Delta
from safelight.errors import Code, SafelightError
from safelight.plan import Plan

Who = Annotated[str, Field(min_length=1, max_length=80)]


class Record(BaseModel):
    """One line. ``n``: its number. ``of``: the edit undone or done again. ``plan``: SHA-256 of the plan after it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    n: Annotated[int, Field(ge=1)]
    at: str
    who: Who
    what: Literal["base", "edit", "undo", "redo", "seen", "unseen", "act"]
    plan: str = ""
    of: int = 0
    op: str = ""
    delta: Delta | None = None
    items: list[str] = []  # of the risk queue
    act: str = ""


class Lines(Protocol):
    """Where a journal is kept; a folder's is a file, a case's is sealed."""

    def read(self) -> list[bytes]:
        """All whole lines, without their ends."""

    def append(self, line: bytes) -> None:
        """Add a line and bring it to the disk before returning. Raises SafelightError; then nothing was added."""


def sha256(plan: Plan) -> str:
    """SHA-256 of the plan's text, hexadecimal; that of its file."""
    return _sha256(plan.to_json().encode())


def _sha256(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def now() -> str:
    """This moment, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Journal:
    """A plan and how it came about. Not for several threads at once."""

    def __init__(self, lines: Lines, plan: Plan) -> None:
        """Read the journal and bring ``plan``, as it lies on the disk, up to date.

        A plan the journal does not know (found anew, or mended by hand) begins a new chapter: undo ends there.
        Raises SafelightError SL-UNREADABLE when a whole line cannot be understood.
        """
        self._lines = lines
        self.plan = plan
        self.text = plan.to_json().encode()
        self.seen: set[str] = set()
        self._done: list[Record] = []
        self._undone: list[Record] = []
        self._base = ""  # of a new chapter that nobody has written in yet
        self._records = [_parse(line) for line in lines.read()]
        self._resume()

    @property
    def version(self) -> int:
        """Number of the last record that changed the plan; what an edit must name to be accepted."""
        return next((r.n for r in reversed(self._records) if r.plan), 0)

    @property
    def sha256(self) -> str:
        """SHA-256 of the plan's text, hexadecimal."""
        return next((r.plan for r in reversed(self._records) if r.plan), "") if not self._base else self._base

    @property
    def edited(self) -> bool:
        """Whether anybody worked here: edited, or looked at what is doubtful."""
        return bool(self._done or self.seen)

    @property
    def can_undo(self) -> str:
        """The act that undo would take back, empty when there is none."""
        return self._done[-1].op if self._done else ""

    @property
    def can_redo(self) -> str:
        """The act that redo would do again, empty when there is none."""
        return self._undone[-1].op if self._undone else ""

    def edit(self, who: str, op: str, delta: Delta) -> Delta:
        """Carry out a change. Raises SafelightError when the result would be no plan, or cannot be written."""
        return self._change("edit", who, op, delta, None)

    def undo(self, who: str) -> Delta:
        """Take the last edit back; returns what changed. Raises SL-EDIT-REFUSED when there is none."""
        if not self._done:
            raise SafelightError(Code.EDIT_REFUSED, "There is nothing to undo.")
        last = self._done[-1]
        assert last.delta is not None
        return self._change("undo", who, last.op, last.delta.reversed(), last)

    def redo(self, who: str) -> Delta:
        """Do again what was undone last. Raises SL-EDIT-REFUSED when there is nothing."""
        if not self._undone:
            raise SafelightError(Code.EDIT_REFUSED, "There is nothing to do again.")
        last = self._undone[-1]
        assert last.delta is not None
        return self._change("redo", who, last.op, last.delta, last)

    def mark(self, who: str, items: list[str], *, seen: bool) -> None:
        """Note that a person looked at these items of the risk queue, or takes that back."""
        what: Literal["seen", "unseen"] = "seen" if seen else "unseen"
        self._write(Record(n=self._next, at=now(), who=who, what=what, items=items))
        self.seen = self.seen | set(items) if seen else self.seen - set(items)

    def note(self, who: str, act: str) -> None:
        """Note an act that changes nothing: looked at the original, rendered, signed."""
        self._write(Record(n=self._next, at=now(), who=who, what="act", act=act))

    def acts(self) -> list[Record]:
        """Everything that was noted, oldest first."""
        return list(self._records)

    # ------------------------------------------------------------------------------------------------------------

    @property
    def _next(self) -> int:
        return len(self._records) + 1

    def _change(
        self, what: Literal["edit", "undo", "redo"], who: str, op: str, delta: Delta, of: Record | None
    ) -> Delta:
        plan = delta.on(self.plan)
        text = plan.to_json().encode()
        written = delta if what == "edit" else None
        self._write(
            Record(
                n=self._next,
                at=now(),
                who=who,
                what=what,
                plan=_sha256(text),
                of=of.n if of else 0,
                op=op,
                delta=written,
            )
        )
        self.plan, self.text = plan, text
        self._move(self._records[-1])
        return delta

    def _write(self, record: Record) -> None:
        if self._base:
            first = Record(n=self._next, at=now(), who="desk", what="base", plan=self._base)
            self._lines.append(first.model_dump_json(exclude_defaults=True).encode())
            self._records.append(first)
            self._base = ""
            record = record.model_copy(update={"n": self._next})
        self._lines.append(record.model_dump_json(exclude_defaults=True).encode())
        self._records.append(record)

    def _move(self, record: Record) -> None:
        """Move the places of undo and redo as a record tells."""
        if record.what == "edit":
            self._done.append(record)
            self._undone.clear()
        elif record.what == "undo":
            self._undone.append(self._done.pop())
        elif record.what == "redo":
            self._done.append(self._undone.pop())

    def _resume(self) -> None:
        for place, record in enumerate(self._records, start=1):
            if record.n != place:
                raise SafelightError(Code.UNREADABLE, f"Line {place} of the journal has number {record.n}.")
            if record.what == "seen":
                self.seen |= set(record.items)
            elif record.what == "unseen":
                self.seen -= set(record.items)
        have = _sha256(self.text)
        known = [r for r in self._records if r.plan]
        base = max((i for i in range(len(known)) if known[i].what == "base"), default=0)
        at = next((i for i in range(len(known) - 1, base - 1, -1) if known[i].plan == have), None)
        if at is None:
            if known:
                self.seen.clear()
            self._base = have
            return
        for place, record in enumerate(known[base:], start=base):
            delta = record.delta
            if record.what == "undo":
                delta = self._done[-1].delta.reversed() if self._done and self._done[-1].delta else None
            elif record.what == "redo":
                delta = self._undone[-1].delta if self._undone else None
            if place > at and delta is not None:
                self.plan = delta.on(self.plan)
            self._move(record)
        self.text = self.plan.to_json().encode()


def _parse(line: bytes) -> Record:
    try:
        return Record.model_validate_json(line)
    except ValidationError as error:
        raise SafelightError(Code.UNREADABLE, "A line of the journal cannot be understood.") from error
