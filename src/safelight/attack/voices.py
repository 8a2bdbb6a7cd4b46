"""Voices: is anything of the original's sound left, and is a disguised voice known among a hundred others?

Where the plan lets nothing of the original pass, the copy is searched for the faintest remnant of it. Where speech is
disguised, two recognisers that know nothing of each other rank the true speaker beside a hundred strangers,
enrolled with plain speech, with speech disguised like the copy, and with the disguise undone as well as eight
transformations can. Enrolment and test are different halves of the speech, both ways round. A disguise whose speaker
comes among the first tenth, on the mean of both ways, does not hold.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from safelight.attack.leak import Leak
from safelight.attack.protocol import Attacker, Case, Notes, SoundPair
from safelight.attack.verdict import Evidence, Figure, Finding, Outcome
from safelight.hide.sound.score import Score, score
from safelight.media.mel import RATE

_TENTH = 0.1
_HALF = 12.0  # seconds of disguised speech kept from the beginning, and as many from the end
_LEAST = 3.0  # seconds of speech in each half without which nobody can be ranked
_AUDIBLE = 1e-4
Speech = NDArray[np.float32]  # mono, RATE samples a second
_EDGE = 0.05  # seconds by which a coder may smear a passage over its border


class Voices(Attacker):
    """Remnants of the original, and the rank of the true speaker."""

    name = "voices"
    title = "Voices"
    question = "Can a person be known by the voice in the copy?"
    tries = (
        "Searched every second in which nothing of the original may be heard for remnants (whitened correlation).",
        "Ranked the speaker of disguised speech among a hundred strangers with two recognisers: enrolled with plain "
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
        # here: half a second, for which a copy that is silent has no use
        from safelight.attack.lineup import gallery, ranks
        from safelight.hide.sound.disguise import Disguise

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
