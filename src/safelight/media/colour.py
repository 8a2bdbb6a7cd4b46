"""What the numbers of a picture mean as light (code points of ITU-T H.273), settled where the file is silent."""

from __future__ import annotations

from dataclasses import dataclass

from safelight.errors import Code, SafelightError

BT709, UNSPECIFIED, BT470BG, SMPTE170M = 1, 2, 5, 6
PQ, HLG = 16, 18
_WIDE = (9, 11, 12)  # BT.2020 and the two P3 gamuts: looks pale when shown as BT.709 without conversion
_BT2020_MATRICES = (9, 10)


@dataclass(frozen=True)
class Colour:
    """Matrix, primaries and transfer function; never unspecified."""

    matrix: int
    primaries: int
    transfer: int

    @property
    def hdr(self) -> bool:
        """Whether the values reach beyond what an ordinary screen shows."""
        return self.transfer in (PQ, HLG)

    @property
    def needs_conversion(self) -> bool:
        """Whether more than range and size must change to show it as BT.709."""
        return self.hdr or self.primaries in _WIDE or self.matrix in _BT2020_MATRICES


def settle(matrix: int, primaries: int, transfer: int, width: int, height: int) -> Colour:
    """Fill in what is unspecified the way players do: HD is BT.709, smaller is BT.601 (625 lines from height 576 on).

    0 stands for RGB in the matrix (pictures are unpacked from RGB with BT.709) and for reserved elsewhere.
    """
    if matrix == 10:  # differs from 9 by what the eye does not see, and FFmpeg reads it as such
        matrix = 9
    if matrix in (8, 11, 12, 13, 14):
        raise SafelightError(Code.UNSUPPORTED, f"The colours are stored in a rare way (matrix {matrix}).")
    if matrix not in (0, 1, 4, 5, 6, 7, 9):
        matrix = UNSPECIFIED
    small = width < 1280 and height <= 576
    lines = BT470BG if height in (576, 288) else SMPTE170M
    if transfer in (PQ, HLG):
        return Colour(
            9 if matrix in (0, UNSPECIFIED, 3) else matrix,
            9 if primaries in (0, UNSPECIFIED, 3) else primaries,
            transfer,
        )
    if matrix in (UNSPECIFIED, 3):
        matrix = lines if small else BT709
    elif matrix == 0:
        matrix = BT709
    if primaries in (0, UNSPECIFIED, 3):
        primaries = {BT470BG: BT470BG, SMPTE170M: SMPTE170M, 9: 9, 10: 9}.get(matrix, BT709)
    if transfer in (0, UNSPECIFIED, 3):
        transfer = SMPTE170M if matrix in (BT470BG, SMPTE170M) else BT709
    return Colour(matrix, primaries, transfer)
