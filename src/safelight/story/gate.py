"""The publication gate: every reason why a story must not go out as it lies there. It reads all files of the folder.

Each check yields refusals instead of raising the first: an editor wants the whole list. A check that cannot be carried
out is a refusal too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from safelight.approval import Approval
from safelight.attack.verdict import Verdict
from safelight.errors import Code, SafelightError
from safelight.inputs import Original
from safelight.names.consistency import inconsistent
from safelight.names.match import Level
from safelight.names.passages import IN_PICTURE
from safelight.names.people import Roster
from safelight.names.scan import Finding, Scanner, hidden_marks
from safelight.names.waive import Waivers, waived
from safelight.story.copies import Copies
from safelight.story.front import at
from safelight.story.geo import line_of_feature, read_map, too_near
from safelight.story.hints import Hint, hints
from safelight.story.parts import Box, Edition, Prose, Quote, Shot, Story
from safelight.story.places import line_at
from safelight.story.prose import images_in, links_of, raw_html_in
from safelight.story.quotes import unproven
from safelight.story.source import words_of
from safelight.story.transcript import State
from safelight.words import Document, read

WAIVERS = "waivers.json"
UNREAD = "There seems to be writing in this picture that could not be read: a person must look for names in it."
_SEALED = b"age-encryption.org/v1"
_VERDICTS = ("{stem}-report.json", "{stem}.attack.json")  # beside COPY.safelight.mp4: of `protect`, of `attack`


@dataclass
class Report:
    """What the gate found. ``refusals`` stop a build; ``looks`` wait for a person; ``hints`` are for the editor."""

    refusals: list[SafelightError] = field(default_factory=list)
    looks: list[Finding] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)
    documents: int = 0

    @property
    def passed(self) -> bool:
        """Whether the story may go out: nothing refused, and a person has decided on every near name."""
        return not self.refusals and not self.looks


def examine(story: Story, roster: Roster, copies: Copies) -> Report:
    """Everything the gate has to say about a story."""
    report = Report()
    waivers = Waivers.load(story.folder / WAIVERS)
    documents = list(_documents(story, report))
    report.documents = len(documents)
    for check in (
        approvals(story),
        pictures(story, documents),
        addresses(story),
        marks(documents),
        spoken(story, copies),
        maps(story, roster, report.hints),
    ):
        try:
            report.refusals += check
        except SafelightError as error:  # a check that could not go on has not passed
            report.refusals.append(error)
    scanner = Scanner(roster)
    for document in documents:
        for finding in scanner.findings(document.name, document.passages):
            if finding.level is Level.BLOCK:
                report.refusals.append(named(finding))
            elif not waived(roster, waivers, finding):
                report.looks.append(finding)
    for spelled in inconsistent(roster, [(document.name, document.passages) for document in documents]):
        first, *others = spelled.spellings
        for spelling in others:
            for file, line in spelled.spellings[spelling]:
                there, number = spelled.spellings[first][0]
                text = f"“{spelling}” is spelled “{first}” in {there} line {number}."
                report.hints.append(Hint(file, line, text))
    report.hints += [Hint(document.name, 0, UNREAD) for document in documents if document.unread]
    report.hints += hints(story)
    return report


def named(finding: Finding) -> SafelightError:
    """The refusal for a name that was found; it tells the place, never the name."""
    place = f"{finding.file}:{finding.line}" if finding.line else finding.file
    return SafelightError(Code.NAME_FOUND, f"A protected {finding.kind} stands here ({finding.place}).", file=place)


def approvals(story: Story) -> Iterator[SafelightError]:
    """Clips that were not attacked and approved in exactly this version."""
    for clip in story.book.clips.values():
        try:
            _approved(story.folder / clip.file, clip.file, story.book.members)
        except SafelightError as error:
            error.file = clip.file
            yield error


def _approved(copy: Path, name: str, members: int) -> None:
    with Original(copy) as opened:
        sha256 = opened.sha256()
    approval = Approval.load(copy.with_name(f"{copy.stem}-approval.json"))
    if approval is None:
        raise SafelightError(Code.NOT_APPROVED, "Nobody has approved this copy.", file=name)
    verdict = next((p for form in _VERDICTS if (p := copy.with_name(form.format(stem=copy.stem))).is_file()), None)
    if verdict is None:
        raise SafelightError(Code.NOT_APPROVED, "No verdict of an attack lies beside this copy.", file=name)
    data = verdict.read_bytes()
    try:
        judged = Verdict.model_validate_json(data)
    except ValueError as error:
        raise SafelightError(Code.NOT_APPROVED, "The verdict beside this copy cannot be read.", file=name) from error
    if judged.copy_.sha256 != sha256:
        raise SafelightError(Code.NOT_APPROVED, "The verdict is about another version of this copy.", file=name)
    if judged.outcome.blocks:
        raise SafelightError(Code.NOT_APPROVED, f"The attack did not hold: {judged.outcome.value}.", file=name)
    if approval.copy_.sha256 != sha256:
        raise SafelightError(Code.NOT_APPROVED, "The approval is for another version of this copy.", file=name)
    if approval.verdict.sha256 != hashlib.sha256(data).hexdigest():
        raise SafelightError(Code.NOT_APPROVED, "The approval is for another attack than the one beside it.", file=name)
    if len({signed.who for signed in approval.signed}) < members:
        raise SafelightError(Code.NOT_APPROVED, f"{members} different members must approve a copy.", file=name)


def pictures(story: Story, documents: list[Document]) -> Iterator[SafelightError]:
    """Pictures with anything but a picture in them; copies with what no copy has."""
    for document in documents:
        if not document.media:
            continue
        speaks = [
            p.place for p in document.passages if p.place not in ("file name", IN_PICTURE) and not _coding(p.place)
        ]
        if document.parts or (speaks and document.path.suffix.lower() not in (".mp4",)):
            what = document.parts[0] if document.parts else speaks[0]
            yield SafelightError(
                Code.PICTURE_SPEAKS, f"It holds more than its picture: {what[:80]}.", file=document.name
            )


def _coding(place: str) -> bool:
    """Whether it is what a coder says about the coding: JFIF's density and the like hold no words."""
    return place in ("jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi")


