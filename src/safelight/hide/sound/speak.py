"""Speaking a plan's words: each cue by a synthetic voice, fitted to its time. Runs in the speech engine's own process.

The result is a pair of files: samples of all cues one after the other, and where each belongs. Nothing here knows the
original; only the plan's text and times go in.
"""

from __future__ import annotations

import itertools
import json
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safelight.errors import Code, SafelightError
from safelight.hide.sound.engine import FASTEST, SLOWEST, USUAL, VOICES, Engine
from safelight.hide.sound.languages import LANGUAGES
from safelight.media.sound import RATE, Samples
from safelight.plan import Decision, Plan, Sound, SoundAction

_LOUDNESS = 0.08  # root mean square of speech, pauses left out; about -22 dB under full scale
_QUIET = 0.01  # of the loudest sample: what is below at either end is no speech
_TOUCH = 0.25  # seconds by which neighbouring cues of one voice may overlap; the earlier one gives way
_EDGE = 0.005  # seconds of fading at the ends
_ATTEMPTS = 4


@dataclass(frozen=True)
class Spoken:
    """Where a cue's samples lie in the file and in the copy; all in samples at 48 kHz."""

    at: int
    offset: int
    count: int


def speak(
    plan: Plan, samples: Path, index: Path, progress: Callable[[int, int], None] = lambda done, all_: None
) -> int:
    """Write the speech of all cues: ``samples`` (16-bit mono, 48 kHz) and ``index`` (JSON). The number of cues.

    Raises SafelightError: SL-TEXT-UNSUPPORTED for a language or script the engine cannot read, SL-CUES-OVERLAP when one
    voice would have to say two things at once, SL-CUE-TOO-SHORT when a text cannot be said before the next one begins,
    SL-VOICE-MISSING without the engine.
    """
    cues = sorted(
        (s for s in plan.sounds if s.action is SoundAction.REVOICE and s.decision is Decision.HIDE),
        key=lambda s: (s.start, s.end),
    )
    for cue in cues:
        require_readable(cue)
    room = list(_rooms(cues))
    voices = cast(cues)
    engine = Engine()
    spoken: list[Spoken] = []
    offset = 0
    with samples.open("xb") as file:
        for number, (cue, end) in enumerate(zip(cues, room, strict=True)):
            said = _fitted(engine, cue, voices[cue.speaker], end)
            file.write((said * 32767).astype("<i2").tobytes())
            spoken.append(Spoken(round(cue.start * RATE), offset, len(said)))
            offset += len(said)
            progress(number + 1, len(cues))
    index.write_text(json.dumps([asdict(one) for one in spoken]), encoding="utf-8")
    return len(cues)


class Speech:
    """The speech that :func:`speak` has left, read little by little."""

    def __init__(self, samples: Path, index: Path) -> None:
        self._cues = [Spoken(**one) for one in json.loads(index.read_bytes())]
        whole = sum(one.count for one in self._cues)
        self._samples = np.memmap(samples, "<i2", "r", shape=(whole,)) if whole else np.zeros(0, np.int16)
        self._first = 0

    def add(self, block: Samples, start: int) -> None:
        """Add what is said in a block of the copy whose first sample is number ``start``; blocks come in order."""
        end = start + len(block)
        while self._first < len(self._cues) and self._over(self._cues[self._first], start):
            self._first += 1
        for cue in itertools.islice(self._cues, self._first, None):
            if cue.at >= end:
                break
            a, b = max(cue.at, start), min(cue.at + cue.count, end)
            if a < b:
                part = self._samples[cue.offset + a - cue.at : cue.offset + b - cue.at]
                block[a - start : b - start] += part.astype(np.float32) / 32768

    @staticmethod
    def _over(cue: Spoken, start: int) -> bool:
        return cue.at + cue.count <= start


