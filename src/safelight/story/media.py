"""The site's films, posters, pictures and subtitles: what a page shows, made once for all languages and editions."""

from __future__ import annotations

import base64
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from safelight.story.copies import Copies, CopyFacts
from safelight.story.credentials import DeskKey, sign
from safelight.story.parts import Shot, Story
from safelight.story.source import words_of
from safelight.story.subtitles import vtt

WIDTHS = (480, 960, 1600)  # pixels; the smallest is all that the low-data edition loads
FOLDER = "media"


@dataclass(frozen=True)
class Source:
    """One size of a picture."""

    file: str
    width: int
    height: int


@dataclass(frozen=True)
class FilmFiles:
    """A film on the site."""

    file: str
    facts: CopyFacts
    poster: str
    poster_small: str
    subtitles: dict[str, str]  # language to the whole file as an address of its own: pages opened from a disk may not
    # load it beside themselves


class Media:
    """Writes what a site shows into its folder."""

    def __init__(self, story: Story, copies: Copies, folder: Path, key: DeskKey | None) -> None:
        self._story, self._copies, self._key = story, copies, key
        self._site = folder
        self._folder = folder / FOLDER
        self._folder.mkdir()
        self.films: dict[str, FilmFiles] = {}
        self.pictures: dict[tuple[str, float], list[Source]] = {}

    def write(self, clips: list[str], shots: list[Shot]) -> None:
        """Films of these clips, and every picture of these shots, in all sizes. Raises what reading a copy raises."""
        wanted: defaultdict[str, set[float]] = defaultdict(set)
        for shot in shots:
            wanted[shot.key[0]].add(shot.seconds)
        posters = {clip: _poster_second(self._copies.of(clip).duration) for clip in clips}
        for clip, second in posters.items():
            wanted[clip].add(second)
        for name, seconds in sorted(wanted.items()):
            self._pictures(name, sorted(seconds))
        for clip, second in posters.items():
            sources = self.pictures[clip, second]
            self._film(clip, sources[min(1, len(sources) - 1)].file, sources[0].file)

    def _pictures(self, name: str, seconds: list[float]) -> None:
        book = self._story.book
        still = name.startswith("/")
        file = book.pictures[name[1:]].file if still else book.clips[name].file
        targets = {
            width: [
                self._folder / f"{name.lstrip('/')}{'' if still else f'-{round(s * 1000)}'}-{width}.jpg"
                for s in seconds
            ]
            for width in WIDTHS
        }
        done = self._copies.pictures(file, seconds, targets)
        for width, paths in targets.items():
            shown = min(width, done.width)
            for second, path in zip(seconds, paths, strict=True):
                sources = self.pictures.setdefault((name, second), [])
                if sources and sources[-1].width == shown:
                    path.unlink()  # the picture is no larger than the size before
                    continue
                self._sign(path, f"{book.story}, {path.stem}")
                height = max(round(done.height * shown / done.width), 1)
                sources.append(Source(f"{FOLDER}/{path.name}", shown, height))

    def _film(self, clip: str, poster: str, poster_small: str) -> None:
        source = self._story.folder / self._story.book.clips[clip].file
        target = self._folder / f"{clip}{source.suffix}"
        shutil.copyfile(source, target)
        self._sign(target, f"{self._story.book.story}, {clip}")
        facts = self._copies.of(clip)
        facts = CopyFacts(facts.width, facts.height, facts.duration, target.stat().st_size)
        subtitles = {}
        transcript = words_of(self._story, clip)
        for language in self._story.book.languages if transcript else ():
            assert transcript is not None
            lines = [said for said in transcript.said(language) if said.text]
            if lines:
                text = "".join(vtt(lines))
                (self._folder / f"{clip}.{language}.vtt").write_text(text, encoding="utf-8")
                subtitles[language] = "data:text/vtt;base64," + base64.b64encode(text.encode()).decode()
        self.films[clip] = FilmFiles(f"{FOLDER}/{target.name}", facts, poster, poster_small, subtitles)

    def _sign(self, path: Path, title: str) -> None:
        if self._key is not None:
            signed = path.with_name(f"signed-{path.name}")
            sign(self._key, path, signed, title)
            signed.replace(path)


def _poster_second(duration: float) -> float:
    """A second in, or the middle of a shorter film: the first picture is often black."""
    return round(min(1.0, duration / 2), 3)
