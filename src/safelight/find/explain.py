"""A picture of a plan over time: one lane a region, by which finder it was seen, how surely, and where nobody saw it.

Drawn from the plan alone, so it shows what will be hidden and never what is under it.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from safelight.plan import Decision, How, Plan, Region, Stretch

_PAGE, _LANE, _TEXT, _QUIET, _CUT = "#14161a", "#1d2026", "#eceef2", "#9aa1ad", "#eceef2"
_FINDERS = {
    "yunet": "#5aa9e6",
    "centerface": "#3ddbd9",
    "nanodet": "#9b8cff",
    "text": "#7bd88f",
    "screen": "#7bd88f",
    "overlay": "#c3e88d",
}
_OTHER_FINDER = "#8fa3bf"
_UNSEEN = {How.FILLED: "#d9c46c", How.FOLLOWED: "#f2a134", How.HELD: "#ef5b5b", How.DRAWN: "#f3f3f3"}
_WORDS = {
    How.FILLED: "filled between two finds",
    How.FOLLOWED: "followed in the picture",
    How.HELD: "held: nothing to follow",
    How.DRAWN: "drawn by a person",
}
_MARGIN, _NAMES, _TRACK, _ROW, _TOP = 32, 190, 1100, 20, 144
_MOST = 400  # lanes; a clip with more says how many are left out
_FAINTEST = 0.35  # brightness of a stretch with score 0; 1 at score 1


def draw(plan: Plan) -> Image.Image:
    """The timeline as an RGB image, about 1350 pixels wide, 20 for each of at most 400 regions high."""
    lanes = sorted(plan.regions, key=lambda region: (region.first, region.id))
    shown = lanes[:_MOST]
    height = _TOP + max(len(shown), 1) * _ROW + 60
    page = Image.new("RGB", (2 * _MARGIN + _NAMES + _TRACK, height), _PAGE)
    pen = ImageDraw.Draw(page)
    bottom = _TOP + len(shown) * _ROW
    _head(pen, plan, len(lanes) - len(shown))
    for number, region in enumerate(shown):
        _lane(pen, plan, region, _TOP + number * _ROW)
    for cut in plan.cuts:
        x = _x(plan, cut)
        pen.line((x, _TOP - 6, x, bottom), fill=_CUT, width=1)
    _scale(pen, plan, bottom)
    return page


def save(plan: Plan, path: Path) -> None:
    """Write the timeline as PNG. Raises OSError."""
    draw(plan).save(path, "PNG")


def _x(plan: Plan, frame: float) -> float:
    """Where a frame begins on the page."""
    return _MARGIN + _NAMES + _TRACK * frame / plan.clip.frames


def _head(pen: ImageDraw.ImageDraw, plan: Plan, left_out: int) -> None:
    decided = {decision: sum(r.decision is decision for r in plan.regions) for decision in Decision}
    title = (
        f"{decided[Decision.HIDE]} regions hidden, {decided[Decision.PROPOSE]} proposed, "
        f"{decided[Decision.REVEAL]} shown on purpose"
    )
    pen.text((_MARGIN, 22), title, _TEXT, _font(24))
    more = f", {left_out} more regions are not drawn" if left_out else ""
    asked = plan.origin.asked
    told = f"{plan.clip.frames} frames, {len(plan.cuts)} cuts; looked for {asked.hide}, {asked.effort} effort{more}"
    pen.text((_MARGIN, 56), told, _QUIET, _font(14))
    x = float(_MARGIN)
    used = {stretch.finder for region in plan.regions for stretch in region.stretches if stretch.how is How.FOUND}
    seen = [(f"seen by {name}", _FINDERS.get(name, _OTHER_FINDER)) for name in sorted(used)]
    for words, colour in [*seen, *((_WORDS[how], colour) for how, colour in _UNSEEN.items())]:
        pen.rectangle((x, 88, x + 14, 100), colour)
        pen.text((x + 20, 85), words, _QUIET, _font(13))
        x += 36 + pen.textlength(words, _font(13))
    pen.text((_MARGIN, 105), "hollow: only proposed · dark: unsure · white line: a cut", _QUIET, _font(13))


def _lane(pen: ImageDraw.ImageDraw, plan: Plan, region: Region, y: int) -> None:
    pen.text((_MARGIN, y + 2), f"{region.id}  {region.score:.2f}", _TEXT, _font(13))
    pen.rectangle((_MARGIN + _NAMES, y + 2, _MARGIN + _NAMES + _TRACK, y + _ROW - 4), _LANE)
    for stretch in region.stretches:
        x1, x2 = _x(plan, stretch.first), max(_x(plan, stretch.last + 1), _x(plan, stretch.first) + 2)
        place = (x1, y + 3, x2 - 1, y + _ROW - 5)
        if region.decision is Decision.HIDE:
            pen.rectangle(place, _colour(stretch))
        else:
            pen.rectangle(place, None, _colour(stretch))


def _colour(stretch: Stretch) -> tuple[int, int, int]:
    """By finder or by how it came about; the less sure, the darker."""
    name = _UNSEEN.get(stretch.how) or _FINDERS.get(stretch.finder, _OTHER_FINDER)
    sure = 1.0 if stretch.how in (How.HELD, How.DRAWN) else _FAINTEST + (1 - _FAINTEST) * stretch.score
    red, green, blue = (round(int(name[at : at + 2], 16) * sure) for at in (1, 3, 5))
    return red, green, blue


def _scale(pen: ImageDraw.ImageDraw, plan: Plan, y: int) -> None:
    clip = plan.clip
    seconds = (clip.last_pts - clip.first_pts) * clip.time_base[0] / clip.time_base[1]
    for part in range(11):
        x = _MARGIN + _NAMES + _TRACK * part / 10
        at = seconds * part / 10
        pen.line((x, y, x, y + 6), fill=_QUIET)
        pen.text((x - 24, y + 10), f"{int(at) // 60:02d}:{at % 60:04.1f}", _QUIET, _font(13))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
