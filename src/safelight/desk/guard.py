"""Who may speak to the desk: this browser on this machine, and no page but its own.

Every request passes here first. The address must be the loopback address that was printed (a name that a stranger's
server points to this machine is refused), a page of another origin is refused, a session begins with a token that works
once, and what changes anything must carry a secret that only the desk's own page can read. What leaves carries headers
that keep the browser from storing it and the page from loading anything from elsewhere.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSRF = "x-safelight"
_READS = ("GET", "HEAD")
HEADERS = {
    "content-security-policy": "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'none'",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), display-capture=()",
}


@dataclass
class Session:
    """One browser. ``name``: the person's, as given; empty until then. ``sights``: until when originals may be shown,
    by clip (monotonic seconds).
    """

    id: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    name: str = ""
    sights: dict[str, float] = field(default_factory=dict)


class Sessions:
    """Start tokens and the sessions they became. All end with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: set[str] = set()
        self._sessions: dict[str, Session] = {}
        self.used: Callable[[], object] = lambda: None  # called when a token began a session

    def token(self) -> str:
        """A token that begins one session."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._tokens.add(token)
        return token

    def begin(self, token: str) -> Session | None:
        """The session a token begins; None when there is no such token any more."""
        with self._lock:
            if token not in self._tokens:
                return None
            self._tokens.remove(token)
            session = Session()
            self._sessions[session.secret] = session
        self.used()
        return session

    def of(self, secret: str) -> Session | None:
        """The session a cookie names."""
        with self._lock:
            return self._sessions.get(secret)


class Guard:
    """Stands before the application."""

    def __init__(self, app: ASGIApp, sessions: Sessions, port: int) -> None:
        self._app = app
        self._sessions = sessions
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._cookie = f"safelight-desk-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        if scope["type"] != "http":
            return  # no web sockets here
        answer = self._refusal(scope)
        if answer is not None:
            await answer(scope, receive, sealed)
            return
        await self._app(scope, receive, sealed)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if host not in self._hosts:
            return PlainTextResponse("This address is not the desk's.", 421)
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return PlainTextResponse("Another page may not speak to the desk.", 403)
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return PlainTextResponse("Another page may not speak to the desk.", 403)
        if scope["path"] == "/start" and scope["method"] == "GET":
            return self._start(scope)
        session = self._session(headers)
        if session is None:
            return PlainTextResponse("Open the address that the terminal shows; it works once.", 401)
        given = headers.get(CSRF, "")
        if scope["method"] not in _READS and not hmac.compare_digest(given.encode(), session.csrf.encode()):
            return PlainTextResponse("This did not come from the desk's page.", 403)
        scope["session"] = session
        return None

    def _start(self, scope: Scope) -> Response:
        token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        session = self._sessions.begin(token)
        if session is None:
            return PlainTextResponse("This address was used already; the terminal shows a new one.", 403)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie, session.secret, path="/", httponly=True, samesite="strict")
        return answer

    def _session(self, headers: Headers) -> Session | None:
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return None
        morsel = cookies.get(self._cookie)
        return self._sessions.of(morsel.value) if morsel is not None else None
