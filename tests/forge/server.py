"""The API of a forge, as far as pipelines need it: GitHub's below /repos/, GitLab's below /api/v4/.

Hand-written, strict: a call that it does not know is a 404, one without the permission a 403.
"""

from __future__ import annotations

import io
import json
import re
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from tests.stub.terraform_state import server as state_server

REPOSITORY: Final = "couriers/devices"
_PROJECTS: Final = count(42)
TOKEN: Final = "glpat-of-the-bot"
BOT: Final = "github-actions[bot]"
_LARGEST: Final = 65_536
# GitLab's number of the project of a fork.
ELSEWHERE: Final = 9


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class Request:
    """A pull or merge request."""

    number: int
    head: str
    is_fork: bool = False
    merged_as: str | None = None
    base: str = "main"


@dataclass(slots=True)
class Run:
    """A run of a workflow, or a pipeline: of a commit, with what its jobs kept."""

    number: int
    workflow: str
    head: str
    request: int | None = None
    is_fork: bool = False
    outcome: str = "success"
    artifacts: dict[str, dict[str, bytes]] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Text:
    """A comment, or an issue."""

    number: int
    body: str
    author: str
    title: str = ""
    is_open: bool = True
    edits: int = 0


@dataclass(slots=True)
class Forge:
    """Everything that the forge keeps."""

    url: str = ""
    # GitLab's number of the project: all tests share one server of Terraform states.
    project: int = field(default_factory=lambda: next(_PROJECTS))
    requests: dict[int, Request] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)
    comments: dict[int, Text] = field(default_factory=dict)
    issues: dict[int, Text] = field(default_factory=dict)
    # GitHub's tokens: of each the permissions of its job, and those that it needed.
    granted: dict[str, Mapping[str, str]] = field(default_factory=dict)
    needed: dict[str, dict[str, str]] = field(default_factory=dict)

    _numbers: Iterator[int] = field(default_factory=lambda: count(100))

    def next_number(self) -> int:
        return next(self._numbers)

    def require(self, token: str, what: str, how: str) -> None:
        """Note what a token is used for, and refuse it where its job has no such permission."""
        if token not in self.granted:
            raise Refused(401, "Bad credentials")
        needed = self.needed.setdefault(token, {})
        needed[what] = max(needed.get(what, "read"), how)
        if self.granted[token].get(what, "none") not in ({how, "write"}):
            raise Refused(403, f"Resource not accessible by integration: {what}: {how}")

    def github(
        self, method: str, path: str, query: Mapping[str, str], body: Any, token: str
    ) -> Any:
        """Answer a call below /repos/OWNER/NAME."""
        if found := re.fullmatch(r"/issues/(\d+)/comments", path):
            self.require(token, "pull-requests", "read" if method == "GET" else "write")
            if method == "GET":
                return [_comment(one) for one in self.comments.values()]
            assert int(found[1]) in self.requests
            return _comment(self._write(self.comments, body, BOT))
        if found := re.fullmatch(r"/issues/comments/(\d+)", path):
            self.require(token, "pull-requests", "write")
            return _comment(self._edit(self.comments, found[1], body))
        if path == "/issues":
            self.require(token, "issues", "read" if method == "GET" else "write")
            if method == "GET":
                assert query["creator"] == BOT, query
                return [_issue(one) for one in self.issues.values() if one.is_open]
            return _issue(self._write(self.issues, body, BOT))
        if found := re.fullmatch(r"/issues/(\d+)", path):
            self.require(token, "issues", "write")
            return _issue(self._edit(self.issues, found[1], body))
        if found := re.fullmatch(r"/commits/(\w+)/pulls", path):
            self.require(token, "pull-requests", "read")
            return [_pull(one) for one in self.requests.values() if one.merged_as == found[1]]
        if found := re.fullmatch(r"/actions/workflows/([\w.]+)/runs", path):
            self.require(token, "actions", "read")
            assert (query["event"], query["status"]) == ("pull_request", "success")
            runs = [
                _run(one)
                for one in reversed(self.runs.values())
                if (one.workflow, one.head, one.outcome) == (found[1], query["head_sha"], "success")
            ]
            return {"total_count": len(runs), "workflow_runs": runs}
        if found := re.fullmatch(r"/actions/runs/(\d+)/artifacts/(\w+)/zip", path):
            self.require(token, "actions", "read")
            try:
                return _zip(self.runs[int(found[1])].artifacts[found[2]])
            except KeyError:
                raise Refused(404, "no such artifact") from None
        raise Refused(404, f"{method} {path} is no call of this API")

    def gitlab(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        """Answer a call below /api/v4/projects/ID; `body` is a form."""
        if found := re.fullmatch(r"/merge_requests/(\d+)/notes", path):
            assert int(found[1]) in self.requests
            if method == "GET":
                assert query["sort"] == "asc", query
                return [_note(one) for one in self.comments.values()]
            return _note(self._write(self.comments, body, "bot"))
        if found := re.fullmatch(r"/merge_requests/\d+/notes/(\d+)", path):
            assert method == "PUT"
            return _note(self._edit(self.comments, found[1], body))
        if found := re.fullmatch(r"/repository/commits/(\w+)/merge_requests", path):
            merged = [one for one in self.requests.values() if one.merged_as == found[1]]
            return [
                {"iid": one.number, "state": "merged", "target_branch": one.base} for one in merged
            ]
        if found := re.fullmatch(r"/merge_requests/(\d+)", path):
            request = self.requests[int(found[1])]
            last = [one for one in self.runs.values() if one.request == request.number][-1:]
            source = ELSEWHERE if request.is_fork else self.project
            return {
                "iid": request.number,
                "project_id": self.project,
                "source_project_id": source,
                "sha": request.head,
                "head_pipeline": {"id": last[0].number, "status": last[0].outcome}
                if last
                else None,
            }
        if found := re.fullmatch(r"/pipelines/(\d+)/jobs", path):
            pipeline = self.runs[int(found[1])]
            if pipeline.is_fork:
                raise Refused(404, "404 Not found: it is a pipeline of the fork")
            jobs = pipeline.jobs
            assert query["scope[]"] == "success", query
            good = [name for name, outcome in jobs.items() if outcome == "success"]
            return [{"id": int(found[1]) * 100 + len(name), "name": name} for name in good]
        if found := re.fullmatch(r"/jobs/(\d+)/artifacts/([\w.]+)", path):
            run, size = divmod(int(found[1]), 100)
            for name, files in self.runs[run].artifacts.items():
                if len(name) == size and found[2] in files:
                    return files[found[2]]
            raise Refused(404, "no such artifact")
        raise Refused(404, f"{method} {path} is no call of this API")

    def _write(self, where: dict[int, Text], body: Mapping[str, str], author: str) -> Text:
        assert 0 < len(body["body"]) < _LARGEST
        number = self.next_number()
        where[number] = Text(number, body["body"], author, body.get("title", ""))
        return where[number]

    def _edit(self, where: dict[int, Text], number: str, body: Mapping[str, str]) -> Text:
        text = where[int(number)]
        if text.author not in (BOT, "bot"):
            raise Refused(403, "it is somebody else's")
        text.body = body["body"]
        text.is_open = body.get("state", "open") == "open"
        text.edits += 1
        return text


def _comment(one: Text) -> Any:
    return {"id": one.number, "body": one.body, "user": {"login": one.author}}


def _issue(one: Text) -> Any:
    return {"number": one.number, "body": one.body, "title": one.title}


def _note(one: Text) -> Any:
    return {"id": one.number, "body": one.body, "author": {"id": one.author}}


def _pull(one: Request) -> Any:
    return {
        "number": one.number,
        "merged_at": "2026-11-26T12:00:00Z",
        "head": {"sha": one.head},
        "base": {"ref": one.base},
    }


def _run(one: Run) -> Any:
    head = "stranger/devices" if one.is_fork else REPOSITORY
    return {
        "id": one.number,
        "repository": {"full_name": REPOSITORY},
        "head_repository": {"full_name": head},
    }


def _zip(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


class _Handler(BaseHTTPRequestHandler):
    forge: Forge

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests look at what is kept."""

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            status, answer = self._answer(body)
        except Refused as refused:
            status, answer = refused.status, json.dumps({"message": str(refused)}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _answer(self, body: bytes) -> tuple[int, bytes]:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        path = unquote(parts.path)
        answer: Any
        if "/terraform/state/" in path:
            return self._forwarded(body)
        if path.startswith(f"/repos/{REPOSITORY}/"):
            token = self.headers["Authorization"].removeprefix("Bearer ")
            asked = json.loads(body) if body else None
            path = path.removeprefix(f"/repos/{REPOSITORY}")
            answer = self.forge.github(self.command, path, query, asked, token)
        else:
            if self.headers["PRIVATE-TOKEN"] != TOKEN:
                raise Refused(401, "401 Unauthorized")
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            if path == "/api/v4/user":
                answer = {"id": "bot"}
            else:
                path = path.removeprefix(f"/api/v4/projects/{self.forge.project}")
                answer = self.forge.gitlab(self.command, path, query, form)
        return 200, answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    def _forwarded(self, body: bytes) -> tuple[int, bytes]:
        """Hand a call about a Terraform state on to the server that keeps those."""
        names = ("Authorization", "Content-Type", "Content-MD5")
        request = urllib.request.Request(
            state_server().url + self.path,
            method=self.command,
            data=body or None,
            headers={name: self.headers[name] for name in names if self.headers[name]},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


@contextmanager
def serving() -> Iterator[Forge]:
    """Serve a new forge on loopback."""
    forge = Forge()
    handler = type("Handler", (_Handler,), {"forge": forge})
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    httpd.daemon_threads = True
    forge.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = Thread(target=httpd.serve_forever, args=(0.05,), name="forge", daemon=True)
    thread.start()
    try:
        yield forge
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()
