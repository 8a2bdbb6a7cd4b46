"""The account: what was done to one clip, for the desk and for a machine. It never holds a value of the source's
metadata, only kinds and counts; it does hold the original's hash, so it stays at the desk with the plan.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from safelight import __version__
from safelight.attack.verdict import Verdict
from safelight.inputs import printable
from safelight.media.facts import Dropped, Gap
from safelight.plan import Asked, Decision, Device, How, Look, Plan, Sensor, Sound, SoundAction, SoundDefault
from safelight.workers.messages import Hidden


class Document(BaseModel):
    """Base of everything in an account."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Options(Document):
    """What a person may choose for `protect`; part of what makes a result the same or another."""

    asked: Asked = Asked()
    look: Look = Look.VEIL
    sensor: Sensor = Sensor.DEFAULT
    curtain: bool = False
    trim: bool = False
    sound: SoundDefault = SoundDefault.SILENCE
    cues: tuple[Sound, ...] = ()  # what subtitles say, to be spoken
    accept_damaged: bool = False


class FileFacts(Document):
    """A file by hash and size; ``name`` is made printable, so it may not be the file's very name."""

    name: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: int

    @classmethod
    def of(cls, path: Path, final: Path | None = None) -> FileFacts:
        """Hash a file; ``final``: where it will lie."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(name=printable(Path((final or path).name)), sha256=digest, size=path.stat().st_size)


class Frames(Document):
    """Frames of picture, counted."""

    read: int
    written: int
    hidden: int  # frames with at least one hidden region
    missing: list[Gap]  # frames that could not be read, only with --accept-damaged


class Tracks(Document):
    """What was found, by kind and by how sure the cover is."""

    total: int
    by_kind: dict[str, int]
    hidden: int
    revealed: int
    proposed: int
    frames_by_origin: dict[str, int]  # region-frames found, filled, followed, held, drawn


class Answer(Document):
    """How one attack on the copy ended."""

    attacker: str
    outcome: str
    sentence: str


class AttackFacts(Document):
    """What became of the copy before the attackers.

    ``rounds``: how often it was made and attacked, of at most ``rounds_most``; ``regions_added``: what had to be hidden
    besides, because an attacker saw it. ``weights``: of all networks that took part; ``device``: what they ran on.
    ``names``: the hash of the sealed list of protected names that were looked for, which tells nothing of who is in it;
    "" when there was none.
    """

    sentence: str
    rounds: int
    rounds_most: int
    regions_added: int
    answers: list[Answer]
    not_tried: list[str]
    weights: dict[str, str]
    device: Device = "CPU"
    report: FileFacts
    verdict: FileFacts
    names: str = ""


class Account(Document):
    """Everything that is said about one copy."""

    format: Literal["safelight-account"] = "safelight-account"
    version: Literal[1] = 1
    safelight: str = __version__
    options: Options
    source: FileFacts
    copy_: Annotated[FileFacts, Field(alias="copy")]
    plan: FileFacts
    sheet: str | None
    container: str
    codec: str
    width: int
    height: int
    duration: float | None
    frames: Frames
    tracks: Tracks
    share_hidden_mean: float
    share_hidden_max: float
    sound: str
    sensor: str
    dropped: list[Dropped]
    weights: dict[str, str]
    device: Device = "CPU"  # what the networks of `find` ran on
    warnings: list[str]
    workers: str = "Not recorded."  # what held the processes that read the file
    attack: AttackFacts | None = None  # None: nobody attacked the copy
    stages: dict[str, float] = {}  # seconds of each stage
    seconds: float

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    def to_json(self) -> str:
        """The document as text."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def load(cls, path: Path) -> Account | None:
        """Read an account; None when there is none, or none of this version."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None  # whatever lies there proves nothing: the work is done again


def attack_facts(
    verdict: Verdict,
    report: FileFacts,
    document: FileFacts,
    *,
    rounds: int,
    rounds_most: int,
    regions_added: int,
    names: str,
) -> AttackFacts:
    """The account's part about the attackers."""
    return AttackFacts(
        sentence=verdict.sentence,
        rounds=rounds,
        rounds_most=rounds_most,
        regions_added=regions_added,
        answers=[
            Answer(attacker=finding.attacker, outcome=finding.outcome.value, sentence=finding.sentence)
            for finding in verdict.findings
        ],
        not_tried=[line for finding in verdict.findings for line in finding.not_tried],
        weights=verdict.weights,
        device=verdict.device,
        report=report,
        verdict=document,
        names=names,
    )


