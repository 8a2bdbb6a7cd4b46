"""Bytes: does anything the original said about itself, or a protected name, lie in the copy's file?

Three independent looks: every part of the file against the list of what a copy may hold; every value of the original
and every protected name in the raw bytes, in many encodings; and, where it is installed, exiftool's opinion. What is
found is reported by kind and place, never by value.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator

from safelight.attack.needles import Needle, chance, search, strings
from safelight.attack.protocol import Attacker, Case, Notes
from safelight.attack.spell import degrees_binary, encoded, is_generic, of_label, places
from safelight.attack.structure import Part, structure
from safelight.attack.verdict import Evidence, Figure, Finding, Outcome
from safelight.media.labels import Label, is_worded, labels
from safelight.media.notes import notes_of
from safelight.names.spell import of_name

_CHANCE = 1e-6  # expected accidental hits in the whole file; patterns above are looked for in parsed text only
_STRUCTURE_MOST = 4 << 20  # bytes of one part of the original whose words are taken
_ENDS = 1 << 18  # bytes at either end of an original whose parts are not known
_NEEDLES_MOST = 200_000
_SAME_NEEDLE = 3  # places of one needle that are listed


class Bytes(Attacker):
    """Tags, names, dates, places, serial numbers and notes that travelled along."""

    name = "bytes"
    title = "Bytes"
    question = "Does anything of the original's past, or a protected name, lie in the file?"
    tries = (
        "Read every tag, chapter, note, EXIF and XMP value and every readable string of the original outside its "
        "pictures.",
        "Searched the copy's raw bytes for each value, for dates and places in their usual spellings, and for every "
        "protected name: UTF-8, UTF-16 both ways, base64, percent-encoded, reversed.",
        "Searched the copy's file name, its tags and its text tracks.",
        "Compared every part of the copy's file, and every note inside the picture stream, with the list of what a "
        "copy may hold.",
    )

    def __init__(self, case: Case, notes: Notes) -> None:
        super().__init__(case, notes)
        self._evidence: list[Evidence] = []

    def finding(self) -> Finding:
        """Held when nothing was found by any of the looks."""
        size = self.case.copy.seek(0, os.SEEK_END)
        secrets = list(self._secrets())
        needles = self._needles(secrets)
        possible = [needle for needle in needles if chance(needle, size) < _CHANCE]
        self._search_raw(possible)
        self._search_text(secrets)
        known = self._check_structure()
        self._check_notes()
        asked = self._ask_exiftool()
        not_tried = []
        if self.case.original is None:
            not_tried.append("No original was given: only protected names and the file's form could be checked.")
        if not self.case.names:
            not_tried.append("No list of protected names was given.")
        if not asked:
            not_tried.append(
                "exiftool, a second reader of the copy: it is not installed, or a confined worker may not start it."
            )
        if not known:
            not_tried.append(
                "The form of this file is not one that copies are written in; its parts were not compared."
            )
        figures = [
            Figure(name="values and names searched", value=len({text for text, _ in secrets})),
            Figure(name="spellings and encodings searched", value=len(possible)),
            Figure(
                name="too short for raw bytes",
                value=len(needles) - len(possible),
                meaning="Random bytes would show these by chance; they were looked for in names, tags and text only.",
            ),
            Figure(name="bytes searched", value=size),
        ]
        if self._evidence:
            kinds = Counter(item.what for item in self._evidence)
            return self.answer(
                Outcome.BROKEN,
                f"Something travelled along: {kinds.most_common(1)[0][0]}"[:500],
                figures=figures,
                evidence=self._evidence,
                not_tried=not_tried,
            )
        return self.answer(
            Outcome.HELD, "Nothing of the original's past was found in the file.", figures=figures, not_tried=not_tried
        )

    # ----------------------------------------------------------------------------------------------------------------

    def _secrets(self) -> Iterator[tuple[str, str]]:
        """(spelling, what it is) of everything that must not be in the copy."""
        for person in self.case.names:
            for spelling in of_name(person):
                yield spelling, "a protected name"
        if self.case.original is None:
            return
        self._labels = labels(self.case.original)
        for label in [*self._labels, *self._strings()]:
            for spelling, kind in of_label(label):
                yield spelling, f"a value of the original ({kind})"

    def _strings(self) -> Iterator[Label]:
        """Readable strings in the original outside its coded pictures and sound."""
        assert self.case.original is not None
        parts = structure(self.case.original)
        size = self.case.original.seek(0, os.SEEK_END)
        if parts is None:
            spans = [(0, min(size, _ENDS)), (max(size - _ENDS, 0), _ENDS)]
        else:
            wordless = [part for part in parts if part.holds_media or part.kind in _TABLES]
            worded = [part for part in parts if not part.holds_media and part.kind not in _TABLES]
            spans = [
                (start, min(end - start, _STRUCTURE_MOST))
                for part in worded
                for start, end in _without(part.offset, part.offset + part.length, wordless)
            ]
        for text in strings(self.case.original, spans, is_worded):
            yield Label("string in the file", text)

    def _needles(self, secrets: list[tuple[str, str]]) -> list[Needle]:
        needles: dict[tuple[bytes, bool], Needle] = {}
        for text, meaning in secrets:
            for needle in encoded(text, meaning):
                needles.setdefault((needle.pattern.lower() if needle.folded else needle.pattern, needle.folded), needle)
            if len(needles) > _NEEDLES_MOST:
                break
        if self.case.original is not None:
            for label in self._labels:
                for degrees in places(label):
                    for needle in degrees_binary(degrees):
                        needles.setdefault((needle.pattern, False), needle)
        return list(needles.values())

    def _search_raw(self, needles: list[Needle]) -> None:
        seen: Counter[str] = Counter()
        for needle, offset in search(self.case.copy, needles):
            seen[needle.meaning] += 1
            if seen[needle.meaning] <= _SAME_NEEDLE:
                self._evidence.append(Evidence(what=f"{needle.meaning}, in the file's bytes", offset=offset))

    def _search_text(self, secrets: list[tuple[str, str]]) -> None:
        """Also what is too short for raw bytes, as a whole word, where the copy holds text at all."""
        texts = [("the file name", self.case.file_name)]
        texts += [(label.place, label.text) for label in labels(self.case.copy) if not is_generic(label.text)]
        words = [(_words_of(secret), meaning) for secret, meaning in secrets]
        for place, text in texts:
            folded = _words_of(text)
            for secret, meaning in words:
                if secret.strip() and secret in folded:
                    self._evidence.append(Evidence(what=f"{meaning}, in {place}"))
                    break

    def _check_structure(self) -> bool:
        parts = structure(self.case.copy)
        for part in parts or []:
            if part.wrong:
                self._evidence.append(Evidence(what=f"{part.wrong}: {part.kind}", offset=part.offset))
        return parts is not None

    def _check_notes(self) -> None:
        for what, frame in notes_of(self.case.copy):
            self._evidence.append(Evidence(what=what, frame=frame))

    def _ask_exiftool(self) -> bool:
        """Whether exiftool could be asked. Tags that no copy has are evidence, by name."""
        program = shutil.which("exiftool")
        if program is None:
            return False
        try:
            fd = self.case.copy.fileno()
            answer = subprocess.run(
                [program, "-G0", "-j", "-n", "-a", "-u", "-ee", f"/proc/self/fd/{fd}"],
                pass_fds=[fd],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=120,
                check=False,
            )
            tags = json.loads(answer.stdout)[0]
        except (OSError, ValueError, IndexError, subprocess.TimeoutExpired):
            return False
        for tag, value in tags.items():
            if not _harmless(tag, value):
                self._evidence.append(Evidence(what=f"a tag that no copy has, by exiftool: {tag[:80]}"))
        return True


# Parts of numbers that look like text now and then. FFC4, FFDB: a JPEG's own, in most of them the very same.
_TABLES = frozenset({"stts", "ctts", "stss", "stsc", "stsz", "stco", "co64", "sgpd", "sbgp", "mdat", "FFC4", "FFDB"})
_SAFE_GROUPS = frozenset({"SourceFile", "ExifTool", "File", "Composite"})
_SAFE_TAGS = frozenset(
    """
    MajorBrand MinorVersion CompatibleBrands MovieHeaderVersion TimeScale Duration PreferredRate PreferredVolume
    MatrixStructure PreviewTime PreviewDuration PosterTime SelectionTime SelectionDuration CurrentTime NextTrackID
    TrackHeaderVersion TrackID TrackDuration TrackLayer TrackVolume ImageWidth ImageHeight MediaHeaderVersion
    MediaTimeScale MediaDuration HandlerType HandlerVendorID GraphicsMode OpColor CompressorID SourceImageWidth
    SourceImageHeight XResolution YResolution BitDepth ColorProfiles ColorPrimaries TransferCharacteristics
    MatrixCoefficients VideoFullRangeFlag BufferSize MaxBitrate AverageBitrate VideoFrameRate Balance AudioFormat
    AudioChannels AudioBitsPerSample AudioSampleRate MediaDataSize MediaDataOffset PixelAspectRatio
    ColorType Compression Filter Interlace Palette JFIFVersion ResolutionUnit SRGBRendering Gamma
    WhitePointX WhitePointY RedX RedY GreenX GreenY BlueX BlueY
    """.split()  # noqa: SIM905 (a list of words to read, not of strings)
)
_EMPTY = frozenset({"", "0", "und", "0000:00:00 00:00:00"})


def _harmless(tag: str, value: object) -> bool:
    """Whether a clean copy may have this tag of exiftool's. Dates, names and languages may be there if empty."""
    group, _, name = tag.partition(":")
    if group in _SAFE_GROUPS:
        # file name, dates of the file system and the like; a comment in the file is of this group too
        return name not in ("Comment", "PageCount")
    if name in _SAFE_TAGS or name.startswith(("Unknown_", "QuickTime_ColorRep")):
        return True
    if str(value).startswith("(Binary data"):
        return True
    return str(value).strip() in _EMPTY


def _words_of(text: str) -> str:
    """Folded words between single blanks, with a blank at either end: a word of it is found only whole."""
    return " " + " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split()) + " "


def _without(start: int, end: int, wordless: list[Part]) -> Iterator[tuple[int, int]]:
    """What is left of a stretch of the file without the parts in it that hold no words: their numbers, key frames every
    two seconds for one, look like words now and then, and a copy may hold the same.
    """
    for part in sorted(wordless, key=lambda part: part.offset):
        if start <= part.offset < end and part.length < end - start:
            if part.offset > start:
                yield start, part.offset
            start = part.offset + part.length
    if start < end:
        yield start, end
