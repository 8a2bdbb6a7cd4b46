"""Sound: is there anything to hear at all?

A copy whose sound is silence says nothing about anybody's voice. Sound that can be heard is for the attackers of
voices; where none of them is on the roster it cannot be judged, and it blocks.
"""

from __future__ import annotations

import numpy as np

from safelight.attack.protocol import Attacker
from safelight.attack.verdict import Evidence, Figure, Finding, Outcome
from safelight.media.listen import listen, sound_tracks

_SILENT = 1e-4  # full scale is 1: below, 80 dB under full scale, less than the rounding of a 14-bit recording

VOICES = "voices"
"""Name of the attacker that judges sound which can be heard."""


class Sound(Attacker):
    """Every sample of every sound track."""

    name = "sound"
    title = "Sound"
    question = "Can anything be heard that might be known by its voice or hum?"
    tries = ("Decoded every sound track to its end and looked at every sample.",)

    def finding(self) -> Finding:
        """Held when there is no sound or nothing but silence."""
        tracks = sound_tracks(self.case.copy)
        if not tracks:
            return self.answer(Outcome.HELD, "The copy has no sound track.")
        loudest, samples, first = 0.0, 0, None
        for track in range(tracks):
            for heard in listen(self.case.copy, track=track):
                self.notes.alive()
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
        if VOICES in self.case.roster:
            return self.answer(
                Outcome.NOT_ASKED,
                "Something can be heard; whether it gives anybody away is for the other attackers of sound to say.",
                figures=figures,
            )
        return self.answer(
            Outcome.COULD_NOT_RUN,
            "Something can be heard, and no attacker for voices is part of this version.",
            figures=figures,
            evidence=[Evidence(what="The first sound that can be heard.", seconds=first)],
            not_tried=["Speaker recognition, mains hum and other traces in sound."],
        )
