"""Bad light: what is dark, veiled, backlit or noisy is looked at cleared, and people in it are hidden."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from safelight.find import Finders, find
from safelight.find.clear import Clearing, lit, noise
from safelight.find.cuts import Glance, glances
from tests.find.clips import HEIGHT, WIDTH, Clip, Image, Shown, bare, face, scenery

FRAMES = 30


def spoilt(light: float, floor: float, grain: float) -> Clip:
    """Somebody moves to the right, seen in so much light, over so much haze, with so much noise."""
    clip, person = Clip(), face(60)
    random = np.random.default_rng(7)
    wall = cv2.GaussianBlur(scenery(3), (0, 0), 6)
    for frame in range(FRAMES):
        clip.add(np.asarray(wall, np.uint8), [(person, 250 + 2.5 * frame, 170.0)])
    for number, picture in enumerate(clip.frames):
        dim = picture * light + floor + random.normal(0, grain, picture.shape)
        clip.frames[number] = np.clip(dim, 0, 255).astype(np.uint8)
    return clip


def glance(picture: Image) -> Glance:
    """The glance at a single picture."""
    return next(iter(glances([Shown(0, 0, picture)], WIDTH, HEIGHT)))


@pytest.mark.parametrize(
    ("light", "floor", "grain"),
    [(0.03, 4, 1.2), (0.3, 60, 34), (0.35, 20, 30), (0.03, 70, 0)],
    ids=["black", "night", "noise", "dusk"],
)
def test_a_face_in_bad_light_is_hidden_in_every_frame(
    finders: Finders, light: float, floor: float, grain: float
) -> None:
    clip = spoilt(light, floor, grain)
    assert bare(find(clip, sha256="0" * 64, finders=Finders(finders.light)), clip) == []


@pytest.mark.parametrize("sigma", [3.0, 8.0, 15.0])
def test_noise_is_measured_where_the_picture_is_calm(sigma: float) -> None:
    random = np.random.default_rng(1)
    picture = np.full((HEIGHT, WIDTH), 120.0)
    picture[:, : WIDTH // 2] += 60 * np.sin(np.arange(WIDTH // 2))  # half of it is full of stripes
    noisy = np.clip(picture + random.normal(0, sigma, picture.shape), 0, 255).astype(np.uint8)
    assert noise(noisy) == pytest.approx(sigma, rel=0.15)
    assert noise(np.clip(picture, 0, 255).astype(np.uint8)) < 0.5


@pytest.mark.parametrize(
    ("light", "floor", "grain", "hard"),
    [(1.0, 0, 2.0, False), (0.4, 0, 0.0, False), (0.05, 4, 0.0, True), (0.6, 30, 12.0, True), (0.05, 70, 0.0, True)],
)
def test_only_hard_pictures_cost_a_second_look(light: float, floor: float, grain: float, hard: bool) -> None:
    clearing = Clearing()
    clearing.measure(glance(spoilt(light, floor, grain).frames[0]))
    assert clearing.hard is hard


def test_every_part_gets_the_same_light() -> None:
    """A face before a window: what is dark beside what is bright comes back with the same contrast."""
    clip = spoilt(1.0, 0.0, 0.0)
    slope = np.linspace(0.08, 1.0, WIDTH)[None, :, None]
    before = np.clip(clip.frames[0] * slope, 0, 255).astype(np.uint8)

    def halves(picture: Image) -> tuple[float, float]:
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        return float(grey[:, :200].std()), float(grey[:, -200:].std())

    (dark, bright), (dark_lit, bright_lit) = halves(before), halves(lit(before))
    assert dark_lit / bright_lit > (dark / bright) ** 0.9


def test_the_mean_of_pictures_moves_along_with_the_camera() -> None:
    """Noise goes, and what the camera passes stays sharp."""
    random = np.random.default_rng(2)
    wide = scenery(5, 900)
    sharp = [np.ascontiguousarray(wide[:, 8 * n : 8 * n + WIDTH]) for n in range(8)]
    shown = [Shown(n, n, np.clip(p * 0.5 + 40 + random.normal(0, 16, p.shape), 0, 255).astype(np.uint8))
             for n, p in enumerate(sharp)]  # fmt: skip
    clearing = Clearing()
    for seen in glances(shown, WIDTH, HEIGHT):
        clearing.measure(seen)
        clearing.step(seen)
        last = clearing.clear(seen, seen.picture.bgr(WIDTH, HEIGHT))
    want, alone = lit(np.clip(sharp[-1] * 0.5 + 40, 0, 255).astype(np.uint8)), lit(shown[-1].frame)
    inner = np.s_[20:-20, 100:-100]
    assert (
        np.abs(last.pixels[inner].astype(float) - want[inner]).mean()
        < 0.5 * np.abs(alone[inner].astype(float) - want[inner]).mean()
    )
