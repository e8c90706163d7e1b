"""HTTP in front of an account: requests to calls, answers to bytes, nothing else.

The API's own routes are told apart by hand, on the raw path: a registration id may hold anything,
an encoded slash too, and a router would decode it first.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from random import Random
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response as HttpResponse
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from reconciler.platform.answers import exception
from reconciler.platform.operations import PERSONS_PATH, Call, Operation

from .account import Account, SandboxOptions
from .answers import http
from .control import control_routes
from .fault import TOKEN, Subject
from .fault_effects import Carried, Exchange, suffer
from .interruptible_sleep import Pauses
from .request_handling import call_deed, carry_out, logged, token_deed
from .socket_faults import wire_of

_PUSH: Final = "/people/2/contactInformation/push/"
_TOKEN: Final = "/auth/1/oauth2/token"
_LARGEST_BODY: Final = 1 << 20
_ONE: Final = {"GET": Operation.GET, "PATCH": Operation.UPDATE}
_UNDER: Final = {
    "personalize": {"POST": Operation.PERSONALIZE},
    "depersonalize": {"POST": Operation.DEPERSONALIZE},
}
_WITH_BODY: Final = frozenset({Operation.UPDATE, Operation.PERSONALIZE})
_TOKEN_SUBJECT: Final = Subject(TOKEN)


def application(account: Account, options: SandboxOptions, pauses: Pauses) -> Starlette:
    """Return the ASGI application: the API, and `/_sandbox` beside it."""
    app = Starlette(
        routes=[Mount("/_sandbox", routes=control_routes(account))],
        exception_handlers={Exception: _failed},
    )
    app.router.default = _Api(account, options, pauses)
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

    def __init__(self, account: Account, options: SandboxOptions, pauses: Pauses) -> None:
        self._account = account
        self._pauses = pauses
        self._half = options.latency / 2
        self._jitter = options.jitter
        self._travels = bool(options.latency or options.jitter)
        self._random = Random(f"{options.fault_seed}/jitter")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = time.monotonic()
        request = Request(scope, receive)
        path = scope["raw_path"].decode("ascii", "replace").partition("?")[0]
        if path == _TOKEN:
            await self._token(request, send)
            return
        refusal = self._account.authorization.refusal(request.headers.get("authorization"), start)
        if refusal is not None:
            await http(refusal)(scope, receive, send)
            return
        operations = routes_of(path)
        if operations is None:
            await http(exception(404))(scope, receive, send)
            return
        operation = operations.get(request.method)
        if operation is None:
            allow = {"allow": ", ".join(operations)}
            await http(exception(405), allow)(scope, receive, send)
            return
        await self._called(operation, path, request, start, send)

    async def _called(
        self, operation: Operation, path: str, request: Request, start: float, send: Send
    ) -> None:
        query = request.url.query
        body = _json(await _body(request)) if operation in _WITH_BODY else None
        if self._travels:
            await self._travel()
        call = Call(
            operation,
            request.method,
            path,
            dict(parse_qsl(query, keep_blank_values=True)),
            request.headers.get("appcode"),
            body,
        )
        # A faulty gateway stands in front of the service, and of its limits.
        fault = self._account.faults.hitting(call)
        status, carried = (
            await self._answered(carry_out(self._account, call), request, send)
            if fault is None
            else await suffer(fault, call_deed(self._account, call), self._exchange(request, send))
        )
        self._account.log.add(logged(call, query, start, status, carried, fault))

    async def _answered(
        self, carried: Carried, request: Request, send: Send
    ) -> tuple[int, Carried | None]:
        if self._travels:
            await self._travel()
            wire = wire_of(request.scope)
            if wire.is_gone():
                await wire.close()
                return 0, carried
        await http(carried.response)(request.scope, request.receive, send)
        return carried.response.status, carried

    async def _token(self, request: Request, send: Send) -> None:
        if request.method != "POST":
            await http(exception(405))(request.scope, request.receive, send)
            return
        form = await _body(request)
        fault = self._account.faults.hitting_subject(_TOKEN_SUBJECT)
        deed = token_deed(self._account.authorization, form)
        if fault is None:
            await self._answered(deed.carry_out(), request, send)
        else:
            await suffer(fault, deed, self._exchange(request, send))

    def _exchange(self, request: Request, send: Send) -> Exchange:
        return Exchange(request.scope, request.receive, send, self._pauses, self._travel)

    async def _travel(self) -> None:
        """Let a request or an answer take its time."""
        if self._travels:
            await self._pauses.pause(self._half + self._random.uniform(0, self._jitter))


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


async def _failed(request: Request, error: Exception) -> HttpResponse:
    return http(exception(500))
