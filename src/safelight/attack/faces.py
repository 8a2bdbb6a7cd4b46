"""Faces: is there one in the copy that no reveal covers?

The looks differ from those that made the plan: CenterFace leads where `find` leads with YuNet, at other sizes,
mirrored, brightened. All networks at hand learnt from the same pictures (WIDER FACE) and share blind spots, veiled
faces above all; the report says so. What a look claims is enlarged and put before a panel of both networks, plain and
mirrored, because a claim blocks the copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.attack.pairs import picture_count
from safelight.attack.protocol import Attacker, Case, Evidence, Figure, Finding, Notes, Outcome, Pair, View, rounded
from safelight.attack.sample import chosen, risks
from safelight.find.detect import Detection
from safelight.find.faces import CenterFace, YuNet
from safelight.geometry import Box
from safelight.plan import Decision, Keyframe, Kind, Region

Bgr = NDArray[np.uint8]

_LOOK_CENTER, _LOOK_YUNET, _LOOK_CLOSE = 640, 960, 1280  # longer sides, pixels
_CLOSE_EVERY = 12
_BRIGHTER = np.array([round(255 * (v / 255) ** 0.55) for v in range(256)], np.uint8)
_SMALLEST = 8.0  # pixels of the copy: below, nobody is recognised
_INNER = 0.6  # share of a face's box, around its centre, that shows who it is
_COVERED = 0.7  # share of that which must be hidden
_PANEL_FACE, _PANEL_SIDE = 64.0, 192  # pixels: face and picture before the panel
_PANEL_LARGEST = 4.0  # times enlarged
_PANEL_MOST = 8  # claims of one picture
_SAME = 0.35  # overlap of two boxes on one face
_SURE, _LIKELY = 3, 2  # votes of four
_LINK = 0.2  # overlap of one face in neighbouring pictures
_DETAIL_SIDE = 960  # longer side of the pictures in which detail is compared
_PLAIN = 1.5  # grey levels of fine detail below which nothing can be compared
_CELLS_SHARE, _CELLS_LEAST, _CELL_DETAIL = 0.25, 3, 0.85  # cells that show the original: share, number, correlation
_DETAIL = 0.5  # correlation of fine detail, copy with original, from which a face is shown and not only guessed


@dataclass
class _Hit:
    frame: int  # of the plan
    pts: int
    box: Box


class Faces(Attacker):
    """Looks for faces that are neither hidden nor revealed on purpose."""

    name = "faces"
    title = "Faces"
    question = "Does the copy still show a face that nobody chose to show?"
    tries = (
        f"CenterFace at {_LOOK_CENTER} pixels, mirrored every other picture, and at up to {_LOOK_CLOSE} pixels every "
        f"{_CLOSE_EVERY}th picture.",
        f"YuNet at {_LOOK_YUNET} pixels, mirrored and brightened in turns.",
        "Every hidden area compared with the original: its fine detail must be gone.",
        "Every claim enlarged and judged by both networks, plain and mirrored, in the copy and in the original.",
    )
    blind: ClassVar[tuple[str, ...]] = (
        "Faces of which only the eyes show, and heads from behind: no face finder at hand sees them reliably.",
        "Recognising people by body, clothes, gait or place.",
    )

    def __init__(self, case: Case, notes: Notes) -> None:
        super().__init__(case, notes)
        self._center = CenterFace(threshold=0.35)
        self._yunet = YuNet(threshold=0.5)
        frames = case.plan.clip.frames if case.plan is not None else picture_count(case.facts) or 0
        self._risk = risks(case.plan) if case.plan is not None else None
        self._chosen = None if case.all_frames else chosen(frames, self._risk)
        self._looked = self._covers = self._claims = self._inside = self._dismissed = self._vague = 0
        self._hits: list[_Hit] = []
        self._evidence: list[tuple[float, Evidence]] = []

    def watch(self, pair: Pair) -> None:
        """Look at one picture, if it is among the chosen."""
        index = pair.original_index
        if self._chosen is not None and index < len(self._chosen) and not self._chosen[index]:
            return
        self._looked += 1
        panels = 0
        for claim in self._claims_in(pair):
            self._claims += 1
            if self._allowed(claim.box, index):
                self._inside += 1
            elif panels < _PANEL_MOST:
                panels += 1
                self._try(claim, pair)
        self._check_covers(pair)
        if self._risk is not None and index < len(self._risk):
            self._remember(float(self._risk[index]), pair, "Doubtful in the plan; nothing was found.", None)

    def finding(self) -> Finding:
        """Held when no claim stood."""
        self._propose()
        figures = [
            Figure(name="pictures looked at", value=self._looked),
            Figure(name="hidden areas checked for the original's detail", value=self._covers),
            Figure(name="claims of a face", value=self._claims),
            Figure(name="of these under a hidden or revealed area", value=self._inside),
            Figure(name="of these dismissed by the panel", value=self._dismissed),
            Figure(
                name="of these without the original's detail",
                value=self._vague,
                meaning="Looks like a face but shows nothing of the one that was there: blurred, or an accident.",
            ),
            Figure(name="faces shown", value=len(self._hits), meaning="One face in one picture counts once."),
        ]
        not_tried = list(self.blind)
        if self._chosen is not None:
            not_tried.append(
                f"{int((~self._chosen).sum())} of {len(self._chosen)} pictures: half of the looks are spread evenly, "
                "half go where the plan is least sure. Use --all to look at every picture."
            )
        if self._hits:
            evidence = [item for _, item in sorted(self._evidence, key=lambda scored: -scored[0])]
            return self.answer(
                Outcome.BROKEN,
                f"A face is shown in {len({hit.frame for hit in self._hits})} picture(s).",
                figures=figures,
                evidence=evidence,
                not_tried=not_tried,
            )
        return self.answer(
            Outcome.HELD,
            f"No face was found in {self._looked} picture(s) beyond those revealed on purpose.",
            figures=figures,
            not_tried=not_tried,
        )

    # ----------------------------------------------------------------------------------------------------------------

    def _claims_in(self, pair: Pair) -> list[Detection]:
        """What the looks of this picture claim, in pixels of the copy, each face once."""
        odd = bool(pair.index % 2)
        claims = _look(self._center, pair.copy, pair.copy.within(_LOOK_CENTER), odd)
        picture = pair.copy.within(_LOOK_YUNET)
        brightened = np.asarray(cv2.LUT(picture, _BRIGHTER), np.uint8)
        claims += _look(self._yunet, pair.copy, picture if odd else brightened, not odd)
        if pair.index % _CLOSE_EVERY == 0 and max(pair.copy.size) > _LOOK_CENTER:
            claims += _look(self._center, pair.copy, pair.copy.within(_LOOK_CLOSE), False)
        kept: list[Detection] = []
        for claim in sorted(claims, key=lambda claim: -claim.score):
            if claim.box.height >= _SMALLEST and all(claim.box.overlap(other.box) < _SAME for other in kept):
                kept.append(claim)
        return kept

    def _allowed(self, box: Box, index: int) -> bool:
        """Whether the telling part of a face is hidden, or the face is revealed, at that picture of the plan."""
        if self.case.plan is None:
            return False
        x, y = box.centre
        half_x, half_y = box.width * _INNER / 2, box.height * _INNER / 2
        inner = Box(x - half_x, y - half_y, x + half_x, y + half_y)
        grid = np.zeros((12, 12), np.bool_)
        for region in self.case.plan.regions:
            cover = region.box_at(index)
            if cover is None or region.decision is Decision.PROPOSE or cover.intersection(inner).width <= 0:
                continue
            xs = inner.x1 + (np.arange(12) + 0.5) / 12 * inner.width
            ys = inner.y1 + (np.arange(12) + 0.5) / 12 * inner.height
            grid |= ((xs >= cover.x1) & (xs < cover.x2))[None] & ((ys >= cover.y1) & (ys < cover.y2))[:, None]
        return bool(grid.mean() >= _COVERED)

    def _try(self, claim: Detection, pair: Pair) -> None:
        """Put one claim before the panel."""
        votes = self._votes(pair.copy, claim.box)
        before = self._votes(pair.original, _moved(claim.box, pair)) if pair.original is not None else votes
        if not (votes >= _SURE or (votes >= _LIKELY and before >= _SURE)) or before < _LIKELY:
            self._dismissed += 1
            self._remember(4 + votes, pair, f"Taken for a face by {votes} of 4 looks; not confirmed.", claim.box)
            return
        if pair.original is not None and _likeness(pair, claim.box) < _DETAIL:
            self._vague += 1
            self._remember(8, pair, "Shaped like a face, without the original's detail.", claim.box)
            return
        what = f"A face, {claim.box.height:.0f} pixels high, confirmed by {votes} of 4 looks."
        self._hit(what, 100 + votes + claim.score, claim.score, claim.box, pair)

    def _check_covers(self, pair: Pair) -> None:
        """Whether what the plan hides is hidden: the original's fine detail must not be in the copy, face or not."""
        if self.case.plan is None or pair.original is None:
            return
        width, height = self.case.plan.clip.width, self.case.plan.clip.height
        for region, box in self.case.plan.covers(pair.original_index):
            x, y = box.centre
            half_x, half_y = box.width * _INNER / 2, box.height * _INNER / 2
            inner = Box(x - half_x, y - half_y, x + half_x, y + half_y)
            inner = inner.clipped(width, height).scaled(pair.copy.size[0] / width, pair.copy.size[1] / height)
            if min(inner.width, inner.height) < _SMALLEST:
                continue
            self._covers += 1
            alike = max(_likeness(pair, inner), _DETAIL * _cells(pair, inner) / _CELLS_SHARE)
            if alike > _DETAIL:
                self._hit(f"Area {region.id} is not hidden.", 200 + alike, alike, inner, pair)

    def _hit(self, what: str, weight: float, score: float, box: Box, pair: Pair) -> None:
        pts = (pair.original or pair.copy).picture.pts
        self._hits.append(_Hit(pair.original_index, pts, box))
        item = Evidence(what=what, frame=pair.index, seconds=pair.seconds, box=rounded(box), score=score)
        self._evidence.append((weight, item))
        if len(self._evidence) > 2000:
            self._evidence = sorted(self._evidence, key=lambda scored: -scored[0])[:1000]
        self._remember(weight, pair, what, box)

    def _votes(self, view: View, box: Box) -> int:
        """How many of the four looks of the panel see a face in that place."""
        picture, place = _enlarged(view, box)
        votes = 0
        for mirrored in (False, True):
            seen = np.ascontiguousarray(picture[:, ::-1]) if mirrored else picture
            wanted = (
                Box(picture.shape[1] - place.x2, place.y1, picture.shape[1] - place.x1, place.y2) if mirrored else place
            )
            for finder in (self._center, self._yunet):
                votes += any(found.score >= 0.5 and found.box.overlap(wanted) >= _SAME for found in finder.find(seen))
        return votes

    def _remember(self, weight: float, pair: Pair, why: str, box: Box | None) -> None:
        if self.notes.wants(weight):
            self.notes.moment(weight, self.name, pair, why, drawn(pair.copy, box))

    def _propose(self) -> None:
        """Join hits into regions that a plan can take up: heads around the faces, a little longer than seen."""
        tracks: list[list[_Hit]] = []
        gap = 12 if self._chosen is None else max(12, 2 * len(self._chosen) // 1800 + 12)
        for hit in self._hits:
            for track in tracks:
                last = track[-1]
                if 0 < hit.frame - last.frame <= gap and hit.box.overlap(last.box) > _LINK:
                    track.append(hit)
                    break
            else:
                tracks.append([hit])
        taken = {region.id for region in self.case.plan.regions} if self.case.plan is not None else set()
        number = 0
        for track in tracks:
            while f"attack-{number}" in taken:
                number += 1
            taken.add(f"attack-{number}")
            self.notes.proposals.append(_region(f"attack-{number}", track, self.case, gap))


def _look(finder: CenterFace | YuNet, view: View, picture: Bgr, mirrored: bool) -> list[Detection]:
    """What a finder sees in a scaled picture, in pixels of the copy."""
    height, width = picture.shape[:2]
    seen = np.ascontiguousarray(picture[:, ::-1]) if mirrored else picture
    sx, sy = view.size[0] / width, view.size[1] / height
    found = []
    for claim in finder.find(seen):
        box = claim.box
        if mirrored:
            box = Box(width - box.x2, box.y1, width - box.x1, box.y2)
        found.append(Detection(box.scaled(sx, sy), claim.score, claim.finder, claim.kind))
    return found


def _moved(box: Box, pair: Pair) -> Box:
    """A box of the copy in pixels of the original."""
    assert pair.original is not None
    return box.scaled(pair.original.size[0] / pair.copy.size[0], pair.original.size[1] / pair.copy.size[1])


def _enlarged(view: View, box: Box) -> tuple[Bgr, Box]:
    """A square picture around a face, the face brought to the panel's size; and where the face is in it."""
    factor = min(_PANEL_FACE / max(box.height, 1.0), _PANEL_LARGEST)
    side = _PANEL_SIDE / factor
    x, y = box.centre
    left, top = x - side / 2, y - side / 2
    move = np.array([[factor, 0, -left * factor], [0, factor, -top * factor]], np.float64)
    if factor < 0.6:  # warping does not average: bring the whole down first
        shrunk = cv2.resize(view.full(), None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        move = np.array([[1, 0, -left * factor], [0, 1, -top * factor]], np.float64)
        picture = cv2.warpAffine(shrunk, move, (_PANEL_SIDE, _PANEL_SIDE), flags=cv2.INTER_LINEAR)
    else:
        picture = cv2.warpAffine(view.full(), move, (_PANEL_SIDE, _PANEL_SIDE), flags=cv2.INTER_CUBIC)
    place = Box(box.x1 - left, box.y1 - top, box.x2 - left, box.y2 - top).scaled(factor, factor)
    return np.asarray(picture, np.uint8), place


def _likeness(pair: Pair, box: Box) -> float:
    """Correlation of fine detail inside a box of the copy, copy with original; 0 where the original has none."""
    assert pair.original is not None
    a = _detail(pair.copy, box)
    b = _detail(pair.original, _moved(box, pair))
    if float(b.std()) < _PLAIN:
        return 0.0
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 1e-6 else 0.0


def _cells(pair: Pair, box: Box) -> float:
    """In which share of the cells of a box the copy has the original's fine detail: parts of a face tell too."""
    assert pair.original is not None
    a, b = _detail(pair.copy, box), _detail(pair.original, _moved(box, pair))
    least = max(_PLAIN, 0.5 * float(b.std()))
    textured = hits = 0
    for top in range(0, 48, 12):
        for left in range(0, 48, 12):
            x, y = (v[top : top + 12, left : left + 12] for v in (a, b))
            x, y = x - x.mean(), y - y.mean()
            spread = float(y.std())
            if spread < least:
                continue
            textured += 1
            scale = float(np.sqrt((x * x).sum() * (y * y).sum()))
            hits += scale > 0 and float((x * y).sum()) > _CELL_DETAIL * scale and float(x.std()) > 0.5 * spread
    return hits / textured if hits >= _CELLS_LEAST else 0.0


def _detail(view: View, box: Box) -> NDArray[np.float32]:
    """A face brought to 48 x 48 pixels, grey, without what a strong blur would leave of it."""
    picture = view.within(_DETAIL_SIDE)
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = box.scaled(width / view.size[0], height / view.size[1]).clipped(width, height)
    part = picture[int(y1) : max(int(np.ceil(y2)), int(y1) + 2), int(x1) : max(int(np.ceil(x2)), int(x1) + 2)]
    grey = cv2.cvtColor(cv2.resize(part, (48, 48), interpolation=cv2.INTER_LINEAR), cv2.COLOR_BGR2GRAY)
    fine = grey.astype(np.float32) - cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 4)
    return np.asarray(fine - fine.mean(), np.float32)


def drawn(view: View, box: Box | None, longest: int = 360) -> bytes:
    """A small PNG of the copy: the whole picture, or the surroundings of a box with a frame around it."""
    width, height = view.size
    if box is None:
        picture = view.within(longest)
    else:
        side = max(box.width, box.height, 24.0)
        x1, y1, x2, y2 = (int(v) for v in box.grown(side, side, side, side).clipped(width, height))
        picture = view.full()[y1:y2, x1:x2]
        factor = min(longest / max(picture.shape[:2]), 4.0)
        picture = np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC), np.uint8)
        corners = [round(v * factor) for v in (box.x1 - x1, box.y1 - y1, box.x2 - x1, box.y2 - y1)]
        cv2.rectangle(picture, (corners[0], corners[1]), (corners[2], corners[3]), (60, 60, 230), 2)
    done, png = cv2.imencode(".png", picture)
    assert done
    return bytes(png)


