"""`safelight attack` with what it cannot use: a code, status 1, and no report that could be taken for one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from program import safelight
from tests.media.build import Image, busy, clip


def noise(index: int, width: int, height: int) -> Image:
    """Something that no other film shows."""
    return (
        np.random.default_rng(1000 + index)
        .integers(0, 255, (height // 8, width // 8, 3), np.uint8)
        .repeat(8, 0)
        .repeat(8, 1)
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip(tmp_path_factory.mktemp("copies") / "copy.mp4", frames=30, picture=busy)


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize(
    "case", ["missing original", "not media", "plan of another version", "another clip", "no names"]
)
def test_refused(case: str, copy: Path, tmp_path: Path) -> None:
    words: list[str | Path] = [copy]
    if case == "missing original":
        words += ["--original", tmp_path / "nowhere.mp4"]
        code = "SL-NOT-FOUND"
    elif case == "not media":
        words = [tmp_path / "text.mp4"]
        words[0].write_text("This is a letter.")
        code = "SL-NOT-MEDIA"
    elif case == "plan of another version":
        plan = tmp_path / "plan.json"
        plan.write_text('{"format": "safelight-plan", "version": 2}')
        words += ["--plan", plan]
        code = "SL-PLAN-VERSION"
    elif case == "another clip":
        words += ["--original", clip(tmp_path / "other.mp4", frames=30, picture=noise)]
        code = "SL-COPY-OTHER-CLIP"
    else:
        names = tmp_path / "names.txt"
        names.write_bytes(b"\xff\xfe\x00")
        words += ["--names", names]
        code = "SL-NAMES-INVALID"
    ran = safelight("attack", *words, "-o", tmp_path / "out")
    assert ran.status == 1
    assert code in ran.err
    out = tmp_path / "out"
    assert not out.exists() or not [path for path in out.iterdir() if path.suffix in (".html", ".json")]
