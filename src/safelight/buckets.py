"""`s3://` buckets as source and target: clips are brought when their turn comes, results sent when they are finished.

The network is used for the one bucket a person named, with what the environment says (AWS_ACCESS_KEY_ID and so on,
AWS_ENDPOINT for a server of one's own); without keys in the environment requests are not signed, and nobody
is asked for keys. Nothing is parsed here. An object appears whole or not at all, and the account is sent last.

A place in a bucket is a path that begins with ``s3:``; paths lose one of the two strokes.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any

from safelight.errors import Code, SafelightError
from safelight.inputs import Item, Original, expand, printable
from safelight.outputs import COPIES, Names, private_folder, writing

_SCHEME = "s3:"
_RETRIES, _SECONDS = 6, 60  # how often and how long a request is repeated
_PART = 8 << 20  # bytes fetched at once
_MEANWHILE = "Somebody else made the same clip meanwhile."


@dataclass(frozen=True)
class _Seen:
    """How a file looked when it was fetched: its tag in the bucket, when it was written here in nanoseconds."""

    tag: str | None
    time: int


def in_bucket(path: Path) -> bool:
    """Whether a path is a place in a bucket."""
    return path.parts[:1] == (_SCHEME,)


def placed(path: Path) -> Path:
    """The path as the job table knows it: absolute, or a place in a bucket."""
    return path if in_bucket(path) else path.absolute()


def expand_all(paths: Iterable[Path], *, leave_out: Path) -> Iterator[Item]:
    """Every file that ``paths`` name, in buckets too. Raises like :func:`expand`, and SL-BUCKET."""
    for path in paths:
        if not in_bucket(path):
            yield from expand([path], leave_out=leave_out)
            continue
        store, prefix = _opened(path)
        with _failures(path):
            for many in _obstore().list(store, prefix=prefix or None):
                for entry in many:
                    if in_bucket(leave_out) and _inside(_place(path, entry["path"]), leave_out):
                        continue
                    yield _item(path, prefix, entry["path"])


def _item(named: Path, prefix: str, key: str) -> Item:
    """An object as a file to work on. Keys may be anything: one that would lead elsewhere lends no folder its name."""
    below = PurePosixPath(key).relative_to(prefix).parent if key != prefix else PurePosixPath()
    harmless = ".." not in below.parts and not below.is_absolute() and "\0" not in key
    return Item(_place(named, key), Path(below) if harmless else Path())


def _inside(path: Path, folder: Path) -> bool:
    return path.parts[: len(folder.parts)] == folder.parts


@contextmanager
def brought(path: Path) -> Iterator[Path | Original]:
    """A clip where it can be read: a path as it is, an object as an open file without a name, gone afterwards.

    Raises SL-BUCKET, SL-NOT-FOUND, SL-DISK-FULL, SL-NOT-WRITABLE.
    """
    if not in_bucket(path):
        yield path
        return
    store, key = _opened(path)
    here = Path(tempfile.gettempdir())
    with writing(here), tempfile.TemporaryFile(dir=here) as file:
        with _failures(path):
            for part in _obstore().get(store, key).stream(min_chunk_size=_PART):
                file.write(part)
        file.flush()
        with Original(path, os.dup(file.fileno())) as original:
            yield original


@contextmanager
def sent(names: Names) -> Iterator[Names]:
    """Names to work with: those given, or the same in a private folder that holds what lies in the bucket so far.

    What was made there is sent when the work ends, the account last; when it was refused, the copy and the account
    that lay in the bucket are taken away and what there is of plan and report is sent. Raises SL-BUCKET, also when
    somebody else made the same clip meanwhile: what lies there is theirs then, and the next run will find it.
    """
    if not in_bucket(names.folder):
        yield names
        return
    store, prefix = _opened(names.folder)
    with private_folder(Path(tempfile.gettempdir())) as folder:
        local = Names(folder, names.stem)
        with _failures(names.folder):
            before = _fetched(store, prefix, local)
        try:
            yield local
        finally:
            with _failures(names.folder):
                _send(store, prefix, local, before)


def _fetched(store: Any, prefix: str, local: Names) -> dict[str, _Seen]:
    """Lay out what is in the bucket; each name with how it looked there and here."""
    found = {}
    for path in _results(local):
        try:
            answer = _obstore().get(store, _key(prefix, path.name))
            data = answer.bytes()
        except FileNotFoundError:
            continue
        with writing(path.parent):
            path.write_bytes(data)
        found[path.name] = _Seen(answer.meta["e_tag"], path.stat().st_mtime_ns)
    return found


def _send(store: Any, prefix: str, local: Names, before: dict[str, _Seen]) -> None:
    """Bring the bucket to what was made. A bucket has no locks: somebody else's account that came meanwhile stays, and
    what was sent is looked at once more. Whoever sends the last account sees it when the two were mixed.
    """
    account = local.account.name
    earlier = before[account].tag if account in before else None
    if _tag(store, prefix, account) != earlier:
        raise SafelightError(Code.BUCKET, _MEANWHILE, file=account)
    made = [path for path in _results(local) if path.exists()]
    changed = [p for p in made if p.name not in before or before[p.name].time != p.stat().st_mtime_ns]
    if changed and earlier is not None:  # it speaks of files that are others in a moment
        _obstore().delete(store, _key(prefix, account))
    for path in _results(local)[::-1]:
        if path.name in before and not path.exists():
            _obstore().delete(store, _key(prefix, path.name))
    sent = {path.name: _obstore().put(store, _key(prefix, path.name), path)["e_tag"] for path in changed}
    if any(_tag(store, prefix, name) != tag for name, tag in sent.items()):
        raise SafelightError(Code.BUCKET, _MEANWHILE, file=account)


def _tag(store: Any, prefix: str, name: str) -> str | None:
    """What the bucket tells two states of an object apart by; None when there is none of that name."""
    try:
        tag: str | None = _obstore().head(store, _key(prefix, name))["e_tag"]
    except FileNotFoundError:
        return None
    return tag


def _results(names: Names) -> list[Path]:
    """All that may lie there of one clip, in the order in which it is sent."""
    documents = [names.sheet, names.plan, names.verdict, names.report]
    return [*documents, *(names.copy(extension) for extension in COPIES), names.account]


def _key(prefix: str, name: str) -> str:
    return f"{prefix}/{name}" if prefix else name


def _place(named: Path, key: str) -> Path:
    return Path(_SCHEME, named.parts[1], *key.split("/"))


def _opened(path: Path) -> tuple[Any, str]:
    """The store of a bucket, and the key in it. Raises SL-BUCKET."""
    if len(path.parts) < 2:
        raise SafelightError(Code.BUCKET, "No bucket is named.", file=printable(path))
    with _failures(path):
        return _store(path.parts[1]), "/".join(path.parts[2:])


@lru_cache(maxsize=8)
def _store(bucket: str) -> Any:
    stores = _obstore().store
    signed = any(os.environ.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"))
    patience = {"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=_SECONDS)}
    return stores.S3Store(bucket, retry_config=patience, skip_signature=not signed)


def _obstore() -> Any:
    try:
        return import_module("obstore")  # an extra
    except ImportError as error:
        raise SafelightError(Code.BUCKET, "The package `obstore` is not installed.") from error


@contextmanager
def _failures(path: Path) -> Iterator[None]:
    """Turn failures of the bucket into refusals."""
    mistakes = _obstore().exceptions
    try:
        yield
    except FileNotFoundError as error:
        raise SafelightError(Code.NOT_FOUND, "There is no such object.", file=printable(path)) from error
    except mistakes.BaseError as error:
        why = " ".join(str(error).split())[:300]
        told = f"The bucket did not answer as it should: {why}."
        raise SafelightError(Code.BUCKET, told, file=printable(path)) from error
