"""The names of attackers stand in two places, so that the program need not load them: they are the same."""

from __future__ import annotations

from safelight.attack.run import ATTACKERS
from safelight.attack.verdict import NAMES


def test_a_verdict_must_have_all_attackers_that_there_are() -> None:
    assert tuple(kind.name for kind in ATTACKERS) == NAMES