def _region(name: str, track: list[_Hit], case: Case, reach: int) -> Region:
    """Heads around a track of faces, from a little before it was seen to a little after."""
    width, height = case.size
    frames = case.plan.clip.frames if case.plan is not None else track[-1].frame + 1
    step = 1
    if case.plan is not None and frames > 1:
        step = max((case.plan.clip.last_pts - case.plan.clip.first_pts) // (frames - 1), 1)
    keys: dict[int, Keyframe] = {}
    for hit in track:
        box = hit.box.grown(0.45 * hit.box.width, 0.6 * hit.box.height, 0.45 * hit.box.width, 0.35 * hit.box.height)
        keys[hit.frame] = Keyframe.of(hit.frame, hit.pts, box.clipped(width, height))
    first, last = keys[track[0].frame], keys[track[-1].frame]
    for frame, key in ((max(first.frame - reach, 0), first), (min(last.frame + reach, frames - 1), last)):
        pts = key.pts + (frame - key.frame) * step
        keys.setdefault(frame, key.model_copy(update={"frame": frame, "pts": pts}))
    return Region(
        id=name,
        kind=Kind.HEAD,
        decision=Decision.HIDE,
        decided_by="attack",
        reason="A face was found here in the finished copy.",
        keyframes=[keys[frame] for frame in sorted(keys)],
    )
