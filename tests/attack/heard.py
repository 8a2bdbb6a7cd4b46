"""A case for attackers that only hear: no files, a plan if a test has one."""

from __future__ import annotations

import io
from typing import Any

from safelight.attack.protocol import Case
from safelight.media.facts import ClipFacts, SoundFacts
from safelight.plan import Plan


def case(plan: Plan | None = None, **more: Any) -> Case:
    """A copy with a sound track of unknown length."""
    facts = ClipFacts(
        container="mp4",
        codec="h264",
        pixel_format="yuv420p",
        still=False,
        stored_width=640,
        stored_height=360,
        pixel_aspect=1,
        turn=0,
        interlaced=False,
        hdr=False,
        time_base=(1, 12800),
        frames_expected=None,
        rate=25,
        duration=None,
        picture_start=0,
        sound=SoundFacts(codec="aac", rate=48000, channels=1, start=0, duration=60),
        dropped=[],
    )
    return Case(io.BytesIO(), facts, io.BytesIO(), facts, plan, **more)
