"""Run the desk: on the loopback address, until it is stopped, and open it in the browser."""

from __future__ import annotations

import socket
import threading
import webbrowser
from collections.abc import Callable

import uvicorn

from safelight.desk.app import Desk, application
from safelight.desk.store import Store
from safelight.errors import Code, SafelightError


def serve(store: Store, *, port: int, browser: bool, say: Callable[[str], None]) -> None:
    """Serve until a signal ends it. ``port`` 0: any free one. ``say`` is told each address, which works once.

    Raises SL-PORT-TAKEN.
    """
    listener = _listener(port)
    port = listener.getsockname()[1]
    desk = Desk(store)

    def invite() -> str:
        address = f"http://127.0.0.1:{port}/start?token={desk.sessions.token()}"
        say(address)
        return address

    desk.sessions.used = invite
    config = uvicorn.Config(
        application(desk, port),
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        ws="none",
        lifespan="off",
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    address = invite()
    if browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    try:
        server.run(sockets=[listener])
    finally:
        desk.close()


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise SafelightError(Code.PORT_TAKEN, f"Port {port} cannot be used: {error.strerror}.") from error
    listener.listen(128)
    return listener
