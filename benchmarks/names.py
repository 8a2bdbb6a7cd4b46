"""How many spellings of protected names are found, and how often innocent words are called names.

`python -m benchmarks.names` prints both. Spellings: ``spellings.tsv``, written before the matcher; the half ``unseen``
was not looked at while limits were set. Innocent text: ``innocent/``, written for this purpose, three languages.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from safelight.names.fold import words
from safelight.names.match import Level, Matcher
from safelight.names.people import Person
from safelight.names.sounds import is_unvowelled

HERE = Path(__file__).parent
_LISTS = {"fresh": "spellings_fresh.tsv"}
_ENTERED = ("native", "Latin", "both")
_FRAMES = ("“We saw {} near the harbour,” she said.", "Igår talade {} med polisen.", "قالت الجارة إن {} غادر أمس.")
_TYPOS = 200
_ROSTERS = (8, 64)  # people protected while innocent text is searched


def spellings(half: str) -> dict[str, list[tuple[str, str]]]:
    """Name as entered to [(standard, spelling)], of ``seen``, ``unseen``, ``all`` (these two) or ``fresh``."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for line in (HERE / _LISTS.get(half, "spellings.tsv")).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        which, name, standard, spelling = line.split("\t")
        if half in (which, "all"):
            found[name].append((standard, spelling))
    return found


def entered(name: str, known: list[tuple[str, str]], how: str) -> list[str]:
    """What the desk entered: the name's own script, one spelling of the press, or both."""
    press = next((spelling for standard, spelling in known if standard == "English press"), known[0][1])
    return {"native": [name], "Latin": [press], "both": [name, press]}[how]


def sentence(spelling: str) -> str:
    """The spelling as it stands in a text."""
    return _FRAMES[2 if is_unvowelled(spelling) else len(spelling) % 2].format(spelling)


def level(matcher: Matcher, text: str) -> int:
    """0 not found, 1 to be looked at, 2 blocked: the surest finding of a whole name."""
    return max((match.level for match in matcher.matches(text) if match.kind == "name"), default=0)


def recall(half: str, *, missed: bool) -> None:
    """Print which share of spellings other than those entered is found."""
    known = spellings(half)
    for how in _ENTERED:
        counted: Counter[int] = Counter()
        for name, others in known.items():
            names = entered(name, others, how)
            matcher = Matcher([Person(id="p", pseudonym="X", names=names)])
            for standard, spelling in others:
                if spelling in names:
                    continue
                judged = level(matcher, sentence(spelling))
                counted[judged] += 1
                if missed and not judged:
                    print(f"  missed: {names} as {spelling} ({standard})")
        _print(f"{half}, entered: {how}", counted)


def typos(half: str) -> None:
    """Print which share of spellings with one letter dropped, doubled, swapped or exchanged is found."""
    chosen = random.Random(7)
    counted: Counter[int] = Counter()
    known = spellings(half)
    for _ in range(_TYPOS):
        name = chosen.choice(sorted(known))
        _, spelling = chosen.choice(known[name])
        at = chosen.randrange(1, len(spelling) - 1)
        wrong = chosen.choice(
            [
                spelling[:at] + spelling[at + 1 :],
                spelling[:at] + spelling[at] + spelling[at:],
                spelling[: at - 1] + spelling[at] + spelling[at - 1] + spelling[at + 1 :],
                spelling[:at] + chosen.choice("aeiourtnslmk") + spelling[at + 1 :],
            ]
        )
        matcher = Matcher([Person(id="p", pseudonym="X", names=entered(name, known[name], "both"))])
        counted[level(matcher, sentence(wrong))] += 1
    _print(f"{half}, one typing mistake, entered: both", counted)


def _print(what: str, counted: Counter[int]) -> None:
    total = sum(counted.values())
    block, found = 100 * counted[Level.BLOCK] / total, 100 * (total - counted[0]) / total
    print(f"{what:44} {total:5} spellings   block {block:5.1f} %   block or look {found:5.1f} %")


def innocent(*, shown: bool) -> None:
    """Print how often innocent text is blocked or put before a person, for each 10,000 words."""
    known = spellings("all")
    for count in _ROSTERS:
        for path in sorted((HERE / "innocent").glob("*.txt")):
            counted: Counter[int] = Counter()
            text = path.read_text(encoding="utf-8")
            rosters = list(_rosters(known, count))
            for people in rosters:
                for match in Matcher(people).matches(text):
                    counted[match.level] += 1
                    if shown:
                        print(f"  {match.level.name}: {match.found} as {match.person} ({match.kind})")
            size = len(words(text)) * len(rosters)
            block, look = (10_000 * counted[which] / size for which in (Level.BLOCK, Level.LOOK))
            print(
                f"{path.stem}, {count} people protected, {size} words searched: "
                f"{block:.1f} blocks and {look:.1f} looks in 10,000 words"
            )


def _rosters(known: dict[str, list[tuple[str, str]]], count: int) -> Iterator[list[Person]]:
    people = [
        Person(id=f"p{i}", pseudonym="X", names=entered(name, others, "both"))
        for i, (name, others) in enumerate(sorted(known.items()))
    ]
    for first in range(0, len(people) - count + 1, count):
        yield people[first : first + count]


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=("seen", "unseen", "all", "fresh"), default="all")
    parser.add_argument("--missed", action="store_true", help="print what was missed and what was called a name")
    options = parser.parse_args()
    began = time.process_time()
    for half in ("seen", "unseen", "fresh") if options.half == "all" else (options.half,):
        recall(half, missed=options.missed)
        typos(half)
    innocent(shown=options.missed)
    print(f"{time.process_time() - began:.1f} s of processor time")


if __name__ == "__main__":
    main()
