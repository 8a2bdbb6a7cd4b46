"""From passages to findings: what is said about whom, where; never with the words themselves unless asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from safelight.names.fold import invisible
from safelight.names.match import Level, Match, Matcher
from safelight.names.passages import Passage, line_in
from safelight.names.people import Roster

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Finding:
    """A place of a document that speaks of a protected person. ``found`` holds the words: for the eyes of the desk."""

    file: str
    place: str
    line: int
    level: Level
    person: str
    kind: str
    found: str
    passage: str

    @property
    def where(self) -> str:
        """File, line if there is one, and place."""
        line = f":{self.line}" if self.line else ""
        return f"{self.file}{line} ({self.place})"


class Scanner:
    """Searches passages for the people of a roster."""

    def __init__(self, roster: Roster) -> None:
        self._matcher = Matcher(roster.people)

    def findings(self, file: str, passages: Iterable[Passage]) -> list[Finding]:
        """All findings in a document, each place and person once, also when it is found in several readings."""
        found: dict[tuple[str, str, int, str], Finding] = {}
        for passage in passages:
            for match in self._matcher.matches(passage.text, caseless=passage.caseless):
                finding = _finding(file, passage, match)
                key = (finding.person, finding.kind, finding.line, finding.place if not finding.line else "")
                if key not in found or finding.level > found[key].level:
                    found[key] = finding
        return sorted(found.values(), key=lambda f: (-f.level, f.line, f.place))


def _finding(file: str, passage: Passage, match: Match) -> Finding:
    return Finding(
        file=file,
        place=passage.place,
        line=line_in(passage, match.start),
        level=match.level,
        person=match.person,
        kind=match.kind,
        found=match.found,
        passage=passage.text,
    )


def hidden_marks(passages: Iterable[Passage]) -> Iterator[tuple[int, str]]:
    """(line, place) of bidirectional controls and other characters that let a text read otherwise than it is stored."""
    for passage in passages:
        for place, character in enumerate(passage.text):
            if character in _BIDI or (invisible(character) and character not in "\u200c\u200d\u200e\u200f\u00ad\ufeff"):
                yield line_in(passage, place), passage.place
