"""One pseudonym, several spellings: Om Mohammad, Om Mohammed, Oum Mohammad. A reader takes them for three people."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from safelight.names.match import Matcher
from safelight.names.passages import Passage, line_in
from safelight.names.people import Person, Roster
from safelight.names.sounds import is_unvowelled


@dataclass(frozen=True)
class Spelled:
    """A pseudonym that is written in more than one way: each spelling with the places (file, line) where it is."""

    pseudonym: str
    spellings: dict[str, list[tuple[str, int]]]


def inconsistent(roster: Roster, documents: Iterable[tuple[str, Iterable[Passage]]]) -> list[Spelled]:
    """Pseudonyms that the documents (name, passages) spell in several ways, in the script they were entered in."""
    people = [Person(id=person.id, pseudonym=person.pseudonym, names=[person.pseudonym]) for person in roster.people]
    matcher = Matcher(people)
    names = {person.id: person.pseudonym for person in people}
    seen: defaultdict[tuple[str, bool], defaultdict[str, list[tuple[str, int]]]]
    seen = defaultdict(lambda: defaultdict(list))
    for file, passages in documents:
        for passage in passages:
            if passage.caseless or passage.place != "text":
                continue
            for match in matcher.matches(passage.text):
                if match.kind != "name":
                    continue
                spelled = _bare(match.found)
                if is_unvowelled(spelled) is not is_unvowelled(names[match.person]):
                    continue  # another script spells it in its own way
                seen[match.person, is_unvowelled(spelled)][spelled].append((file, line_in(passage, match.start)))
    return [
        Spelled(names[person], dict(spellings)) for (person, _), spellings in sorted(seen.items()) if len(spellings) > 1
    ]


def _bare(found: str) -> str:
    """As written, but for a genitive and the Arabic words of one letter before it."""
    text = unicodedata.normalize("NFC", " ".join(found.split()))
    return text.removesuffix("'s").removesuffix("’s")
