"""The inference engine's library, loaded so that nothing of it can report home. Import it only where networks run.

``import openvino`` reports each import to an analytics service when its helper package ``openvino_telemetry`` is
installed. ``None`` in ``sys.modules`` makes an import fail; OpenVINO catches that for both modules below and goes on
without the model converter, which is not needed to run a network.
"""

from __future__ import annotations

import sys

from safelight.errors import Code, SafelightError

_SPEAKERS = ("openvino_telemetry", "openvino.tools.ovc")

if "openvino" in sys.modules:
    if any(sys.modules.get(name) for name in _SPEAKERS):
        raise SafelightError(Code.BUG, "The inference engine was imported with its telemetry.")
else:
    for _name in _SPEAKERS:
        sys.modules[_name] = None  # type: ignore[assignment]

import openvino as openvino  # noqa: E402 - when that is done, and for whoever imports this module
