"""Fine moving grain for the veil, so that it does not look like a hole in a living picture.

The grain is a function of the picture's number and of the place in the picture, of nothing else: no clip, no key, no
content. It is the same on every machine: only integers of a fixed bit generator and single, exactly rounded operations.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

TILE = 512
"""Side of the square after which the pattern repeats, in samples."""

_SEED = 0x5AFE
_SIGMAS = 4  # the pattern is cut off there, so that surface plus grain never leaves the legal range


@lru_cache(maxsize=8)
def _pattern(sigma: int) -> NDArray[np.int64]:
    """A (TILE, TILE) pattern that wraps around, mean about 0, standard deviation ``sigma``, within 4 ``sigma``."""
    words = np.random.PCG64(_SEED).random_raw(TILE * TILE).astype("<u8")
    # The sum of eight bytes is near enough to a normal distribution, and exact.
    noise = words.view(np.uint8).reshape(TILE, TILE, 8).sum(axis=2, dtype=np.int64) - 1020
    for axis in (0, 1):  # grains a little larger than one sample, as on film
        noise = np.roll(noise, 1, axis) + 2 * noise + np.roll(noise, -1, axis)
    spread = np.sqrt(np.float64((noise * noise).sum()) / noise.size)
    scaled = np.rint(noise * (sigma / spread)).astype(np.int64)
    pattern: NDArray[np.int64] = np.clip(scaled, -_SIGMAS * sigma, _SIGMAS * sigma)
    return pattern


@lru_cache(maxsize=8)
def _canvas(sigma: int, depth: int) -> NDArray[np.uint16]:
    """The pattern twice in each direction, with the half step that turns cutting bits off into rounding.

    Negative values are kept as 65536 minus their size: added to uint16 they wrap around to the right sum.
    """
    half_step = (1 << (15 - depth)) if depth < 16 else 0
    once = (_pattern(sigma) + half_step).astype(np.uint16)
    return np.tile(once, (2, 2))


def bound(sigma: int) -> int:
    """The largest value the grain can add or take away, rounding included, on the 16-bit scale."""
    return _SIGMAS * sigma + 128


def _mixed(index: int) -> int:
    """64 well mixed bits of a picture's number (the finaliser of SplitMix64, Steele, Lea and Flood 2014)."""
    mask = (1 << 64) - 1
    z = (index + 1) * 0x9E3779B97F4A7C15 & mask
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & mask
    z = (z ^ z >> 27) * 0x94D049BB133111EB & mask
    return z ^ z >> 31


def grain(index: int, x: int, y: int, width: int, height: int, sigma: int, depth: int) -> NDArray[np.uint16]:
    """The grain of picture ``index`` on a block of at most TILE x TILE samples whose corner is (``x``, ``y``).

    ``sigma`` is on the 16-bit scale. To be added to uint16 values of that scale that stay :func:`bound` away from both
    ends; the sum's upper ``depth`` bits are then the rounded result. Shape (height, width), a view: do not write to it.
    """
    shift = _mixed(index)
    left = (x + shift) % TILE
    top = (y + (shift >> 32)) % TILE
    return _canvas(sigma, depth)[top : top + height, left : left + width]
