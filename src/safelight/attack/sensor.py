"""The camera's own noise: the place for its attacker, which comes with the treatment it attacks.

No copy of this version claims to be free of sensor noise, so there is no promise to break. That is said in every report
rather than counted as held.
"""

from __future__ import annotations

from safelight.attack.protocol import Attacker, Finding, Outcome


class Sensor(Attacker):
    """Answers *not asked*, with the reason."""

    name = "sensor"
    title = "Sensor noise"
    question = "Can the copy be matched to the camera?"
    tries = ()

    def finding(self) -> Finding:
        """Not asked."""
        return self.answer(
            Outcome.NOT_ASKED,
            "Copies are not treated against sensor noise yet, and none is promised to be free of it.",
            not_tried=[
                "Whether the copy can be matched to the camera by its sensor noise, dust or dead pixels. "
                "Who holds the camera may be able to."
            ],
        )
