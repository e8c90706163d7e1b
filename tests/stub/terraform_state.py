"""A server of the state protocol of Terraform's http backend, and of GitLab's kind of it.

Hand-written, strict. Paths below /api/v4/ behave as GitLab does: NAME/lock takes POST and DELETE,
a lock's info is complete, a body is JSON with a serial that was not there before, basic
authentication is needed. All others behave as Terraform describes it; those below /guarded/ need
authentication too. tests/e2e/test_terraform.py holds the real terraform against it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

USER: Final = "gitlab-ci-token"
PASSWORD: Final = "hush-hush"
TOKEN: Final = "glpat-hush"
GITLAB: Final = "/api/v4/"
GUARDED: Final = "/guarded/"
LOCK_INFO: Final = frozenset({"ID", "Operation", "Info", "Who", "Version", "Created", "Path"})


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next `times` calls of a method.

    status: it is not carried out, and answered so, with `body` and, if `echo`, what was asked by
    whom. dropped: it is not carried out, and the connection is closed. cut: it is carried out, and
    the connection is closed without an answer. torn: so too, in the middle of the answer. slow:
    seconds before it. `after` calls of the method are spared.
    """

    method: str
    times: int = 1
    status: int = 0
    cut: bool = False
    torn: bool = False
    slow: float = 0.0
    location: str = ""
    dropped: bool = False
    body: bytes = b"<html>no</html>"
    echo: bool = False
    after: int = 0


@dataclass(slots=True)
class Kept:
    """One state: its bytes, its lock's info, and the serials that it had."""

    data: bytes | None = None
    lock: dict[str, Any] | None = None
    serials: set[int] = field(default_factory=set)
    known: bool = False


@dataclass(slots=True)
class States:
    """Everything the server knows, by path, and what it was asked."""

    kept: dict[str, Kept] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    # What our GitLab says to a write with another ID than the lock's; some versions say 500.
    conflict: int = 409
    turn: Lock = field(default_factory=Lock)

    def of(self, path: str) -> Kept:
        return self.kept.setdefault(path, Kept())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    states: States


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One packet for an answer: two would wait for each other on a kept connection.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests read what was called."""

    def handle_one_request(self) -> None:
        """Send any method to one place: LOCK and UNLOCK are methods of this protocol."""
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            self._serve()
            self.wfile.flush()
        except (OSError, TimeoutError):
            self.close_connection = True

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        states, method = self.server.states, self.command
        path = urlsplit(self.path).path
        states.calls.append(f"{method} {path}")
        fault = self._due(method)
        if fault is not None:
            time.sleep(fault.slow)
            if fault.dropped:
                self.close_connection = True
                return
            if fault.status:
                told = f"{self.path} {self.headers['Authorization']}" if fault.echo else ""
                self._answer(fault.status, fault.body + told.encode(), location=fault.location)
                return
        with states.turn:
            status, answer = self._carried_out(method, path, body)
        if fault is not None and (fault.cut or fault.torn):
            if fault.torn:
                self._answer(status, answer + b"." * 50, torn=True)
            self.close_connection = True
            return
        self._answer(status, answer)

    def _due(self, method: str) -> Fault | None:
        for fault in self.server.states.faults:
            if fault.method == method and fault.times:
                if fault.after:
                    fault.after -= 1
                    return None
                fault.times -= 1
                return fault
        return None

    def _answer(self, status: int, body: bytes, *, location: str = "", torn: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if torn else body)

    def _carried_out(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        digest = base64.b64encode(hashlib.md5(body).digest()).decode()
        if self.headers.get("Content-MD5", digest) != digest:
            return 400, b'{"message":"the body is not what its digest says"}'
        if path.startswith((GITLAB, GUARDED)) and not self._is_allowed(path):
            return 401, b'{"message":"401 Unauthorized"}'
        if path.startswith(GITLAB):
            return self._as_gitlab(method, path, body)
        return self._as_terraform(method, path, body)

    def _is_allowed(self, path: str) -> bool:
        basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        allowed = {basic} if path.startswith(GITLAB) else {basic, f"Bearer {TOKEN}"}
        return self.headers.get("Authorization") in allowed

    def _as_terraform(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        kept = self.server.states.of(path)
        match method:
            case "GET":
                return (404, b"") if kept.data is None else (200, kept.data)
            case "POST" | "PUT":
                # A lock that is not there refuses nobody, as with servers that are less strict.
                if kept.lock is not None and kept.lock["ID"] != self._id():
                    return 409, json.dumps(kept.lock).encode()
                kept.data = body
                return 200, b""
            case "DELETE":
                kept.data = None
                return 200, b""
            case "LOCK":
                return self._lock(kept, body, 423)
            case "UNLOCK":
                return self._unlock(kept, _json(body).get("ID", ""))
            case _:
                return 405, b""

    def _as_gitlab(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        kept = self.server.states.of(path.removesuffix("/lock"))
        match method, path.endswith("/lock"):
            case "POST", True:
                if missing := LOCK_INFO - _json(body).keys():
                    return 400, json.dumps({"error": f"missing: {sorted(missing)}"}).encode()
                kept.known = True
                return self._lock(kept, body, 409)
            case "DELETE", True:
                return self._unlock(kept, _json(body).get("ID", "") or self._id())
            case "GET", False:
                if kept.data is None:
                    return (204, b"") if kept.known else (404, b'{"message":"404 Not found"}')
                return 200, kept.data
            case "POST", False:
                return self._kept_as_by_gitlab(kept, body)
            case _:
                return 405, b""

    def _kept_as_by_gitlab(self, kept: Kept, body: bytes) -> tuple[int, bytes]:
        if not body:
            return 204, b""
        serial = _json(body).get("serial")
        if not isinstance(serial, int) or isinstance(serial, bool):
            return 422, b'{"message":"No serial in payload"}'
        held = "" if kept.lock is None else kept.lock["ID"]
        if held != self._id():
            return self.server.states.conflict, b'{"message":"state is locked"}'
        if serial in kept.serials:
            return 422, b'{"message":"version has already been taken"}'
        kept.serials.add(serial)
        kept.data = body
        kept.known = True
        return 200, b""

    def _lock(self, kept: Kept, body: bytes, held: int) -> tuple[int, bytes]:
        if kept.lock is not None:
            return held, json.dumps(kept.lock).encode()
        if not _json(body).get("ID"):
            return 400, b'{"message":"a lock without an ID"}'
        kept.lock = _json(body)
        return 200, body

    def _unlock(self, kept: Kept, id_: str) -> tuple[int, bytes]:
        if id_ and (kept.lock is None or kept.lock["ID"] != id_):
            return 409, json.dumps(kept.lock or {}).encode()
        kept.lock = None
        return 200, b""

    def _id(self) -> str:
        return parse_qs(urlsplit(self.path).query).get("ID", [""])[0]


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class StateServer:
    """A running server by its address."""

    url: str
    states: States


@cache
def server() -> StateServer:
    """Start the server once for this process; it ends with it."""
    httpd = _Server(("127.0.0.1", 0), _Handler)
    httpd.states = States()
    Thread(target=httpd.serve_forever, name="terraform-state", daemon=True).start()
    return StateServer(f"http://127.0.0.1:{httpd.server_address[1]}", httpd.states)
