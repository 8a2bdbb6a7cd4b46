"""The second pass: from tracks to the regions of a plan.

A region begins earlier and ends later than its track, never shrinks below any box of the track, and is kept
as few key frames: between them edges move in straight lines that stay outside every box and at most a
tolerance away.
"""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray

from safelight.find.path import Path, Spot
from safelight.find.track import Track
from safelight.geometry import Box
from safelight.plan import How, Keyframe, Kind, Region, Shape, Stretch

_OVER_CUT = 2  # frames a region goes on over a cut: blended pictures show both shots
_LOOSE = 0.08  # tolerance of straight edges, part of the head's size; less for large heads
_RACING = 0.2  # sizes of a head that it moves between two frames when it would leave a margin held in place
_PACE = 4  # spots from which its speed is taken
_LONGEST = 250  # frames between two key frames at most


def regions(
    tracks: list[Track], cuts: list[int], pts: array[int], width: int, height: int, margin: int
) -> list[Region]:
    """One region a track. ``margin``: frames added before and after; ``pts``: of every frame; sizes in
    pixels."""
    picture = Box(0.0, 0.0, float(width), float(height))
    made = (_region(track, cuts, pts, picture, margin) for track in tracks)
    return [region for region in made if region is not None]


def _region(track: Track, cuts: list[int], pts: array[int], picture: Box, margin: int) -> Region | None:
    spots = _stretched(track.spots, cuts, len(pts), margin, picture)
    edges = np.array([(-s.box.x1, -s.box.y1, s.box.x2, s.box.y2) for s in spots])
    outer = _calm(edges)
    size = float(np.median(outer[:, 0] + outer[:, 2]))
    keys = []
    for place, (left, top, right, bottom) in _knots(outer, max(min(_LOOSE * size, 3 + 0.02 * size), 1.5)):
        box = Box(-left, -top, right, bottom)
        keys.append(Keyframe.of(spots[place].frame, pts[spots[place].frame], box))
    inside = [k.box.intersection(picture) for k in keys]
    seen = [i for i, b in enumerate(inside) if b.width > 0 and b.height > 0]
    if not seen:
        return None
    keys = keys[seen[0] : seen[-1] + 1]
    kind = Kind.FACE if Kind.FACE in track.kinds else min(track.kinds)
    return Region(
        id=f"{kind.value}-{track.number}",
        kind=kind,
        shape=Shape.BOX if kind is Kind.BODY else Shape.ELLIPSE,
        score=min(track.best, 1.0),
        keyframes=keys,
        stretches=_stretches(spots, keys[0].frame, keys[-1].frame),
    )


def _stretched(spots: Path, cuts: list[int], frames: int, margin: int, picture: Box) -> list[Spot]:
    """Spots with the margin in time added at both ends, as long as they show; over a cut it is shorter."""
    first, last = spots[0], spots[-1]
    start = max(first.frame - margin, 0)
    for cut in cuts:
        if start < cut <= first.frame:
            start = max(start, cut - _OVER_CUT)
    end = min(last.frame + margin, frames - 1)
    for cut in cuts:
        if last.frame < cut <= end:
            end = min(end, cut + _OVER_CUT - 1)
    came, went = _speed(spots[:_PACE]), _speed(spots[-_PACE:])
    before = [_moved(first, f, came) for f in range(start, first.frame)]
    after = [_moved(last, f, went) for f in range(last.frame + 1, end + 1)]
    return [*(s for s in before if _shows(s.box, picture)), *spots, *(s for s in after if _shows(s.box, picture))]


def _shows(box: Box, picture: Box) -> bool:
    inside = box.intersection(picture)
    return inside.width > 0 and inside.height > 0


def _speed(spots: list[Spot]) -> tuple[float, float]:
    """How far a head moves from frame to frame, in pixels, if it races, as it does when the camera is thrown round."""
    a, b = spots[0], spots[-1]
    size = min(a.box.width, a.box.height, b.box.width, b.box.height)
    x, y = ((q - p) / max(b.frame - a.frame, 1) for p, q in zip(a.box.centre, b.box.centre, strict=True))
    return (x, y) if max(abs(x), abs(y)) > _RACING * size else (0.0, 0.0)


def _moved(spot: Spot, frame: int, speed: tuple[float, float]) -> Spot:
    """A spot's box held until another frame, or moved on with what races."""
    x, y = (v * (frame - spot.frame) for v in speed)
    return Spot(frame, spot.box.grown(-x, -y, x, y), How.HELD, "", 0.0)


def _calm(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Outward edges (n, 4) smoothed in time without falling below any: running maximum, then a mean of equal
    width."""
    reach = 1
    padded = np.pad(edges, ((2 * reach, 2 * reach), (0, 0)), mode="edge")
    count = len(edges)
    most = np.max([padded[i : i + count + 2 * reach] for i in range(2 * reach + 1)], axis=0)
    mean: NDArray[np.float64] = np.mean([most[i : i + count] for i in range(2 * reach + 1)], axis=0)
    return mean


def _knots(outer: NDArray[np.float64], tolerance: float) -> list[tuple[int, NDArray[np.float64]]]:
    """Few places and edges (whole pixels) so that straight lines between them stay outside ``outer``,
    within the tolerance.

    Greedy: from each knot the longest line is taken that keeps to it, found by doubling and bisection.
    """
    raised = np.ceil(outer + tolerance / 2)
    knots = [0]
    last = len(outer) - 1
    while knots[-1] < last:
        start = knots[-1]
        good, step = start + 1, 2
        limit = min(last, start + _LONGEST)
        while start + step <= limit and _holds(outer, raised, start, start + step, tolerance):
            good, step = start + step, step * 2
        bad = min(start + step, limit + 1)
        while bad - good > 1:
            middle = (good + bad) // 2
            if _holds(outer, raised, start, middle, tolerance):
                good = middle
            else:
                bad = middle
        knots.append(good)
    return [(place, raised[place]) for place in knots]


def _holds(outer: NDArray[np.float64], raised: NDArray[np.float64], a: int, b: int, tolerance: float) -> bool:
    part = np.linspace(0.0, 1.0, b - a + 1)[:, None]
    line = raised[a] * (1 - part) + raised[b] * part
    above = line - outer[a : b + 1]
    return bool((above >= 0).all() and (above <= 1.5 * tolerance + 1).all())


def _stretches(spots: list[Spot], first: int, last: int) -> list[Stretch]:
    """Runs of frames that are known in the same way by the same finder, with the weakest score of the run.

    Frames filled between two finds only a few frames apart count as found.
    """
    runs: list[list[Spot]] = []
    for spot in spots:
        if first <= spot.frame <= last:
            if runs and runs[-1][0].how is spot.how:
                runs[-1].append(spot)
            else:
                runs.append([spot])
    merged: list[list[Spot]] = []
    for run in runs:
        short = run[0].how is How.FILLED and len(run) <= 5
        if merged and merged[-1][0].how is How.FOUND and (short or run[0].how is How.FOUND):
            merged[-1].extend(run)
        else:
            merged.append(list(run))
    return [
        Stretch(
            first=run[0].frame,
            last=run[-1].frame,
            how=run[0].how,
            finder=run[0].finder,
            score=max(min(min(s.score for s in run), 1.0), 0.0),
        )
        for run in merged
    ]
