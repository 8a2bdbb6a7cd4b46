"""Codes: each has a next step, none is used twice, all are documented."""

from __future__ import annotations

from safelight.errors import NEXT_STEP, Code, SafelightError


def test_every_code_tells_what_to_do() -> None:
    assert set(NEXT_STEP) == set(Code)
    assert all(step.endswith(".") for step in NEXT_STEP.values())


def test_codes_are_stable_words() -> None:
    assert all(code.value == "SL-" + code.name.replace("_", "-") for code in Code)


def test_a_refusal_says_what_where_and_what_next() -> None:
    said = str(SafelightError(Code.EMPTY, "The file is empty.", file="a.mp4"))
    assert said.startswith("SL-EMPTY: a.mp4: The file is empty. ")
    assert said.endswith(NEXT_STEP[Code.EMPTY])
