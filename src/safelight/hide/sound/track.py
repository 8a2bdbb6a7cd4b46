"""The copy's sound, made of what a plan lets through, of what is spoken instead, of tones, and otherwise of silence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from safelight.hide.sound.score import Score, Spans, score
from safelight.hide.sound.speak import Speech
from safelight.media.sound import RATE, Samples
from safelight.media.soundline import SoundSource, sound_line
from safelight.plan import Plan

_BLOCK = 4800  # samples of one step where the original is not heard
_TONE = 1000.0  # Hz
_TONE_LOUDNESS = 0.06
_TONE_FADE = 0.005  # seconds


def copy_sound(plan: Plan, source: SoundSource | None, speech: Speech | None) -> Iterator[Samples]:
    """What is heard in the copy, from its time 0 on, in blocks, without end.

    The original is opened only where the plan lets some of it through. ``speech``: of the plan's cues, if it has any.
    Raises what :func:`safelight.media.soundline.sound_line` raises, and what loading the disguise's weights raises.
    """
    planned = score(plan)
    position = 0
    for block in _passing(planned, source):
        block = block.copy()
        _add_tones(block, position, planned.tone)
        if speech is not None:
            spoken = np.zeros(len(block), np.float32)
            speech.add(spoken, position)
            _mute(spoken, position, planned.mute)
            block += spoken
        yield block
        position += len(block)


class _What(Enum):
    NOTHING = auto()
    KEEP = auto()
    DISGUISE = auto()


@dataclass(frozen=True)
class _Piece:
    """A stretch of samples that one thing happens to; ``last``: it ends where its passage ends."""

    what: _What
    samples: Samples
    last: bool


def _passing(planned: Score, source: SoundSource | None) -> Iterator[Samples]:
    """What the original contributes; silence after its end."""
    if source is not None and planned.original:
        # Here and with SciPy: most of a second to load, for which a silent copy has no use.
        from safelight.hide.sound.clean import Cleaner
        from safelight.hide.sound.disguise import LONGEST, Disguise

        cleaner, disguise = Cleaner(), None
        waiting: list[Samples] = []
        for piece in _pieces(planned, sound_line(source, planned.original)):
            if piece.what is _What.DISGUISE:
                disguise = disguise or Disguise()
                waiting.append(piece.samples)
                if piece.last or sum(map(len, waiting)) >= LONGEST * RATE:
                    yield disguise(np.concatenate(waiting))
                    waiting = []
            elif piece.what is _What.KEEP:
                yield cleaner(piece.samples, last=piece.last)
                if piece.last:
                    cleaner = Cleaner()
            else:
                yield np.zeros(len(piece.samples), np.float32)
        if waiting and disguise is not None:
            yield disguise(np.concatenate(waiting))
    while True:
        yield np.zeros(_BLOCK, np.float32)


def _pieces(planned: Score, line: Iterator[Samples]) -> Iterator[_Piece]:
    """The line cut where passages begin and end."""
    borders = sorted(
        [(round(a * RATE), round(b * RATE), _What.KEEP) for a, b in planned.keep]
        + [(round(a * RATE), round(b * RATE), _What.DISGUISE) for a, b in planned.disguise],
        key=lambda border: border[0],
    )
    position = 0
    for samples in line:
        while len(samples):
            while borders and borders[0][1] <= position:
                borders.pop(0)
            if not borders or position < borders[0][0]:
                what, end, closes = _What.NOTHING, borders[0][0] if borders else position + len(samples), False
            else:
                _, end, what = borders[0]
                closes = True
            part, samples = samples[: end - position], samples[end - position :]
            position += len(part)
            yield _Piece(what, part, closes and position == end)


def _add_tones(block: Samples, start: int, tones: Spans) -> None:
    for first, a, b, last in _within(tones, start, len(block)):
        place = np.arange(a, b)
        ramp = np.minimum(np.minimum(place - first, last - place) / (_TONE_FADE * RATE), 1)
        wave = np.sin(2 * np.pi * _TONE / RATE * place) * _TONE_LOUDNESS * np.sqrt(2) * ramp
        block[a - start : b - start] += wave.astype(np.float32)


def _mute(block: Samples, start: int, spans: Spans) -> None:
    for _, a, b, _ in _within(spans, start, len(block)):
        block[a - start : b - start] = 0


def _within(spans: Spans, start: int, count: int) -> Iterator[tuple[int, int, int, int]]:
    """Of each span that a block of the copy meets: its first sample, the part inside the block, its end."""
    for begin, end in spans:
        first, last = round(begin * RATE), round(end * RATE)
        a, b = max(first, start), min(last, start + count)
        if a < b:
            yield first, a, b, last
