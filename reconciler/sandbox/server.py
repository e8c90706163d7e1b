"""HTTP in front of an account: requests to calls, answers to bytes, faults between the two.

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

from reconciler.platform.answers import service_exception
from reconciler.platform.operations import (
    APPLICATIONS_PATH,
    MATCH_PATH,
    PERSONS_PATH,
    PUSH_PATH,
    TOKEN_PATH,
    WRITES,
    Call,
    Operation,
)

from .account import Account, SandboxOptions
from .admission import Authorization
from .answers import encode_response
from .calls import LoggedCall
from .control import control_routes
from .fault import TOKEN, CallSubject, Effect, Fault
from .fault_effects import CallResult, Exchange, PendingCall, apply_fault
from .faults import subject_of_call
from .socket_faults import InterruptibleSleep, connection_of

_LARGEST_BODY: Final = 1 << 20
_METHODS: Final = {"GET": Operation.GET, "PATCH": Operation.UPDATE}
_METHODS_BELOW: Final = {
    "personalize": {"POST": Operation.PERSONALIZE},
    "depersonalize": {"POST": Operation.DEPERSONALIZE},
}
_WITH_BODY: Final = frozenset({Operation.UPDATE, Operation.PERSONALIZE, Operation.MATCH})
_TOKEN_SUBJECT: Final = CallSubject(TOKEN)


def create_application(
    account: Account, options: SandboxOptions, sleeper: InterruptibleSleep
) -> Starlette:
    """Return the ASGI application: the API, and `/_sandbox` beside it."""
    app = Starlette(
        routes=[Mount("/_sandbox", routes=control_routes(account))],
        exception_handlers={Exception: _answer_500},
    )
    app.router.default = _Api(account, options, sleeper)
    app.router.redirect_slashes = False
    return app


def operations_at(path: str) -> Mapping[str, Operation] | None:
    """Return the operations at a raw path by method; None for a path the API has not."""
    if path == PERSONS_PATH:
        return {"GET": Operation.PERSONS}
    if path == APPLICATIONS_PATH or path.rpartition("/")[0] == APPLICATIONS_PATH:
        return {"GET": Operation.APPLICATIONS}
    if path == MATCH_PATH:
        return {"POST": Operation.MATCH}
    if not path.startswith(PUSH_PATH):
        return None
    registration_id, *rest = path.removeprefix(PUSH_PATH).split("/")
    if not registration_id or len(rest) > 1:
        return None
    return _METHODS_BELOW.get(rest[0]) if rest else _METHODS


class _Api:
    """The API as an ASGI application."""

    def __init__(
        self, account: Account, options: SandboxOptions, sleeper: InterruptibleSleep
    ) -> None:
        self._account = account
        self._sleeper = sleeper
        self._latency_each_way = options.latency / 2
        self._jitter = options.jitter
        self._has_latency = bool(options.latency or options.jitter)
        self._random = Random(f"{options.fault_seed}/jitter")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = time.monotonic()
        request = Request(scope, receive)
        path = scope["raw_path"].decode("ascii", "replace").partition("?")[0]
        if path == TOKEN_PATH:
            await self._answer_token_request(request, send)
            return
        refusal = self._account.authorization.refusal(request.headers.get("authorization"), start)
        if refusal is not None:
            await encode_response(refusal)(scope, receive, send)
            return
        operations = operations_at(path)
        if operations is None:
            await encode_response(service_exception(404))(scope, receive, send)
            return
        operation = operations.get(request.method)
        if operation is None:
            allow = {"allow": ", ".join(operations)}
            await encode_response(service_exception(405), allow)(scope, receive, send)
            return
        await self._answer_call(operation, path, request, start, send)

    async def _answer_call(
        self, operation: Operation, path: str, request: Request, start: float, send: Send
    ) -> None:
        query = request.url.query
        body = _decode_json(await _read_body(request)) if operation in _WITH_BODY else None
        if self._has_latency:
            await self._delay()
        call = Call(
            operation,
            request.method,
            path,
            dict(parse_qsl(query, keep_blank_values=True)),
            request.headers.get("appcode"),
            body,
        )
        # A faulty gateway stands in front of the service, and of its limits.
        fault = self._account.faults.find_fault(call)
        status, result = (
            await self._send_answer(_carry_out(self._account, call), request, send)
            if fault is None
            else await apply_fault(
                fault, _pending_call(self._account, call), self._exchange(request, send)
            )
        )
        self._account.log.add(_log_entry(call, query, start, status, result, fault))

    async def _send_answer(
        self, result: CallResult, request: Request, send: Send
    ) -> tuple[int, CallResult | None]:
        if self._has_latency:
            await self._delay()
            client = connection_of(request.scope)
            if client.is_gone():
                await client.close()
                return 0, result
        await encode_response(result.response)(request.scope, request.receive, send)
        return result.response.status, result

    async def _answer_token_request(self, request: Request, send: Send) -> None:
        if request.method != "POST":
            await encode_response(service_exception(405))(request.scope, request.receive, send)
            return
        form = await _read_body(request)
        fault = self._account.faults.find_fault_about(_TOKEN_SUBJECT)
        pending = _pending_token_request(self._account.authorization, form)
        if fault is None:
            await self._send_answer(pending.carry_out(), request, send)
        else:
            await apply_fault(fault, pending, self._exchange(request, send))

    def _exchange(self, request: Request, send: Send) -> Exchange:
        return Exchange(request.scope, request.receive, send, self._sleeper, self._delay)

    async def _delay(self) -> None:
        """Let a request or an answer take its time."""
        if self._has_latency:
            await self._sleeper.sleep(
                self._latency_each_way + self._random.uniform(0, self._jitter)
            )


async def _read_body(request: Request) -> bytes:
    """Return the body, or nothing (which is no JSON) where it is larger than any that makes sense;
    all of it is read even so, or the connection could not go on."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= _LARGEST_BODY:
            chunks.append(chunk)
    return b"".join(chunks) if size <= _LARGEST_BODY else b""


