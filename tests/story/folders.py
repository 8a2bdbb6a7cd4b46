"""A small story's folder with everything the gate asks for, and ways to spoil it."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from PIL import Image

from safelight import __version__
from safelight.approval import Approval, CopyFacts, Signed, VerdictFacts
from safelight.attack.verdict import CopyFacts as AttackedCopy
from safelight.attack.verdict import Finding, Outcome, Verdict
from safelight.names.people import Fact, Kind, Person, Place, Roster
from safelight.story.transcript import mark_of
from tests.media.build import clip
from tests.media.helpers import copy as copy_of

ROSTER = Roster(
    people=[
        Person(
            id="w",
            pseudonym="Om Yasin",
            names=["خديجة الهاشمي", "Khadija al-Hashimi"],
            facts=[Fact(kind=Kind.DATE, value="1979-08-21")],
        )
    ],
    places=[Place(latitude=24.5, longitude=-30.5, radius=400)],
)
CONFIRMED = {"who": "editor 1", "when": "2026-03-01T10:00:00Z"}
BOOK = """\
story: small
desk: The Lamp Desk
address: https://lamp.example
published: "2026-03-02"
languages: [en, ar]
clips:
  road: {file: clips/road.safelight.mp4, words: words/road.json, credit: a witness}
pictures:
  yard: {file: pictures/yard.png, credit: {en: drawn, ar: رسم}}
maps:
  city: maps/city.geojson
links: [https://example.org/method]
"""
EN = """\
---
title: Two roads
lead: A short story.
authors: [The Lamp Desk]
statement: Made with care.
---
She counted [“nine lorries”](clip:road#0.0-0.5) and [told us](https://example.org/method).

:::film road
caption: The road.
warning: Shots are heard.
:::

:::quote road 0.0-0.5
text: There were nine lorries.
who: Om Yasin
:::

:::gallery Days
- show: yard
  caption: The yard.
  alt: A yard.
- show: road 0.3
  caption: On the road.
  alt: A road.
:::

:::still road 0.2
caption: Earlier on the road.
alt: A road earlier.
warning: A weapon is seen.
:::

:::facts Figures
Days
: 11
:::

:::map city
caption: The map.
alt: A city and a road.
:::

:::note
All is made up.
:::

:::correction 2026-03-04
It was the bridge.
:::
"""
AR = """\
---
title: طريقان
lead: قصة قصيرة.
authors: [The Lamp Desk]
translator: سنديان
statement: أعدت بعناية.
---
عدت [«تسع شاحنات»](clip:road#0.0-0.5).

:::film road
caption: الطريق.
warning: يسمع إطلاق نار.
:::

:::quote road 0.0-0.5
text: كانت تسع شاحنات.
who: أم ياسين
:::

:::gallery أيام
- show: yard
  caption: الساحة.
  alt: ساحة.
- show: road 0.3
  caption: على الطريق.
  alt: طريق.
:::

:::still road 0.2
caption: قبل ذلك على الطريق.
alt: طريق قبل ذلك.
warning: يظهر سلاح.
:::

:::facts أرقام
أيام
: 11
:::

:::map city
caption: الخريطة.
alt: مدينة وطريق.
:::

:::note
كل هذا من نسج الخيال.
:::

:::correction 2026-03-04
كان عند الجسر.
:::
"""
AR_LINES = ("كانت تسع شاحنات.", "ثم لا شيء.")
EN_LINES = ("There were nine lorries.", "Then nothing.")


def words(**changes: Any) -> dict[str, Any]:
    """The words of the clip; ``changes``: fields of the second English line."""
    spans = ((0.0, 0.4), (0.5, 0.8))
    lines = [
        {
            "id": str(n),
            "start": s,
            "end": e,
            "speaker": "أم ياسين",
            "text": text,
            "by": "person",
            "confirmed": CONFIRMED,
        }
        for n, ((s, e), text) in enumerate(zip(spans, AR_LINES, strict=True), 1)
    ]
    translated: dict[str, Any] = {
        str(n): {"text": text, "of": mark_of(AR_LINES[n - 1]), "by": "person", "confirmed": CONFIRMED}
        for n, text in enumerate(EN_LINES, 1)
    }
    translated["2"] |= changes
    return {
        "format": "safelight-words",
        "version": 1,
        "language": "ar",
        "lines": lines,
        "translations": {"en": {"translator": "Oak", "lines": translated}},
    }


def feature(shape: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    """A feature with a name in both languages."""
    named = {"name": {"en": "Thing", "ar": "شيء"}} | properties
    return {"type": "Feature", "properties": named, "geometry": {"type": shape, "coordinates": coordinates}}


def city(*more: dict[str, Any], **top: Any) -> dict[str, Any]:
    """A map of an area, a road and a place."""
    ring = [[-30.0, 24.0], [-29.95, 24.0], [-29.95, 24.05], [-30.0, 24.0]]
    return {
        "type": "FeatureCollection",
        "features": [
            feature("Polygon", [ring], status="held"),
            feature("LineString", [[-30.0, 24.0], [-29.9, 24.1]]),
            feature("Point", [-29.97, 24.02], caption={"en": "Here.", "ar": "هنا."}),
            *more,
        ],
    } | top


def held(copy: Path) -> Verdict:
    """A verdict about exactly this copy."""
    data = copy.read_bytes()
    facts = AttackedCopy(
        sha256=hashlib.sha256(data).hexdigest(), size=len(data), width=96, height=72, frames=9, seconds=0.9
    )
    finding = Finding(attacker="faces", outcome=Outcome.HELD, sentence="No face was found.")
    return Verdict(
        safelight=__version__,
        outcome=Outcome.HELD,
        sentence="Held.",
        copy_=facts,
        had_original=True,
        had_plan=True,
        findings=[finding],
    )


def approve(copy: Path, *who: str) -> None:
    """Verdict and approval beside a copy."""
    verdict = copy.with_name(f"{copy.stem}-report.json")
    verdict.write_text(held(copy).to_json(), encoding="utf-8")
    made = Approval(
        copy_=CopyFacts(name=copy.name, sha256=hashlib.sha256(copy.read_bytes()).hexdigest()),
        verdict=VerdictFacts(outcome="held", sha256=hashlib.sha256(verdict.read_bytes()).hexdigest()),
        signed=[Signed(who=name, when="2026-03-01T10:00:00Z") for name in who or ("editor 1",)],
    )
    copy.with_name(f"{copy.stem}-approval.json").write_text(made.to_json(), encoding="utf-8")


def make(folder: Path) -> Path:
    """Write the story."""
    for name in ("clips", "pictures", "maps", "words"):
        (folder / name).mkdir(parents=True)
    copy = folder / "clips" / "road.safelight.mp4"
    copy_of(clip(folder.parent / "plain.mp4", frames=10, rate=Fraction(10)), copy)
    approve(copy)
    Image.new("RGB", (700, 500), (90, 120, 140)).save(folder / "pictures" / "yard.png")
    (folder / "story.yaml").write_text(BOOK, encoding="utf-8")
    (folder / "en.md").write_text(EN, encoding="utf-8")
    (folder / "ar.md").write_text(AR, encoding="utf-8")
    (folder / "words" / "road.json").write_text(json.dumps(words(), ensure_ascii=False), encoding="utf-8")
    (folder / "maps" / "city.geojson").write_text(json.dumps(city(), ensure_ascii=False, indent=1), encoding="utf-8")
    return folder


def swap(path: Path, old: str, new: str) -> None:
    """Replace words in a file that must hold them."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
