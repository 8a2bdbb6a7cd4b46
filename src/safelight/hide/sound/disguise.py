"""Disguising speech."""

from __future__ import annotations

from safelight.errors import Code, SafelightError
from safelight.media.sound import Samples

LONGEST = 12.0  # seconds worked on at once


class Disguise:
    """Not there yet."""

    def __call__(self, samples: Samples) -> Samples:
        """Refuse."""
        raise SafelightError(Code.UNSUPPORTED, "Voices cannot be disguised yet.")
