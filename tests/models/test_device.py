"""Another device than the CPU: the same numbers within the tolerance, or a refusal. Compared where there is one.

Where there is none, OpenVINO's ``AUTO`` stands in: it takes the way of other devices through the engine, and computes
on the CPU in the end. It shows that the way is whole, nothing about a GPU.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from safelight.errors import Code, SafelightError
from safelight.models import engine, store
from safelight.models.device import CPU, DEVICE
from safelight.models.engine import TOLERANCE, Plain, alike
from safelight.models.manifest import weight, weights

OTHERS = sorted(set(engine.devices()) - {CPU})
SIZES = {"sface": (112, 112), "letters": (48, 320)}
LOOKS = [entry.name for entry in weights() if entry.format in ("onnx", "tensorflow") and entry.name != "speech"]


class Listing:
    """The engine's core, which lists one device more than there is."""

    def __init__(self, core: Any, more: str, capabilities: list[str] | None = None) -> None:
        self._core, self._capabilities = core, capabilities
        self.available_devices = [*core.available_devices, more]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._core, name)

    def get_property(self, device: str, name: str) -> Any:
        if name == "OPTIMIZATION_CAPABILITIES" and self._capabilities is not None:
            return self._capabilities
        return self._core.get_property(device, name)


def same_as_the_cpu(name: str, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if store.inspect(weight(name))[0] is not store.State.READY:
        pytest.skip("this weight is not on this machine (safelight models fetch --all)")
    height, width = SIZES.get(name, (288, 320))
    rows, columns = np.mgrid[:height, :width]
    noise = np.random.default_rng(1).integers(0, 40, (height, width))
    picture = np.stack([rows * 200 // height + noise, columns * 200 // width + noise, noise * 6], 2).astype(np.uint8)
    here = engine.network(name)(picture)
    monkeypatch.setenv(DEVICE, device)
    there = engine.network(name)(picture)
    assert len(here) == len(there)
    for one, two in zip(here, there, strict=True):
        assert alike(one, two), f"{name} on {device}: {np.abs(one - two).max()} of {np.abs(one).max()}"


@pytest.mark.skipif(not OTHERS, reason="the engine sees no device but the CPU here; no GPU was compared")
@pytest.mark.parametrize("device", OTHERS)
@pytest.mark.parametrize("name", LOOKS)
def test_a_second_device_says_what_the_cpu_says(name: str, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    same_as_the_cpu(name, device, monkeypatch)


def test_the_way_of_other_devices_through_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    core = Listing(engine._core(), "AUTO")
    monkeypatch.setattr(engine, "_core", lambda: core)
    engine.try_out("AUTO")
    same_as_the_cpu("yunet", "AUTO", monkeypatch)


def test_a_device_without_32_bit_floats_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    core = Listing(engine._core(), "AUTO", ["FP16", "INT8"])
    monkeypatch.setattr(engine, "_core", lambda: core)
    with pytest.raises(SafelightError, match="32-bit") as refused:
        engine.try_out("AUTO")
    assert refused.value.code is Code.DEVICE


def test_a_driver_that_fails_is_refused_and_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    core = Listing(engine._core(), "GPU.7", ["FP32"])  # listed, and then the engine itself knows no such device
    monkeypatch.setattr(engine, "_core", lambda: core)
    monkeypatch.setenv(DEVICE, "GPU.7")
    with pytest.raises(SafelightError) as refused:
        engine.built("sum", _sum)
    assert refused.value.code is Code.DEVICE
    assert "GPU.7 failed" in refused.value.detail


@pytest.mark.parametrize("device", ["GPU.7", "AUTO", "AUTO:CPU", "MULTI:CPU", "cpu"])
def test_no_network_runs_on_what_is_not_listed(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEVICE, device)
    with pytest.raises(SafelightError) as refused:
        engine.built("sum", _sum)
    assert refused.value.code is Code.DEVICE


def test_the_comparison_can_tell() -> None:
    numbers = np.linspace(-3, 3, 50, dtype=np.float32)
    assert alike(numbers, numbers + np.float32(2.9 * TOLERANCE))
    assert not alike(numbers, numbers + np.float32(3.1 * TOLERANCE))
    assert not alike(numbers, np.where(numbers > 2, np.nan, numbers))
    assert not alike(np.zeros(3, np.float32), np.full(3, 1e-3, np.float32))


def test_networks_of_plain_arrays_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEVICE, "")  # as good as not set
    made: Plain = engine.built("sum", _sum)
    assert made(np.ones(3, np.float32))[0].tolist() == [2, 2, 2]


def _sum(operations: Any) -> tuple[list[Any], list[Any]]:
    entry = operations.parameter([3], np.float32)
    return [operations.add(entry, entry)], [entry]
