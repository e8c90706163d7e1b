"""A PostgreSQL server of the tests' own: made empty, on a free port, and gone with the process."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

OWNER: Final = "owner"
# Has letters that a URL must encode: whoever prints a URL half understood prints a piece of it.
PASSWORD: Final = "hush/@hush:#1"
_SECONDS: Final = 60.0
_PORTS: Final = 5


class Server:
    """One cluster. Over TCP every role needs its password; the tests' own way in is a socket."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        # Not pytest's: those are closed to the user that the server has to be.
        self._room = Path(tempfile.mkdtemp(prefix="reconciler-pg-", dir="/tmp"))
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._uid: int | None
        self._gid: int | None
        self._uid, self._gid = _whom()
        self.port = 0
        atexit.register(self._end)
        if self._uid is not None and self._gid is not None:
            os.chown(self._room, self._uid, self._gid)
        self._groups: list[str | int] | None = None if self._uid is None else []
        self._init()
        self._first_start()

    def url(self, database: str, role: str = OWNER, password: str | None = PASSWORD) -> str:
        """Return the URL of a database, over TCP."""
        secret = "" if password is None else f":{quote(password, safe='')}"
        return f"postgresql://{role}{secret}@127.0.0.1:{self.port}/{database}"

    def database(self) -> str:
        """Make an empty database; return its name."""
        name = f"database{next(self._numbers)}"
        with self.inside("postgres") as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        return name

    def role(self) -> str:
        """Make a role that may log in, with the password of all, and nothing else."""
        name = f"role{next(self._numbers)}"
        with self.inside("postgres") as connection:
            connection.execute(
                sql.SQL("create role {} login password {}").format(
                    sql.Identifier(name), sql.Literal(PASSWORD)
                )
            )
        return name

    @contextmanager
    def inside(self, database: str) -> Iterator[psycopg.Connection]:
        """Connect as the owner of everything, through the socket."""
        with psycopg.connect(
            host=str(self._room), port=self.port, user=OWNER, dbname=database, autocommit=True
        ) as connection:
            yield connection

    def start(self) -> None:
        """Start the server unless it runs, and wait until it lets us in."""
        if self._process is None and not self._starts():
            raise RuntimeError(f"postgres does not start:\n{self._log()}")

    def stop(self) -> None:
        """Stop it; who is connected is thrown out."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(_SECONDS)
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let none of its processes do anything for a while."""
        with self.inside("postgres") as connection:
            rows = connection.execute("select pid from pg_stat_activity").fetchall()
            own = connection.info.backend_pid
        pids = [row[0] for row in rows if row[0] != own]
        if self._process is not None:
            pids.append(self._process.pid)
        for pid in pids:
            _signal(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                _signal(pid, signal.SIGCONT)

    def _init(self) -> None:
        secret = self._room / "password"
        secret.write_text(f"{PASSWORD}\n", "utf-8")
        secret.chmod(0o644)
        subprocess.run(
            [
                *(self._programs / "initdb", "-D", self._room / "data", "-U", OWNER),
                *("--pwfile", secret, "--auth-local=trust", "--auth-host=scram-sha-256"),
                *("-E", "UTF8", "--locale=C", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd=self._room,
            timeout=_SECONDS,
            user=self._uid,
            group=self._gid,
            extra_groups=self._groups,
        )

    def _first_start(self) -> None:
        for _ in range(_PORTS):
            self.port = _free_port()
            if self._starts():
                return
            if "in use" not in self._log():
                break
        raise RuntimeError(f"postgres does not start:\n{self._log()}")

    def _starts(self) -> bool:
        # Whatever kills the tests, the server hears of it: nothing is left running.
        follow = ("setpriv", "--pdeathsig", "QUIT") if shutil.which("setpriv") else ()
        with (self._room / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *follow,
                    *(self._programs / "postgres", "-D", self._room / "data", "-F"),
                    *("-p", str(self.port), "-k", self._room, "-c", "listen_addresses=127.0.0.1"),
                    *("-c", "shared_buffers=16MB", "-c", "max_connections=40"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._room,
                user=self._uid,
                group=self._gid,
                extra_groups=self._groups,
            )
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with self.inside("postgres"):
                    return True
            except psycopg.OperationalError:
                time.sleep(0.05)
        return False

    def _log(self) -> str:
        return (self._room / "log").read_text("utf-8", "replace")

    def _end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(_SECONDS)
        shutil.rmtree(self._room, ignore_errors=True)


@cache
def server() -> Server:
    """Return the server of this process, started if it is not yet; skip where there is none."""
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed")
    return Server(programs)


def _programs() -> Path | None:
    on_path = shutil.which("initdb")
    # The link of Debian leads to a directory with all of them.
    places = [Path(on_path).resolve().parent] if on_path else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((p for p in places if all((p / x).exists() for x in ("initdb", "postgres"))), None)


def _whom() -> tuple[int, int] | tuple[None, None]:
    """Return the user and the group that the server runs as, as it refuses to be root."""
    if os.geteuid() != 0:
        return None, None
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return found.pw_uid, found.pw_gid
    pytest.skip("no user that PostgreSQL could run as")


def _signal(pid: int, number: signal.Signals) -> None:
    # A connection may have ended by itself since it was listed.
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
