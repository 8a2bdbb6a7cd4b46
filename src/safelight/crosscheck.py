"""What workers say, held against the plan, against each other and against what they were asked.

A worker that a hostile file has taken over knows what an honest one would say. These checks do not find every lie; they
see to it that no worker decides what only a person may, and that two workers must lie alike.
"""

from __future__ import annotations

from collections.abc import Sequence

from safelight import __version__, models
from safelight.attack.verdict import NAMES, Verdict
from safelight.errors import Code, SafelightError
from safelight.media.facts import ClipFacts
from safelight.models.device import chosen
from safelight.plan import Decision, Origin, Plan, Region, Settings
from safelight.workers.messages import Hidden

FINDER, ATTACKER = "find", "attack"  # who decided, in a plan


def require_found(plan: Plan, facts: ClipFacts, sha256: str, origin: Origin) -> None:
    """A plan that a worker found: for this clip, and without anything that only a person may decide.

    To reveal, to keep a sound or to choose how the plan is carried out would undo the curtain and the silence, which
    hold whatever finders see. Raises SL-WORKER-LIED.
    """
    clip = plan.clip
    if clip.sha256 != sha256 or (clip.width, clip.height) != facts.raster.shown_size or clip.still != facts.still:
        raise _lied("The plan found is not for this file.")
    if not plan.origin.alike(origin) or plan.settings != Settings():
        raise _lied("The plan found was made in another way than was asked for.")
    if any(region.decision is Decision.REVEAL or region.decided_by != FINDER for region in plan.regions):
        raise _lied("The plan found decides what only a person may.")
    if any(sound.decision is not Decision.PROPOSE or sound.decided_by != FINDER for sound in plan.sounds):
        raise _lied("The plan found decides about sounds what only a person may.")


def require_proposed(regions: list[Region]) -> None:
    """What attackers propose may only hide. Raises SL-WORKER-LIED."""
    if any(region.decision is not Decision.HIDE or region.decided_by != ATTACKER for region in regions):
        raise _lied("The attackers propose something else than to hide.")


def require_hidden(done: Hidden, plan: Plan) -> None:
    """What was done to the pictures fits the plan it was done by. Raises SL-WORKER-LIED."""
    clip, facts = plan.clip, done.facts
    if (clip.width, clip.height) != facts.raster.shown_size or clip.still != facts.still:
        raise _lied("The copy was made of another film than the plan.")
    if (done.copy_name == "copy.mp4") == clip.still:
        raise _lied("The copy is a film of a still picture, or a still picture of a film.")
    if done.frames_hidden > _covered(plan) or done.frames_hidden > done.frames_read:
        raise _lied("In more frames something was hidden than the plan has any for.")
    if done.share_mean > done.share_max or (done.share_max > 0) != (done.frames_hidden > 0):
        raise _lied("What was hidden does not fit together.")


def require_tried(verdict: Verdict, *, original: bool, plan: bool, attackers: Sequence[str] = NAMES) -> None:
    """A verdict of all attackers, or of those who were asked, each once and with what it was given: ``original`` and
    ``plan``. Raises SL-WORKER-LIED.
    """
    if sorted(finding.attacker for finding in verdict.findings) != sorted(attackers):
        raise _lied("The verdict is not that of all attackers who were asked.")
    if not {moment.attacker for moment in verdict.moments} <= set(attackers):
        raise _lied("Somebody shows pictures who was not asked.")
    if (verdict.had_original, verdict.had_plan) != (original, plan):
        raise _lied("The attackers were given something else.")
    if verdict.safelight != __version__ or verdict.weights != models.identities("find") | models.identities("attack"):
        raise _lied("The verdict was made with another version.")
    if verdict.device != chosen():
        raise _lied("The verdict was made on another device.")


def require_alike(shares: Sequence[Verdict]) -> None:
    """Whoever attacked a copy saw the same one, and all of it. Raises SL-WORKER-LIED."""
    if any(share.copy_ != shares[0].copy_ for share in shares):
        raise _lied("The attackers of one copy saw different ones.")


def require_agreed(done: Hidden, verdict: Verdict) -> None:
    """Who made the copy and who attacked it saw the same one. Raises SL-WORKER-LIED.

    The only count there is of pictures that were cut off with the ends: who wrote them says so, and who read them.
    """
    copy = verdict.copy_
    if copy.frames != done.frames_written:
        raise _lied(f"{done.frames_written} frames were written, as was said, and {copy.frames} are there.")
    if (copy.width, copy.height) != (done.copy_width, done.copy_height):
        raise _lied("The copy has another size than was said.")


def _covered(plan: Plan) -> int:
    """In how many frames there is something to hide."""
    if plan.settings.curtain:
        return plan.clip.frames
    covered, reached = 0, -1
    for first, last in sorted((r.first, r.last) for r in plan.regions if r.decision is Decision.HIDE):
        covered += max(last - max(first, reached + 1) + 1, 0)
        reached = max(reached, last)
    return covered


def _lied(why: str) -> SafelightError:
    return SafelightError(Code.WORKER_LIED, why)
