"""From what a finder saw to the whole head, and from several finders' boxes in one picture to one sighting a person.

Everything after this file speaks of heads only, so a face, a head and a body of one person join into one track.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from safelight.find.detect import Detection
from safelight.geometry import Box
from safelight.plan import Kind

_SAME = 0.4  # overlap from which two heads in one picture are one person's
_INSIDE = 0.75  # or this part of the smaller lies in the larger


@dataclass(frozen=True)
class Sighting:
    """One head in one picture: its box, the best finder's score and name, and how many finders agree."""

    box: Box
    score: float
    finder: str
    kind: Kind
    finders: frozenset[str]


def head_of(detection: Detection) -> Box:
    """The box whose inscribed ellipse covers the whole head of a detection.

    Faces reach from brow to chin. An ellipse leaves its box's corners free: with these margins the corners of the face
    box lie inside it with a tenth to spare, hair and ears too. A profile's face is narrow for its height but its head is
    not, so the width is never less than 1.25 times the face's height. For bodies the head is looked for at the top.
    """
    box, width, height = detection.box, detection.box.width, detection.box.height
    if detection.kind is Kind.FACE:
        side = max(0.38 * width, (1.25 * height - width) / 2, 2.0)
        return box.grown(side, max(0.5 * height, 2.0), side, max(0.32 * height, 2.0))
    if detection.kind is Kind.BODY:
        head = min(0.6 * width, 0.22 * height)
        x = box.centre[0]
        return Box(x - 0.8 * head, box.y1 - 0.3 * head, x + 0.8 * head, box.y1 + 1.4 * head)
    return box.grown(0.15 * width, 0.15 * height, 0.15 * width, 0.15 * height)


def sightings(detections: Iterable[Detection]) -> list[Sighting]:
    """One sighting a head, best first; boxes of faces win over boxes of bodies, which say less exactly where it is."""
    found: list[Sighting] = []
    ranked = sorted(detections, key=lambda d: (d.kind is Kind.BODY, -d.score, d.box))
    for detection in ranked:
        if detection.box.area <= 0:
            continue
        head = head_of(detection)
        for place, known in enumerate(found):
            if _same_person(known, detection, head):
                found[place] = Sighting(
                    known.box, known.score, known.finder, known.kind, known.finders | {detection.finder}
                )
                break
        else:
            found.append(
                Sighting(head, detection.score, detection.finder, detection.kind, frozenset({detection.finder}))
            )
    return sorted(found, key=lambda s: (-s.score, s.box))


def _same_person(known: Sighting, detection: Detection, head: Box) -> bool:
    if detection.kind is Kind.BODY:
        x, y = known.box.centre
        body = detection.box
        return body.x1 <= x <= body.x2 and body.y1 - 0.1 * body.height <= y <= body.y1 + 0.4 * body.height
    return same_head(known.box, head)


def same_head(a: Box, b: Box) -> bool:
    """Whether two head boxes in one picture are one head: they overlap much, or one lies in the other."""
    common = a.intersection(b)
    inside = common.width > 0 and common.height > 0 and common.area > _INSIDE * min(a.area, b.area)
    return a.overlap(b) > _SAME or inside
