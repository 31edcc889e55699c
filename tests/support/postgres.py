"""A PostgreSQL of the tests' own: a private cluster in a folder of its own, on a free port of the loopback.

PostgreSQL refuses to run as root, so it then runs as `postgres` or `nobody`.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin")


def binaries() -> Path | None:
    """The folder of `initdb` and `pg_ctl`; `None` where PostgreSQL is not installed."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    folders = sorted(each for pattern in FOLDERS for each in Path("/").glob(pattern[1:]) if (each / "initdb").exists())
    return folders[-1] if folders else None


def missing() -> str | None:
    """Why there can be no server; `None` if there can be one."""
    if binaries() is None:
        return "PostgreSQL is not installed (Debian: apt install postgresql)"
    if os.getuid() == 0 and _user() is None:
        return "PostgreSQL does not run as root, and there is no user postgres or nobody"
    return None


def _user() -> pwd.struct_passwd | None:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None


class Postgres:
    """One cluster. `url(name)` makes an empty database and gives its address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        found = binaries()
        assert found is not None
        self._bin = found
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._as_user: dict[str, Any] = {}
        if os.getuid() == 0 and (user := _user()):
            os.chown(folder, user.pw_uid, user.pw_gid)
            self._as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        data = str(folder / "data")
        self._run("initdb", "-D", data, "-U", "gateway", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")

    def start(self) -> None:
        options = f"-p {self.port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=60"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """As an administrator does it in a hurry: connections are cut."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-w", "-m", "immediate", "stop")

    def url(self, name: str) -> str:
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "gateway", name)
        return f"postgresql://gateway:canary-password@127.0.0.1:{self.port}/{name}"

    def query(self, url: str, statement: str) -> str:
        """What `psql` prints, without headings."""
        return self._run("psql", "-X", "-A", "-t", "-d", url, "-c", statement)

    def dump(self, url: str) -> str:
        return self._run("pg_dump", "--inserts", "-d", url)

    def _run(self, command: str, *args: str) -> str:
        done = subprocess.run(
            [str(self._bin / command), *args],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if command == "pg_ctl" else subprocess.PIPE,
            stderr=subprocess.STDOUT if command != "pg_ctl" else subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=60,
            **self._as_user,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}"
        return done.stdout or ""


@contextlib.contextmanager
def cluster() -> Iterator[Postgres]:
    """A started cluster, which is stopped and deleted in the end."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder))
        server.start()
        try:
            yield server
        finally:
            with contextlib.suppress(AssertionError):
                server.stop()
