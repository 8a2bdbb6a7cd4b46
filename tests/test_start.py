"""The program starts quickly: what only some commands need is loaded by these."""

from __future__ import annotations

import subprocess
import sys

import pytest

from safelight.cli.app import COMMANDS

HEAVY = {"numpy", "cv2", "av", "sqlalchemy", "c2pa", "openvino", "cryptography", "pyrage", "PIL", "rapidfuzz", "scipy"}
PARSERS = {"av", "cv2", "numpy", "openvino", "PIL", "pdfminer"}  # what strangers' files are read with


def loaded(what: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; import {what}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_the_list_of_commands_needs_none_of_the_large_libraries() -> None:
    assert not loaded("safelight.cli.app") & HEAVY


@pytest.mark.parametrize("command", ["protect", "stages", "desk"])
def test_commands_load_what_they_need_when_they_need_it(command: str) -> None:
    assert not loaded(f"safelight.cli.{command}") & HEAVY


def test_the_program_that_steers_has_nothing_to_read_films_with() -> None:
    assert not loaded("safelight.scale.run, safelight.sealed, safelight.desk.app") & PARSERS


def test_attackers_of_a_silent_copy_load_nothing_for_sound() -> None:
    """Half a second of processor and 60 MB, for every clip."""
    assert not loaded("safelight.attack.run") & {"scipy", "pyworld"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says_of_itself(name: str) -> None:
    place = COMMANDS[name]
    told = place.load(name).help.partition("\n\n")[0]
    assert " ".join(told.split()) == place.told
