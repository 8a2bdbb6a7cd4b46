"""Sound: is there anything to hear at all?

A copy whose sound is silence says nothing about anybody's voice, and that is all that can be claimed until voices are
disguised. Sound that can be heard cannot be judged yet; it blocks.
"""

from __future__ import annotations

import numpy as np

from safelight.attack.protocol import Attacker, Evidence, Figure, Finding, Outcome
from safelight.media.listen import listen, sound_tracks

_SILENT = 1e-4  # full scale is 1: below, 80 dB under full scale, less than the rounding of a 14-bit recording


class Sound(Attacker):
    """Every sample of every sound track."""

    name = "sound"
    tries = ("Decoded every sound track to its end and looked at every sample.",)

    def finding(self) -> Finding:
        """Held when there is no sound or nothing but silence."""
        tracks = sound_tracks(self.case.copy)
        if not tracks:
            return self.answer(Outcome.HELD, "The copy has no sound track.")
        loudest, samples, first = 0.0, 0, None
        for track in range(tracks):
            for heard in listen(self.case.copy, track=track):
                loud = np.abs(heard.samples).max(axis=0, initial=0.0)
                peak = float(loud.max(initial=0.0))
                samples += heard.samples.size
                if peak > _SILENT and first is None:
                    first = heard.seconds + int(np.argmax(loud > _SILENT)) / heard.rate
                loudest = max(loudest, peak)
        figures = [
            Figure(name="sound tracks", value=tracks),
            Figure(name="samples listened to", value=samples),
            Figure(
                name="loudest sample", value=loudest, meaning=f"Full scale is 1; below {_SILENT} counts as silence."
            ),
        ]
        if first is None:
            return self.answer(Outcome.HELD, "The sound is silence from beginning to end.", figures=figures)
        return self.answer(
            Outcome.COULD_NOT_RUN,
            "Something can be heard, and no attacker for voices is part of this version.",
            figures=figures,
            evidence=[Evidence(what="The first sound that can be heard.", seconds=first)],
            not_tried=["Speaker recognition, mains hum and other traces in sound."],
        )
