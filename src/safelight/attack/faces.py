"""Faces: is there one in the copy that no reveal covers?

The looks differ from those that made the plan: at other sizes, mirrored, brightened, and CenterFace, which `find` uses
seldom, on a schedule of its own. All networks at hand learnt from the same pictures (WIDER FACE) and share blind spots,
veiled faces above all; the report says so. What a look claims is enlarged and put before a panel of both networks,
plain and mirrored, because a claim blocks the copy. Whether what the plan hides is hidden is for ``fill.py`` to say,
which needs no finder for that.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, replace
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.attack.pairs import picture_count
from safelight.attack.protocol import Attacker, Case, Notes, Pair, View, rounded
from safelight.attack.sample import chosen, due, risks
from safelight.attack.verdict import Evidence, Figure, Finding, Outcome
from safelight.find.detect import Detection
from safelight.find.faces import CenterFace, YuNet
from safelight.find.tiles import seen_in_tiles, tile_size
from safelight.geometry import Box
from safelight.hide.polygon import contains, placed
from safelight.plan import Decision, Keyframe, Kind, Region, Shape

Bgr = NDArray[np.uint8]

_YUNET, _CENTER, _CLOSE = 640, 640, 1280  # longer sides of the pictures that are looked at, pixels
# Of so many pictures each is looked at; of the further ones this share.
_YUNET_FIRST, _YUNET_SHARE = 1500, 0.1
_CENTER_FIRST, _CENTER_SHARE = 40, 0.06
_OVERLAP = 48  # pixels of neighbouring tiles of the largest pictures
_CLOSE_EVERY = 12  # of CenterFace's looks
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
_PLAIN = 1.5  # grey levels of fine detail below which nothing can be compared
_DETAIL = 0.5  # correlation of fine detail, copy with original, from which a face is shown and not only guessed


_RULE = "Half of the looks are spread evenly, half go where the plan is least sure. Use --all to look at every picture."


@dataclass
class _Hit:
    frame: int  # of the plan
    box: Box


class Faces(Attacker):
    """Looks for faces that are neither hidden nor revealed on purpose."""

    name = "faces"
    title = "Faces"
    question = "Does the copy still show a face that nobody chose to show?"
    tries = (
        f"YuNet at {_YUNET} pixels, mirrored, brightened or plain in turns: {_YUNET_FIRST:,} pictures and "
        f"{_YUNET_SHARE:.0%} of the further ones.",
        f"CenterFace at {_CENTER} pixels, mirrored every other time, every {_CLOSE_EVERY}th time at up to {_CLOSE}: "
        f"{_CENTER_FIRST} pictures and {_CENTER_SHARE:.0%} of the further ones.",
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
        self._often = self._seldom = None
        if not case.all_frames:
            self._often = chosen(frames, self._risk, _YUNET_FIRST, _YUNET_SHARE)
            self._seldom = chosen(frames, self._risk, _CENTER_FIRST, _CENTER_SHARE)
        self._looked = self._centers = self._claims = self._inside = self._dismissed = self._vague = 0
        self._hits: list[_Hit] = []
        self._times = array("q")  # presentation times of the plan's pictures
        self._first: int | None = None  # the plan's number of the copy's first picture
        self._evidence: list[tuple[float, Evidence]] = []

    def watch(self, pair: Pair) -> None:
        """Look at one picture, with the finders whose turn it is."""
        index = pair.original_index
        if self._first is None:
            self._first = index
        while len(self._times) <= index:  # should a picture of the original be lost, it gets the next one's time
            self._times.append((pair.original or pair.copy).picture.pts)
        often, seldom = due(self._often, index), due(self._seldom, index)
        if not often and not seldom:
            return
        self._looked += 1
        panels = 0
        for claim in self._claims_in(pair, often, seldom):
            self._claims += 1
            if self._allowed(claim.box, pair):
                self._inside += 1
            elif panels < _PANEL_MOST:
                panels += 1
                self._try(claim, pair)
        if self._risk is not None and index < len(self._risk):
            self._remember(float(self._risk[index]), pair, "Doubtful in the plan; nothing was found.", None)

    def finding(self) -> Finding:
        """Held when no claim stood."""
        self._propose()
        figures = [
            Figure(name="pictures looked at", value=self._looked),
            Figure(name="of these by CenterFace", value=self._centers),
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
        if self._often is not None:
            not_tried.append(
                f"{int((~self._often).sum()):,} of {len(self._often):,} pictures were not looked at. {_RULE}"
            )
        if self._seldom is not None:
            seen = f"{int(self._seldom.sum()):,} of {len(self._seldom):,}"
            not_tried.append(f"CenterFace looked at {seen} pictures. {_RULE}")
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

    def _claims_in(self, pair: Pair, often: bool, seldom: bool) -> list[Detection]:
        """What the looks of this picture claim, in pixels of the copy, each face once."""
        claims: list[Detection] = []
        if often:
            picture = pair.copy.within(_YUNET)
            turn = self._looked % 3
            seen = np.asarray(cv2.LUT(picture, _BRIGHTER), np.uint8) if turn == 2 else picture
            claims += _look(self._yunet, pair.copy, seen, turn == 1)
        if seldom:
            close = self._centers % _CLOSE_EVERY == 0 and max(pair.copy.size) > _CENTER
            mirrored = bool(self._centers % 2)
            tile = pair.copy.within(_CENTER)
            claims += _look(self._center, pair.copy, pair.copy.within(_CLOSE) if close else tile, mirrored, tile)
            self._centers += 1
        kept: list[Detection] = []
        for claim in sorted(claims, key=lambda claim: -claim.score):
            if claim.box.height >= _SMALLEST and all(claim.box.overlap(other.box) < _SAME for other in kept):
                kept.append(claim)
        return kept

    def _allowed(self, box: Box, pair: Pair) -> bool:
        """Whether the telling part of a face is revealed, or lies under a cover, at that picture of the plan.

        What lies under a cover is compared with the original by the attacker of the fill; without an original a face
        that is seen there is a claim like any other.
        """
        if self.case.plan is None:
            return False
        x, y = box.centre
        half_x, half_y = box.width * _INNER / 2, box.height * _INNER / 2
        inner = Box(x - half_x, y - half_y, x + half_x, y + half_y)
        grid = np.zeros((12, 12), np.bool_)
        trusted = (Decision.REVEAL,) if pair.original is None else (Decision.REVEAL, Decision.HIDE)
        for region in self.case.plan.regions:
            cover = region.box_at(pair.original_index) if region.decision in trusted else None
            if cover is None or cover.intersection(inner).width <= 0:
                continue
            xs = inner.x1 + (np.arange(12) + 0.5) / 12 * inner.width
            ys = inner.y1 + (np.arange(12) + 0.5) / 12 * inner.height
            form = region.form_at(pair.original_index)
            if isinstance(form, Shape):
                grid |= ((xs >= cover.x1) & (xs < cover.x2))[None] & ((ys >= cover.y1) & (ys < cover.y2))[:, None]
            else:
                grid |= contains(placed(form, cover), xs, ys)
        return bool(grid.mean() >= _COVERED)

    def _try(self, claim: Detection, pair: Pair) -> None:
        """Put one claim before the panel."""
        votes, before = self._panel(claim.box, pair)
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

    def _hit(self, what: str, weight: float, score: float, box: Box, pair: Pair) -> None:
        self._hits.append(_Hit(pair.original_index, box))
        item = Evidence(what=what, frame=pair.index, seconds=pair.seconds, box=rounded(box), score=score)
        self._evidence.append((weight, item))
        if len(self._evidence) > 2000:
            self._evidence = sorted(self._evidence, key=lambda scored: -scored[0])[:1000]
        self._remember(weight, pair, what, box)

    def _panel(self, box: Box, pair: Pair) -> tuple[int, int]:
        """How many of the panel's four looks see a face in that place: in the copy, in the original.

        Without a vote of YuNet's in either there can be no majority, and CenterFace, who costs most, is not asked.
        """
        views = [(pair.copy, box)]
        if pair.original is not None:
            views.append((pair.original, _moved(box, pair)))
        seen = [_enlarged(view, place) for view, place in views]
        votes = [_votes(self._yunet, picture, place) for picture, place in seen]
        if any(votes):
            votes = [
                first + _votes(self._center, picture, place)
                for first, (picture, place) in zip(votes, seen, strict=True)
            ]
        return votes[0], votes[-1]

    def _remember(self, weight: float, pair: Pair, why: str, box: Box | None) -> None:
        if self.notes.wants(weight):
            self.notes.moment(weight, self.name, pair, why, drawn(pair.copy, box))

    def _propose(self) -> None:
        """Join hits into regions that a plan can take up: heads around the faces, a little longer than seen."""
        tracks: list[list[_Hit]] = []
        gap = 12 + (0 if self._often is None else 2 * len(self._often) // max(int(self._often.sum()), 1))
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
            self.notes.proposals.append(
                _region(f"attack-{number}", track, self.case, self._times, self._first or 0, gap)
            )


def _look(
    finder: CenterFace | YuNet, view: View, picture: Bgr, mirrored: bool, tile: Bgr | None = None
) -> list[Detection]:
    """What a finder sees in a scaled picture, in pixels of the copy. A picture that is larger than ``tile`` is looked
    at in tiles of the size for which the finder is ready then.
    """
    height, width = picture.shape[:2]
    seen = np.ascontiguousarray(picture[:, ::-1]) if mirrored else picture
    sx, sy = view.size[0] / width, view.size[1] / height
    found = []
    if tile is None or picture.shape == tile.shape:
        claims = finder.find(seen)
    else:
        sides = tile_size((tile.shape[1], tile.shape[0]), _CENTER, _OVERLAP)
        claims = seen_in_tiles(finder, seen, sides, _OVERLAP)
    for claim in claims:
        box = claim.box
        if mirrored:
            box = Box(width - box.x2, box.y1, width - box.x1, box.y2)
        found.append(replace(claim, box=box.scaled(sx, sy)))
    return found


def _moved(box: Box, pair: Pair) -> Box:
    """A box of the copy in pixels of the original."""
    assert pair.original is not None
    return box.scaled(pair.original.size[0] / pair.copy.size[0], pair.original.size[1] / pair.copy.size[1])


def _votes(finder: CenterFace | YuNet, picture: Bgr, place: Box) -> int:
    """In how many of two looks, plain and mirrored, a finder sees a face in that place."""
    width = picture.shape[1]
    mirrored = Box(width - place.x2, place.y1, width - place.x1, place.y2)
    looks = ((picture, place), (np.ascontiguousarray(picture[:, ::-1]), mirrored))
    return sum(
        any(found.score >= 0.5 and found.box.overlap(wanted) >= _SAME for found in finder.find(seen))
        for seen, wanted in looks
    )


def _enlarged(view: View, box: Box) -> tuple[Bgr, Box]:
    """A square picture around a face, the face brought to the panel's size; and where the face is in it."""
    factor = min(_PANEL_FACE / max(box.height, 1.0), _PANEL_LARGEST)
    side = _PANEL_SIDE / factor
    x, y = box.centre
    left, top = x - side / 2, y - side / 2
    place = Box(box.x1 - left, box.y1 - top, box.x2 - left, box.y2 - top).scaled(factor, factor)
    # warping does not average: what is to become much smaller is brought down first, what is around it left out
    width, height = view.size
    x1, y1, x2, y2 = (int(v) for v in Box(left, top, left + side, top + side).grown(2, 2, 2, 2).clipped(width, height))
    part = view.full()[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]
    left, top = left - x1, top - y1
    if factor < 0.6:
        part = np.asarray(cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
        move = np.array([[1, 0, -left * factor], [0, 1, -top * factor]], np.float64)
    else:
        move = np.array([[factor, 0, -left * factor], [0, factor, -top * factor]], np.float64)
    how = cv2.INTER_LINEAR if factor < 0.6 else cv2.INTER_CUBIC
    return np.asarray(cv2.warpAffine(part, move, (_PANEL_SIDE, _PANEL_SIDE), flags=how), np.uint8), place


def _likeness(pair: Pair, box: Box) -> float:
    """Correlation of fine detail inside a box of the copy, copy with original; 0 where the original has none."""
    assert pair.original is not None
    a = _detail(pair.copy, box)
    b = _detail(pair.original, _moved(box, pair))
    if float(b.std()) < _PLAIN:
        return 0.0
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 1e-6 else 0.0


def _detail(view: View, box: Box) -> NDArray[np.float32]:
    """A face brought to 48 x 48 pixels, grey, without what a strong blur would leave of it."""
    picture = view.full_luma()
    height, width = picture.shape
    x1, y1, x2, y2 = box.clipped(width, height)
    part = picture[int(y1) : max(int(np.ceil(y2)), int(y1) + 2), int(x1) : max(int(np.ceil(x2)), int(x1) + 2)]
    grey = cv2.resize(part, (48, 48), interpolation=cv2.INTER_AREA)
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


def _region(name: str, track: list[_Hit], case: Case, times: array[int], first: int, reach: int) -> Region:
    """Heads around a track of faces, from a little before it was seen to a little after.

    ``times``: presentation times of the clip's pictures, from number ``first`` on. Boxes are in pixels of the clip.
    """
    clip = case.plan.clip if case.plan is not None else None
    width, height = (clip.width, clip.height) if clip is not None else case.size
    sx, sy = width / case.size[0], height / case.size[1]
    last = len(times) - 1
    boxes: dict[int, Box] = {}
    for hit in track:
        face = hit.box.scaled(sx, sy)
        boxes[hit.frame] = face.grown(0.45 * face.width, 0.6 * face.height, 0.45 * face.width, 0.35 * face.height)
    boxes.setdefault(max(track[0].frame - reach, first), boxes[track[0].frame])
    boxes.setdefault(min(track[-1].frame + reach, last), boxes[track[-1].frame])
    keys = [Keyframe.of(frame, times[frame], boxes[frame].clipped(width, height)) for frame in sorted(boxes)]
    return Region(
        id=name,
        kind=Kind.HEAD,
        decision=Decision.HIDE,
        decided_by="attack",
        reason="A face was found here in the finished copy.",
        keyframes=keys,
    )
