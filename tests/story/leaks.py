"""Names planted in every place of a story that can hold words: what the gate must stop."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import av

from tests.names import papers
from tests.story.folders import approve, city, feature, swap

SPELLED = ("Khadija al-Hashimi", "KHADIJA ALHASHIMI", "خديجة الهاشمي", "Khadīja al-Hāshimī")
Plant = Callable[[Path, str], object]


def _titled(folder: Path, words: str) -> None:
    """The copy again with a title in its container, approved like that."""
    copy = folder / "clips/road.safelight.mp4"
    made = copy.with_suffix(".made.mp4")
    with av.open(str(copy)) as source, av.open(str(made), "w") as target:
        target.metadata["title"] = words
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    made.replace(copy)
    approve(copy)


LEAKS: dict[str, tuple[str, Plant]] = {
    "title": ("en.md", lambda f, w: swap(f / "en.md", "Two roads", w)),
    "lead": ("ar.md", lambda f, w: swap(f / "ar.md", "قصة قصيرة.", w)),
    "statement": ("en.md", lambda f, w: swap(f / "en.md", "Made with care.", f"Made with {w}.")),
    "front matter comment": ("en.md", lambda f, w: swap(f / "en.md", "lead:", f"# from {w}\nlead:")),
    "front matter in escapes": (
        "en.md",
        lambda f, w: swap(f / "en.md", "title: Two roads", 'title: "' + "".join(f"\\U{ord(c):08x}" for c in w) + '"'),
    ),
    "text": ("en.md", lambda f, w: swap(f / "en.md", "She counted", f"{w} counted")),
    "bold inside": ("en.md", lambda f, w: swap(f / "en.md", "She counted", f"{w[:4]}**{w[4:]}** counted")),
    "caption": ("en.md", lambda f, w: swap(f / "en.md", "caption: The road.", f"caption: The road of {w}.")),
    "alt": ("en.md", lambda f, w: swap(f / "en.md", "alt: A yard.", f"alt: {w} in a yard.")),
    "warning": ("en.md", lambda f, w: swap(f / "en.md", "Shots are heard", f"{w} is heard")),
    "quoted person": ("en.md", lambda f, w: swap(f / "en.md", "who: Om Yasin", f"who: {w}")),
    "note": ("en.md", lambda f, w: swap(f / "en.md", "All is made up.", f"{w} is made up.")),
    "correction": ("en.md", lambda f, w: swap(f / "en.md", "It was the bridge.", f"It was {w}.")),
    "HTML comment": ("en.md", lambda f, w: swap(f / "en.md", "She counted", f"<!-- {w} -->\n\nShe counted")),
    "credit": ("story.yaml", lambda f, w: swap(f / "story.yaml", "a witness", f'"{w}"')),
    "speaker": ("words/road.json", lambda f, w: swap(f / "words/road.json", "أم ياسين", w)),
    "translation": ("words/road.json", lambda f, w: swap(f / "words/road.json", "Then nothing.", f"Then {w}.")),
    "speaker in a translation": (
        "words/road.json",
        lambda f, w: swap(f / "words/road.json", '"Then nothing."', f'"Then nothing.", "speaker": {json.dumps(w)}'),
    ),
    "translator": ("words/road.json", lambda f, w: swap(f / "words/road.json", '"Oak"', json.dumps(w))),
    "GeoJSON name": ("maps/city.geojson", lambda f, w: swap(f / "maps/city.geojson", '"Thing"', json.dumps(w))),
    "GeoJSON property": (
        "maps/city.geojson",
        lambda f, w: (f / "maps/city.geojson").write_text(json.dumps(city(feature("Point", [1, 2], created_by=w)))),
    ),
    "VTT note": ("road.vtt", lambda f, w: papers.PLACES["note.vtt"](f / "road.vtt", w)),
    "SRT": ("road.srt", lambda f, w: papers.PLACES["a.srt"](f / "road.srt", w)),
    "file name": ("{}.txt", lambda f, w: (f / f"{w.lower().replace(' ', '_')}.txt").write_text("x")),
    "EXIF": ("pictures/y.jpg", lambda f, w: (f / "pictures/y.jpg").write_bytes(papers.jpeg(w))),
    "title of the film": ("clips/road.safelight.mp4", _titled),
    "PNG note": ("pictures/yard.png", lambda f, w: papers.png(f / "pictures/yard.png", w)),
    "PDF property": ("a.pdf", lambda f, w: papers.pdf(f / "a.pdf", w)),
    "DOCX comment": ("a.docx", lambda f, w: papers.docx(f / "a.docx", w, where="comment")),
    "HTML file": ("a.html", lambda f, w: papers.PLACES["comment.html"](f / "a.html", w)),
}


def planted(folder: Path, place: str, words: str) -> str:
    """Plant words in a place of a story; returns the file that the gate must name."""
    file, plant = LEAKS[place]
    plant(folder, words)
    return file.format(words.lower().replace(" ", "_"))
