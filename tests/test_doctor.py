"""`safelight doctor` says what this machine can do, and says it loudly when strangers' files could get out."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from safelight.cli import doctor
from safelight.cli.app import app
from safelight.workers import trial
from safelight.workers.confine import Support, support


def test_it_tries_every_way_out() -> None:
    if not support().full:
        pytest.skip(f"this kernel cannot confine workers: {support()}")
    found = {finding.what: finding.works for finding in doctor.examine()}
    for name in trial.ATTEMPTS:
        assert found[f"a locked worker cannot {name}"], name


@pytest.mark.parametrize("able", [Support(0, True), Support(6, False), Support(0, False)])
def test_a_machine_without_is_not_well(able: Support, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "support", lambda: able)
    ran = CliRunner().invoke(app, ["doctor", "--json"])
    assert ran.exit_code == 1
    told = json.loads(ran.stdout)
    assert not told["well"]
    assert {f["what"].split()[0] for f in told["findings"] if f["needed"] and not f["works"]} >= (
        set() if able.landlock else {"Landlock"}
    ) | (set() if able.seccomp else {"seccomp"})
    assert "refuses" in CliRunner().invoke(app, ["doctor"]).stdout


def test_an_attempt_that_works_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the lock every attempt succeeds (the memory of this machine apart), so `held` can tell."""
    for name in ("read other files", "reach the network", "start a process"):
        trial.ATTEMPTS[name]()
    monkeypatch.setattr(trial.sys, "executable", "/bin/false")
    assert not trial.held("read other files")
