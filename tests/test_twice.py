"""Two who protect the same clip at the same time: what one of them finished is never mixed with the other's."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from safelight import protect as module
from safelight.account import Account, Options
from safelight.outputs import Names
from safelight.plan import Asked, Effort
from tests.media.build import clip

OPTIONS = Options(asked=Asked(effort=Effort.QUICK))


class Watching:
    """An observer that does something when the attack begins."""

    def __init__(self, then: object = None) -> None:
        self._then = then

    def stage(self, name: str) -> None:
        if name == "attacking" and callable(self._then):
            self._then()

    def progress(self, done: int, total: int | None) -> None: ...


def made(film: Path, names: Names, then: object = None, options: Options = OPTIONS) -> module.Outcome:
    return module.protect(film, names, options, observer=Watching(then), cancel=threading.Event())


def in_order(names: Names) -> bool:
    """Whether an account that lies there, if any, speaks of the files beside it."""
    account = Account.load(names.account)
    return account is None or all(
        hashlib.sha256((names.folder / facts.name).read_bytes()).hexdigest() == facts.sha256
        for facts in (account.copy_, account.plan)
    )


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return clip(tmp_path / "film.mp4", frames=6, width=64, height=48)


def test_who_comes_second_takes_what_the_first_has_finished(film: Path, tmp_path: Path) -> None:
    names = Names(tmp_path / "out", "film")
    first: list[module.Outcome] = []
    second = made(film, names, lambda: first.append(made(film, names)))
    assert not first[0].already
    assert second.already
    assert second.account.copy_ == first[0].account.copy_
    assert in_order(names)


def test_an_earlier_account_is_gone_before_its_copy_is_another(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Struck between any two of the files that appear, no account speaks of files that are others now."""
    names = Names(tmp_path / "out", "film")
    made(film, names)
    publish = module.publish

    def struck(moves: list[tuple[Path, Path]]) -> None:
        for move in moves:
            publish([move])
            assert in_order(names)

    monkeypatch.setattr(module, "publish", struck)
    made(film, names, options=OPTIONS.model_copy(update={"curtain": True}))
    assert in_order(names)
    assert Account.load(names.account) is not None
