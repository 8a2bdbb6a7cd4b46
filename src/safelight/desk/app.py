"""The desk as a web application: the page, and under ``/api/`` what it asks for."""

from __future__ import annotations

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

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Desk:
    """Everything the desk keeps while it runs."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.sessions = Sessions()
        self._works: dict[str, Work] = {}
        self._lock = threading.Lock()

    def work(self, clip: str) -> Work:
        """The clip with that id, read once. Raises SafelightError."""
        with self._lock:
            if clip not in self._works:
                self._works[clip] = Work(self.store, clip)
            return self._works[clip]

    def close(self) -> None:
        """End everything that runs."""
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
