from __future__ import annotations

import pytest
from pydantic import ValidationError

from safelight.attack.odds import at_least, better, interval
from safelight.attack.report import page
from safelight.attack.verdict import CopyFacts, Evidence, Finding, Moment, Outcome, Verdict, overall

FACTS = CopyFacts(sha256="0" * 64, size=1, width=2, height=2, frames=1, seconds=0)


def finding(outcome: Outcome, **more) -> Finding:
    return Finding(attacker="faces", outcome=outcome, sentence="So it is.", **more)


def verdict(outcome: Outcome, *findings: Finding, **more) -> Verdict:
    return Verdict(
        safelight="0",
        outcome=outcome,
        sentence="S.",
        copy_=FACTS,
        had_original=True,
        had_plan=True,
        findings=list(findings),
        **more,
    )


@pytest.mark.parametrize(
    ("outcomes", "worst"),
    [
        ([Outcome.HELD, Outcome.NOT_ASKED], Outcome.HELD),
        ([Outcome.HELD, Outcome.COULD_NOT_RUN], Outcome.COULD_NOT_RUN),
        ([Outcome.COULD_NOT_RUN, Outcome.BROKEN], Outcome.BROKEN),
        ([Outcome.NOT_ASKED], Outcome.COULD_NOT_RUN),
        ([], Outcome.COULD_NOT_RUN),
    ],
)
def test_the_worst_outcome_counts(outcomes, worst):
    assert overall([finding(outcome) for outcome in outcomes]) is worst


def test_a_worker_cannot_claim_more_than_its_findings():
    with pytest.raises(ValidationError):
        verdict(Outcome.HELD, finding(Outcome.BROKEN))


def test_json_round_trip():
    made = verdict(Outcome.BROKEN, finding(Outcome.BROKEN, evidence=[Evidence(what="x", frame=3)], evidence_total=1))
    assert Verdict.model_validate_json(made.to_json()) == made


def test_the_page_is_inert():
    hostile = "<script>alert(1)</script><img src=http://example.org/x>"
    moment = Moment(attacker="faces", frame=0, seconds=0, why=hostile, picture="moment-00.png")
    made = verdict(
        Outcome.BROKEN, finding(Outcome.BROKEN, evidence=[Evidence(what=hostile)], evidence_total=1), moments=[moment]
    )
    html = page(made, {"moment-00.png": b"\x89PNG\r\n\x1a\nxx"})
    assert "<script" not in html
    assert "<img src=http" not in html
    assert "data:image/png;base64," in html
    assert "default-src 'none'" in html
    assert "data:image" not in page(made, {"moment-00.png": b"GIF89a"})


def test_odds():
    low, high = interval(0, 10)
    assert low == 0
    assert high == pytest.approx(0.3085, abs=1e-3)  # Clopper and Pearson's table
    assert interval(10, 10)[1] == 1
    assert at_least(4, 4, 0.125) == pytest.approx(0.125**4)
    assert better(8, 1, 10) == pytest.approx(0.00274, abs=1e-4)
    assert better(5, 5, 10) > 0.5
