"""S3 as moto speaks it, one request at a time, with faults in front of it; one for each process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from itertools import count
from socket import SHUT_RDWR
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.request import Request, urlopen

import pytest

if TYPE_CHECKING:
    from werkzeug.serving import BaseWSGIServer

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

ACCESS_KEY: Final = "AKIAHUSHHUSHHUSH"
SECRET_KEY: Final = "hush/hush+hush"


class Kind(Enum):
    """What goes wrong with a request."""

    ANSWER = "it is not carried out; status and code are the answer"
    LOST = "it is carried out; status and code are the answer all the same"
    CUT = "it is carried out, and the connection is closed without an answer"
    TORN = "it is carried out, and the connection is closed in the middle of the answer's body"
    SLOW = "it waits, and is carried out"
    UNCONDITIONAL = "it is carried out whatever its conditions say"


@dataclass(slots=True)
class Fault:
    """Something wrong with the next `times` requests of a method."""

    kind: Kind
    method: str
    times: int = 1
    status: str = "503 Service Unavailable"
    code: str = "SlowDown"
    seconds: float = 0.0


@dataclass(slots=True)
class Front:
    """The application in front of moto: counts, breaks what shall break, lets one in at a time."""

    behind: Application
    faults: list[Fault] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    turn: Lock = field(default_factory=Lock)

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        method: str = environ["REQUEST_METHOD"]
        self.calls.append(f"{method} {environ['PATH_INFO']}")
        fault = self._due(method)
        if fault is None:
            return self._carried_out(environ, start)
        match fault.kind:
            case Kind.ANSWER:
                _emptied(environ)
                return _answer(fault, start)
            case Kind.LOST:
                self._carried_out(environ, _deaf)
                return _answer(fault, start)
            case Kind.CUT:
                self._carried_out(environ, _deaf)
                environ["werkzeug.socket"].shutdown(SHUT_RDWR)
                return _answer(fault, start)
            case Kind.TORN:
                body = b"".join(self._carried_out(environ, start))
                return _torn(body, environ)
            case Kind.SLOW:
                time.sleep(fault.seconds)
            case Kind.UNCONDITIONAL:
                environ.pop("HTTP_IF_MATCH", None)
                environ.pop("HTTP_IF_NONE_MATCH", None)
        return self._carried_out(environ, start)

    def _due(self, method: str) -> Fault | None:
        with self.turn:
            for fault in self.faults:
                if fault.method == method and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def _carried_out(self, environ: Environ, start: StartResponse) -> list[bytes]:
        # moto looks at a condition first and writes later: two at once could both pass.
        with self.turn:
            return list(self.behind(environ, start))


class Reachable(Protocol):
    """A server of objects, ours or another, by the variables that make a program talk to it."""

    @property
    def environment(self) -> Mapping[str, str]: ...


class S3:
    """The server. What it keeps outlives a stop, and goes with the process."""

    def __init__(self) -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        self.front = Front(DomainDispatcherApplication(create_backend_app))
        self._numbers = count(1)
        self._running: tuple[BaseWSGIServer, Thread] | None = None
        self._port = 0
        self.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that make a program, or an SDK, talk to this server."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
            # A proxy of the machine has no part in it.
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def bucket(self) -> str:
        """Make an empty bucket; return its name."""
        name = f"bucket{next(self._numbers)}"
        with urlopen(Request(f"{self.endpoint}/{name}", method="PUT"), timeout=60):
            return name

    def start(self) -> None:
        """Start, on the port of before; nothing if it runs."""
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):
            # One connection for a request: after a stop nobody is still talking to it.
            protocol_version = "HTTP/1.0"

            def log(self, type: str, message: str, *args: Any) -> None:
                pass

        if self._running is None:
            server = make_server(
                "127.0.0.1", self._port, self.front, threaded=True, request_handler=Quiet
            )
            self._port = server.port
            thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            self._running = server, thread

    def stop(self) -> None:
        """Refuse connections until it is started again."""
        if self._running is not None:
            server, thread = self._running
            server.shutdown()
            thread.join()
            server.server_close()
            self._running = None

    def break_next(self, *faults: Fault) -> None:
        """Let these faults, and no other ones, come from now on; forget the calls so far."""
        self.front.faults[:] = faults
        self.front.calls.clear()


@cache
def server() -> S3:
    """Return the server of this process, started if it is not yet; skip where moto is missing."""
    pytest.importorskip("moto.server")
    pytest.importorskip("obstore")
    return S3()


@contextmanager
def reached(running: Reachable) -> Iterator[None]:
    """Let this process talk to the server for a while, and to no other place of that kind."""
    with pytest.MonkeyPatch.context() as patch:
        forget(patch)
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield


def forget(patch: pytest.MonkeyPatch) -> None:
    """Take whatever the machine's own environment says about object stores away."""
    import os

    for name in [name for name in os.environ if name.startswith(("AWS_", "AZURE_", "GOOGLE_"))]:
        patch.delenv(name)


def _answer(fault: Fault, start: StartResponse) -> list[bytes]:
    body = f"<Error><Code>{fault.code}</Code><Message>hush</Message></Error>".encode()
    start(fault.status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [body]


def _torn(body: bytes, environ: Environ) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    environ["werkzeug.socket"].shutdown(SHUT_RDWR)


def _emptied(environ: Environ) -> None:
    # Unread bytes would make the kernel reset the connection before the answer is read.
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))


def _deaf(status: str, headers: list[tuple[str, str]], info: object = None) -> Callable[..., None]:
    del status, headers, info
    return lambda _: None
