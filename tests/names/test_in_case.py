"""The list of names in a case: sealed to its members, every use in the log, verified and handed over with the case."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pyrage
import pytest
from benchmarks.killing import write_case

from safelight.custody.case import opened
from safelight.custody.paper import Paper
from safelight.custody.verify import verify
from safelight.names.home import AgeHome, save
from safelight.names.people import Person, Roster
from tests.program import Ran, safelight

REAL = "Khadija al-Hashimi"
STORY = """story: small
desk: The Lamp Desk
address: https://lamp.example
published: "2026-03-02"
languages: [en]
"""


class Desk:
    """A case with a clip and a list of names, and who works on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.case, self.key = write_case(folder)
        (folder / "card").mkdir()
        (folder / "card" / "note.txt").write_text("hello")

    def open(self):
        return opened(self.case, identity=self.key, ask=lambda _: None)

    def run(self, *words: str | Path) -> Ran:
        return safelight(*words, cwd=self.folder)

    def names(self, command: str, *words: str | Path) -> Ran:
        return self.run("names", command, *words, "--case", self.case, "--identity", self.key)

    def checked(self) -> Ran:
        return self.run("case", "verify", self.case, "--identity", self.key)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    took = desk.run("intake", "card", "--case", desk.case, "--source", "S1", "--identity", desk.key)
    assert took.status == 0, took.err
    added = desk.names("add", "--pseudonym", "Om Mohammad", "--name", REAL)
    assert added.status == 0, added.err
    return desk


@pytest.fixture
def desk(filled: Desk, tmp_path: Path) -> Desk:
    """The same desk, to be changed or spoilt."""
    shutil.copytree(filled.folder, tmp_path / "desk")
    made = Desk.__new__(Desk)
    made.folder = tmp_path / "desk"
    made.case, made.key = (made.folder / path.relative_to(filled.folder) for path in (filled.case, filled.key))
    return made


def told(desk: Desk) -> list[tuple[str, str]]:
    with desk.open() as case:
        return [(str(act["act"]), str(act["kinds"] or act["note"])) for act in case.catalogue.acts()]


def test_no_name_lies_in_plain_and_a_story_is_searched_for_it(filled: Desk):
    (filled.folder / "story.md").write_text(f"Here is {REAL}.\n")
    scanned = filled.names("scan", "story.md")
    assert scanned.status == 1
    assert "name of Om Mohammad" in scanned.err
    for path in filled.folder.rglob("*"):
        if path.is_file() and path.name != "story.md":
            assert b"Khadija" not in path.read_bytes(), path
            assert b"Mohammad" not in path.read_bytes(), path
    assert not (filled.folder / "names.age").exists()
    assert ("names changed", "names") in told(filled)
    assert told(filled)[-1] == ("opened", "names")
    assert filled.checked().out.startswith("The case is whole: 1 originals")
    assert "1 originals" in filled.run("case", "verify", filled.case, "--without-key").out


def test_the_gate_of_a_story_reads_it(filled: Desk):
    story = filled.folder / "story"
    story.mkdir()
    (story / "story.yaml").write_text(STORY)
    (story / "en.md").write_text(f"---\ntitle: A\nlead: B\nauthors: [The Lamp Desk]\nstatement: C\n---\n{REAL} left.\n")
    checked = filled.run("story", "check", story, "--case", filled.case, "--identity", filled.key)
    assert checked.status == 1
    assert "SL-NAME-FOUND" in checked.err
    both = filled.run("story", "check", story, "--case", filled.case, "--names", "names.age")
    assert both.status == 2


@pytest.mark.parametrize("harm", ["flip", "old", "gone"])
def test_a_list_that_was_tampered_with_is_found_and_not_opened(desk: Desk, harm: str):
    assert desk.names("place", "33.5", "36.3").status == 0
    store = desk.case / "store"
    first, second = (next(store.rglob(f"{version}/content/names.age")) for version in ("v1", "v2"))
    if harm == "flip":
        data = bytearray(second.read_bytes())
        data[-5] ^= 1
        second.write_bytes(data)
    elif harm == "old":
        shutil.copyfile(first, second)
    else:
        second.unlink()
    checked = desk.checked()
    assert checked.status == 1
    assert "v2/content/names.age" in checked.out
    read = desk.names("list")
    assert (read.status, read.err[:14]) == (1, "SL-CASE-BROKEN")


def test_a_list_that_was_put_back_with_its_inventory_is_found(desk: Desk):
    place = next(desk.case.rglob("names.age")).parents[2]
    kept = desk.folder / "kept"
    shutil.copytree(place, kept)
    assert desk.names("remove", desk_person(desk)).status == 0
    shutil.rmtree(place)
    shutil.move(kept, place)
    assert desk.checked().status == 1
    assert "SL-CASE-BROKEN" in desk.names("list").err


def desk_person(desk: Desk) -> str:
    with desk.open() as case:
        return Roster.from_json(Paper(case).load() or b"").people[0].id


def test_a_list_of_before_the_case_is_taken_over_with_its_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SAFELIGHT_PASSPHRASE", "lamp")
    desk = Desk(tmp_path)
    roster = Roster(people=[Person(id="w", pseudonym="Om Mohammad", names=[REAL])])
    save(AgeHome(tmp_path / "names.age", "lamp"), roster)
    taken = desk.names("import", "names.age")
    assert taken.status == 0, taken.err
    with desk.open() as case:
        assert Roster.from_json(Paper(case).load() or b"") == roster
        assert verify(case.path, case.keys).whole


def test_killed_at_any_rename_the_list_is_the_old_or_the_new_one(tmp_path: Path):
    desk = Desk(tmp_path)
    seen: list[bytes | None] = []
    for number in range(1, 9):
        child = os.fork()
        if child == 0:  # a process of its own that dies in the middle, as if killed
            renames = iter(range(number))
            real = Path.replace

            def replace(path: Path, target: Path, *, real=real, renames=renames) -> Path:
                if next(renames, None) is None:
                    os._exit(9)
                return real(path, target)

            Path.replace = replace
            with desk.open() as case:
                Paper(case).save(b"list %d" % number)
            os._exit(0)
        os.waitpid(child, 0)
        with desk.open() as case:
            seen.append(case.document(None, "names"))
            assert verify(case.path, case.keys).whole, number
    assert seen == [b"list %d" % number for number in range(1, 9)]  # the journal had its name: it happened
    child = os.fork()
    if child == 0:
        Path.replace = lambda *_: os._exit(9)
        with desk.open() as case:
            Paper(case).save(b"never")
    os.waitpid(child, 0)
    with desk.open() as case:
        assert case.document(None, "names") == b"list 8"
        assert verify(case.path, case.keys).whole


def test_a_package_holds_it_only_when_asked(filled: Desk, tmp_path: Path):
    other = pyrage.x25519.Identity.generate()
    words = ["--identity", filled.key, "--recipient", str(other.to_public())]
    assert filled.run("case", "export", filled.case, *words, "--to", tmp_path / "without").status == 0
    assert not list((tmp_path / "without").rglob("names.age"))
    made = filled.run("case", "export", filled.case, *words, "--to", tmp_path / "with", "--names")
    assert made.status == 0, made.err
    (sealed,) = (tmp_path / "with").rglob("names.age")
    plain = pyrage.decrypt(sealed.read_bytes(), [other])
    assert Roster.from_json(plain).people[0].names == [REAL]
    (tmp_path / "key").write_text(str(other))
    checked = filled.run("case", "verify", tmp_path / "with", "--identity", tmp_path / "key")
    assert checked.out.startswith("The package is whole: 1 originals"), checked.out + checked.err
