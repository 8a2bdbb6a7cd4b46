"""Generated documents are up to date."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
MADE = runpy.run_path(str(DOCS / "generate.py"))["documents"]()


@pytest.mark.parametrize("name", sorted(MADE))
def test_generated_documents_are_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text() == MADE[name], "run: python docs/generate.py"
