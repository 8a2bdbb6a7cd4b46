"""Pictures and sound for the page, under ``/api/clips/ID/``: stills, thumbnails, the film to play, the waveform."""

from __future__ import annotations

import os
import re
import struct
import time
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from safelight.desk.answers import SightAsking
from safelight.desk.api import Handler, answered, asked, desk_of, refusal, session_of, work_of
from safelight.desk.work import Work
from safelight.errors import Code, SafelightError
from safelight.hide.tile import surroundings

SIGHT_SECONDS = 15.0  # the page asks again while the key is held
_PIECE = 1 << 20  # bytes of a film sent at once
_COPY_KINDS = {".mp4": "video/mp4", ".png": "image/png", ".jpg": "image/jpeg"}
_RANGE = re.compile(r"bytes=(\d{1,12})-(\d{0,12})")


def routes() -> list[Route]:
    """All of them."""
    clip = "/api/clips/{clip}"
    return [
        Route(clip + "/times", _served(_times)),
        Route(clip + "/frames/{frame:int}", _served(_frame)),
        Route(clip + "/thumbs/{region}/{frame:int}", _served(_thumb)),
        Route(clip + "/film/{at:int}", _served(_film)),
        Route(clip + "/film/{at:int}", answered(_want_film), methods=["POST"]),
        Route(clip + "/sound", _served(_sound)),
        Route(clip + "/copy", _served(_copy)),
        Route(clip + "/peaks", _served(_peaks)),
        Route(clip + "/original", asked(SightAsking, _see), methods=["POST"]),
        Route(clip + "/original", answered(_unsee), methods=["DELETE"]),
    ]


def _served(do: Callable[[Request], Response]) -> Handler:
    async def handle(request: Request) -> Response:
        try:
            return await run_in_threadpool(do, request)
        except SafelightError as error:
            return refusal(error)

    return handle


def _times(request: Request) -> Response:
    times = work_of(request).pictures().times()
    return Response(struct.pack(f"<{len(times)}d", *times), media_type="application/octet-stream")


def _frame(request: Request) -> Response:
    """``view=original`` needs leave (see :func:`_see`); ``width`` at most, ``exact`` for PNG."""
    work = work_of(request)
    bare = request.query_params.get("view") == "original"
    if bare and session_of(request).sights.get(work.id, 0.0) < time.monotonic():
        raise SafelightError(Code.NOT_READY, "The original is shown only while its key is held.")
    exact = "exact" in request.query_params
    width = _number(request, "width", 16, 16384)
    pts, picture = work.pictures().still(
        work.plan, _in_clip(work, request.path_params["frame"]), width, bare=bare, exact=exact
    )
    kind = "image/png" if exact else "image/jpeg"
    return Response(picture, media_type=kind, headers={"x-pts": str(pts)})


def _thumb(request: Request) -> Response:
    """What is around a region at a frame, as hidden."""
    work = work_of(request)
    plan, frame = work.plan, _in_clip(work, request.path_params["frame"])
    region = next((r for r in plan.regions if r.id == request.path_params["region"]), None)
    box = region.box_at(frame) if region is not None else None
    if box is None:
        raise SafelightError(Code.NOT_FOUND, "The region is not in this frame.")
    cut = surroundings(box, (plan.clip.width, plan.clip.height))
    width = _number(request, "width", 16, 640) or 112
    return Response(work.pictures().thumb(plan, frame, cut, width), media_type="image/jpeg")


def _number(request: Request, name: str, least: int, most: int) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 6 or not least <= int(text) <= most:
        raise SafelightError(Code.EDIT_REFUSED, f"{name} must be a number from {least} to {most}.")
    return int(text)


def _in_clip(work: Work, frame: int) -> int:
    if frame >= work.plan.clip.frames:
        raise SafelightError(Code.NOT_FOUND, f"There is no frame {frame}.")
    return frame


def _peaks(request: Request) -> Response:
    peaks = work_of(request).pictures().reel.peaks
    if peaks is None:
        raise SafelightError(Code.NOT_READY, "The sound was not looked at yet.")
    return Response(peaks.read(0, peaks.size), media_type="application/octet-stream")


def _want_film(request: Request) -> None:
    """Begin to make the film around a frame, in the background."""
    work = work_of(request)
    work.pictures().reel.want(_in_clip(work, request.path_params["at"]))


def _film(request: Request) -> Response:
    """A piece of the film to play, only for who has the clip: it shows the original, the page covers what is hidden."""
    with _held(request).pictures().reel.lent(request.path_params["at"]) as descriptor:
        return _piece(descriptor, "video/mp4", request.headers.get("range"))


def _sound(request: Request) -> Response:
    """The original's sound, only for who has the clip."""
    sound = _held(request).pictures().reel.sound
    if sound is None or not sound.size:
        raise SafelightError(Code.NOT_READY, "There is no sound to hear yet.")
    return _piece(sound.descriptor, "audio/mp4", request.headers.get("range"))


def _held(request: Request) -> Work:
    work = work_of(request)
    holder = work.holder()
    if holder is None or holder.session != session_of(request).id:
        raise SafelightError(Code.DESK_TAKEN, "Only who has the clip can play it.")
    return work


def _copy(request: Request) -> Response:
    """The copy as it lies there, to be watched before it is signed."""
    work = work_of(request)
    with desk_of(request).store.copy(work.id) as copy:
        kind = _COPY_KINDS[copy.path.suffix]
        return _piece(copy.descriptor, kind, request.headers.get("range"))


def _piece(descriptor: int, kind: str, asked_range: str | None) -> Response:
    """A part of a file (RFC 9110, 14): one range, in pieces of a sensible size."""
    size = os.fstat(descriptor).st_size
    headers = {"accept-ranges": "bytes"}
    if asked_range is None:
        return Response(os.pread(descriptor, size, 0), media_type=kind, headers=headers)
    match = _RANGE.fullmatch(asked_range.strip())
    start = int(match[1]) if match else size
    end = min(int(match[2]) if match and match[2] else size - 1, size - 1, start + _PIECE - 1)
    if not match or start > end:
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{size}"})
    headers["content-range"] = f"bytes {start}-{end}/{size}"
    return Response(os.pread(descriptor, end - start + 1, start), 206, media_type=kind, headers=headers)


def _see(request: Request, asking: SightAsking) -> None:
    """Leave to see the original, for some seconds; noted before anything is shown."""
    work, session = work_of(request), session_of(request)
    if session.sights.get(work.id, 0.0) < time.monotonic():
        work.note(session.id, f"look at the original from frame {asking.frame}")
    session.sights[work.id] = time.monotonic() + SIGHT_SECONDS


def _unsee(request: Request) -> None:
    session_of(request).sights.pop(work_of(request).id, None)