def require_readable(cue: Sound) -> None:
    """Refuse a text the engine would spell out or leave out. Raises SL-TEXT-UNSUPPORTED."""
    if cue.language not in LANGUAGES:
        known = ", ".join(sorted(LANGUAGES))
        raise SafelightError(
            Code.TEXT_UNSUPPORTED, f"{_name(cue)} is in {cue.language!r}; there are voices for {known}."
        )
    scripts = {"LATIN"} | LANGUAGES[cue.language][1]
    for letter in cue.text:
        if letter.isalpha() and not unicodedata.name(letter, "").startswith(tuple(scripts)):
            raise SafelightError(
                Code.TEXT_UNSUPPORTED,
                f"{_name(cue)} has letters of a script that the voice for {cue.language!r} cannot read.",
            )
    if not any(letter.isalnum() for letter in cue.text):
        raise SafelightError(Code.TEXT_UNSUPPORTED, f"{_name(cue)} has nothing that can be spoken.")


def cast(cues: list[Sound]) -> dict[str, tuple[str, int]]:
    """A voice for each speaker, in the order in which they first speak; after ten they are given out again."""
    speakers = dict.fromkeys(cue.speaker for cue in cues)
    return {speaker: VOICES[number % len(VOICES)] for number, speaker in enumerate(speakers)}


def _name(cue: Sound) -> str:
    number = f"Cue {cue.cue}" if cue.cue else "The text"
    return f"{number} at {cue.start:.2f} s"


def _rooms(cues: list[Sound]) -> Iterator[float]:
    """When each cue must have been said at the latest: when the same speaker goes on."""
    for number, cue in enumerate(cues):
        after = next((c for c in cues[number + 1 :] if c.speaker == cue.speaker), None)
        if after is None:
            yield max(cue.end + 2.0, cue.end)
        elif after.start < cue.end - _TOUCH or after.start <= cue.start:
            raise SafelightError(
                Code.CUES_OVERLAP, f"{_name(cue)} is not over when {_name(after).lower()} begins, in the same voice."
            )
        else:
            yield after.start


def _fitted(engine: Engine, cue: Sound, voice: tuple[str, int], latest: float) -> Samples:
    """A cue's speech at 48 kHz, as fast as it must be to end with the cue; at worst it runs on until ``latest``."""
    variant, pitch = voice
    name = f"{LANGUAGES[cue.language][0]}+{variant}"
    speed, wanted = USUAL, min(cue.end, latest) - cue.start
    for _ in range(_ATTEMPTS):
        said = _trimmed(engine.say(cue.text, name, pitch=pitch, speed=speed), engine.rate)
        length = len(said) / engine.rate
        next_speed = min(max(round(speed * length / wanted), SLOWEST), FASTEST)
        if abs(next_speed - speed) <= 0.03 * speed or (length <= wanted and speed > USUAL):
            break
        speed = next_speed
    if len(said) == 0:
        raise SafelightError(Code.TEXT_UNSUPPORTED, f"{_name(cue)} has nothing that can be spoken.")
    if length > latest - cue.start:
        raise SafelightError(
            Code.CUE_TOO_SHORT, f"{_name(cue)} needs {length:.1f} s; there are {latest - cue.start:.1f} s."
        )
    ratio = Fraction(RATE, engine.rate)
    from scipy.signal import resample_poly  # here: half a second, for which a copy that is silent has no use

    return _levelled(np.asarray(resample_poly(said, ratio.numerator, ratio.denominator), np.float32))


def _trimmed(said: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Without the pauses before and after, so that speech begins when its cue does."""
    loud = np.flatnonzero(np.abs(said) > _QUIET * np.abs(said).max(initial=0))
    if not len(loud):
        return said[:0]
    margin = round(_EDGE * rate)
    return said[max(loud[0] - margin, 0) : loud[-1] + margin]


def _levelled(said: Samples) -> Samples:
    """Of one loudness, never clipped, with soft ends."""
    active = said[np.abs(said) > 0.05 * np.abs(said).max(initial=0)]
    level = float(np.sqrt(np.mean(np.square(active)))) if len(active) else 1.0
    said = said * min(_LOUDNESS / max(level, 1e-6), 0.9 / max(float(np.abs(said).max(initial=0)), 1e-6))
    edge = min(round(_EDGE * RATE), len(said) // 2)
    ramp = np.linspace(0, 1, edge, dtype=np.float32)
    said[:edge] *= ramp
    said[len(said) - edge :] *= ramp[::-1]
    return said.astype(np.float32)
