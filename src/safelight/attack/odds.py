"""Is it more than chance? The few tests that the likeness attacker needs, exactly and without a statistics library."""

from __future__ import annotations

import math
from collections.abc import Callable


def at_least(hits: int, trials: int, share: float) -> float:
    """Probability of ``hits`` or more in ``trials`` when each succeeds with probability ``share``."""
    if hits <= 0:
        return 1.0
    return min(
        math.fsum(math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(hits, trials + 1)), 1.0
    )


def interval(hits: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """The confidence interval of Clopper and Pearson (1934) for a share: bounds that are never too narrow."""
    if trials == 0:
        return 0.0, 1.0
    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else _solve(lambda share: at_least(hits, trials, share) - tail)
    high = 1.0 if hits == trials else _solve(lambda share: at_least(hits + 1, trials, share) - (1 - tail))
    return low, high


def better(hits: int, control: int, trials: int) -> float:
    """Fisher's exact test, one-sided: probability of ``hits`` so far above ``control``, both of ``trials``."""
    total = hits + control
    all_ways = math.comb(2 * trials, total)
    ways = sum(math.comb(trials, k) * math.comb(trials, total - k) for k in range(hits, min(total, trials) + 1))
    return ways / all_ways


def _solve(rising: Callable[[float], float]) -> float:
    """Where a function that rises on 0 … 1 is zero, by halving."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
