"""Frame-exact: the number asked for, the picture shown and the time an edit gets are those of the copy."""

from __future__ import annotations

import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from desk.folders import Browser, desk_of, make_clip, make_plan, number, put, variable
from media.build import scene
from safelight.hide.picture import hide_areas
from safelight.media.access import Access
from safelight.media.develop import Developer
from safelight.media.read import Reader
from safelight.plan import Plan

FRAMES = 150
FILMS: dict[str, dict[str, Any]] = {
    "variable": {**variable(FRAMES), "options": {"g": "25", "bf": "2"}},
    "late": {"base": Fraction(1, 90000), "pts": [333000 + 3600 * i for i in range(FRAMES)], "sound": 7.0},
    "single-key": {"options": {"g": "100000", "bf": "2", "sc_threshold": "0"}},
    "open-gop": {"options": {"g": "12", "bf": "3", "x264-params": "open-gop=1"}},
    "two-keys-close": {"options": {"g": "2", "bf": "1"}},
    "turned": {"rotate": 90.0},
    "odd": {"width": 162, "height": 98, "aspect": Fraction(16, 11)},
}
SUFFIXED: dict[str, tuple[str, dict[str, Any]]] = {
    "avi": (".avi", {"codec": "mpeg4", "options": {"bf": "0", "g": "12"}}),
    "avi-reordered": (".avi", {"codec": "mpeg4", "options": {"bf": "2", "g": "12"}}),
    "transport": (".ts", {"format": "mpegts", "options": {"g": "25", "bf": "2"}}),
    "matroska": (".mkv", {**variable(FRAMES), "options": {"g": "25"}}),
    "all-key": (".avi", {"codec": "mjpeg", "pixels": "yuvj420p", "options": {}}),
}
ALL = {**{name: (".mp4", recipe) for name, recipe in FILMS.items()}, **SUFFIXED}


def truth(clip: Path, plan: Plan) -> list[tuple[int, NDArray[np.uint8]]]:
    """Time and picture of every frame of the copy, before it is encoded, by reading the clip from its beginning."""
    told = []
    with clip.open("rb") as file, Reader(file) as reader:
        raster = reader.facts.raster
        developer = Developer(reader.facts)
        for picture in reader.pictures():
            planes = picture.planes()
            areas = [(region.shape, box) for region, box in plan.covers(picture.index)]
            hide_areas(planes, areas, raster, plan.settings.look, picture.index)
            told += [(d.pts, d.bgr(*raster.shown_size)) for d in developer.develop(planes, picture.pts)]
        told += [(d.pts, d.bgr(*raster.shown_size)) for d in developer.finish()]
    return told


@pytest.mark.parametrize("name", ALL)
def test_still_number_and_edit_agree_in_50_random_frames(name: str, tmp_path: Path) -> None:
    suffix, recipe = ALL[name]
    put(tmp_path, suffix=suffix, frames=FRAMES, **recipe)
    clip = tmp_path / f"clip{suffix}"
    plan = Plan.load(tmp_path / "clip.safelight-plan.json")
    expected = truth(clip, plan)
    desk = desk_of(tmp_path)
    try:
        browser = Browser(desk)
        address = browser.first()
        browser.post(address + "/hold").raise_for_status()
        times = np.frombuffer(browser.get(address + "/times").content, "<f8")
        assert [int(t) for t in times] == [pts for pts, _ in expected]
        version = 0
        for index in random.Random(11).sample(range(FRAMES), 50):
            answer = browser.get(f"{address}/frames/{index}", params={"exact": ""})
            pts, picture = expected[index]
            assert int(answer.headers["x-pts"]) == pts
            shown = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
            assert np.array_equal(shown, picture), index
            if name not in ("turned", "odd"):
                assert number(shown) == index
            key = {"frame": index, "x": 2, "y": 30, "width": 20, "height": 20}
            done = browser.edit(address, version, op="draw", kind="free", shape="box", keys=[key]).json()
            version = done["version"]
            assert done["delta"]["regions"][0]["after"]["keyframes"][0]["pts"] == pts
    finally:
        desk.close()


def test_the_edited_frames_are_those_hidden_in_the_copy(tmp_path: Path) -> None:
    """The same through `safelight hide`: what is drawn over single frames of a film with jumping times hides those."""
    from program import safelight

    put(tmp_path, frames=40, **variable(40))
    desk = desk_of(tmp_path)
    browser = Browser(desk)
    address = browser.first()
    browser.post(address + "/hold").raise_for_status()
    chosen = sorted(random.Random(3).sample(range(40), 8))
    version = 0
    for index in chosen:
        key = {"frame": index, "x": -2, "y": -2, "width": 164, "height": 40}
        version = browser.edit(address, version, op="draw", kind="free", shape="box", keys=[key]).json()["version"]
    desk.close()
    plan = tmp_path / "clip.safelight-plan.json"  # unbent, or the numbers in the pictures cannot be read for sure
    ran = safelight("hide", "--sensor", "off", tmp_path / "clip.mp4", "--plan", plan, "-o", tmp_path)
    assert ran.status == 0, ran.err
    with (tmp_path / "clip.safelight.mp4").open("rb") as file, Reader(file) as reader:
        gone = [p.index for p in reader.pictures() if p.index != number(p.bgr(160, 96))]
    assert [index for index in chosen if index] == [index for index in gone if index]
    assert set(gone) <= set(chosen)


def test_times_that_the_packets_tell_wrongly_are_found_out(tmp_path: Path) -> None:
    """A film cut so that it begins before its first key frame: packets and pictures do not agree, so it is counted."""
    import av

    whole = make_clip(tmp_path / "whole.ts", frames=60, format="mpegts", options={"g": "20", "bf": "0"})
    cut = tmp_path / "clip.ts"
    with av.open(str(whole)) as source, av.open(str(cut), "w", format="mpegts") as out:
        track = source.streams.video[0]
        copied = out.add_stream_from_template(track)
        for number_, packet in enumerate(source.demux(track)):
            if packet.dts is not None and number_ >= 7:
                packet.stream = copied
                out.mux(packet)
    plan = make_plan(cut)
    (tmp_path / "clip.safelight-plan.json").write_text(plan.to_json())
    desk = desk_of(tmp_path)
    browser = Browser(desk)
    address = browser.first()
    times = np.frombuffer(browser.get(address + "/times").content, "<f8")
    assert len(times) == plan.clip.frames < 53
    expected = truth(cut, plan)
    for index in (0, 30, 5):
        answer = browser.get(f"{address}/frames/{index}", params={"exact": ""})
        shown = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
        assert int(answer.headers["x-pts"]) == expected[index][0]
        assert np.array_equal(shown, expected[index][1])
    desk.close()


def test_pictures_kept_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=60)
    monkeypatch.setattr("safelight.media.access.KEPT", 160 * 96 * 3 * 10)
    with clip.open("rb") as file:
        access = Access(file.fileno())
        access.survey()
        for index in range(60):
            access.picture(index)
        assert len(access._kept) == 10


def test_a_still_picture_is_shown(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "clip.png"), scene(0, 160, 96))
    (tmp_path / "clip.safelight-plan.json").write_text(make_plan(tmp_path / "clip.png", regions=False).to_json())
    desk = desk_of(tmp_path)
    browser = Browser(desk)
    assert browser.get(browser.first() + "/frames/0").status_code == 200
    assert browser.get(browser.first() + "/frames/1").status_code == 404
    desk.close()
