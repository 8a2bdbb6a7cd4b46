"""What a person can do to a plan: one class an act, and one function that carries it out.

An edit never changes a plan in place. It becomes a :class:`Delta`: the regions and sounds before and after, so that it
can be written down, done, undone and done again, also by another process after a crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from safelight.desk import shapes
from safelight.errors import Code, SafelightError
from safelight.geometry import Box
from safelight.plan import (
    MOST_CORNERS,
    Corners,
    Decision,
    Frame,
    Keyframe,
    Kind,
    Length,
    Look,
    Pixels,
    Plan,
    Region,
    Seconds,
    Settings,
    Shape,
    ShortText,
    Sound,
    SoundAction,
    SoundDefault,
    SoundKind,
)

RegionId = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]


class Asked(BaseModel):
    """Base of everything the page may ask for: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(Asked):
    """A box at a frame, in shown pixels. ``corners``: of a polygon, in shares of it; none: as they were."""

    frame: Frame
    x: Pixels
    y: Pixels
    width: Length
    height: Length
    corners: Annotated[Corners, Field(max_length=MOST_CORNERS)] = ()

    @property
    def box(self) -> Box:
        """The box in shown coordinates."""
        return Box(self.x, self.y, self.x + self.width, self.y + self.height)


class Draw(Asked):
    """A new region with these key frames."""

    op: Literal["draw"] = "draw"
    kind: Kind = Kind.HEAD
    shape: Shape = Shape.ELLIPSE
    keys: Annotated[list[Place], Field(min_length=1, max_length=1000)]


class Key(Asked):
    """The box of a region at a frame; outside the region's frames it grows up to there."""

    op: Literal["key"] = "key"
    region: RegionId
    at: Place


class Unkey(Asked):
    """Take a key frame away."""

    op: Literal["unkey"] = "unkey"
    region: RegionId
    frame: Frame


class Extend(Asked):
    """Go on with the first or last box to the cut before or after (or the end of the clip)."""

    op: Literal["extend"] = "extend"
    region: RegionId
    side: Literal["before", "after"]


class Span(Asked):
    """A region covers exactly these frames: cut off, or its first and last box held."""

    op: Literal["span"] = "span"
    region: RegionId
    first: Frame
    last: Frame


class Split(Asked):
    """Two regions of one: the second begins at ``frame``."""

    op: Literal["split"] = "split"
    region: RegionId
    frame: Frame


class Merge(Asked):
    """One region of several that show one person; what lies between them is covered too."""

    op: Literal["merge"] = "merge"
    regions: Annotated[list[RegionId], Field(min_length=2, max_length=100)]


class Decide(Asked):
    """Hide or reveal, everywhere; revealing needs a reason."""

    op: Literal["decide"] = "decide"
    regions: Annotated[list[RegionId], Field(min_length=1, max_length=1000)]
    decision: Decision
    reason: ShortText = ""


class Form(Asked):
    """What a region covers and its outline."""

    op: Literal["form"] = "form"
    region: RegionId
    kind: Kind
    shape: Shape


class Corner(Asked):
    """In all key frames of a polygon: one more corner half way to the next one, or this one less."""

    op: Literal["corner"] = "corner"
    region: RegionId
    corner: Annotated[int, Field(ge=0, lt=MOST_CORNERS)]
    add: bool


class Remove(Asked):
    """Take away what a person drew. What was found is revealed instead, with a reason."""

    op: Literal["remove"] = "remove"
    region: RegionId


class Hear(Asked):
    """What happens to a stretch of sound. Keeping it needs a reason, speaking it anew a text and its language."""

    op: Literal["sound"] = "sound"
    start: Seconds
    end: Seconds
    action: SoundAction = SoundAction.SILENCE
    kind: SoundKind = SoundKind.VOICE
    reason: ShortText = ""
    text: ShortText = ""
    language: Annotated[str, Field(pattern=r"^([a-z]{2,3})?$")] = ""


class Unhear(Asked):
    """Take a stretch of sound out of the plan."""

    op: Literal["unsound"] = "unsound"
    start: Seconds
    end: Seconds


class Settle(Asked):
    """What the plan says of the whole copy; what is not named stays."""

    op: Literal["settings"] = "settings"
    trim: bool | None = None
    look: Look | None = None
    sound: SoundDefault | None = None


Edit = Draw | Key | Unkey | Extend | Span | Split | Merge | Decide | Form | Corner | Remove | Hear | Unhear | Settle
EDIT: TypeAdapter[Edit] = TypeAdapter(Annotated[Edit, Field(discriminator="op")])


