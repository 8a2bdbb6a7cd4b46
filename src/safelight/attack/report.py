"""The verdict as one page that a lawyer can read and a printer can print: no script, no request to anywhere.

Everything in a verdict comes out of a worker and is treated as a stranger's text: escaped, bounded by its model, and
pictures are taken only if they are small PNGs.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from html import escape

from safelight.attack.verdict import Evidence, Figure, Finding, Moment, Outcome, Verdict

MAX_PICTURE = 1 << 20
"""Bytes of one picture of the contact sheet."""

_SHOWN_EVIDENCE = 25
_WORDS = {
    Outcome.HELD: "held",
    Outcome.BROKEN: "broken",
    Outcome.COULD_NOT_RUN: "could not run",
    Outcome.NOT_ASKED: "not asked",
}
_EXPLAINED = (
    ("held", "The attack was carried out and brought nothing back."),
    ("broken", "The attack brought something back. The copy must not be published."),
    (
        "could not run",
        "The attack could not be carried out. Nobody knows whether it would succeed, so the copy must "
        "not be published.",
    ),
    (
        "not asked",
        "Nothing is promised in this respect, or what the attack needs was not given. It does not count as held.",
    ),
)
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
:root{--ink:#1c1b19;--soft:#5d5a54;--line:#d8d4cb;--paper:#fff;--held:#1f6f43;--broken:#a3201b;--not:#8a5a00;--grey:#5d5a54}
*{box-sizing:border-box}
body{margin:0;background:#f4f2ee;color:var(--ink);font:16px/1.5 Georgia,'Times New Roman',serif}
main{max-width:52rem;margin:2rem auto;background:var(--paper);padding:3rem 3.5rem;border:1px solid var(--line)}
header p{margin:0;color:var(--soft);font-size:.85rem;letter-spacing:.06em;text-transform:uppercase}
h1{font-size:1.7rem;line-height:1.25;margin:.4rem 0 1.2rem;font-weight:600}
h2{font-size:1.2rem;margin:2.4rem 0 .3rem;border-top:1px solid var(--line);padding-top:1.2rem;break-after:avoid}
h3{font-size:.95rem;margin:1.1rem 0 .2rem;break-after:avoid}
.verdict{border-left:.5rem solid;padding:.9rem 1.2rem;font-size:1.15rem;margin:0 0 1.4rem;background:#faf9f6}
.verdict.held{border-color:var(--held)}.verdict.broken{border-color:var(--broken)}.verdict.could{border-color:var(--not)}
.mark{display:inline-block;font:600 .78rem/1.4 system-ui,sans-serif;padding:.1rem .55rem;border:1.5px solid;
border-radius:1rem;white-space:nowrap}
.mark.held{color:var(--held)}.mark.broken{color:var(--broken)}.mark.could{color:var(--not)}.mark.not{color:var(--grey)}
table{border-collapse:collapse;width:100%;font-size:.9rem;margin:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.35rem .8rem .35rem 0;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--soft)}td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.2rem;font-size:.9rem;margin:0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
code{font:.82rem ui-monospace,Consolas,monospace}
.question{color:var(--soft);font-style:italic;margin:.1rem 0 .6rem}
.sheet{display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:1rem;margin:.8rem 0}
figure{margin:0;break-inside:avoid}
figure img{width:100%;height:11rem;object-fit:contain;background:#e9e6df;display:block}
figcaption{font-size:.8rem;color:var(--soft);line-height:1.35;margin-top:.25rem}
ul{margin:.3rem 0;padding-left:1.2rem}li{margin:.15rem 0}
tr{break-inside:avoid}
@media print{body{background:none;font-size:11pt}main{margin:0;padding:0;border:0;max-width:none}
.sheet{grid-template-columns:repeat(3,1fr)}}
@media (max-width:40rem){main{padding:1.2rem;margin:0}}
"""


def page(verdict: Verdict, pictures: Mapping[str, bytes]) -> str:
    """The report as a self-contained HTML page.

    ``pictures``: PNG bytes by the names in ``verdict.moments``; what is missing, too large or no PNG is left out.
    """
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>Attack report: {_WORDS[verdict.outcome]}</title><style>{_STYLE}</style></head><body><main>",
        "<header><p>Safelight · attack report</p><h1>Was the protection of this copy undone?</h1></header>",
        f'<p class="verdict {_class(verdict.outcome)}">{escape(verdict.sentence)}</p>',
        _facts(verdict),
        _summary(verdict),
        _sheet(verdict.moments, pictures),
        *(_section(finding) for finding in verdict.findings),
        _not_tried(verdict),
        _how_to_read(verdict),
        "</main></body></html>\n",
    ]
    return "".join(parts)


def _class(outcome: Outcome) -> str:
    return _WORDS[outcome].split()[0]


def _mark(outcome: Outcome) -> str:
    return f'<span class="mark {_class(outcome)}">{_WORDS[outcome]}</span>'


def _title(finding: Finding) -> str:
    return finding.title or finding.attacker


