"""Apply a fault to the call that it hits: whether it is carried out, and what goes back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, assert_never

from starlette.responses import Response as HttpResponse
from starlette.types import Receive, Scope, Send

from reconciler.platform.operations import Response

from .answers import (
    empty_response,
    encode_response,
    garbage_response,
    html_page,
    mistype_response,
    status_response,
)
from .fault import Effect, Fault
from .socket_faults import ClientConnection, InterruptibleSleep, connection_of

_DEFAULT_SECONDS: Final = 1.0
# How many pieces a second a dripping answer comes in.
_PIECES_A_SECOND: Final = 20


@dataclass(frozen=True, slots=True)
class CallResult:
    """What the platform made of a call: its answer, the people whom the call could change,
    whether a write was carried out, and when that was (monotonic seconds)."""

    response: Response
    people: frozenset[int]
    done: bool
    at: float


@dataclass(frozen=True, slots=True)
class PendingCall:
    """What can be done about a call. `preview` answers it and changes nothing; `interfere` lets
    somebody else do what the fault says, a rival or one of the people on the pages."""

    carry_out: Callable[[], CallResult]
    preview: Callable[[], Response]
    interfere: Callable[[Fault], None]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its connection. `delay` is the latency in front of every answer."""

    scope: Scope
    receive: Receive
    send: Send
    sleeper: InterruptibleSleep
    delay: Callable[[], Awaitable[None]]

    @property
    def connection(self) -> ClientConnection:
        return connection_of(self.scope)

    async def answer(self, answer: HttpResponse) -> int:
        """Send an answer; return its status, or 0 where nobody is there to hear it."""
        if self.connection.is_gone():
            await self.connection.close()
            return 0
        await answer(self.scope, self.receive, self.send)
        return answer.status_code


async def apply_fault(
    fault: Fault, pending: PendingCall, exchange: Exchange
) -> tuple[int, CallResult | None]:
    """Let a fault happen to a call; return the status that was sent (0 for none), and what the
    platform made of the call if it was carried out."""
    match fault.effect:
        case Effect.DELAY:
            result_before = pending.carry_out() if fault.after else None
            await exchange.sleeper.sleep(fault.seconds or _DEFAULT_SECONDS)
            # Late, and all the same if the client has gone: that is what makes it a trap.
            result = result_before or pending.carry_out()
        case Effect.APPEAR | Effect.VANISH:
            pending.interfere(fault)
            result = pending.carry_out()
        case Effect.RIVAL:
            result = pending.carry_out()
            pending.interfere(fault)
        case Effect.DRIP:
            result = pending.carry_out()
            await exchange.delay()
            seconds = fault.seconds or _DEFAULT_SECONDS
            return await _send_dripping(encode_response(result.response), seconds, exchange), result
        case (
            Effect.STATUS
            | Effect.HANG
            | Effect.RESET
            | Effect.TRUNCATE
            | Effect.EMPTY
            | Effect.GARBAGE
            | Effect.HTML
            | Effect.WRONG_TYPE
        ):
            carried_out = pending.carry_out() if fault.after else None
            # A cut or wrong answer of a call that was not carried out shows what it would be.
            response = carried_out.response if carried_out else pending.preview()
            return await _corrupt_answer(fault, response, exchange), carried_out
        case unknown_effect:
            assert_never(unknown_effect)
    await exchange.delay()
    return await exchange.answer(encode_response(result.response)), result


async def _corrupt_answer(fault: Fault, response: Response, exchange: Exchange) -> int:
    """Let the answer to a call be no answer, a part of it, or another one."""
    if fault.effect is Effect.HANG:
        await _hang_up_late(fault.seconds, exchange)
        return 0
    await exchange.delay()
    match fault.effect:
        case Effect.RESET:
            await exchange.connection.reset()
            return 0
        case Effect.TRUNCATE:
            return await _send_truncated(encode_response(response), exchange)
        case Effect.STATUS:
            host, port = exchange.scope["server"]
            return await exchange.answer(status_response(fault, f"http://{host}:{port}"))
        case Effect.EMPTY:
            return await exchange.answer(empty_response())
        case Effect.GARBAGE:
            return await exchange.answer(garbage_response())
        case Effect.HTML:
            return await exchange.answer(html_page(200))
        case _:
            return await exchange.answer(mistype_response(response))


async def _hang_up_late(seconds: float | None, exchange: Exchange) -> None:
    """Say nothing until the client has gone, or for so many seconds."""
    connection = exchange.connection
    connection.hold()
    if seconds is None:
        await connection.lost
    else:
        await exchange.sleeper.sleep(seconds, connection.lost)
        await connection.close()


async def _send_truncated(answer: HttpResponse, exchange: Exchange) -> int:
    """Send the headers and half of the body, then close; a body that is empty is promised to be
    two bytes long."""
    body = bytes(answer.body) or b"{}"
    answer.headers["content-length"] = str(len(body))
    if exchange.connection.is_gone():
        await exchange.connection.close()
        return 0
    await _send_headers(answer, exchange)
    await _send_body(body[: len(body) // 2], exchange, more=True)
    await exchange.connection.close()
    return answer.status_code


async def _send_dripping(answer: HttpResponse, seconds: float, exchange: Exchange) -> int:
    """Send the answer in small pieces; a body that is empty comes as late as any other."""
    connection, body = exchange.connection, bytes(answer.body)
    if not body or connection.is_gone():
        await exchange.sleeper.sleep(seconds, connection.lost)
        return await exchange.answer(answer)
    pieces = max(1, min(len(body), round(seconds * _PIECES_A_SECOND)))
    size = -(-len(body) // pieces)
    await _send_headers(answer, exchange)
    for start in range(0, len(body), size):
        await exchange.sleeper.sleep(seconds / pieces, connection.lost)
        if connection.is_gone():
            await connection.close()
            break
        await _send_body(body[start : start + size], exchange, more=start + size < len(body))
    return answer.status_code


async def _send_headers(answer: HttpResponse, exchange: Exchange) -> None:
    await exchange.send(
        {
            "type": "http.response.start",
            "status": answer.status_code,
            "headers": answer.raw_headers,
        }
    )


async def _send_body(data: bytes, exchange: Exchange, *, more: bool) -> None:
    await exchange.send({"type": "http.response.body", "body": data, "more_body": more})
