"""HDR and wide gamuts as BT.709, as a table of colours that FFmpeg's ``haldclut`` applies.

FFmpeg's own conversion takes half a minute to set up; this one milliseconds.
"""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from safelight.media.colour import HLG, PQ, Colour

LEVEL = 6  # 36 steps for each of red, green and blue
Light = NDArray[np.float64]

WHITE = 203.0  # nits of a white sheet in HDR (ITU-R BT.2408)
PEAK = 1000.0  # nits that become full white; brighter is clipped
# Linear light of other primaries to BT.709: BT.2020 (ITU-R BT.2087, inverse of M2) and P3 with D65.
_TO_709 = {
    9: [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]],
    12: [[1.224940, -0.224940, 0.0], [-0.042057, 1.042057, 0.0], [-0.019638, -0.078636, 1.098274]],
}
_TO_709[11] = _TO_709[12]  # the cinema's P3 differs in its white only
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
_LUMINANCE_2020 = np.array([0.2627, 0.6780, 0.0593])


def pq_to_nits(code: Light) -> Light:
    """SMPTE ST 2084, equation 4.1: code values 0 to 1 as nits, 0 to 10,000."""
    root = np.asarray(code) ** (1 / 78.84375)
    ratio = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
    nits: Light = 10000 * ratio ** (1 / 0.1593017578125)
    return nits


def hlg_to_nits(code: Light) -> Light:
    """ITU-R BT.2100, table 5: code values (…, 3) as nits on a screen of 1,000 nits."""
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - 0.55991073) / 0.17883277) + 0.28466892) / 12)
    luminance = scene @ _LUMINANCE_2020
    nits: Light = PEAK * scene * np.maximum(luminance, 1e-9)[..., None] ** 0.2
    return nits


def to_bt709(code: Light, colour: Colour) -> Light:
    """Code values (…, 3) in ``colour`` as BT.709 code values, 0 to 1."""
    if colour.transfer == PQ:
        light = np.minimum(pq_to_nits(code), PEAK) / WHITE
    elif colour.transfer == HLG:
        light = hlg_to_nits(code) / WHITE
    else:
        light = code**2.4
    if colour.primaries in _TO_709:
        light = _inside(light @ np.array(_TO_709[colour.primaries]).T)
    if colour.hdr:
        brightest = np.maximum(light.max(axis=-1, keepdims=True), 1e-9)
        # Reinhard et al. 2002, equation 4, on the strongest colour so that hues stay.
        light = light * (1 + brightest / (PEAK / WHITE) ** 2) / (1 + brightest)
    shown: Light = np.clip(light, 0, 1) ** (1 / 2.4)
    return shown


def _inside(light: Light) -> Light:
    """Colours that BT.709 cannot show move towards the grey of their luminance until it can."""
    grey = np.maximum(light @ _LUMINANCE, 0)[..., None]
    lowest = light.min(axis=-1, keepdims=True)
    keep = np.where(lowest < 0, grey / np.maximum(grey - lowest, 1e-9), 1.0)
    inside: Light = grey + (light - grey) * keep
    return inside


def table(colour: Colour) -> VideoFrame:
    """The conversion from ``colour`` as a Hald image (rgb48le), red running fastest."""
    steps = np.linspace(0, 1, LEVEL**2)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    codes = to_bt709(np.stack([red, green, blue], axis=-1), colour)
    pixels = np.round(codes * 65535).astype(np.uint16).reshape(LEVEL**3, LEVEL**3, 3)
    return VideoFrame.from_ndarray(pixels, format="rgb48le")
