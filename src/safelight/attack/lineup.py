"""A line-up of voices: where does the true speaker come among a hundred strangers, by two recognisers?

Candidates are enrolled with plain speech, with speech disguised like the copy, and with the disguise undone as well as
eight transformations can. Loaded only where disguised speech is heard: what it needs takes half a second to load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from safelight.attack.bent import Bendable, Speech
from safelight.attack.ge2e import Ge2e
from safelight.attack.traits import Discriminant, traits
from safelight.media.mel import RATE

STRANGERS = 100
UNDO = tuple((tract, tones) for tract in (0.9, 1.0, 1.1) for tones in (-4.0, 0.0, 4.0) if (tract, tones) != (1.0, 0.0))
_ENROLMENT = 4.0  # seconds each candidate is enrolled with
_TOGETHER = 16  # voices the network hears at once

Mark = NDArray[np.floating]
T = TypeVar("T")


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