class Changed(BaseModel):
    """One region before and after; None where there is none. ``at``: its place in the plan's list."""

    model_config = ConfigDict(extra="forbid")

    at: int
    before: Region | None
    after: Region | None


class Delta(BaseModel):
    """What an edit changes."""

    model_config = ConfigDict(extra="forbid")

    regions: list[Changed] = []
    sounds_before: list[Sound] | None = None
    sounds_after: list[Sound] | None = None
    settings_before: Settings | None = None
    settings_after: Settings | None = None

    def reversed(self) -> Delta:
        """The way back."""
        return Delta(
            regions=[Changed(at=c.at, before=c.after, after=c.before) for c in reversed(self.regions)],
            sounds_before=self.sounds_after,
            sounds_after=self.sounds_before,
            settings_before=self.settings_after,
            settings_after=self.settings_before,
        )

    def on(self, plan: Plan) -> Plan:
        """The plan after the change. Raises SL-EDIT-REFUSED when it would not be valid."""
        regions = list(plan.regions)
        for change in self.regions:
            if change.before is None:
                assert change.after is not None
                regions.insert(min(change.at, len(regions)), change.after)
                continue
            place = next((i for i, r in enumerate(regions) if r.id == change.before.id), None)
            if place is None:
                raise refused(f"{change.before.id} is not in the plan any more")
            if change.after is None:
                del regions[place]
            else:
                regions[place] = change.after
        sounds = plan.sounds if self.sounds_after is None else self.sounds_after
        settings = plan.settings if self.settings_after is None else self.settings_after
        try:
            for changed in self.regions:
                if changed.after is not None:
                    Region.model_validate(changed.after.model_dump())
            return Plan.model_validate({**dict(plan), "regions": regions, "sounds": sounds, "settings": settings})
        except ValidationError as error:
            raise refused(error.errors(include_url=False, include_input=False)[0]["msg"]) from error


class Times(Protocol):
    """Presentation times by frame number."""

    def __len__(self) -> int: ...

    def __getitem__(self, frame: int, /) -> int: ...


def refused(why: str) -> SafelightError:
    """An edit that cannot be made."""
    return SafelightError(Code.EDIT_REFUSED, f"This cannot be done: {why}.")


def change(plan: Plan, edit: Edit, times: Times, who: str) -> Delta:
    """What an edit changes in a plan. Raises SafelightError SL-EDIT-REFUSED with the reason when it cannot be made."""
    try:
        return _Editor(plan, times, who).make(edit)
    except ValidationError as error:  # a region that would be none, such as a free shape without corners
        raise refused(error.errors(include_url=False, include_input=False)[0]["msg"]) from error


