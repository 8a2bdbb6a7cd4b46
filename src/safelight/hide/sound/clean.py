"""Taking mains hum, rumble and ultrasound out of a stretch of the original that is kept.

Mains hum drifts in the same way all over a country at the same time, so its drift dates a recording. A high-pass alone
keeps the drift of the harmonics, notches alone keep that of the fundamental; both together are needed. Each stretch is
filtered from rest: nothing that came before it can ring into it.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from safelight.media.sound import RATE, Samples

_LOWEST, _HIGHEST = 120.0, 7200.0  # Hz that pass
_MAINS = (50, 60)
_HARMONICS_TO = 1000.0  # Hz; above, hum is far below speech
_HALF_WIDTH, _WIDENS = 1.5, 0.01  # Hz to either side that are stopped, and more for each Hz up: harmonics drift further
_FADE = 0.01  # seconds at the ends


class Cleaner:
    """One stretch, block by block, in order."""

    def __init__(self) -> None:
        self._filter = _filter()
        self._state: NDArray[np.float64] = np.zeros((len(self._filter), 2))
        self._done = 0

    def __call__(self, block: Samples, *, last: bool) -> Samples:
        """The next block without hum; ``last``: the stretch ends with it."""
        out, self._state = sosfilt(self._filter, block, zi=self._state)
        fade = round(_FADE * RATE)
        place = np.arange(self._done, self._done + len(out))
        out *= np.minimum((place + 1) / fade, 1)
        if last:
            out *= np.minimum(np.arange(len(out), 0, -1) / fade, 1)
        self._done += len(out)
        return np.asarray(out, np.float32)


@cache
def _filter() -> NDArray[np.float64]:
    """Second-order sections: a Butterworth band, and a stop at each multiple of 50 and 60 Hz inside it."""
    parts = [butter(6, (_LOWEST, _HIGHEST), "bandpass", fs=RATE, output="sos")]
    for hertz in sorted({mains * n for mains in _MAINS for n in range(1, int(_HARMONICS_TO // mains) + 1)}):
        half = _HALF_WIDTH + _WIDENS * hertz
        parts.append(butter(2, (hertz - half, hertz + half), "bandstop", fs=RATE, output="sos"))
    return np.concatenate(parts)
