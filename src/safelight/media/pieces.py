"""Pieces of a long film, worked on apart. The program that never reads a film itself knows no more of it than this;
where the cuts lie is found out by :mod:`safelight.media.survey`.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST = 4000  # pieces of one film

Index = Annotated[int, Field(ge=0, le=2**31)]
Pts = Annotated[int, Field(ge=-(2**62), le=2**62)]


class Part(BaseModel):
    """Pictures ``first`` to ``stop`` - 1 of a film, read from the key frame ``first``, which is shown at ``pts``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: Index
    pts: Pts
    stop: Index

    @property
    def frames(self) -> int:
        """How many pictures."""
        return self.stop - self.first


class Piece(BaseModel):
    """One piece. ``own``: its pictures. ``wide``: those and some before and after, for who must know what comes and
    goes at its ends. ``last_pts``: when its last own picture is shown.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    own: Part
    wide: Part
    last_pts: Pts

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        own, wide = self.own, self.wide
        if not wide.first <= own.first < own.stop <= wide.stop or not wide.pts <= own.pts <= self.last_pts:
            raise ValueError("a piece lies outside itself")
        return self
