"""A PostgreSQL server of our own, where its programs are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from pathlib import Path


def programs() -> Path | None:
    """Where a server's programs lie."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    named = shutil.which("initdb")
    return max(found, default=Path(named).parent if named else None)


class Server:
    """A server of its own, on a free port of this machine. The superuser may not run one: nobody does then."""

    def __init__(self, where: Path, folder: Path) -> None:
        self._where, self._data = where, folder / "data"
        self._user = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else None
        self._data.mkdir()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"postgresql+psycopg://desk@127.0.0.1:{self.port}/postgres"
        if self._user is not None:
            os.chown(self._data, self._user, -1)
            for above in (folder, *folder.parents[:-1]):
                if above.stat().st_uid == 0 and not above.stat().st_mode & 0o001:
                    above.chmod(0o711)
        self._run("initdb", "-A", "trust", "-U", "desk", "-D", str(self._data))

    def start(self) -> None:
        words = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories= -c fsync=off"
        self._run("pg_ctl", "-w", "-D", str(self._data), "-o", words, "-l", str(self._data / "log"), "start")

    def stop(self) -> None:
        """As pulling the plug would."""
        self._run("pg_ctl", "-w", "-m", "immediate", "-D", str(self._data), "stop")

    def _run(self, program: str, *words: str) -> None:
        subprocess.run(
            [self._where / program, *words],
            check=True,
            user=self._user,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
        )
