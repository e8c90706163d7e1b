"""HTTP in front of an account: requests to calls, answers to bytes, nothing else.

The API's own routes are told apart by hand, on the raw path: a registration id may hold anything,
an encoded slash too, and a router would decode it first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response as HttpResponse
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from reconciler.platform.answers import exception
from reconciler.platform.operations import PERSONS_PATH, Call, Operation, Response

from .account import Account, SandboxOptions, refused_by_limit
from .calls import LoggedCall
from .control import control_routes

_PUSH: Final = "/people/2/contactInformation/push/"
_TOKEN: Final = "/auth/1/oauth2/token"
_LARGEST_BODY: Final = 1 << 20
_ONE: Final = {"GET": Operation.GET, "PATCH": Operation.UPDATE}
_UNDER: Final = {
    "personalize": {"POST": Operation.PERSONALIZE},
    "depersonalize": {"POST": Operation.DEPERSONALIZE},
}
_WITH_BODY: Final = frozenset({Operation.UPDATE, Operation.PERSONALIZE})


def application(account: Account, options: SandboxOptions) -> Starlette:
    """Return the ASGI application: the API, and `/_sandbox` beside it."""
    app = Starlette(
        routes=[Mount("/_sandbox", routes=control_routes(account))],
        exception_handlers={Exception: _failed},
    )
    app.router.default = _Api(account, options.latency)
    app.router.redirect_slashes = False
    return app


def routes_of(path: str) -> Mapping[str, Operation] | None:
    """Return the operations at a raw path by method; None for a path the API has not."""
    if path == PERSONS_PATH:
        return {"GET": Operation.PERSONS}
    if not path.startswith(_PUSH):
        return None
    registration_id, *rest = path.removeprefix(_PUSH).split("/")
    if not registration_id or len(rest) > 1:
        return None
    return _UNDER.get(rest[0]) if rest else _ONE


class _Api:
    """The API as an ASGI application."""

    def __init__(self, account: Account, latency: float) -> None:
        self._account = account
        self._latency = latency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = time.monotonic()
        request = Request(scope, receive)
        path = scope["raw_path"].decode("ascii", "replace").partition("?")[0]
        if path == _TOKEN:
            await _http(await self._token(request))(scope, receive, send)
            return
        refusal = self._account.authorization.refusal(request.headers.get("authorization"), start)
        if refusal is not None:
            await _http(refusal)(scope, receive, send)
            return
        operations = routes_of(path)
        if operations is None:
            await _http(exception(404))(scope, receive, send)
            return
        operation = operations.get(request.method)
        if operation is None:
            allow = {"allow": ", ".join(operations)}
            await _http(exception(405), allow)(scope, receive, send)
            return
        await self._called(operation, path, request, start, send)

    async def _called(
        self, operation: Operation, path: str, request: Request, start: float, send: Send
    ) -> None:
        query = request.url.query
        body = _json(await _body(request)) if operation in _WITH_BODY else None
        if self._latency:
            await asyncio.sleep(self._latency / 2)
        if self._account.limits.admits(operation, time.monotonic()):
            call = Call(
                operation,
                request.method,
                path,
                dict(parse_qsl(query, keep_blank_values=True)),
                request.headers.get("appcode"),
                body,
            )
            response, people = self._account.answer(call)
        else:
            response, people = refused_by_limit(), frozenset()
        if self._latency:
            await asyncio.sleep(self._latency / 2)
        try:
            await _http(response)(request.scope, request.receive, send)
        finally:
            self._account.log.add(
                LoggedCall(
                    operation,
                    request.method,
                    path,
                    query,
                    response.status,
                    people,
                    start,
                    time.monotonic(),
                )
            )

    async def _token(self, request: Request) -> Response:
        if request.method != "POST":
            return exception(405)
        return self._account.authorization.issue(await _body(request), time.monotonic())


async def _body(request: Request) -> bytes:
    """Return the body, or nothing (which is no JSON) where it is larger than any that makes sense;
    all of it is read even so, or the connection could not go on."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= _LARGEST_BODY:
            chunks.append(chunk)
    return b"".join(chunks) if size <= _LARGEST_BODY else b""


def _json(data: bytes) -> object:
    """Read a body; None where it is not JSON, which no call takes for a body."""
    try:
        read: object = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return read


def _http(response: Response, headers: Mapping[str, str] | None = None) -> HttpResponse:
    if response.body is None:
        return HttpResponse(status_code=response.status, headers=headers)
    return HttpResponse(
        msgspec.json.encode(response.body),
        response.status,
        headers=headers,
        media_type="application/json",
    )


async def _failed(request: Request, error: Exception) -> HttpResponse:
    return _http(exception(500))
