"""Is anything of one sound in another, however faint? Whitened correlation, second by second and summed.

Every frequency counts alike, so that a quiet remnant in many bands shows like a loud one in few. Unrelated sounds give
normally distributed values whose spread is known; what stands many spreads out is no chance. Method: Knapp and Carter,
The generalized correlation method for estimation of time delay, 1976.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SHIFT = 4000  # samples at 16 kHz to either side, a quarter of a second
_LOWEST = 60  # bins of a second left out at the bottom, where only hum and rumble are
_ONE, _ALL = 16.0, 8.0  # spreads that are no chance any more, in one second (voices are regular) and in all
_QUIET = 1e-4
_FADE = 1.0  # share of a second that fades
_LEAST = 400  # steps of half a hertz in common; less (a tone, a narrow band) is alike without any connection
_FLOOR = 1e-3  # of the strongest frequency


class Leak:
    """Listens to pairs of stretches of a second each; ``worst`` and ``together`` are in spreads of pure chance.

    ``seconds`` are those in which there was something to compare; ``narrow`` those in which one of the two was a tone,
    or a band so narrow, that likeness says nothing.
    """

    def __init__(self) -> None:
        self.seconds = self.narrow = 0
        self.worst, self.worst_at = 0.0, 0.0
        self._sum: NDArray[np.float64] = np.zeros(2 * _SHIFT + 1)

    def hear(self, copy: NDArray[np.float32], original: NDArray[np.float32], at: float) -> None:
        """``at``: seconds, for the report."""
        if len(copy) < 2 * _SHIFT or np.abs(copy).max() < _QUIET or np.abs(original).max() < _QUIET:
            return
        values = _whitened(copy, original)
        if values is None:
            self.narrow += 1
            return
        self.seconds += 1
        self._sum += values
        top = float(np.abs(values).max())
        if top > self.worst:
            self.worst, self.worst_at = top, at

    @property
    def together(self) -> float:
        """The strongest constant delay over all seconds."""
        return float(np.abs(self._sum).max() / np.sqrt(max(self.seconds, 1)))

    @property
    def found(self) -> bool:
        """Whether something of the original is in the copy."""
        return self.worst >= _ONE or self.together >= _ALL


def _whitened(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """The correlation at each near delay, in their spread; None where too few frequencies are common to both.

    Faded in and out: where a tone is cut off, the cut sounds at all frequencies and at the same moment in both. The
    spread is that of the near delays: a buzz repeats itself and is loud at all of them, a remnant at one.
    """
    from scipy.signal.windows import tukey  # here: half a second, for which a copy that is silent has no use

    size = 2 * len(a)
    fade = tukey(len(a), _FADE)
    first, second = np.fft.rfft(a * fade, size), np.fft.rfft(b * fade, size)
    cross = first * np.conj(second)
    cross /= np.maximum(np.abs(cross), 1e-20)
    cross[: 2 * _LOWEST] = 0
    for spectrum in (first, second):  # what coders leave in empty bands says nothing
        cross[np.abs(spectrum) < _FLOOR * np.abs(spectrum).max()] = 0
    if np.count_nonzero(cross) < _LEAST:
        return None
    values = np.fft.irfft(cross, size)
    near = np.concatenate((values[-_SHIFT:], values[: _SHIFT + 1]))
    return near / max(float(np.std(near)), 1e-12)