class _Editor:
    def __init__(self, plan: Plan, times: Times, who: str) -> None:
        self._plan, self._times, self._who = plan, times, who
        self._places = {region.id: (place, region) for place, region in enumerate(plan.regions)}

    def make(self, edit: Edit) -> Delta:
        match edit:
            case Draw():
                return self._draw(edit)
            case Key():
                region = self._region(edit.region)
                return self._one(shapes.with_key(region, self._keyframe(edit.at)))
            case Unkey():
                region = self._region(edit.region)
                if len(region.keyframes) < 2 or all(key.frame != edit.frame for key in region.keyframes):
                    raise refused("there is no such key frame, or it is the last one")
                return self._one(shapes.without_key(region, edit.frame))
            case Extend():
                region = self._region(edit.region)
                first, last = self._to_cut(region, edit.side)
                return self._one(shapes.over(region, first, last, self._times))
            case Span():
                if edit.last < edit.first or edit.last >= len(self._times):
                    raise refused("these frames are not in the clip")
                return self._one(shapes.over(self._region(edit.region), edit.first, edit.last, self._times))
            case Split():
                return self._split(edit)
            case Merge():
                return self._merge(edit)
            case Decide():
                return self._decide(edit)
            case Form():
                region = shapes.shaped(self._region(edit.region), edit.shape)
                return self._one(region.model_copy(update={"kind": edit.kind}))
            case Corner():
                return self._corner(edit)
            case Remove():
                region = self._region(edit.region)
                if not shapes.drawn(region):
                    raise refused("what was found is not taken away; reveal it and say why")
                return Delta(regions=[Changed(at=self._places[region.id][0], before=region, after=None)])
            case Hear() | Unhear():
                return self._sound(edit)
            case Settle():
                before = self._plan.settings
                after = before.model_copy(update=edit.model_dump(exclude={"op"}, exclude_none=True))
                if after == before:
                    raise refused("it is so already")
                return Delta(settings_before=before, settings_after=after)

    def _region(self, name: str) -> Region:
        if name not in self._places:
            raise refused(f"{name} is not in the plan")
        return self._places[name][1]

    def _keyframe(self, place: Place) -> Keyframe:
        if place.frame >= len(self._times):
            raise refused(f"the clip has no frame {place.frame}")
        return Keyframe.of(place.frame, self._times[place.frame], place.box, place.corners)

    def _new_id(self, kind: Kind, taken: Sequence[str] = ()) -> str:
        number = 1
        while f"{kind.value}-d{number}" in self._places or f"{kind.value}-d{number}" in taken:
            number += 1
        return f"{kind.value}-d{number}"

    def _one(self, after: Region) -> Delta:
        at, before = self._places[after.id]
        after = after.model_copy(update={"decided_by": self._who})
        return Delta(regions=[Changed(at=at, before=before, after=after)])

    def _added(self, region: Region) -> Changed:
        region = region.model_copy(update={"decided_by": self._who})
        return Changed(at=len(self._plan.regions), before=None, after=region)

    def _draw(self, edit: Draw) -> Delta:
        keys = sorted((self._keyframe(place) for place in edit.keys), key=lambda key: key.frame)
        return Delta(regions=[self._added(shapes.new(self._new_id(edit.kind), edit.kind, edit.shape, keys))])

    def _corner(self, edit: Corner) -> Delta:
        region = self._region(edit.region)
        count = len(region.keyframes[0].corners)
        if edit.corner >= count:
            raise refused("there is no such corner")
        if not 3 <= count + (1 if edit.add else -1) <= MOST_CORNERS:
            raise refused(f"a free shape has 3 to {MOST_CORNERS} corners")
        return self._one(shapes.with_corner(region, edit.corner, add=edit.add))

    def _to_cut(self, region: Region, side: str) -> tuple[int, int]:
        cuts = sorted(self._plan.cuts)
        if side == "before":
            return max((cut for cut in cuts if cut <= region.first), default=0), region.last
        return region.first, min((cut - 1 for cut in cuts if cut > region.last), default=len(self._times) - 1)

    def _split(self, edit: Split) -> Delta:
        region = self._region(edit.region)
        if not region.first < edit.frame <= region.last:
            raise refused("the frame is not inside the region")
        before = shapes.over(region, region.first, edit.frame - 1, self._times)
        after = shapes.over(region, edit.frame, region.last, self._times)
        renamed = after.model_copy(update={"id": self._new_id(region.kind)})
        return Delta(regions=[*self._one(before).regions, self._added(renamed)])

    def _merge(self, edit: Merge) -> Delta:
        if len(set(edit.regions)) != len(edit.regions):
            raise refused("a region cannot be merged with itself")
        parts = sorted((self._region(name) for name in edit.regions), key=lambda region: region.first)
        whole = shapes.merged(parts, self._times)
        gone = [Changed(at=self._places[p.id][0], before=p, after=None) for p in parts if p.id != whole.id]
        # the last in the list first, so that the way back puts each where it was
        gone.sort(key=lambda changed: -changed.at)
        return Delta(regions=[*self._one(whole).regions, *gone])

    def _decide(self, edit: Decide) -> Delta:
        if edit.decision is Decision.REVEAL and not edit.reason.strip():
            raise refused("revealing somebody needs a reason")
        changed = []
        for name in dict.fromkeys(edit.regions):
            region = self._region(name)
            after = region.model_copy(update={"decision": edit.decision, "reason": edit.reason.strip()})
            changed += self._one(after).regions
        return Delta(regions=changed)

    def _sound(self, edit: Hear | Unhear) -> Delta:
        sounds = self._plan.sounds
        if isinstance(edit, Unhear):
            left = [s for s in sounds if (s.start, s.end) != (edit.start, edit.end) or not _decided(s)]
            if len(left) == len(sounds):
                raise refused("there is no such stretch of sound")
            return Delta(sounds_before=sounds, sounds_after=left)
        if edit.end <= edit.start:
            raise refused("the stretch of sound ends before it begins")
        try:
            new = Sound.model_validate({**edit.model_dump(exclude={"op"}), "decided_by": self._who})
        except ValidationError as error:
            raise refused(error.errors(include_url=False, include_input=False)[0]["msg"]) from error
        # What was only heard stays a proposal; of two decisions about one moment the last one counts.
        heard = [sound for sound in sounds if not _decided(sound)]
        decided = shapes.without_overlap([sound for sound in sounds if _decided(sound)], new)
        ordered = sorted([*heard, *decided, new], key=lambda sound: (sound.start, sound.end))
        return Delta(sounds_before=sounds, sounds_after=ordered)


def _decided(sound: Sound) -> bool:
    return sound.decision is Decision.HIDE
