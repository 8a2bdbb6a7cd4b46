"""What the page asks for and does, as JSON under ``/api/``."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from safelight.desk import answers
from safelight.desk.edits import Delta
from safelight.desk.guard import Session
from safelight.desk.work import Holder, Work
from safelight.errors import Code, SafelightError

if TYPE_CHECKING:
    from safelight.desk.app import Desk

MAX_BODY = 1 << 20  # bytes
_STATUS = {
    Code.NOT_FOUND: 404,
    Code.DESK_BEHIND: 409,
    Code.DESK_TAKEN: 423,
    Code.NOT_READY: 409,
    Code.EDIT_REFUSED: 422,
    Code.TOO_LARGE: 413,
}
A = TypeVar("A", bound=BaseModel)
Handler = Callable[[Request], Awaitable[Response]]


def routes() -> list[Route]:
    """All of them."""
    clip = "/api/clips/{clip}"
    return [
        Route("/api/session", answered(_session)),
        Route("/api/session", asked(answers.NameAsking, _name), methods=["POST"]),
        Route("/api/clips", answered(_clips)),
        Route(clip, answered(_status)),
        Route(clip + "/plan", answered(_plan)),
        Route(clip + "/queue", answered(_queue)),
        Route(clip + "/hold", answered(_hold), methods=["POST"]),
        Route(clip + "/hold", answered(_release), methods=["DELETE"]),
        Route(clip + "/edits", asked(answers.EditAsking, _edit), methods=["POST"]),
        Route(clip + "/undo", asked(answers.VersionAsking, _undo), methods=["POST"]),
        Route(clip + "/redo", asked(answers.VersionAsking, _redo), methods=["POST"]),
        Route(clip + "/seen", asked(answers.SeenAsking, _seen), methods=["POST"]),
        Route(clip + "/copy", answered(_make), methods=["POST"]),
        Route(clip + "/copy", answered(_stop), methods=["DELETE"]),
        Route(clip + "/signature", answered(_sign), methods=["POST"]),
        Route(clip + "/publication", answered(_publish), methods=["POST"]),
    ]


def answered(do: Callable[[Request], BaseModel | None]) -> Handler:
    """A handler that asks for nothing but an address; ``do`` runs in a thread of its own."""

    async def handle(request: Request) -> Response:
        return await _done(lambda: do(request))

    return handle


def asked(kind: type[A], do: Callable[[Request, A], BaseModel | None]) -> Handler:
    """A handler that takes a body of that kind, in JSON, of at most MAX_BODY bytes."""

    async def handle(request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY:
                return refusal(SafelightError(Code.TOO_LARGE, "This is more than the desk takes."))
        try:
            taken = kind.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            return refusal(SafelightError(Code.EDIT_REFUSED, f"This was not understood at {place}: {first['msg']}."))
        return await _done(lambda: do(request, taken))

    return handle


async def _done(do: Callable[[], BaseModel | None]) -> Response:
    try:
        answer = await run_in_threadpool(do)
    except SafelightError as error:
        return refusal(error)
    if answer is None:
        return Response(status_code=204)
    return Response(answer.model_dump_json(), media_type="application/json")


def refusal(error: SafelightError) -> Response:
    """A refusal as the page gets it."""
    told = answers.Refusal(code=error.code, detail=error.detail, next_step=error.next_step)
    return Response(told.model_dump_json(), _STATUS.get(error.code, 422), media_type="application/json")


async def broken(request: Request, error: Exception) -> Response:
    """A mistake of ours: said with its code; Starlette raises it again for the terminal."""
    told = answers.Refusal(code=Code.BUG, detail=type(error).__name__, next_step=SafelightError(Code.BUG, "").next_step)
    return Response(told.model_dump_json(), 500, media_type="application/json")


def desk_of(request: Request) -> Desk:
    """The desk that is asked."""
    desk: Desk = request.app.state.desk
    return desk


def session_of(request: Request) -> Session:
    """The browser that asks."""
    session: Session = request.scope["session"]
    return session


def work_of(request: Request) -> Work:
    """The clip that is asked about. Raises SL-NOT-FOUND."""
    return desk_of(request).work(request.path_params["clip"])


# ----------------------------------------------------------------------------------------------------------------------


def _session(request: Request) -> answers.SessionAnswer:
    session, store = session_of(request), desk_of(request).store
    return answers.SessionAnswer(
        name=session.name, csrf=session.csrf, signatures=store.signatures, members=store.members
    )


def _name(request: Request, asking: answers.NameAsking) -> answers.SessionAnswer:
    members = desk_of(request).store.members
    if members and asking.name not in members:
        raise SafelightError(Code.EDIT_REFUSED, "Nobody of that name belongs to this case.")
    session_of(request).name = asking.name.strip()
    return _session(request)


class _Clips(BaseModel):
    clips: list[answers.ClipLine]


def _clips(request: Request) -> BaseModel:
    lines = []
    for entry in desk_of(request).store.entries():
        try:
            work = desk_of(request).work(entry.id)
            clip = work.plan.clip
            unseen = [item for item in work.queue() if item.key not in work.seen()]
            line = answers.ClipLine(
                id=entry.id,
                name=entry.name,
                state=work.state(),
                seconds=(clip.last_pts - clip.first_pts) * clip.time_base[0] / clip.time_base[1],
                tracks=len(work.plan.regions),
                unseen=len(unseen),
                risk=round(sum(item.weight for item in unseen), 1),
                holder=_holder(request, work.holder()),
                checking=work.standing().checking,
            )
        except SafelightError as error:
            line = answers.ClipLine(id=entry.id, name=entry.name, trouble=str(error))
        lines.append(line)
    return _Clips(clips=lines)


def _holder(request: Request, holder: Holder | None) -> answers.HolderAnswer | None:
    if holder is None:
        return None
    return answers.HolderAnswer(who=holder.who, mine=holder.session == session_of(request).id)


def _status(request: Request) -> answers.Status:
    work, session = work_of(request), session_of(request)
    standing, seen = work.standing(), work.seen()
    undo, redo = work.undoable
    queue = work.queue()
    making = work.making
    reel = work.pictures().reel
    return answers.Status(
        name=desk_of(request).store.name(work.id),
        state=work.state(),
        version=work.version,
        holder=_holder(request, work.holder()),
        undo=undo,
        redo=redo,
        queue=_stamp(work),
        unseen=sum(item.key not in seen for item in queue),
        items=len(queue),
        copy_sha256=standing.copy,
        outcome=standing.outcome,
        sentence=standing.sentence,
        signed=[answers.Signed(who=s.who, when=s.when) for s in standing.signed],
        missing=work.missing(session.name),
        making=answers.Progress(
            stage=making.stage, done=making.done, total=making.total, failed=making.failed, finished=making.finished
        )
        if making
        else None,
        film=answers.Progress(
            stage="proxy",
            done=reel.done,
            total=reel.total,
            failed=reel.failed,
            finished=bool(reel.ready),
        ),
        reel=answers.ReelAnswer(
            starts=reel.starts, ready=reel.ready, sound=reel.sound is not None and reel.sound.size > 0
        ),
        peaks=reel.peaks.size if reel.peaks is not None else 0,
        proven=work.proven,
    )


def _stamp(work: Work) -> str:
    told = "\n".join([*(item.key for item in work.queue()), "", *sorted(work.seen())])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _plan(request: Request) -> answers.PlanAnswer:
    work = work_of(request)
    return answers.PlanAnswer(version=work.version, rate=work.rate, plan=work.plan)


def _queue(request: Request) -> answers.QueueAnswer:
    work = work_of(request)
    return answers.QueueAnswer(stamp=_stamp(work), items=work.queue(), seen=sorted(work.seen()))


def _hold(request: Request) -> answers.HolderAnswer:
    session = session_of(request)
    if not session.name:
        raise SafelightError(Code.NOT_READY, "Say who you are first.")
    holder = work_of(request).hold(session.id, session.name)
    return answers.HolderAnswer(who=holder.who, mine=True)


def _release(request: Request) -> None:
    work_of(request).release(session_of(request).id)


def _edited(work: Work, delta: Delta) -> answers.EditAnswer:
    undo, redo = work.undoable
    return answers.EditAnswer(version=work.version, delta=delta, undo=undo, redo=redo)


def _edit(request: Request, asking: answers.EditAsking) -> answers.EditAnswer:
    work = work_of(request)
    return _edited(work, work.edit(session_of(request).id, asking.version, asking.edit))


def _undo(request: Request, asking: answers.VersionAsking) -> answers.EditAnswer:
    work = work_of(request)
    return _edited(work, work.undo(session_of(request).id, asking.version))


def _redo(request: Request, asking: answers.VersionAsking) -> answers.EditAnswer:
    work = work_of(request)
    return _edited(work, work.redo(session_of(request).id, asking.version))


def _seen(request: Request, asking: answers.SeenAsking) -> None:
    work_of(request).mark(session_of(request).id, asking.items, seen=asking.seen)


def _make(request: Request) -> None:
    work_of(request).make(session_of(request).id)


def _stop(request: Request) -> None:
    making = work_of(request).making
    if making is not None:
        making.cancel.set()


def _sign(request: Request) -> None:
    work_of(request).sign(session_of(request).id)


def _publish(request: Request) -> None:
    work_of(request).publish(session_of(request).id)
