"""What a film and a still have in common for their reader."""

from __future__ import annotations

from dataclasses import dataclass

from av.video.frame import VideoFrame


@dataclass
class Shot:
    """One decoded frame with its place in time. ``doubtful``: decoded after damage."""

    frame: VideoFrame
    pts: int
    doubtful: bool
