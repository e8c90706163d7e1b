"""The stub over HTTP: the standard library's server over a world, with faults if wanted.

It is small and slow, and knows no limits. What arrived is written down, and whether it was done.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from .faults import WRITES, Fault, Line, Occasion, Schedule, message, no_fault
from .watch import Watch, touched
from .world import Reply, World, failed, refused

__all__ = ["Logged", "Stub", "World"]

PUSH = "/people/2/contactInformation/push/"
APPLICATIONS = "/push/1/applications"
TOKEN = "/auth/1/oauth2/token"


@dataclass
class Logged:
    """A call that arrived. `done`: it was carried out, and the world said 200 to it."""

    occasion: Occasion
    method: str
    fault: Fault | None
    done: bool = False

    @property
    def is_lost(self) -> bool:
        return self.fault is not None and self.fault.is_lost


def operation_of(method: str, path: str) -> str:
    """Return the contract's word for a call, or "other"."""
    if (method, path) == ("POST", TOKEN):
        return "token"
    if (method, path) == ("GET", "/people/2/persons"):
        return "persons"
    if (method, path) == ("GET", APPLICATIONS):
        return "applications"
    if (method, path) == ("POST", "/people/2/persons/match"):
        return "match"
    action = path.removeprefix(PUSH).partition("/")[2] if path.startswith(PUSH) else "?"
    names = {("GET", ""): "get", ("PATCH", ""): "update"}
    names |= {("POST", name): name for name in ("personalize", "depersonalize")}
    return names.get((method, action), "other")


class Stub:
    """Serve a world on 127.0.0.1 for the length of a `with`; `log` has what arrived, in order.

    The `schedule` is asked at each call which fault it meets. A write takes `latency` seconds, so
    that two at a time are seen.
    """

    def __init__(
        self, world: World | None = None, schedule: Schedule = no_fault, latency: float = 0.0
    ) -> None:
        self.world = world or World()
        self.schedule = schedule
        self.latency = latency
        self.log: list[Logged] = []
        self.watch = Watch()
        self.closing = threading.Event()
        self._attempts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body may leave in two writes; Nagle's wait between them costs 40 ms a call.
            disable_nagle_algorithm = True

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                fault, true = stub.answer(
                    self.command, self.path, self.headers, self.rfile.read(length)
                )
                if fault is None:
                    self.wfile.write(true)
                    return
                self.close_connection = not fault.keeps
                try:
                    fault.deliver(Line(self.connection, stub.closing), true)
                except OSError:
                    # The client had enough of it.
                    self.close_connection = True

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing: the tests look at `log`."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            # The usual five waiting connections make the kernel drop the sixth for a second.
            request_queue_size = 256

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Say nothing of connections that ended badly: they were meant to."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def calls(self) -> list[tuple[str, str]]:
        """What arrived as (method, path?query)."""
        return [(logged.method, logged.occasion.target) for logged in self.log]

    @property
    def writes(self) -> list[Logged]:
        return [logged for logged in self.log if logged.occasion.is_write]

    def forget(self) -> None:
        """Forget the calls made so far; the next one is number 1 again."""
        with self._lock:
            self.log, self._attempts = [], Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(
        self, method: str, target: str, headers: Any, body: bytes
    ) -> tuple[Fault | None, bytes]:
        """Carry a call out, unless its fault keeps it from that; return the true answer."""
        with self._lock:
            logged = self._noted(method, target)
            keys = self._touched(logged.occasion, body)
        with self.watch.over(logged.occasion.number, keys):
            if logged.occasion.is_write:
                time.sleep(self.latency)
            if logged.fault is not None and not logged.fault.carried_out:
                return logged.fault, message(500, b"")
            with self._lock:
                status, reply = self._reply(method, target, headers, body)
                logged.done = status == 200
        data = b"" if reply is None else json.dumps(reply).encode()
        return logged.fault, message(status, data)

    def _noted(self, method: str, target: str) -> Logged:
        operation = operation_of(method, urlsplit(target).path)
        self._attempts[method, target] += 1
        attempt = self._attempts[method, target]
        occasion = Occasion(len(self.log) + 1, attempt, operation, target)
        logged = Logged(occasion, method, self.schedule(occasion))
        self.log.append(logged)
        return logged

    def _touched(self, occasion: Occasion, body: bytes) -> set[str]:
        if occasion.operation not in WRITES:
            return set()
        id = unquote(urlsplit(occasion.target).path.removeprefix(PUSH).partition("/")[0])
        return touched(self.world, id, occasion.operation, json.loads(body) if body else {})

    def _reply(self, method: str, target: str, headers: Any, body: bytes) -> Reply:
        parts = urlsplit(target)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if (method, parts.path) == ("POST", TOKEN):
            return self._token(body)
        scheme, _, secret = headers.get("Authorization", "").partition(" ")
        if scheme not in ("App", "Basic", "IBSSO", "Bearer") or not secret:
            return failed(401, "UNAUTHORIZED", "Invalid login details")
        if (method, parts.path) == ("GET", "/people/2/persons"):
            return self.world.persons(query)
        if (method, parts.path) == ("GET", APPLICATIONS):
            return self.world.listed()
        if (method, parts.path) == ("POST", "/people/2/persons/match"):
            return self.world.match(json.loads(body))
        if not parts.path.startswith(PUSH):
            return failed(404, "NOT_FOUND", "Not found")
        return self._push(method, parts.path.removeprefix(PUSH), query, headers, body)

    def _push(
        self, method: str, rest: str, query: dict[str, str], headers: Any, body: bytes
    ) -> Reply:
        id, _, action = rest.partition("/")
        code = headers.get("AppCode")
        if not code:
            return refused(48001, "Application code missing")
        if code not in self.world.applications:
            return refused(48012, "Push application not found")
        registration = self.world.registrations.get(unquote(id))
        application = self.world.applications[code]
        if registration is None or registration["applicationId"] != application:
            return refused(48013, "Push registration not found")
        match method, action:
            case "GET", "":
                return self.world.get(registration)
            case "PATCH", "":
                return self.world.update(registration, json.loads(body))
            case "POST", "personalize":
                return self.world.personalize(registration, json.loads(body), query)
            case "POST", "depersonalize":
                return self.world.depersonalize(registration)
            case _:
                return failed(404, "NOT_FOUND", "Not found")

    def _token(self, body: bytes) -> Reply:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if form.get("grant_type") != "client_credentials" or not form.get("client_secret"):
            return 400, {"error": "invalid_client"}
        return 200, {"access_token": "token-1", "expires_in": 3600, "token_type": "Bearer"}
