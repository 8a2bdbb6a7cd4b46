"""The catalogue: what the log says, as tables one can ask. It holds nothing of its own and is rebuilt at any time.

By default it lives in memory, since it would show names and file names to whoever holds the folder. A desk may name a
database instead (PostgreSQL or an SQLite file elsewhere); that one is then only as safe as the machine it is on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Text,
    create_engine,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from safelight.custody.entry import Act, Entry, clip_name
from safelight.errors import Code, SafelightError

IN_MEMORY = "sqlite://"

_schema = MetaData()
_heads = Table(
    "safelight_heads",
    _schema,
    Column("case_id", String(32), primary_key=True),
    Column("size", Integer),
    Column("root", String(64)),
)
_acts = Table(
    "safelight_acts",
    _schema,
    Column("case_id", String(32), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("time", String(20)),
    Column("who", Text),
    Column("act", String(32)),
    Column("clip", Integer),
    Column("kinds", Text),
    Column("note", Text),
)
_clips = Table(
    "safelight_clips",
    _schema,
    Column("case_id", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("object", String(64)),
    Column("version", Integer),
    Column("inventory", String(64)),
    Column("size", BigInteger),
    Column("sha256", String(64), index=True),
    Column("blake3", String(64)),
    Column("sealed", String(20)),
    Column("known", Text),
)
_papers = Table(
    "safelight_papers",
    _schema,
    Column("case_id", String(32), primary_key=True),
    Column("object", String(64)),
    Column("version", Integer),
    Column("inventory", String(64)),
)
_arrivals = Table(
    "safelight_arrivals",
    _schema,
    Column("case_id", String(32), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("clip", Integer),
    Column("path", Text),
    Column("source", Text),
    Column("size", BigInteger),
    Column("taken", String(32)),
    Column("taken_ns", BigInteger),
)


@dataclass(frozen=True)
class Clip:
    """One original. ``path`` and ``source``: of its first arrival; ``known``: labels of published material it is."""

    number: int
    object: str
    version: int
    inventory: str
    size: int
    sha256: str
    blake3: str
    sealed: str
    known: list[str]
    path: str
    source: str
    taken: str

    @property
    def name(self) -> str:
        """What it is called where its file name must not be told."""
        return clip_name(self.number)


@dataclass(frozen=True)
class Papers:
    """The object with the documents of the whole case (the list of names)."""

    object: str
    version: int
    inventory: str


@dataclass(frozen=True)
class Arrival:
    """A file that came in, new or seen before. ``taken_ns``: the file's own time in nanoseconds."""

    place: int
    clip: int
    path: str
    source: str
    size: int
    taken_ns: int


