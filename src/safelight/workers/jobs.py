"""What a worker can do: the bridge from a job to the rooms `find` and `hide`.

Rooms are imported by the job that needs them: a worker that hides loads no inference engine.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import cv2

from safelight.attack.verdict import NAMES
from safelight.media.facts import ClipFacts
from safelight.media.read import Excerpt, Reader
from safelight.plan import Doubt, Plan, Sound
from safelight.workers.heap import give_back
from safelight.workers.messages import (
    Attacked,
    AttackJob,
    FindJob,
    Found,
    Hidden,
    HideJob,
    Joined,
    JoinJob,
    Listened,
    Proxied,
    ProxyJob,
    Salvaged,
    SalvageJob,
    Spoken,
    Stilled,
    StillsJob,
    Surveyed,
    SurveyJob,
    Traced,
    Waved,
    WaveJob,
    Worded,
    WordsJob,
    piece_names,
)

PLAN = Path("plan.json")
SHEET = Path("sheet.png")
TILES = Path("tiles.npz")
VERDICT = Path("verdict.json")
WORDS = Path("words.json")
SOUND = Path("sound.f32")
SALVAGED = Path("salvaged.mov")
TRACE = Path("trace.json")
SPEECH = Path("speech.pcm"), Path("speech.json")

_OF_OPENCV = 1  # threads: `find` and `hide` have one for each stage, and more of OpenCV's wait for them, busily
_TURN = 0.0005  # seconds after which one stage lets another have the interpreter: at 0.005 processors wait for it
_AT_WORK: list[object] = []  # networks that stay until this process ends: to free them takes a tenth of a second
_TIDY = 50  # pictures after which freed memory is handed back: 20 MB less at 1080p, 1 % more time
_EARLY = 2  # threads that make networks ready: more would only want the same processors

Report = Callable[[int, int | None], None]


def find(job: FindJob, clip: BinaryIO, report: Report) -> Found:
    """Write ``plan.json`` for the clip."""
    from safelight import models
    from safelight.find import Finders, make_ready
    from safelight.find import find as find_regions
    from safelight.find.faces import CenterFace, YuNet
    from safelight.find.people import NanoDet
    from safelight.find.text import TextFinder
    from safelight.models.device import chosen

    _in_stages()
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(_EARLY))
        stack.callback(pool.shutdown, cancel_futures=True)
        light, strong = pool.submit(YuNet, threshold=0.3), pool.submit(CenterFace, threshold=0.2)
        people, text = pool.submit(NanoDet), pool.submit(TextFinder)
        reader = stack.enter_context(Reader(clip, accept_damaged=job.accept_damaged))
        facts = reader.facts
        finders = Finders(light.result(), strong.result(), people.result(), text.result())
        _AT_WORK[:] = [finders]
        make_ready(facts, finders, job.asked, pool)

        def progress(done: int) -> None:
            report(done, facts.frames_expected)
            if done % _TIDY == 0:
                give_back()

        # beside the pictures, which leave processors idle; its network is small
        heard = pool.submit(_speech, clip, facts) if facts.sound is not None and job.sound else None
        plan = find_regions(
            reader if job.part is None else Excerpt(reader, job.part),
            sha256=job.sha256,
            finders=finders,
            versions=models.identities("find"),
            asked=job.asked,
            progress=progress,
        )
        plan.sounds = heard.result() if heard is not None else []
        plan.origin.device = chosen()
        begin = job.part.first if job.part is not None else 0
        # The last pictures of a part may have been read without being looked at.
        plan.doubts = [
            Doubt(first=first - begin, last=min(last - begin, plan.clip.frames - 1))
            for first, last in reader.doubts
            if first - begin < plan.clip.frames
        ]
        PLAN.write_text(plan.to_json(), encoding="utf-8")
        return Found(facts=reader.facts, frames=plan.clip.frames)


def _in_stages() -> None:
    """Set up this process for threads that hand pictures on from one to the next."""
    cv2.setNumThreads(_OF_OPENCV)
    sys.setswitchinterval(_TURN)


def _speech(clip: BinaryIO, facts: ClipFacts) -> list[Sound]:
    """Where somebody speaks in a clip."""
    from safelight.find.speech import speech_in
    from safelight.media.soundline import SoundSource
    from safelight.models import engine

    assert facts.sound is not None
    return speech_in(SoundSource(clip, facts.sound), engine.plain("speech"))


def attack(job: AttackJob, copy: BinaryIO, report: Report) -> Attacked:
    """Write ``verdict.json`` about a copy."""
    from safelight.attack.run import ATTACKERS
    from safelight.attack.run import attack as attack_copy

    with ExitStack() as stack:
        original = stack.enter_context(os.fdopen(job.original, "rb")) if job.original is not None else None
        verdict = attack_copy(
            copy,
            original=original,
            plan=Plan.load(PLAN) if job.plan else None,
            names=job.names,
            file_name=job.file_name,
            all_frames=job.all_frames,
            accept_damaged=job.accept_damaged,
            sensor_key=bytes.fromhex(job.sensor_key) if job.sensor_key is not None else None,
            moments=Path(),
            progress=report,
            attackers=[kind for kind in ATTACKERS if kind.name in job.attackers],
            elsewhere=[name for name in NAMES if name not in job.attackers],
        )
    VERDICT.write_text(verdict.to_json(), encoding="utf-8")
    return Attacked()


def hide(job: HideJob, clip: BinaryIO, report: Report) -> Hidden:
    """Write the copy ``plan.json`` asks for, and the contact sheet."""
    from safelight.hide.apply import apply
    from safelight.hide.sound.speak import Speech
    from safelight.hide.sound.track import copy_sound
    from safelight.media.soundline import SoundSource

    _in_stages()
    plan = Plan.load(PLAN)
    speech = Speech(*SPEECH) if job.speech else None
    with Reader(clip, accept_damaged=job.accept_damaged) as reader:
        heard = reader.facts.sound
        source = SoundSource(clip, heard, job.accept_damaged) if heard is not None else None
        sound = copy_sound(plan, source, speech) if job.part is None else ()
        key = bytes.fromhex(job.sensor_key) if job.sensor_key is not None else None
        sheet = SHEET if job.part is None else TILES
        done = apply(reader, plan, Path("copy"), sound=sound, sheet=sheet, progress=report, key=key, part=job.part)
        return Hidden(
            facts=reader.facts,
            copy_name=done.copy_name,
            copy_width=done.size[0],
            copy_height=done.size[1],
            frames_read=done.frames_read,
            frames_written=done.frames_written,
            frames_hidden=done.frames_hidden,
            share_mean=done.share_mean,
            share_max=done.share_max,
            missing=reader.missing,
        )


def salvage(job: SalvageJob, damaged: BinaryIO, report: Report) -> Salvaged:
    """Write ``salvaged.mov``."""
    from safelight.media.salvage import salvage as salvage_film

    with os.fdopen(job.like, "rb") as like:
        saved = salvage_film(damaged, like, SALVAGED, report)
    return Salvaged.model_validate({"type": "salvaged", **asdict(saved)})


def trace(clip: BinaryIO, report: Report) -> Traced:
    """Write ``trace.json``."""
    from safelight.find.trace import trace as trace_of

    TRACE.write_bytes(trace_of(clip, report).to_bytes())
    return Traced()


def survey(job: SurveyJob, clip: BinaryIO) -> Surveyed:
    """Tell where a film can be cut."""
    from safelight.media.survey import survey as pieces_of

    with Reader(clip) as reader:
        return Surveyed(pieces=pieces_of(clip, reader.facts, job.seconds, job.overlap))


def join(job: JoinJob, clip: BinaryIO, report: Report) -> Joined:
    """Write the copy from the copies of its pieces, and the contact sheet."""
    from safelight.hide.sheet import Sheet
    from safelight.hide.sound.speak import Speech
    from safelight.hide.sound.track import copy_sound
    from safelight.media.join import join as join_pieces
    from safelight.media.soundline import SoundSource

    plan = Plan.load(PLAN)
    sheet = Sheet(plan)
    names = [piece_names(number) for number in range(len(job.parts))]
    with Reader(clip) as reader:
        heard = reader.facts.sound
        source = SoundSource(clip, heard) if heard is not None else None
        sound = copy_sound(plan, source, Speech(*SPEECH) if job.speech else None)
        frames = 0
        copies = [(Path(copy), part) for (copy, _), part in zip(names, job.parts, strict=True)]
        for frames in join_pieces(Path("copy.mp4"), reader.facts, copies, sound):
            report(frames, plan.clip.frames)
    for _, tiles in names:
        sheet.add(Path(tiles))
    sheet.save(SHEET)
    return Joined(frames=frames)


def words(job: WordsJob, document: BinaryIO, report: Report) -> Worded:
    """Write ``words.json``: what a document or a media file says, and which of its parts no published file has."""
    from safelight.attack.structure import structure
    from safelight.find.reading import TextReader
    from safelight.media.labels import labels
    from safelight.media.sniff import is_still
    from safelight.names.office import PDF, ZIP, of_archive, of_pdf, read_bytes
    from safelight.names.passages import IN_PICTURE, Passage, reread

    passages: list[Passage] = []
    parts: list[str] = []
    unread = 0
    readers: list[TextReader] = []  # made when the first picture comes

    def media(source: BinaryIO, place: str) -> None:
        nonlocal unread
        passages.extend(Passage(place + label.place, reread(label.text)) for label in labels(source) if label.text)
        source.seek(0)
        if is_still(source):
            readers[:] = readers or [TextReader()]
            with Reader(source, accept_damaged=True) as reader:
                for picture in reader.pictures():
                    found = readers[0].read(picture.bgr(*reader.facts.raster.shown_size))
                    passages.extend([Passage(place + IN_PICTURE, found.text, caseless=True)] if found.text else [])
                    unread += found.unread

    start = document.read(8)
    document.seek(0)
    if start.startswith(ZIP):
        for found in of_archive(document):
            if isinstance(found, Passage):
                passages.append(found)
            else:
                media(io.BytesIO(found[1]), f"picture {found[0]}, ")
            report(len(passages), None)
    elif start.startswith(PDF):
        passages.extend(of_pdf(read_bytes(document)))
    else:
        media(document, "")
        known = structure(document)
        parts = ["unknown form"] if known is None else [part.wrong for part in known if part.wrong]
    told = [[p.place[:200], p.text, p.line, p.caseless] for p in passages]
    WORDS.write_text(json.dumps({"passages": told, "parts": parts, "unread": unread}), encoding="utf-8")
    return Worded()


def stills(job: StillsJob, copy: BinaryIO, report: Report) -> Stilled:
    """Write the pictures of a copy that were asked for."""
    from safelight.media.moments import save_moments

    end = 0.0
    with Reader(copy) as reader:
        for end in save_moments(reader, job.seconds, job.widths, Path()):
            report(int(end * 1000), None)
        width, height = reader.facts.raster.shown_size
        return Stilled(count=len(job.seconds), width=width, height=height, duration=end, still=reader.facts.still)


def listen(clip: BinaryIO, report: Report) -> Listened:
    """Write the sound of a clip, for whoever writes down what is said."""
    from safelight.media.listen import listen as sound_of
    from safelight.media.mel import RATE

    count = 0
    with SOUND.open("wb") as out:
        for heard in sound_of(clip, rate=RATE):
            samples = heard.samples[0]
            begin = round(heard.seconds * RATE)
            missing = min(max(begin - count, 0), RATE * 86_400) if not count else 0  # it may begin late
            out.write(bytes(4 * missing))
            out.write(samples.astype("<f4").tobytes())
            count += missing + len(samples)
            report(count // RATE, None)
    return Listened(samples=count)


def speak(report: Report) -> Spoken:
    """Write the speech of all cues of ``plan.json``. The one job that loads the speech engine."""
    from safelight.hide.sound.speak import speak as speak_cues

    return Spoken(cues=speak_cues(Plan.load(PLAN), *SPEECH, report))


def proxy(job: ProxyJob, clip: BinaryIO, report: Report) -> Proxied:
    """Write a film to play and scrub, and the times of its pictures, into memory."""
    from safelight.media.proxy import write_proxy

    with os.fdopen(job.film, "wb") as film, os.fdopen(job.times, "wb") as times:
        return Proxied(frames=write_proxy(clip.fileno(), film, times, report, job.part))


def wave(job: WaveJob, clip: BinaryIO, report: Report) -> Waved:
    """Write how loud the sound is, and a small copy of it, into memory."""
    from safelight.media.proxy import write_peaks, write_sound

    with os.fdopen(job.peaks, "wb") as peaks, os.fdopen(job.sound, "wb") as sound:
        write_sound(clip.fileno(), sound)
        return Waved(peaks=write_peaks(clip.fileno(), peaks, lambda done: report(done, None)))
