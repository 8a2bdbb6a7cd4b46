"""What an attacker does to his references to make them look like the copy: blur, mosaic, solid, at many strengths.

A recogniser that never saw blurred faces fails on them; one that compares blurred with blurred does not (McPherson,
Shokri, Shmatikov, 2016). All work on aligned chips, in the place of the face.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.attack.align import CHIP, FACE

Bgr = NDArray[np.uint8]


@dataclass(frozen=True)
class Look:
    """A way to obscure a face. ``strength``: what it means depends on the look; shares of the face's width."""

    name: str
    strength: float
    change: Callable[[Bgr, float], Bgr]

    def __str__(self) -> str:
        return f"{self.name} ({self.strength:g})" if self.strength else self.name

    def __call__(self, chip: Bgr) -> Bgr:
        """The chip with its face obscured; the surroundings stay."""
        return laid_over(self.change(chip, self.strength), chip)


def _box_blur(chip: Bgr, strength: float) -> Bgr:
    side = max(round(strength * FACE.width), 1)
    return np.asarray(cv2.blur(chip, (side, side)), np.uint8)


def _gaussian(chip: Bgr, strength: float) -> Bgr:
    return np.asarray(np.rint(_blurred(chip.astype(np.float32), strength * FACE.width)), np.uint8)


def _blurred(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """A Gaussian blur; a wide one is made on a reduced picture, where it costs little and looks the same."""
    factor = max(round(sigma / 4), 1)
    size = max(CHIP // factor, 4)
    small = cv2.resize(values, (size, size), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma * size / CHIP)
    return np.asarray(cv2.resize(soft, (CHIP, CHIP), interpolation=cv2.INTER_LINEAR), np.float32)


def _mosaic(chip: Bgr, strength: float) -> Bgr:
    cells = max(round(CHIP / (strength * FACE.width)), 1)
    small = cv2.resize(chip, (cells, cells), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (CHIP, CHIP), interpolation=cv2.INTER_NEAREST), np.uint8)


def _solid(chip: Bgr, strength: float) -> Bgr:
    return np.full_like(chip, round(strength))


BARE = Look("nothing", 0, lambda chip, strength: chip)
"""No look at all: what an ordinary recogniser compares with."""

LOOKS = (
    *(Look("box blur", share, _box_blur) for share in (0.15, 0.3, 0.45, 0.6, 0.9)),
    *(Look("Gaussian blur", share, _gaussian) for share in (0.06, 0.12, 0.2, 0.3, 0.45)),
    *(Look("mosaic", share, _mosaic) for share in (0.08, 0.12, 0.18, 0.25, 0.35)),
    Look("black", 0, _solid),
    Look("grey", 127, _solid),
)

_rows, _columns = np.mgrid[0:CHIP, 0:CHIP].astype(np.float32)
_away = np.sqrt(
    ((_columns - FACE.centre[0]) / (FACE.width / 2)) ** 2 + ((_rows - FACE.centre[1]) / (FACE.height / 2)) ** 2
)
INSIDE: NDArray[np.bool_] = _away < 0.85
"""The pixels of a chip that show the face, without its edge."""

_BLEND = np.clip((1.05 - _away) / 0.15, 0, 1)[..., None]


def laid_over(face: Bgr, surroundings: Bgr) -> Bgr:
    """One chip's face in another chip's surroundings, with a soft edge."""
    return np.asarray(np.rint(face * _BLEND + surroundings * (1 - _BLEND)), np.uint8)


def toned(face: Bgr, like: Bgr) -> Bgr:
    """A chip whose face has another face's mean and spread of every colour (Reinhard et al., 2001, without Lab).

    The colour of skin and light must not tell who is who: it is around the hidden area too, and no recognition.
    """
    mine, theirs = face[INSIDE].astype(np.float32), like[INSIDE].astype(np.float32)
    gain = (theirs.std(axis=0) + 1) / (mine.std(axis=0) + 1)
    return np.asarray(np.clip((face - mine.mean(axis=0)) * gain + theirs.mean(axis=0), 0, 255), np.uint8)


def stranger(face: Bgr, number: int) -> Bgr:
    """A person who does not exist: a face mirrored and bent so far that recognisers take it for somebody else."""
    random = np.random.default_rng(number)
    bend = random.normal(0, 1, (2, 4, 4)).astype(np.float32)
    flow = [cv2.resize(part, (CHIP, CHIP), interpolation=cv2.INTER_CUBIC) * (0.11 * FACE.width) for part in bend]
    seen = face[:, ::-1] if number % 2 else face
    return np.asarray(
        cv2.remap(
            np.ascontiguousarray(seen),
            _columns + flow[0],
            _rows + flow[1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )


def healed(chip: Bgr) -> Bgr:
    """A chip whose face is replaced by a smooth continuation of its surroundings: a fill that knows nothing."""
    mask = (_away < 1.1).astype(np.float32)[..., None]
    values, weights = chip.astype(np.float32) * (1 - mask), 1 - mask
    result = np.zeros_like(values)
    known = np.zeros_like(weights)
    for sigma in (8.0, 16.0, 32.0, 64.0):
        weight = _blurred(weights, sigma)[..., None]
        mean = _blurred(values, sigma) / np.maximum(weight, 1e-4)
        share = np.clip(weight * 4, 0, 1) * (1 - known)
        result += mean * share
        known += share
    result += (1 - known) * values.sum(axis=(0, 1)) / np.maximum(weights.sum(), 1)
    return np.asarray(np.clip(np.where(mask > 0, result, chip), 0, 255), np.uint8)