def _decode_json(data: bytes) -> object:
    """Read a body; None where it is not JSON, which no call takes for a body."""
    try:
        value: object = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value


async def _answer_500(request: Request, error: Exception) -> HttpResponse:
    return encode_response(service_exception(500))


def _carry_out(account: Account, call: Call) -> CallResult:
    """Let the service answer a call, if its limits admit it."""
    now = time.monotonic()
    if not account.limits.admits(call.operation, now):
        return CallResult(service_exception(429), frozenset(), False, now)
    response, people = account.answer(call)
    done = call.operation in WRITES and 200 <= response.status < 300
    return CallResult(response, people, done, time.monotonic())


def _pending_call(account: Account, call: Call) -> PendingCall:
    """Return what a fault can do about a call of the API."""
    return PendingCall(
        lambda: _carry_out(account, call),
        lambda: account.preview(call),
        lambda fault: _interfere(account, call, fault),
    )


def _pending_token_request(authorization: Authorization, form: bytes) -> PendingCall:
    """Return what a fault can do about a request for a token."""

    def issue() -> CallResult:
        now = time.monotonic()
        return CallResult(authorization.issue(form, now), frozenset(), False, now)

    return PendingCall(issue, lambda: issue().response, lambda fault: None)


def _log_entry(
    call: Call,
    query: str,
    start: float,
    status: int,
    result: CallResult | None,
    fault: Fault | None,
) -> LoggedCall:
    """Return the entry of a call that has just ended with a status."""
    # What was carried out and not answered has no more effect, however long its client waits.
    end = time.monotonic() if status or result is None else result.at
    return LoggedCall(
        call.operation,
        call.method,
        call.path,
        query,
        status,
        frozenset() if result is None else result.people,
        start,
        end,
        None if fault is None else fault.spec,
        result is not None and result.done,
    )


def _interfere(account: Account, call: Call, fault: Fault) -> None:
    """Let somebody else do what the fault says."""
    match fault.effect:
        case Effect.APPEAR:
            account.appear()
        case Effect.VANISH:
            account.vanish(call.query)
        case _:
            device = subject_of_call(call).device
            if device is not None:
                account.change_as_rival(device, fault.merge)
