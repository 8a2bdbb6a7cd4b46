"""Choosing the track that is the film, and counting all that will be left behind: kinds and numbers, never values."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from av.container import InputContainer
from av.sidedata.sidedata import Type
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from safelight.errors import Code, SafelightError
from safelight.media import upright
from safelight.media.facts import Dropped, SoundFacts
from safelight.media.source import CODECS, MAX_PIXELS, MAX_SIDE

_NO_FILM = Disposition.attached_pic | Disposition.timed_thumbnails
_TRACKS = {
    "video": "picture track",
    "audio": "sound track",
    "subtitle": "subtitle track",
    "data": "data track",
}
_INSIDE = {
    Type.SEI_UNREGISTERED: "note inside the picture stream",
    Type.A53_CC: "closed captions inside the picture stream",
    Type.GOP_TIMECODE: "time code inside the picture stream",
    Type.S12M_TIMECODE: "time code inside the picture stream",
    Type.ICC_PROFILE: "colour profile",
    Type.SPHERICAL: "spherical description",
    Type.DOVI_METADATA: "Dolby Vision description",
    Type.DOVI_RPU_BUFFER: "Dolby Vision description",
    Type.DYNAMIC_HDR_PLUS: "HDR10+ description",
}


def choose(container: InputContainer) -> VideoStream:
    """The track that is the film: the default one, else the largest; never cover art.

    Raises SL-NO-PICTURE, SL-UNSUPPORTED (a codec that is not allowed), SL-TOO-LARGE.
    """
    films = [track for track in container.streams.video if not track.disposition & _NO_FILM]
    if not films:
        if container.streams.audio:
            raise SafelightError(Code.NO_PICTURE, "The file holds sound but no moving picture.")
        raise SafelightError(Code.NO_PICTURE, "The file holds neither picture nor sound.")
    film = max(films, key=lambda track: (track.codec_context is not None, _area(track)))
    if film.codec_context is None or film.codec_context.codec.name not in CODECS:
        raise SafelightError(Code.UNSUPPORTED, "The picture is coded in a way Safelight does not read.")
    check_size(film.codec_context.width, film.codec_context.height)
    return film


def check_size(width: int, height: int) -> None:
    """Refuse pictures that would fill the memory. Raises SL-TOO-LARGE."""
    if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
        raise SafelightError(
            Code.TOO_LARGE,
            f"The picture has {width}x{height} pixels; the limit is {MAX_SIDE} a side and {MAX_PIXELS} in all.",
        )


def _area(track: VideoStream) -> int:
    return track.codec_context.width * track.codec_context.height if track.codec_context is not None else 0


def sound_of(container: InputContainer) -> Stream | None:
    """The sound track that the clip's sound stands for: the default one, else the first."""
    tracks = container.streams.audio
    return next((t for t in tracks if t.disposition & Disposition.default), tracks[0] if tracks else None)


def seconds(ticks: int | None, base: Fraction | None) -> float | None:
    """Ticks as seconds, when both are known."""
    return None if ticks is None or base is None else float(ticks * base)


def sound_facts(container: InputContainer, track: Stream | None, origin: float) -> SoundFacts | None:
    """What is known of the sound without decoding it; ``origin`` is the clip's time 0 in container seconds."""
    if track is None:
        return None
    context = track.codec_context
    start = seconds(track.start_time, track.time_base)
    length = seconds(track.duration, track.time_base)
    if length is None:
        whole = container.duration
        begin = (container.start_time or 0) / 1e6
        length = 0.0 if whole is None else max(begin + whole / 1e6 - (start if start is not None else begin), 0.0)
    return SoundFacts(
        codec=(context.codec.canonical_name if context is not None else "unknown")[:50],
        rate=getattr(context, "sample_rate", 0) or 48000,
        channels=min(getattr(context, "channels", 0) or 1, 256),
        start=0.0 if start is None else start - origin,
        duration=length,
    )


def dropped(container: InputContainer, film: VideoStream, first: VideoFrame) -> list[Dropped]:
    """All that the copy will not have, as far as the header and the first picture tell."""
    kinds: Counter[str] = Counter()
    for track in container.streams:
        if track.index == film.index:
            kinds["tag of the picture track"] += len(track.metadata)
            continue
        kind = _TRACKS.get(track.type, "attachment" if track.type == "attachment" else "unknown track")
        if track.type == "video" and track.disposition & _NO_FILM:
            kind = "cover picture"
        kinds[kind] += 1
        kinds[f"tag of a {kind}"] += len(track.metadata)
    kinds["tag of the file"] += len(container.metadata)
    chapters = container.chapters()
    kinds["chapter"] += len(chapters)
    kinds["tag of a chapter"] += sum(len(chapter["metadata"]) for chapter in chapters)
    notes = upright.notes(first)
    if notes is None:
        kinds["note inside the picture stream"] += 1
    for note in _INSIDE:
        if note in (notes or ()):
            kinds[_INSIDE[note]] += 1
    return [Dropped(kind=kind, count=count) for kind, count in sorted(kinds.items()) if count]