def tracks_of(plan: Plan) -> Tracks:
    """Count a plan's regions."""
    decisions = Counter(region.decision.value for region in plan.regions)
    origin: Counter[str] = Counter({how.value: 0 for how in How})
    for region in plan.regions:
        for stretch in region.stretches:
            origin[stretch.how.value] += stretch.last - stretch.first + 1
    return Tracks(
        total=len(plan.regions),
        by_kind=dict(sorted(Counter(region.kind.value for region in plan.regions).items())),
        hidden=decisions["hide"],
        revealed=decisions["reveal"],
        proposed=decisions["propose"],
        frames_by_origin=dict(origin),
    )


_SOUND = {
    SoundAction.REVOICE: "{} cue(s) spoken by a synthetic voice",
    SoundAction.TONE: "{} stretch(es) covered by a tone",
    SoundAction.DISGUISE: "{} stretch(es) of speech disguised, which does not stop a trained attacker",
    SoundAction.KEEP: "{} stretch(es) of original sound kept by a person's decision, hum removed",
}


def sound_sentence(plan: Plan, done: Hidden) -> str:
    """What became of the sound, in words."""
    counts = sounds_of(plan)
    if done.facts.sound is None:
        spoken = counts[SoundAction.REVOICE]
        return "The source has no sound; the copy has none." + (f" {spoken} cue(s) were not spoken." if spoken else "")
    told = [words.format(counts[action]) for action, words in _SOUND.items() if counts[action]]
    if not told:
        return "All sound was replaced by silence; no source sound was copied."
    passes = counts[SoundAction.DISGUISE] or counts[SoundAction.KEEP]
    rest = "Everything else is silence" + ("." if passes else "; no source sound was copied.")
    return f"{'; '.join(told)}. {rest}"


def sounds_of(plan: Plan) -> Counter[SoundAction]:
    """How many stretches get which treatment; proposals count where the plan's default makes them count."""
    counts = Counter(s.action for s in plan.sounds if s.decision is Decision.HIDE)
    if plan.settings.sound is SoundDefault.DISGUISE:
        counts[SoundAction.DISGUISE] += sum(s.decision is Decision.PROPOSE for s in plan.sounds)
    return counts


def sensor_sentence(asked: Sensor, strength: Sensor, done: Hidden) -> str:
    """What became of the camera's own noise, in words. ``strength``: of the treatment, perhaps more than ``asked``."""
    if strength is Sensor.OFF:
        return "The camera's own noise was left in the picture: whoever has the camera can match the copy to it."
    why = "" if strength is asked else f", since at {asked.value} the attacker found the camera"
    return (
        f"Treated against the camera's own noise ({strength.value}{why}): slightly cropped, turned and bent by a "
        f"secret, changing amount, now {done.copy_width} x {done.copy_height} pixels, noise taken out, fresh grain "
        "added. The secret was not kept; another run gives another copy."
    )


def warnings_of(plan: Plan, done: Hidden, attack: AttackFacts | None) -> list[str]:
    """What a person must know before publishing, in words."""
    told = ["Faces and heads were looked for by machine. A person must look at every copy before it is published."]
    if attack is None:
        told.append("Nobody attacked this copy; run `safelight attack` on it before it is published.")
    elif attack.regions_added:
        told.append(f"The attackers saw {attack.regions_added} face(s) that `find` had missed; look there first.")
    if not plan.regions:
        told.append("Nothing was found to hide. Look at every second of the copy.")
    cut = done.frames_read - done.frames_written
    if cut:
        told.append(f"Cut to whole seconds as asked: {cut} frame(s) at the ends of the source are not in the copy.")
    elif plan.settings.trim:
        told.append("Cutting to whole seconds was asked for and left out nothing.")
    if done.missing:
        told.append(f"The source is damaged: {len(done.missing)} stretch(es) could not be read, or only in doubt.")
    held = sum(1 for region in plan.regions if any(s.how is How.HELD for s in region.stretches))
    if held:
        told.append(f"{held} track(s) end where nothing could be followed; look there first.")
    counts = sounds_of(plan) if done.facts.sound is not None else Counter[SoundAction]()
    if counts[SoundAction.DISGUISE]:
        told.append(
            "Voices are disguised by signal processing. This does not stop a trained attacker, and words, dialect and "
            "rhythm remain. Where a life depends on it, have the words spoken (--sound revoice) or take silence."
        )
    if counts[SoundAction.KEEP]:
        told.append("Some original sound was kept. Whoever is heard there can be recognised.")
    if counts[SoundAction.REVOICE]:
        told.append("The words are spoken as written. Listen to them all: names, dialect and phrases still tell.")
    return told


def summary(account: Account) -> dict[str, Any]:
    """The few figures a command prints."""
    return {
        "frames": account.frames.written,
        "tracks": account.tracks.total,
        "share_hidden": account.share_hidden_mean,
    }
