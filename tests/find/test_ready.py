"""Finders are ready for a clip's pictures before the first one comes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from examples.clip import write_clip

from safelight.find import Finders, find, make_ready
from safelight.find.faces import CenterFace, YuNet
from safelight.find.people import NanoDet
from safelight.media.read import Reader
from safelight.models.engine import Network
from safelight.plan import Asked


# In small pictures the light finder looks at enlarged ones now and then, not at first.
@pytest.mark.parametrize(("size", "later"), [((1280, 720), set()), ((640, 360), {("yunet", 960, 544)})])
def test_no_network_is_compiled_once_finders_are_ready(
    weights: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], later: set[Any]
) -> None:
    made: list[tuple[str, int, int]] = []
    compiled = Network._made_ready

    def noted(network: Network, height: int, width: int) -> Any:
        made.append((network.name, width, height))
        return compiled(network, height, width)

    monkeypatch.setattr(Network, "_made_ready", noted)
    finders = Finders(YuNet(threshold=0.3), CenterFace(threshold=0.2), NanoDet())
    write_clip(tmp_path / "clip.mp4", *size, seconds=0.5)
    with (tmp_path / "clip.mp4").open("rb") as file, Reader(file) as reader:
        with ThreadPoolExecutor(2) as pool:
            make_ready(reader.facts, finders, Asked(), pool)
        ready = set(made)
        assert len(made) == len(ready)
        assert {name for name, *_ in ready} == {"yunet", "centerface", "nanodet"}
        find(reader, sha256="0" * 64, finders=finders)
    assert set(made) - ready == later, "something else was compiled while pictures waited"