class Catalogue:
    """The tables of one case in one database. Context manager."""

    def __init__(self, url: str, case_id: str) -> None:
        """Connect and make the tables. Raises SL-CASE-CATALOGUE."""
        self._case = case_id
        try:
            self._engine = create_engine(url)
            _schema.create_all(self._engine)
            self._connection: Connection = self._engine.connect()
        except (SQLAlchemyError, ImportError) as error:  # ImportError: no driver for this kind of database
            raise _refused(error) from error

    def __enter__(self) -> Catalogue:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._engine.dispose()

    @property
    def head(self) -> tuple[int, str]:
        """How many entries are in it, and the root (hex) they had; (0, "") when it is new."""
        row = self._connection.execute(
            select(_heads.c.size, _heads.c.root).where(_heads.c.case_id == self._case)
        ).first()
        return (row[0], row[1]) if row else (0, "")

    def clear(self) -> None:
        """Forget this case."""
        with self._guarded():
            for table in _schema.sorted_tables:
                self._connection.execute(delete(table).where(table.c.case_id == self._case))

    def feed(self, entries: Iterable[tuple[int, Entry]], size: int, root: bytes) -> None:
        """Take in entries with their places, after which the log has ``size`` entries and this root."""
        with self._guarded():
            for place, entry in entries:
                self._take(place, entry)
            self._connection.execute(delete(_heads).where(_heads.c.case_id == self._case))
            self._put(_heads, size=size, root=root.hex())

    def _take(self, place: int, entry: Entry) -> None:
        self._put(
            _acts,
            place=place,
            time=entry.time,
            who=entry.who,
            act=entry.act.value,
            clip=entry.clip,
            kinds=",".join(entry.kinds),
            note=entry.note,
        )
        about = entry.about
        if entry.act is Act.SEALED and about is not None:
            self._put(
                _clips,
                number=entry.clip,
                object=entry.object,
                version=entry.version,
                inventory=entry.inventory,
                size=about.size,
                sha256=about.sha256,
                blake3=about.blake3,
                sealed=entry.time,
                known="\n".join(about.known),
            )
        elif entry.inventory is not None and entry.clip is None:
            self._connection.execute(delete(_papers).where(_papers.c.case_id == self._case))
            self._put(_papers, object=entry.object, version=entry.version, inventory=entry.inventory)
        elif entry.inventory is not None:
            self._connection.execute(
                update(_clips)
                .where(_clips.c.case_id == self._case, _clips.c.number == entry.clip)
                .values(version=entry.version, inventory=entry.inventory)
            )
        if about is not None:
            facts = about.model_dump(include={"path", "source", "size", "taken", "taken_ns"})
            self._put(_arrivals, place=place, clip=entry.clip, **facts)

    def clips(self) -> list[Clip]:
        """All originals by number."""
        first: dict[int, dict[str, Any]] = {}
        columns = (_arrivals.c.clip, _arrivals.c.path, _arrivals.c.source, _arrivals.c.taken)
        for clip, path, source, taken in self._connection.execute(
            self._of(_arrivals, *columns).order_by(_arrivals.c.place)
        ):
            first.setdefault(clip, {"path": path, "source": source, "taken": taken})
        found = []
        for row in self._connection.execute(self._of(_clips, *list(_clips.c)[1:]).order_by(_clips.c.number)):
            values = dict(row._mapping)
            known = values.pop("known")
            found.append(Clip(**values, known=known.split("\n") if known else [], **first[values["number"]]))
        return found

    def papers(self) -> Papers | None:
        """The object of the whole case's documents; None when there are none."""
        row = self._connection.execute(self._of(_papers, *list(_papers.c)[1:])).first()
        return Papers(*row) if row else None

    @property
    def next_number(self) -> int:
        """The number of the next clip."""
        row = self._connection.execute(self._of(_clips, func.max(_clips.c.number))).first()
        return 1 + (row[0] or 0 if row else 0)

    def has_size(self, size: int) -> bool:
        """Whether an original of this size is there."""
        return (
            self._connection.execute(self._of(_clips, _clips.c.number).where(_clips.c.size == size)).first() is not None
        )

    def number_of(self, sha256: str) -> int | None:
        """The clip with this hash."""
        row = self._connection.execute(self._of(_clips, _clips.c.number).where(_clips.c.sha256 == sha256)).first()
        return row[0] if row else None

    def arrivals(self, source: str, after: int = -1) -> list[Arrival]:
        """What came from a source, from a place of the log on."""
        columns = [_arrivals.c[name] for name in ("place", "clip", "path", "source", "size", "taken_ns")]
        asked = self._of(_arrivals, *columns).where(_arrivals.c.source == source, _arrivals.c.place > after)
        return [Arrival(*row) for row in self._connection.execute(asked)]

    def sources(self) -> list[str]:
        """Pseudonyms of all that clips came from."""
        asked = self._of(_arrivals, _arrivals.c.source).distinct().order_by(_arrivals.c.source)
        return [row[0] for row in self._connection.execute(asked)]

    def unfinished(self, note: str) -> int | None:
        """The place where an intake with this note began that has not ended; None when there is none."""
        asked = (
            self._of(_acts, _acts.c.place, _acts.c.act)
            .where(_acts.c.note == note, or_(_acts.c.act == Act.BEGAN.value, _acts.c.act == Act.ENDED.value))
            .order_by(_acts.c.place.desc())
        )
        row = self._connection.execute(asked).first()
        return row[0] if row and row[1] == Act.BEGAN.value else None

    def acts(self, clip: int | None = None) -> list[dict[str, str | int | None]]:
        """What was done, in order; to one clip only, if one is named."""
        asked = self._of(_acts, *list(_acts.c)[1:]).order_by(_acts.c.place)
        if clip is not None:
            asked = asked.where(_acts.c.clip == clip)
        return [dict(row._mapping) for row in self._connection.execute(asked)]

    def _of(self, table: Table, *columns: Any) -> Select[Any]:
        return select(*columns).where(table.c.case_id == self._case)

    def _put(self, table: Table, **values: object) -> None:
        self._connection.execute(insert(table).values(case_id=self._case, **values))

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """All of it or none of it. Raises SL-CASE-CATALOGUE."""
        try:
            yield
            self._connection.commit()
        except SQLAlchemyError as error:
            self._connection.rollback()
            raise _refused(error) from error


def _refused(error: Exception) -> SafelightError:
    words = str(error).splitlines()[0] if str(error) else type(error).__name__
    return SafelightError(Code.CASE_CATALOGUE, f"The database did not answer as it should: {words}.")
