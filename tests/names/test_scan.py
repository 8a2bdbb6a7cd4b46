from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from safelight.errors import Code, SafelightError
from safelight.names.consistency import inconsistent
from safelight.names.match import Level
from safelight.names.passages import of_text
from safelight.names.people import Person, Roster
from safelight.names.scan import Scanner, hidden_marks
from safelight.words import read
from tests.names.papers import PLACES, docx

NAME = "Khadija Alhashimi"
ROSTER = Roster(people=[Person(id="w", pseudonym="Om Mohammad", names=["خديجة الهاشمي", "Khadija al-Hashimi"])])


@pytest.mark.parametrize("file", PLACES)
def test_a_name_is_found_wherever_it_stands(file: str, tmp_path: Path):
    path = tmp_path / file
    PLACES[file](path, NAME)
    document = read(path)
    found = Scanner(ROSTER).findings(document.name, document.passages)
    assert found
    assert found[0].level is Level.BLOCK


@pytest.mark.parametrize("file", PLACES)
def test_nothing_is_found_where_nothing_stands(file: str, tmp_path: Path):
    path = tmp_path / file
    PLACES[file](path, "Harbour morning")
    document = read(path)
    assert not Scanner(ROSTER).findings(document.name, document.passages)


def test_the_line_is_told(tmp_path: Path):
    path = tmp_path / "a.md"
    path.write_text("One\nTwo\nhere is Khadija al-Hashimi\n")
    (found,) = Scanner(ROSTER).findings("a.md", read(path).passages)
    assert found.where == "a.md:3 (text)"


def test_the_file_name_counts(tmp_path: Path):
    path = tmp_path / "interview_khadija-alhashimi_02.txt"
    path.write_text("nothing\n")
    (found,) = Scanner(ROSTER).findings("x", read(path).passages)
    assert found.place == "file name"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("latin.txt", "Café".encode("latin-1"), Code.DOCUMENT_INVALID),
        ("zero.txt", b"a\0b", Code.DOCUMENT_INVALID),
        ("empty.txt", b"", Code.EMPTY),
        ("broken.json", b'{"a": ', Code.DOCUMENT_INVALID),
        ("deep.json", b"[" * 5000 + b"]" * 5000, Code.DOCUMENT_INVALID),
        ("broken.docx", b"PK\x03\x04 nothing", Code.DOCUMENT_INVALID),
        ("broken.pdf", b"%PDF-1.7 nothing", Code.DOCUMENT_INVALID),
        ("broken.jpg", b"\xff\xd8\xff nothing", Code.DAMAGED),
    ],
)
def test_what_cannot_be_read_is_refused(name: str, data: bytes, code: Code, tmp_path: Path):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(SafelightError) as refusal:
        read(path)
    assert refusal.value.code is code
    assert name in (refusal.value.file or "")


def test_hostile_xml_is_refused(tmp_path: Path):
    path = tmp_path / "bomb.docx"
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", bomb)
    with pytest.raises(SafelightError) as refusal:
        read(path)
    assert refusal.value.code is Code.DOCUMENT_INVALID


def test_a_zip_bomb_is_refused(tmp_path: Path):
    path = tmp_path / "bomb.docx"
    docx(path, "x")
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(f"word/{number}.xml", bytes(64 << 20))
    with pytest.raises(SafelightError) as refusal:
        read(path)
    assert refusal.value.code is Code.DOCUMENT_INVALID


def test_bidirectional_controls_are_told():
    passages = list(of_text("fine\nnot \u202efine\nשלום\u200fعربي\n", ".md", "x"))
    assert list(hidden_marks(passages)) == [(2, "text")]


def test_a_pseudonym_spelled_in_several_ways():
    text = "Om Mohammad spoke.\nThen Om Mohammed left.\nOum Mohammad came; Om Mohammad's door.\nقالت أم محمد\n"
    (spelled,) = inconsistent(ROSTER, [("story.md", list(of_text(text, ".md", "story.md")))])
    assert spelled.spellings == {
        "Om Mohammad": [("story.md", 1), ("story.md", 3)],
        "Om Mohammed": [("story.md", 2)],
        "Oum Mohammad": [("story.md", 3)],
    }
