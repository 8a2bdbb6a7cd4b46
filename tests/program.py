"""Running the program as a person does: as a process, with words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "safelight"]


@dataclass(frozen=True)
class Ran:
    """How a run ended."""

    status: int
    out: str
    err: str

    @property
    def results(self) -> list[dict[str, Any]]:
        """What ``--json`` printed."""
        results: list[dict[str, Any]] = json.loads(self.out)["results"]
        return results


def safelight(*words: str | Path | bytes, cwd: Path | None = None, timeout: float = 240) -> Ran:
    """Run ``safelight`` with these words and wait for it."""
    done = subprocess.run(
        [*COMMAND, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=cwd,
        timeout=timeout,
        check=False,
        env=os.environ | {"PYTHONIOENCODING": "utf-8:backslashreplace", "COLUMNS": "200"},
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
