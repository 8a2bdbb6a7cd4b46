"""The desk as a web application: the page, and under ``/api/`` what it asks for."""

from __future__ import annotations

import contextlib
import threading
from importlib import resources

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from safelight.desk import api, media
from safelight.desk.guard import Guard, Sessions
from safelight.desk.store import Store
from safelight.desk.work import Work
from safelight.errors import SafelightError

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_SILENCE = 5.0  # seconds between two looks whether browsers fell silent


class Desk:
    """Everything the desk keeps while it runs."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.sessions = Sessions()
        self._works: dict[str, Work] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        threading.Thread(target=self._let_go, daemon=True).start()

    def _let_go(self) -> None:
        """What a browser fell silent over is given back, so that another desk can have it."""
        while not self._ended.wait(_SILENCE):
            with self._lock:
                works = list(self._works.values())
            for work in works:
                with contextlib.suppress(SafelightError):  # told to whoever asks for the clip next
                    work.holder()

    def work(self, clip: str) -> Work:
        """The clip with that id, as it is now. Raises SafelightError."""
        with self._lock:
            work = self._works.get(clip)
            if work is None:
                work = self._works[clip] = Work(self.store, clip)
        work.look()
        return work

    def close(self) -> None:
        """End everything that runs."""
        self._ended.set()
        with self._lock:
            for work in self._works.values():
                work.close()
            self._works.clear()


def application(desk: Desk, port: int) -> Guard:
    """The guarded application."""
    page = _page()

    async def static(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in page:
            return PlainTextResponse("There is no such page.", 404)
        return Response(page[name], media_type=_KINDS[name[name.rindex(".") :]])

    routes = [Route("/", static), Route("/assets/{name}", static), *api.routes(), *media.routes()]
    app = Starlette(routes=routes, exception_handlers={Exception: api.broken})
    app.state.desk = desk
    return Guard(app, desk.sessions, port)


def _page() -> dict[str, bytes]:
    """The built page, by file name. Nothing else can be asked for, so no path reaches the disk."""
    folder = resources.files("safelight.desk") / "static"
    files = [folder / "index.html", *(folder / "assets").iterdir()]
    return {file.name: file.read_bytes() for file in files if file.is_file()}
