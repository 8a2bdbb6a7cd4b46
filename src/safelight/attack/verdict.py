"""What attackers answer: findings, and the verdict made of them; bounded, and safe to hand to a lawyer."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from safelight.errors import harmless
from safelight.plan import Device, Region

NAMES = ("faces", "likeness", "fill", "bytes", "timing", "sound", "voices", "hum", "sensor")  # of all attackers
MAX_EVIDENCE = 200
MAX_PROPOSALS = 2000
MAX_MOMENTS = 48

Line = Annotated[str, AfterValidator(harmless), Field(max_length=600)]
Index = Annotated[int, Field(ge=0, le=2**31)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Document(BaseModel):
    """Base of everything in a verdict. It comes out of a worker, so every field is bounded."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Outcome(StrEnum):
    """How an attack ended. ``broken`` and ``could not run`` keep a copy from being published."""

    HELD = "held"
    BROKEN = "broken"
    COULD_NOT_RUN = "could not run"
    NOT_ASKED = "not asked"  # nothing was promised there, or a person did not give what it takes; said in the report

    @property
    def blocks(self) -> bool:
        """Whether a copy with this outcome must not be published."""
        return self in (Outcome.BROKEN, Outcome.COULD_NOT_RUN)


_HEADLINES = {
    Outcome.HELD: "Held: nothing that was tried brought back what this copy hides.",
    Outcome.BROKEN: "Broken: this copy gives something away and must not be published.",
    Outcome.COULD_NOT_RUN: "Not shown to hold: an attack could not be carried out, so this copy must not be published.",
}


class Figure(Document):
    """One number and what it means, in words."""

    name: Line
    value: Number
    unit: Annotated[str, Field(max_length=40)] = ""
    meaning: Line = ""


class Evidence(Document):
    """One place where protection failed. ``box`` is in pixels of the copy as attackers see it (:class:`Pair`);
    ``offset`` in bytes of its file.
    """

    what: Line
    frame: Index | None = None
    seconds: Number | None = None
    box: tuple[Number, Number, Number, Number] | None = None
    offset: Annotated[int, Field(ge=0)] | None = None
    score: Number | None = None


class Finding(Document):
    """An attacker's answer. ``evidence`` holds the worst; ``evidence_total`` counts all."""

    attacker: Annotated[str, Field(pattern=r"^[a-z]{1,20}$")]
    title: Annotated[str, Field(max_length=60)] = ""
    question: Line = ""
    outcome: Outcome
    sentence: Line
    tried: Annotated[list[Line], Field(max_length=40)] = []
    figures: Annotated[list[Figure], Field(max_length=60)] = []
    evidence: Annotated[list[Evidence], Field(max_length=MAX_EVIDENCE)] = []
    evidence_total: Index = 0
    not_tried: Annotated[list[Line], Field(max_length=40)] = []


class Moment(Document):
    """A frame of the copy worth looking at, as a small picture ``picture`` that travels beside the verdict. ``weight``:
    the heavier, the worse.
    """

    attacker: Annotated[str, Field(pattern=r"^[a-z]{1,20}$")]
    frame: Index
    seconds: Number
    why: Line
    weight: Number = 0.0
    picture: Annotated[str, Field(pattern=r"^moment-\d{2}\.png$")]


class CopyFacts(Document):
    """Which copy the verdict is about."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=1)]
    width: Annotated[int, Field(gt=0, le=65536)]
    height: Annotated[int, Field(gt=0, le=65536)]
    frames: Index
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Verdict(Document):
    """All answers together."""

    format: Literal["safelight-verdict"] = "safelight-verdict"
    version: Literal[1] = 1
    safelight: Annotated[str, Field(max_length=50)]
    outcome: Literal[Outcome.HELD, Outcome.BROKEN, Outcome.COULD_NOT_RUN]
    sentence: Line
    copy_: Annotated[CopyFacts, Field(alias="copy")]
    had_original: bool
    had_plan: bool
    findings: Annotated[list[Finding], Field(min_length=1, max_length=20)]
    proposals: Annotated[list[Region], Field(max_length=MAX_PROPOSALS)] = []
    moments: Annotated[list[Moment], Field(max_length=MAX_MOMENTS)] = []
    weights: dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=64)]] = {}
    device: Device = "CPU"  # what the networks ran on

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """A verdict cannot be better than its findings, whoever wrote it."""
        if self.outcome is not overall(self.findings):
            raise ValueError("the verdict's outcome does not follow from its findings")
        return self

    def to_json(self) -> str:
        """The document as text."""
        return self.model_dump_json(by_alias=True, indent=1) + "\n"


def headline(outcome: Outcome) -> str:
    """What a verdict with that outcome says in a sentence."""
    return _HEADLINES[outcome]


def overall(findings: list[Finding]) -> Literal[Outcome.HELD, Outcome.BROKEN, Outcome.COULD_NOT_RUN]:
    """The worst outcome; a copy that nobody attacked did not hold."""
    outcomes = {finding.outcome for finding in findings}
    if Outcome.BROKEN in outcomes:
        return Outcome.BROKEN
    if Outcome.COULD_NOT_RUN in outcomes or Outcome.HELD not in outcomes:
        return Outcome.COULD_NOT_RUN
    return Outcome.HELD