def _facts(verdict: Verdict) -> str:
    copy = verdict.copy_
    had = (
        "the original and its plan"
        if verdict.had_original and verdict.had_plan
        else ("the original" if verdict.had_original else "the plan" if verdict.had_plan else "nothing but the copy")
    )
    rows = (
        (
            "Copy",
            f"{copy.width} × {copy.height} pixels, {copy.frames:,} pictures, {_clock(copy.seconds)}, "
            f"{copy.size:,} bytes",
        ),
        ("The attackers had", had),
        ("Safelight", verdict.safelight),
    )
    told = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows)
    return f"<dl>{told}<dt>SHA-256</dt><dd><code>{escape(copy.sha256)}</code></dd></dl>"


def _summary(verdict: Verdict) -> str:
    rows = "".join(
        f"<tr><td>{escape(_title(f))}</td><td>{_mark(f.outcome)}</td><td>{escape(f.sentence)}</td></tr>"
        for f in verdict.findings
    )
    head = "<tr><th>Attack</th><th>Outcome</th><th>In a sentence</th></tr>"
    return f"<h2>The attacks at a glance</h2><table>{head}{rows}</table>"


def _sheet(moments: list[Moment], pictures: Mapping[str, bytes]) -> str:
    figures = []
    for moment in moments:
        png = pictures.get(moment.picture, b"")
        if png.startswith(b"\x89PNG\r\n\x1a\n") and len(png) <= MAX_PICTURE:
            data = base64.b64encode(png).decode("ascii")
            caption = f"Picture {moment.frame:,}, {_clock(moment.seconds)}. {moment.why}"
            figures.append(
                f'<figure><img alt="The copy at picture {moment.frame}" src="data:image/png;base64,{data}">'
                f"<figcaption>{escape(caption)}</figcaption></figure>"
            )
    if not figures:
        return ""
    return (
        "<h2>The copy at its worst moments</h2><p class=question>These pictures are from the copy, never from the "
        f'original.</p><div class="sheet">{"".join(figures)}</div>'
    )


def _section(finding: Finding) -> str:
    parts = [
        f"<h2>{escape(_title(finding))} {_mark(finding.outcome)}</h2>",
        f'<p class="question">{escape(finding.question)}</p>',
        f"<p>{escape(finding.sentence)}</p>",
    ]
    if finding.tried:
        parts.append(
            "<h3>What was tried</h3><ul>" + "".join(f"<li>{escape(line)}</li>" for line in finding.tried) + "</ul>"
        )
    if finding.evidence:
        parts.append(_evidence(finding.evidence, finding.evidence_total))
    if finding.figures:
        parts.append(_figures(finding.figures))
    return "".join(parts)


def _evidence(evidence: list[Evidence], total: int) -> str:
    rows = "".join(
        f"<tr><td>{escape(item.what)}</td><td class=n>{'' if item.frame is None else f'{item.frame:,}'}</td>"
        f"<td class=n>{'' if item.seconds is None else _clock(item.seconds)}</td><td class=n>{_place(item)}</td></tr>"
        for item in evidence[:_SHOWN_EVIDENCE]
    )
    more = f"<p>{total - _SHOWN_EVIDENCE:,} more like these.</p>" if total > _SHOWN_EVIDENCE else ""
    return (
        "<h3>What was found</h3><table><tr><th>What</th><th>Picture</th><th>Time</th><th>Place</th></tr>"
        f"{rows}</table>{more}"
    )


def _place(item: Evidence) -> str:
    if item.box is not None:
        x1, y1, x2, y2 = item.box
        return f"{x1:.0f}, {y1:.0f}, {x2 - x1:.0f} × {y2 - y1:.0f} px"
    return "" if item.offset is None else f"byte {item.offset:,}"


def _figures(figures: list[Figure]) -> str:
    rows = "".join(
        f"<tr><td>{escape(f.name)}</td><td class=n>{_number(f.value)} {escape(f.unit)}</td>"
        f"<td>{escape(f.meaning)}</td></tr>"
        for f in figures
    )
    return f"<h3>Figures</h3><table><tr><th>Figure</th><th>Value</th><th>What it means</th></tr>{rows}</table>"


def _not_tried(verdict: Verdict) -> str:
    lines = [f"<li>{escape(_title(f))}: {escape(line)}</li>" for f in verdict.findings for line in f.not_tried]
    lines.append(
        "<li>Words that are spoken or written in the picture, places, clothes and events that people know.</li>"
    )
    return f"<h2>What was not tried</h2><p>An attack that was not tried proves nothing.</p><ul>{''.join(lines)}</ul>"


def _how_to_read(verdict: Verdict) -> str:
    words = "".join(f"<dt>{word}</dt><dd>{escape(text)}</dd>" for word, text in _EXPLAINED)
    weights = "".join(
        f"<dt>{escape(name)}</dt><dd><code>{escape(sha256)}</code></dd>"
        for name, sha256 in sorted(verdict.weights.items())
    )
    tools = f"<h3>Networks used, by SHA-256</h3><dl>{weights}</dl>" if weights else ""
    return f"<h2>How to read this</h2><dl>{words}</dl>{tools}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(seconds, 0.0), 60)
    return f"{int(minutes)}:{rest:06.3f}"


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
