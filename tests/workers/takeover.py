"""Workers that run another program than theirs, as one that a hostile file has taken over would."""

from __future__ import annotations

from pathlib import Path

import pytest

import safelight


def taken_over(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the Python text lies that workers run from now on; all else of the house is the real one."""
    package, house = root / "takenover" / "safelight", Path(safelight.__file__).parent
    (package / "workers").mkdir(parents=True)
    (package / "__init__.py").write_text(f"__path__.append({str(house)!r})\n__version__ = {safelight.__version__!r}")
    (package / "workers" / "__init__.py").write_text(f"__path__.append({str(house / 'workers')!r})")
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    return package / "workers" / "__main__.py"
