"""Voices: is anything of the original's sound left, and is a disguised voice known among a hundred others?

Where the plan lets nothing of the original pass, the copy is searched for the faintest remnant of it. Where speech is
disguised, two recognisers that know nothing of each other rank the true speaker beside a hundred strangers,
enrolled with plain speech, with speech disguised like the copy, and with the disguise undone as well as eight
transformations can. Enrolment and test are different halves of the speech, both ways round. A disguise whose speaker
comes among the first tenth, on the mean of both ways, does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from safelight.attack.bent import RATE, Bendable, Speech
from safelight.attack.ge2e import Ge2e
from safelight.attack.leak import Leak
from safelight.attack.protocol import Attacker, Case, Notes, SoundPair
from safelight.attack.traits import Discriminant, traits
from safelight.attack.verdict import Evidence, Figure, Finding, Outcome
from safelight.hide.sound.disguise import Disguise
from safelight.hide.sound.score import Score, score

STRANGERS = 100
_TENTH = 0.1
_HALF = 12.0  # seconds of disguised speech kept from the beginning, and as many from the end
_ENROLMENT = 4.0  # seconds each candidate is enrolled with
_TOGETHER = 16  # voices the network hears at once
_LEAST = 3.0  # seconds of speech in each half without which nobody can be ranked
_AUDIBLE = 1e-4
_EDGE = 0.05  # seconds by which a coder may smear a passage over its border
UNDO = tuple((tract, tones) for tract in (0.9, 1.0, 1.1) for tones in (-4.0, 0.0, 4.0) if (tract, tones) != (1.0, 0.0))

Mark = NDArray[np.floating]
T = TypeVar("T")


class Voices(Attacker):
    """Remnants of the original, and the rank of the true speaker."""

    name = "voices"
    title = "Voices"
    question = "Can a person be known by the voice in the copy?"
    tries = (
        "Searched every second in which nothing of the original may be heard for remnants (whitened correlation).",
        f"Ranked the speaker of disguised speech among {STRANGERS} strangers with two recognisers: enrolled with plain "
        "speech, with speech disguised likewise, and with the disguise undone by eight transformations.",
    )
    hears = RATE

    def __init__(self, case: Case, notes: Notes) -> None:
        super().__init__(case, notes)
        self._score = score(case.plan) if case.plan is not None else Score((), ((0.0, float("inf")),), (), ())
        self._leak = Leak()
        self._copy, self._original = Ends(_HALF), Ends(_HALF)
        self._disguised = 0  # samples
        self._audible = self._blind = self._kept = False

    def hear(self, pair: SoundPair) -> None:
        """Look for remnants, and keep what is disguised."""
        loud = bool(np.abs(pair.copy).max(initial=0) > _AUDIBLE)
        self._audible |= loud
        if pair.original is None:
            self._blind |= loud
            return
        start = pair.seconds + self.case.facts.picture_start
        end = start + len(pair.copy) / pair.rate
        near = [(a, b) for a, b in self._score.original if a < end + _EDGE and b > start - _EDGE]
        self._kept |= loud and any(a < end and b > start for a, b in self._score.keep)
        if not near or self.case.plan is None:
            self._leak.hear(pair.copy, pair.original, start)
        for a, b in self._score.disguise:
            first, last = max(round((a - start) * RATE), 0), min(round(min(b - start, 2.0) * RATE), len(pair.copy))
            if first < last:
                self._disguised += last - first
                self._copy.add(pair.copy[first:last])
                self._original.add(pair.original[first:last])

    def finding(self) -> Finding:
        """Broken when a remnant is found or the speaker ranks among the first tenth."""
        if not self._audible:
            return self.answer(Outcome.HELD, "Nothing can be heard in the copy.")
        if self._blind:
            return self.answer(
                Outcome.COULD_NOT_RUN, "Something can be heard, and there is no original sound to compare it with."
            )
        figures, evidence, not_tried = self._remnants()
        if self._kept:
            not_tried.append("Original sound that a person decided to keep: whoever is heard there can be recognised.")
        speech = len(self._copy.joined()) / RATE
        if speech:
            not_tried.append(
                "A trained attacker: disguised speech does not stop one. Tempo, rhythm, laughs and dialect stay, and "
                "many recordings of one person add up."
            )
        if speech >= 2 * _LEAST:
            found, ranks = self._ranked()
            figures += ranks
            evidence += found
            if self._disguised > len(self._copy.joined()):
                not_tried.append(
                    f"Of {self._disguised / RATE:.0f} seconds of disguised speech the first and last {_HALF:.0f} were "
                    "ranked; where different people speak in them, nobody was."
                )
        elif speech:
            not_tried.append("Disguised speech too short to rank its speaker.")
        if evidence:
            return self.answer(
                Outcome.BROKEN, evidence[0].what, figures=figures, evidence=evidence, not_tried=not_tried
            )
        said = "Nothing of the original's sound is left where it was replaced"
        said += "; disguised speech was not recognised better than allowed." if speech else "."
        return self.answer(Outcome.HELD, said, figures=figures, not_tried=not_tried)

    def _remnants(self) -> tuple[list[Figure], list[Evidence], list[str]]:
        leak = self._leak
        figures = [
            Figure(name="seconds searched for remnants", value=leak.seconds, unit="s"),
            Figure(
                name="strongest remnant in one second",
                value=leak.worst,
                meaning="In spreads of chance; broken from 16.",
            ),
            Figure(
                name="strongest remnant overall", value=leak.together, meaning="In spreads of chance; broken from 8."
            ),
        ]
        found = [Evidence(what="Original sound is left in the copy.", seconds=leak.worst_at, score=leak.worst)]
        not_tried = ["Words, dialect and phrases: they are the story's own."]
        if leak.narrow:
            not_tried.append(f"{leak.narrow} seconds in which copy or original is a mere tone: likeness says nothing.")
        return figures, found if leak.found else [], not_tried

    def _ranked(self) -> tuple[list[Evidence], list[Figure]]:
        copy, original = halves(self._copy.joined()), halves(self._original.joined())
        disguise = Disguise()
        alive = self.notes.alive
        ways = [ranks(gallery(original[a], alive=alive), copy[1 - a], disguise.at_16k, alive=alive) for a in (0, 1)]
        figures, evidence = [], []
        for name in ways[0]:
            mean = float(np.mean([way[name] for way in ways]))
            figures.append(
                Figure(name=f"rank of the speaker, {name}", value=mean, meaning="0 first, 1 last; 0.5 is chance.")
            )
            if mean < _TENTH:
                evidence.append(Evidence(what=f"The speaker is among the first tenth: {name}.", score=mean))
        return evidence, figures


class Ends:
    """Keeps the first and the last so many seconds of all that comes."""

    def __init__(self, seconds: float) -> None:
        self._size = round(seconds * RATE)
        self._first: Speech = np.zeros(0, np.float32)
        self._last: Speech = np.zeros(0, np.float32)

    def add(self, samples: Speech) -> None:
        """More of it."""
        room = self._size - len(self._first)
        self._first = np.concatenate((self._first, samples[:room]))
        self._last = np.concatenate((self._last, samples[room:]))[-self._size :]

    def joined(self) -> Speech:
        """Both ends, one after the other."""
        return np.concatenate((self._first, self._last))


def halves(speech: Speech) -> tuple[Speech, Speech]:
    """First and second half."""
    middle = len(speech) // 2
    return speech[:middle], speech[middle:]


def gallery(enrolment: Speech, strangers: int = STRANGERS, *, alive: Callable[[], None] = lambda: None) -> list[Speech]:
    """Candidates among whom a speaker is looked for: plain speech of theirs, then that of strangers."""
    plain = enrolment[: round(_ENROLMENT * RATE)]
    bendable, candidates = Bendable(plain), [plain]
    for number in range(strangers):
        alive()
        candidates.append(bendable.stranger(number))
    return candidates


def ranks(
    candidates: list[Speech],
    test: Speech,
    disguise: Callable[[Speech], Speech],
    *,
    alive: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """Rank of the first candidate, 0 (first) to 1 (last), for each recogniser and manner of attack.

    ``candidates``: plain speech, the true speaker's first; ``test``: other speech of theirs, as it is in the copy.
    ``alive``: called often; all of it takes minutes on a slow machine.
    """
    tests = Bendable(test[: round(_ENROLMENT * RATE)])
    network = Ge2e()

    def each(do: Callable[[Any], T], over: Iterable[Any]) -> list[T]:
        done = []
        for one in over:
            alive()
            done.append(do(one))
        return done

    def marked(voices: list[Speech]) -> Mark:
        groups = [voices[start : start + _TOGETHER] for start in range(0, len(voices), _TOGETHER)]
        return np.concatenate(each(network.marks, groups))

    likewise = each(disguise, candidates)
    undone = [test, *each(lambda way: tests.voice(*way), UNDO)]
    heard, marks = marked(undone), marked(candidates)
    found = {
        "GE2E, plain enrolment": _place(marks, heard[:1]),
        "GE2E, disguise undone": _place(marks, heard),
        "GE2E, enrolment disguised likewise": _place(marked(likewise), heard[:1]),
    }
    plainly, parts = each(traits, candidates), each(traits, undone)
    for manner, known, tried in (
        ("plain enrolment", plainly, parts[:1]),
        ("disguise undone", plainly, parts),
        ("trained on disguised speech", each(traits, likewise), parts[:1]),
    ):
        space = Discriminant(known)
        found[f"cepstra and pitch, {manner}"] = _place(
            [space.mark(one) for one in known], [space.mark(one) for one in tried]
        )
    return found


def _place(candidates: Sequence[Mark] | Mark, tests: Sequence[Mark] | Mark) -> float:
    """Share of strangers that are more like the test than the first candidate, each by its best test."""
    likeness = (np.asarray(candidates) @ np.asarray(tests).T).max(axis=1)
    return float(np.mean(likeness[1:] >= likeness[0]))
