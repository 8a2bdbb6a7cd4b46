from __future__ import annotations

import json
from pathlib import Path

import pytest

from safelight.errors import Code, SafelightError
from safelight.names.home import AgeHome, load, save
from safelight.names.match import Level
from safelight.names.passages import of_text
from safelight.names.people import Fact, Kind, Person, Roster
from safelight.names.scan import Finding, Scanner
from safelight.names.waive import Waivers, waive, waived
from tests.program import Ran, safelight

REAL = "Khadija al-Hashimi"


@pytest.fixture
def roster() -> Roster:
    return Roster(people=[Person(id="w", pseudonym="Om Mohammad", names=[REAL])])


def near(roster: Roster, text: str = "Mrs Hashimi said no.", file: str = "story.md") -> Finding:
    (found,) = Scanner(roster).findings(file, list(of_text(text, ".md", file)))
    assert found.level is Level.LOOK
    return found


def test_the_list_never_lies_in_plain(tmp_path: Path, roster: Roster):
    home = AgeHome(tmp_path / "names.age", "lamp")
    assert load(home).people == []
    save(home, roster)
    assert load(home) == roster
    for path in tmp_path.rglob("*"):
        assert b"Khadija" not in path.read_bytes()
        assert b"Mohammad" not in path.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["names.age"]


@pytest.mark.parametrize("harm", ["passphrase", "flip", "cut", "rubbish"])
def test_what_cannot_be_opened_is_refused(tmp_path: Path, roster: Roster, harm: str):
    path = tmp_path / "names.age"
    save(AgeHome(path, "lamp"), roster)
    data = bytearray(path.read_bytes())
    if harm == "flip":
        data[-5] ^= 1
    elif harm == "cut":
        del data[-9:]
    elif harm == "rubbish":
        data = bytearray(b"rubbish")
    path.write_bytes(data)
    with pytest.raises(SafelightError) as refusal:
        AgeHome(path, "lantern" if harm == "passphrase" else "lamp").load()
    assert refusal.value.code is Code.SEALED


def test_a_broken_list_is_refused_without_a_name(roster: Roster):
    data = roster.to_json().replace(b'"pseudonym"', b'"nickname"')
    with pytest.raises(SafelightError) as refusal:
        Roster.from_json(data)
    assert refusal.value.code is Code.NAMES_INVALID
    assert "people.0" in str(refusal.value)
    assert "Khadija" not in str(refusal.value)


@pytest.mark.parametrize("name", ["Kha\u202edija", "a\u2066b", "\u200b", "", "   ", "x\x00y"])
def test_invisible_characters_in_names_are_refused(name: str):
    with pytest.raises(ValueError, match=r"invisible|letter|character"):
        Person(id="w", pseudonym="X", names=[name])


@pytest.mark.parametrize("fact", [(Kind.DATE, "12.3.1987"), (Kind.NUMBER, "123")])
def test_facts_that_cannot_be_looked_for_are_refused(fact: tuple[Kind, str]):
    with pytest.raises(ValueError, match=r"isoformat|five digits"):
        Fact(kind=fact[0], value=fact[1])


def test_a_waiver_covers_these_words_here_and_nothing_else(roster: Roster, tmp_path: Path):
    finding = near(roster)
    kept = Waivers(waivers=(waive(roster, finding, "the minister, no kin", "editor 1"),))
    kept.save(tmp_path / "waivers.json")
    kept = Waivers.load(tmp_path / "waivers.json")
    assert waived(roster, kept, finding)
    assert not waived(roster, kept, near(roster, "Mrs Hashimi said yes."))
    assert not waived(roster, kept, near(roster, file="other.md"))
    assert not waived(Roster(people=roster.people), kept, finding)  # another seed: another desk
    told = (tmp_path / "waivers.json").read_text()
    assert "Hashimi" not in told


def test_a_forged_waiver_is_refused(roster: Roster):
    finding = near(roster)
    signed = waive(roster, finding, "the minister, no kin", "editor 1")
    forged = signed.model_copy(update={"reason": "whatever"})
    with pytest.raises(SafelightError) as refusal:
        waived(roster, Waivers(waivers=(forged,)), finding)
    assert refusal.value.code is Code.NAMES_INVALID


def test_a_name_cannot_be_waived(roster: Roster):
    (found,) = Scanner(roster).findings("a.md", list(of_text(f"{REAL} left", ".md", "a.md")))
    with pytest.raises(SafelightError) as refusal:
        waive(roster, found, "I want to", "editor 1")
    assert refusal.value.code is Code.NAME_FOUND


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SAFELIGHT_PASSPHRASE", "lamp")

    def run(*words: str) -> Ran:
        return safelight("names", *words, cwd=tmp_path)

    return run


def test_the_commands(desk, tmp_path: Path):
    added = desk("add", "--pseudonym", "Om Mohammad", "--name", REAL, "--fact", "date=1987-03-12")
    assert added.status == 0, added.err
    (tmp_path / "a.md").write_text(f"Here is {REAL}.\nAnd Mrs Hashimi.\n")
    (tmp_path / "b.md").write_text("Nobody.\n")
    scanned = desk("scan", "a.md", "b.md", "--json")
    assert scanned.status == 1
    rows = json.loads(scanned.out)["findings"]
    assert [(row["file"], row["line"], row["level"]) for row in rows] == [("a.md", 1, "block"), ("a.md", 2, "look")]
    assert "Khadija" not in scanned.out + scanned.err
    assert REAL in desk("scan", "a.md", "--show").err
    assert desk("scan", "b.md").status == 0
    assert desk("waive", "a.md", "1", "--reason", "no", "--who", "e").status == 1
    assert desk("waive", "a.md", "2", "--reason", "the minister", "--who", "editor 1").status == 0
    assert [row["line"] for row in json.loads(desk("scan", "a.md", "--json").out)["findings"]] == [1]
    assert REAL not in desk("list").out
    assert desk("remove", added.out.strip()).status == 0
    assert desk("scan", "a.md").status == 0


def test_wrong_facts_and_a_missing_list(desk):
    assert "SL-NAMES-INVALID" in desk("add", "--pseudonym", "X", "--name", "Y", "--fact", "date=yesterday").err
    assert "SL-NAMES-INVALID" in desk("add", "--pseudonym", "X", "--name", "Y", "--fact", "colour=red").err
    missing = desk("scan", ".")
    assert missing.status == 1
    assert "SL-NOT-FOUND" in missing.err
