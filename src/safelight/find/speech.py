"""Where somebody speaks: silero-vad's network over the sound, its answers joined to spans for the plan.

The spans are proposals. Sound is silent by default whether speech was heard or not; they show a person where to listen,
and where a default of ``disguise`` applies. Speech that is missed stays silent then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from safelight.errors import Code, SafelightError
from safelight.media.sound import Samples
from safelight.media.soundline import SoundSource, sound_line
from safelight.plan import Decision, Sound, SoundKind

Network = Callable[..., list[NDArray[np.float32]]]

_RATE = 16000
_FRAME, _CONTEXT = 512, 64  # samples the network looks at, and how many it wants to see of those before
_BLOCK = 128  # frames at a time; the answers do not depend on it
_BEGIN, _GO_ON = 0.35, 0.15  # probability of speech; low, as silence costs less than a missed word
_SHORTEST = 0.1  # seconds of speech that make a span
_MARGIN, _JOIN = 0.25, 0.5  # seconds added at either end; pauses up to that are not worth two spans
_ALL = ((0.0, float("inf")),)


def speech_in(source: SoundSource, network: Network) -> list[Sound]:
    """Spans in which speech was heard, disjoint, rising; from where the sound cannot be read on, one to its end."""
    frames: list[float] = []
    broken = False
    try:
        for probabilities in _listen(sound_line(source, _ALL, _RATE), network):
            frames += probabilities.tolist()
    except SafelightError as error:
        if error.code not in (Code.DAMAGED, Code.UNSUPPORTED):
            raise
        broken = True
    read, end = len(frames) * _FRAME / _RATE, source.facts.start + source.facts.duration
    found = [_span(start, stop, max(end, read), score) for start, stop, score in _joined(frames)]
    if broken and end > read:
        found = [span for span in found if span.end < read]
        found.append(_span(read, end, end, 0.0, "The sound could not be read from here on."))
    return found


def _span(start: float, end: float, last: float, score: float, reason: str = "") -> Sound:
    start, end = max(start - _MARGIN, 0.0), min(end + _MARGIN, last)
    return Sound(
        start=round(start, 3),
        end=round(end, 3),
        kind=SoundKind.VOICE,
        decision=Decision.PROPOSE,
        score=round(score, 3),
        reason=reason,
    )


def _listen(blocks: Iterable[Samples], network: Network) -> Iterator[NDArray[np.float32]]:
    """Probability of speech in every 32 ms."""
    memory = [np.zeros((1, 1, 128), np.float32), np.zeros((1, 1, 128), np.float32)]
    before = np.zeros(_CONTEXT, np.float32)
    for samples in _even(blocks, _BLOCK * _FRAME):
        frames = np.pad(samples, (0, -len(samples) % _FRAME)).reshape(-1, _FRAME)
        contexts = np.concatenate((before[None], frames[:-1, -_CONTEXT:]))
        before = frames[-1, -_CONTEXT:]
        answer, *memory = network(np.concatenate((contexts, frames), axis=1), *memory)
        yield answer.reshape(-1)


def _even(blocks: Iterable[Samples], size: int) -> Iterator[Samples]:
    """The same samples in blocks of one size, the last one shorter."""
    held: list[Samples] = []
    for block in blocks:
        held.append(block)
        while sum(map(len, held)) >= size:
            joined = np.concatenate(held)
            yield joined[:size]
            held = [joined[size:]]
    rest = np.concatenate(held) if held else np.zeros(0, np.float32)
    if len(rest):
        yield rest


def _joined(frames: list[float]) -> Iterator[tuple[float, float, float]]:
    """Begin, end (seconds) and mean probability of each stretch of speech."""
    step = _FRAME / _RATE
    start: int | None = None
    heard = 0  # the frame after the last one with speech
    pause = math.ceil((_JOIN + 2 * _MARGIN) / step) + 1  # long enough to end what is spoken to the very end
    for number, probability in enumerate([*frames, *[0.0] * pause]):
        if probability >= (_BEGIN if start is None else _GO_ON):
            start = number if start is None else start
            heard = number + 1
        elif start is not None and (number - heard) * step >= _JOIN + 2 * _MARGIN:
            if (heard - start) * step >= _SHORTEST:
                yield start * step, heard * step, float(np.mean(frames[start:heard]))
            start = None
