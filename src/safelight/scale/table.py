"""The job table: one row for each clip that is to be protected, in SQLite beside the copies, or in PostgreSQL by URL.

A row is taken by one worker at a time, for as long as its lease runs; who dies leaves a lease that ends or, on the same
machine, is found dead at once. The table never decides what is right on the disk: `protect` does, by hashes. Losing the
table loses nothing but time; two workers on one clip make the same bytes.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    create_engine,
    event,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError, ProgrammingError, SQLAlchemyError

from safelight.account import Options
from safelight.buckets import in_bucket, placed
from safelight.errors import Code, SafelightError
from safelight.inputs import Item, printable
from safelight.outputs import Names, names_for

FILE = ".safelight.db"  # in the folder of the copies
SECONDS_OF_LEASE = 600.0
SECONDS_OF_PATIENCE = 60.0  # with a server that is gone
_SECONDS_BETWEEN_TRIES = 1.0
_MANY = 2_000  # rows put in at once
_T = TypeVar("_T")

_meta = MetaData()
# Paths are kept as bytes: a file name need not be text.
_jobs = Table(
    "safelight_jobs",
    _meta,
    Column("id", Integer, primary_key=True),
    Column("source", LargeBinary, nullable=False),
    Column("folder", LargeBinary, nullable=False),
    Column("stem", LargeBinary, nullable=False),
    Column("options", Text, nullable=False),
    Column("size", BigInteger),
    Column("modified", BigInteger),
    Column("state", String(10), nullable=False, index=True),
    Column("worker", String(200)),
    Column("lease", Float),
    Column("tries", Integer, nullable=False, default=0),
    Column("finished", Float),
    Column("seconds", Float),
    Column("film", Float),
    Column("frames", Integer),
    Column("code", String(40)),
    Column("detail", Text),
    Column("receipt", Text),
    UniqueConstraint("source", "folder"),
    UniqueConstraint("folder", "stem"),
)


@dataclass(frozen=True)
class Job:
    """One clip to protect, taken from the table."""

    number: int
    source: Path
    names: Names
    options: Options


@dataclass(frozen=True)
class Receipt:
    """What a finished job left: SHA-256 of source, copy and plan; length of the film in seconds, if known; frames."""

    source: str
    copy: str
    plan: str
    film: float | None
    frames: int


@dataclass(frozen=True)
class Failed:
    """A row that ended without a copy."""

    source: Path
    code: str
    detail: str


@dataclass(frozen=True)
class Status:
    """The table in figures. ``film``: seconds of film done; ``spent``: seconds workers took for that."""

    states: dict[str, int]
    film: float
    frames: int
    spent: float
    running: list[tuple[Path, str]]
    failed: list[Failed]

    @property
    def total(self) -> int:
        """All rows."""
        return sum(self.states.values())


class JobTable:
    """The table behind a URL as SQLAlchemy understands it. For several threads; a context manager."""

    def __init__(self, url: str) -> None:
        """Open or create the table. Raises SL-TABLE."""
        self.url = url
        self._me = _who()
        with _told():
            self._engine = create_engine(url, pool_pre_ping=True)
            if self._engine.dialect.name == "sqlite":
                event.listen(self._engine, "connect", _patient)
            try:
                _meta.create_all(self._engine)
            except (IntegrityError, ProgrammingError):  # somebody else made it at this very moment
                _meta.create_all(self._engine)

    @classmethod
    def beside(cls, folder: Path) -> Self:
        """The SQLite table in a folder of copies, which is made if need be."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SafelightError(Code.NOT_WRITABLE, f"{error.strerror}.", file=printable(folder)) from error
        return cls(f"sqlite:///{folder.absolute() / FILE}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    def _do(self, work: Callable[[Connection, bool], _T]) -> _T:
        """One transaction. It is begun again, for a minute, when a server is gone or the line to it was cut; ``work``
        is told whether it was begun before, since the end of that one may have been lost on the way back only.
        """
        deadline, again = time.monotonic() + SECONDS_OF_PATIENCE, False
        while True:
            try:
                with _told(), self._engine.begin() as connection:
                    return work(connection, again)
            except SafelightError as error:
                lost = isinstance(error.__cause__, (OperationalError, InterfaceError))
                if not lost or self._engine.dialect.name == "sqlite" or time.monotonic() > deadline:
                    raise
            again = True
            time.sleep(_SECONDS_BETWEEN_TRIES)

    def add(self, items: Iterable[Item], folder: Path, options: Options) -> list[int]:
        """Put clips in, or in again; returns their numbers in order.

        A clip keeps the names it was given first. Another clip of the same stem gets its full name; a third is refused
        with SL-IN-THE-WAY in its own row. A clip that is found at another place than before (a card mounted elsewhere)
        keeps its row: the old place is empty now.
        """
        return list(self.adding(items, folder, options))

    def adding(self, items: Iterable[Item], folder: Path, options: Options) -> Iterator[int]:
        """The same little by little, so that work can begin before the last clip is in."""
        known = _Known()
        for chunk in _chunks(items):
            try:
                yield from self._add(known, chunk, folder, options)
            except IntegrityError:  # somebody else puts clips in as well: look again at what is there
                known = _Known()
                yield from self._add(known, chunk, folder, options)

    def _add(self, known: _Known, items: list[Item], folder: Path, options: Options) -> list[int]:
        def add(connection: Connection, again: bool) -> list[int]:
            if again:
                known.forget()  # rows that were read may not have come to stay
            return _add(connection, known, items, folder, options)

        return self._do(add)

    def settled(self, source: Path, folder: Path) -> bool:
        """Whether a clip, as it lies on the disk now by size and time, is done or refused, or somebody is at it. One
        that waits is not: whoever put it in may be gone.
        """
        size, modified = _looks(source)
        same = and_(
            or_(_jobs.c.state.in_(("done", "failed")), and_(_jobs.c.state == "running", not_(_lapsed(time.time())))),
            _jobs.c.source == os.fsencode(placed(source)),
            _jobs.c.folder == os.fsencode(placed(folder)),
            _jobs.c.size == size,
            _jobs.c.modified == modified,
        )
        return self._do(lambda connection, _: connection.execute(select(_jobs.c.id).where(same)).first()) is not None

    def take(self, number: int) -> Job | None:
        """Take one row for this process; None when another has it."""
        now = time.time()
        mine = {"state": "running", "worker": self._me, "lease": now + SECONDS_OF_LEASE, "tries": _jobs.c.tries + 1}

        def take(connection: Connection, again: bool) -> Any:
            free = [_jobs.c.state == "waiting", _lapsed(now)]
            free += [and_(_jobs.c.worker == self._me, _jobs.c.lease == mine["lease"])] if again else []
            one = and_(_jobs.c.id == number, or_(*free))
            if connection.execute(update(_jobs).where(one).values(**mine)).rowcount != 1:
                return None
            return connection.execute(select(_jobs).where(_jobs.c.id == number)).one()

        row = self._do(take)
        if row is None:
            return None
        names = Names(Path(os.fsdecode(row.folder)), os.fsdecode(row.stem))
        return Job(row.id, Path(os.fsdecode(row.source)), names, Options.model_validate_json(row.options))

    def keep(self, numbers: list[int]) -> None:
        """Renew the lease on rows this process has taken."""
        mine = and_(_jobs.c.id.in_(numbers), _jobs.c.worker == self._me)
        renewed = update(_jobs).where(mine).values(lease=time.time() + SECONDS_OF_LEASE)
        self._do(lambda connection, _: connection.execute(renewed))

    def done(self, number: int, receipt: Receipt, seconds: float) -> None:
        """Write down that a job is done."""
        size_and_time = {"receipt": json.dumps(receipt.__dict__), "film": receipt.film, "frames": receipt.frames}
        self._end(number, state="done", seconds=seconds, code=None, detail=None, **size_and_time)

    def failed(self, number: int, error: SafelightError) -> None:
        """Write down why there is no copy."""
        self._end(number, state="failed", code=error.code.value, detail=error.detail[:4000])

    def put_back(self, number: int) -> None:
        """Leave a job for another run: it was called off."""
        self._end(number, state="waiting")

    def _end(self, number: int, **values: object) -> None:
        ended: dict[str, Any] = {"worker": None, "lease": None, "finished": time.time()}
        end = update(_jobs).where(_jobs.c.id == number).values(**ended, **values)
        self._do(lambda connection, _: connection.execute(end))

    def free_the_dead(self) -> int:
        """Give back rows of processes of this machine that are gone, and rows whose lease ended; returns how many."""
        running = select(_jobs.c.id, _jobs.c.worker, _jobs.c.lease).where(_jobs.c.state == "running")

        def free(connection: Connection, _: bool) -> int:
            dead = [r.id for r in connection.execute(running) if r.lease < time.time() or _dead(r.worker)]
            for number in dead:
                connection.execute(update(_jobs).where(_jobs.c.id == number).values(state="waiting", worker=None))
            return len(dead)

        return self._do(free)

    def receipts(self) -> dict[Path, Receipt]:
        """The receipts of everything that is done, by source."""
        query = select(_jobs.c.source, _jobs.c.receipt).where(_jobs.c.state == "done")
        rows = self._do(lambda connection, _: list(connection.execute(query)))
        return {Path(os.fsdecode(row.source)): Receipt(**json.loads(row.receipt)) for row in rows}

    def status(self) -> Status:
        """The whole table in figures."""
        return self._do(lambda connection, _: _status(connection))


def _status(connection: Connection) -> Status:
    counted = select(_jobs.c.state, func.count()).group_by(_jobs.c.state)
    states = {row[0]: row[1] for row in connection.execute(counted)}
    sums = select(func.sum(_jobs.c.film), func.sum(_jobs.c.frames), func.sum(_jobs.c.seconds))
    film, frames, spent = connection.execute(sums.where(_jobs.c.state == "done")).one()
    busy = select(_jobs.c.source, _jobs.c.worker).where(_jobs.c.state == "running")
    running = [(Path(os.fsdecode(row.source)), row.worker) for row in connection.execute(busy)]
    lost = select(_jobs.c.source, _jobs.c.code, _jobs.c.detail).where(_jobs.c.state == "failed")
    failed = [Failed(Path(os.fsdecode(r.source)), r.code, r.detail) for r in connection.execute(lost)]
    return Status(states, film or 0.0, frames or 0, spent or 0.0, running, failed)


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    waiting = iter(items)
    while chunk := list(islice(waiting, _MANY)):
        yield chunk


@dataclass
class _Known:
    """What is in the table, each row read once: numbers by source and folder, sources by name of the copy."""

    last: int = -1  # number of the last row that was read
    numbers: dict[tuple[bytes, bytes], int] = field(default_factory=dict)
    sources: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def forget(self) -> None:
        """Know nothing again."""
        self.last = -1
        self.numbers.clear()
        self.sources.clear()
        self.taken.clear()

    def look(self, connection: Connection) -> None:
        """Read what has come in since the last look."""
        query = select(_jobs.c.id, _jobs.c.source, _jobs.c.folder, _jobs.c.stem).where(_jobs.c.id > self.last)
        for row in connection.execute(query.order_by(_jobs.c.id)):
            name = _name(row.folder, row.stem)
            self.numbers[row.source, row.folder] = self.last = row.id
            self.sources[name] = row.id, row.source
            self.taken.add(name)


def _add(connection: Connection, known: _Known, items: list[Item], folder: Path, options: Options) -> list[int]:
    known.look(connection)
    fresh: dict[str, Any] = {"state": "waiting", "worker": None, "lease": None, "code": None, "detail": None}
    fresh["options"] = json.dumps(options.model_dump(mode="json"), sort_keys=True)
    added: dict[tuple[bytes, bytes], dict[str, Any]] = {}
    keys = []
    for item in items:
        source, target = os.fsencode(placed(item.path)), placed(folder / item.below)
        size, modified = _looks(item.path)
        row = {"source": source, "size": size, "modified": modified, "tries": 0} | fresh
        key = (source, os.fsencode(target))
        keys.append(key)
        if key in added:
            continue  # named twice
        moved = known.sources.get(_name(key[1], os.fsencode(item.path.stem)))
        if key not in known.numbers and moved is not None and _gone(moved[1]):
            known.numbers[key] = moved[0]
        if key in known.numbers:
            free = and_(_jobs.c.id == known.numbers[key], _free(time.time()))
            connection.execute(update(_jobs).where(free).values(row))
            continue
        try:
            stem = names_for(item.path, target, known.taken).stem
        except SafelightError as error:
            stem = f"{item.path.name}:{len(known.numbers) + len(added)}"  # a name no clip can have: nothing is made
            row |= {"state": "failed", "code": error.code.value, "detail": error.detail}
        added[key] = row | {"folder": key[1], "stem": os.fsencode(stem)}
    if added:
        connection.execute(insert(_jobs), list(added.values()))
        known.look(connection)
    return [known.numbers[key] for key in keys]


def _name(folder: bytes, stem: bytes) -> str:
    """As `names_for` writes names down."""
    return os.fspath(Path(os.fsdecode(folder)) / os.fsdecode(stem)).lower()


def _gone(source: bytes) -> bool:
    """Whether nothing lies there any more; of buckets nobody knows without asking."""
    path = Path(os.fsdecode(source))
    return not in_bucket(path) and not os.path.lexists(path)


def _free(now: float) -> Any:
    return or_(_jobs.c.state != "running", _lapsed(now))


def _lapsed(now: float) -> Any:
    return and_(_jobs.c.state == "running", _jobs.c.lease < now)


def _looks(path: Path) -> tuple[int | None, int | None]:
    """Size and time of a file, to see whether it is another one; a missing one is refused later, by name."""
    try:
        facts = path.stat()
    except (OSError, ValueError):
        return None, None
    return facts.st_size, facts.st_mtime_ns


@cache
def _who() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{_born(os.getpid())}"


def _born(pid: int) -> str:
    """When a process began, so that a new one with an old number is not taken for it; empty where nobody tells."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _dead(worker: str) -> bool:
    host, pid, born = worker.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # alive, and somebody else's
    return _born(int(pid)) != born


def _patient(connection: Any, _: object) -> None:
    """SQLite: wait for other writers instead of failing."""
    connection.execute("PRAGMA busy_timeout = 60000")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise  # two at once; whoever put in looks again
    except SQLAlchemyError as error:
        why = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise SafelightError(Code.TABLE, f"The job table could not be used: {why[:300]}.") from error
