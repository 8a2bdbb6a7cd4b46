"""The memory that a process has freed and its C library keeps for later."""

from __future__ import annotations

import ctypes

_LIBRARY = ctypes.CDLL(None)


def give_back() -> None:
    """Hand it back to the system. It takes some milliseconds, and what is wanted again has to be fetched again.

    With another C library than glibc nothing happens.
    """
    if hasattr(_LIBRARY, "malloc_trim"):
        _LIBRARY.malloc_trim(0)