def addresses(story: Story) -> Iterator[SafelightError]:
    """Links to elsewhere that are not listed, images and HTML past the directives."""
    listed = set(story.book.links)
    for edition in story.editions.values():
        for line, markdown in _texts(edition):
            for link in links_of(markdown):
                if not link.address.startswith(("#", "clip:")) and link.address not in listed:
                    yield at(Code.LINK_UNLISTED, edition.file, line + link.below, "This link is not listed.")
            for below in images_in(markdown):
                yield at(
                    Code.STORY_INVALID, edition.file, line + below, "Pictures are shown by :::still, not by Markdown."
                )
            for below in raw_html_in(markdown):
                yield at(Code.STORY_INVALID, edition.file, line + below, "HTML and comments are not taken over.")


def spoken(story: Story, copies: Copies) -> Iterator[SafelightError]:
    """Words that are missing, stale or not confirmed; quotes that are not proven; stills after the copy's end."""
    for edition in story.editions.values():
        for part in edition.of(Quote):
            assert isinstance(part, Quote)
            why = unproven(part, words_of(story, part.clip), edition.language, copies.of(part.clip).duration)
            if why:
                yield at(Code.QUOTE_UNPROVEN, edition.file, part.line, why)
        for shot in edition.shots:
            if shot.clip is not None and shot.seconds > copies.of(shot.clip).duration:
                yield at(Code.STORY_INVALID, edition.file, shot.line, _after(shot, copies.of(shot.clip).duration))
    for name in story.book.clips:
        yield from _worded(story, name, copies.of(name).duration)


def _worded(story: Story, clip: str, duration: float) -> Iterator[SafelightError]:
    """What is wrong with the words of a clip; each refusal names the line of the document that is meant."""
    transcript, file = words_of(story, clip), story.book.clips[clip].words
    if transcript is None or file is None:
        return
    text = (story.folder / file).read_text(encoding="utf-8-sig")

    def wrong(number: int, code: Code, detail: str) -> SafelightError:
        return at(code, file, line_at(text, ("lines", number)), detail)

    lines = transcript.lines
    for number, line in enumerate(lines):
        if line.end > duration + 0.5:
            yield wrong(number, Code.WORDS_INCOMPLETE, f"Line {line.id} ends after the copy does.")
        if number and line.start < lines[number - 1].end - 1e-6:
            yield wrong(number, Code.SUBTITLES_INVALID, f"Line {line.id} begins before the one before it ends.")
    for language in story.book.languages:
        said = list(transcript.said(language))
        for state in (State.MISSING, State.STALE, State.UNCONFIRMED):
            numbers = [number for number, one in enumerate(said) if one.state is state]
            if numbers:
                ids = [lines[number].id for number in numbers]
                told = ", ".join(ids[:8]) + (" and more" if len(ids) > 8 else "")
                yield wrong(numbers[0], Code.WORDS_INCOMPLETE, f"In {language}, {state.value}: line {told}.")


def _after(shot: Shot, duration: float) -> str:
    return f"There is no picture at {shot.seconds:g} s; {shot.clip} ends at {duration:.2f} s."


def maps(story: Story, roster: Roster, told: list[Hint]) -> Iterator[SafelightError]:
    """Maps that cannot be read; a place near a protected one is told as a hint."""
    for file in story.book.maps.values():
        try:
            features = read_map(story.folder / file, file, list(story.book.languages))
        except SafelightError as error:
            yield error
            continue
        text = (story.folder / file).read_text(encoding="utf-8-sig")
        for number in too_near(features, roster.places):
            line = line_of_feature(text, number)
            told.append(Hint(file, line, f"Feature {number} lies near a protected place."))


def marks(documents: list[Document]) -> Iterator[SafelightError]:
    """Invisible characters that let a text read otherwise than it is stored."""
    for document in documents:
        for line, place in hidden_marks(document.passages):
            where = f"{document.name}:{line}" if line else document.name
            yield SafelightError(Code.INVISIBLE, f"There is an invisible character ({place}).", file=where)
            break


def _documents(story: Story, report: Report) -> Iterator[Document]:
    for path in story.files:
        name = path.relative_to(story.folder).as_posix()
        try:
            with path.open("rb") as opened:
                if opened.read(len(_SEALED)) == _SEALED:
                    continue  # sealed: the list of names itself, the desk's key
            yield read(path, name=name)
        except SafelightError as error:
            error.file = error.file or name
            report.refusals.append(error)
        except OSError:
            report.refusals.append(SafelightError(Code.UNREADABLE, "It cannot be read.", file=name))


def _texts(edition: Edition) -> Iterator[tuple[int, str]]:
    for part in edition.parts:
        if isinstance(part, Prose):
            yield part.line, part.markdown
        elif isinstance(part, Box):
            yield part.line + 1, part.markdown
