"""Which device networks run on: the processor, unless a person names another device of this machine.

The choice belongs to a machine, not to a job: it stands in the environment, where `--device` puts it, so that each
machine of a cluster uses its own. Only names that the engine lists count. ``AUTO`` and its like would choose for
themselves, differently from run to run, and go on without a word when a device fails.
"""

from __future__ import annotations

import os

DEVICE = "SAFELIGHT_DEVICE"  # environment variable; what `--device` sets
CPU = "CPU"


def chosen() -> str:
    """The name of the device that was chosen, as the engine calls it; it may not exist."""
    return os.environ.get(DEVICE) or CPU
