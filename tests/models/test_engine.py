from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from safelight.errors import Code, SafelightError
from safelight.models import engine, store
from safelight.models.engine import Network
from safelight.models.manifest import weight, weights

YUNET = weight("yunet")


@pytest.fixture(scope="module")
def yunet() -> Network:
    if store.inspect(YUNET)[0] is not store.State.READY:
        pytest.skip("the weights are not on this machine (safelight models fetch)")
    return engine.network("yunet")


def picture(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_any_size_and_always_the_same_numbers(yunet: Network) -> None:
    sizes = [(64, 96), (96, 64), (128, 128), (160, 96), (32, 320), (320, 32)]  # more than are kept ready
    first = [yunet(picture(*size)) for size in sizes]
    for size, before in zip(sizes, first, strict=True):
        for output, same in zip(yunet(picture(*size)), before, strict=True):
            assert output.tobytes() == same.tobytes()
        assert before[0].shape == (1, size[0] * size[1] // 64, 1)
        assert before[8].shape == (1, size[0] * size[1] // 1024, 4)


def test_outputs_are_the_callers_own(yunet: Network) -> None:
    outputs = yunet(picture(64, 64))
    kept = [output.copy() for output in outputs]
    yunet(picture(64, 64)[::-1])
    for output, before in zip(outputs, kept, strict=True):
        assert np.array_equal(output, before)


def test_a_picture_with_strides_is_read_as_it_looks(yunet: Network) -> None:
    large = picture(128, 128)
    view = large[::2, ::-2]
    for output, same in zip(yunet(view), yunet(view.copy()), strict=True):
        assert np.array_equal(output, same)


def test_a_changed_weight_is_refused_at_every_load(
    yunet: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = store.path_of(YUNET)
    monkeypatch.setenv("SAFELIGHT_WEIGHTS", str(tmp_path))
    copy = tmp_path / YUNET.file
    with pytest.raises(SafelightError) as missing:
        engine.network("yunet")
    assert missing.value.code is Code.WEIGHTS_MISSING
    shutil.copy(original, copy)
    engine.network("yunet")
    data = bytearray(copy.read_bytes())
    data[len(data) // 2] ^= 1
    copy.write_bytes(data)
    with pytest.raises(SafelightError) as changed:
        engine.network("yunet")
    assert changed.value.code is Code.WEIGHTS_CHANGED
    assert changed.value.file == str(copy)


LOOKS = [entry.name for entry in weights() if entry.format in ("onnx", "tensorflow") and entry.name != "speech"]


@pytest.mark.parametrize("name", LOOKS)
def test_every_weight_that_is_here_loads_and_runs(name: str) -> None:
    if store.inspect(weight(name))[0] is not store.State.READY:
        pytest.skip("this weight is not on this machine (safelight models fetch --all)")
    size = {"sface": (112, 112), "letters": (48, 320)}.get(name, (288, 320))
    outputs = engine.network(name)(picture(*size))
    assert len(outputs) == len(weight(name).outputs)
    for output in outputs:
        assert output.dtype == np.float32
        assert np.isfinite(output).all()


WATCHED = """
import sys

def watch(event, arguments):
    if event.split(".")[0] in ("socket", "urllib", "http", "ftplib", "smtplib"):
        print("SENT", event, arguments)

sys.addaudithook(watch)
import numpy
from safelight.models import engine
engine.network("yunet")(numpy.zeros((64, 64, 3), numpy.uint8))
assert "openvino" in sys.modules
print("SPOKE", [name for name in sys.modules if "telemetry" in name and sys.modules[name]])
"""


def test_nothing_is_sent_and_nothing_is_left_at_home(yunet: Network, tmp_path: Path) -> None:
    """With a telemetry helper installed that confesses when it is imported."""
    helper = tmp_path / "helper" / "openvino_telemetry"
    helper.mkdir(parents=True)
    (helper / "__init__.py").write_text("print('SENT by', __name__)\n")
    home = tmp_path / "home"
    home.mkdir()
    environment = os.environ | {
        "HOME": str(home),
        "SAFELIGHT_WEIGHTS": str(store.folder()),
        "PYTHONPATH": os.pathsep.join([str(helper.parent), *sys.path]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    ran = subprocess.run([sys.executable, "-c", WATCHED], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "SPOKE []"
    assert list(home.rglob("*")) == []


def test_looks_at_pictures_of_different_sizes_do_not_wait_for_one_another(yunet: Network) -> None:
    yunet(picture(96, 64))
    with ThreadPoolExecutor(2) as threads:
        with yunet._sized(64, 64):  # somebody's look at a picture of that size
            same, other = threads.submit(yunet, picture(64, 64)), threads.submit(yunet, picture(96, 64))
            assert len(other.result(timeout=30)) == 9
            assert not same.done()
        assert len(same.result(timeout=30)) == 9


def test_a_size_that_was_only_tried_leaves_the_memory_and_one_in_use_stays(
    yunet: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[int, int]] = []
    compiled = Network._made_ready

    def noted(network: Network, height: int, width: int) -> object:
        made.append((height, width))
        return compiled(network, height, width)

    monkeypatch.setattr(Network, "_made_ready", noted)
    fresh = engine.network(yunet.name)
    tried, used, often = (picture(side, 64) for side in (32, 64, 128))
    for _ in range(5):
        fresh(often)
    for _ in range(2):
        fresh(tried)
    for _ in range(13):
        fresh(used)
    fresh(often)
    fresh(tried)
    assert made == [(128, 64), (32, 64), (64, 64), (32, 64)]
    for _ in range(5):  # one that comes back again and again is in use
        fresh(tried)
        for _ in range(13):
            fresh(used)
    assert made[4:] == [(32, 64)]
