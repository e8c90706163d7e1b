"""What a fault does to the call that it hits: whether it is carried out, and what goes back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, assert_never

from starlette.responses import Response as HttpResponse
from starlette.types import Receive, Scope, Send

from reconciler.platform.operations import Response

from .answers import empty, garbage, html, http, status_answer, wrong_type
from .fault import Effect, Fault
from .interruptible_sleep import Pauses
from .socket_faults import Wire, wire_of

_DEFAULT_SECONDS: Final = 1.0
# How many pieces a second a dripping answer comes in.
_DROPS: Final = 20


@dataclass(frozen=True, slots=True)
class Carried:
    """What the platform made of a call: its answer, the people whom the call could change,
    whether a write was carried out, and when that was (monotonic seconds)."""

    response: Response
    people: frozenset[int]
    done: bool
    at: float


@dataclass(frozen=True, slots=True)
class Deed:
    """What can be done about a call. `preview` answers it and changes nothing; `beside` lets
    somebody else do what the fault says, a rival or one of the people on the pages."""

    carry_out: Callable[[], Carried]
    preview: Callable[[], Response]
    beside: Callable[[Fault], None]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request on the wire. `travel` is the way back of every answer."""

    scope: Scope
    receive: Receive
    send: Send
    pauses: Pauses
    travel: Callable[[], Awaitable[None]]

    @property
    def wire(self) -> Wire:
        return wire_of(self.scope)

    async def answer(self, answer: HttpResponse) -> int:
        """Send an answer; return its status, or 0 where nobody is there to hear it."""
        if self.wire.is_gone():
            await self.wire.close()
            return 0
        await answer(self.scope, self.receive, self.send)
        return answer.status_code


async def suffer(fault: Fault, deed: Deed, exchange: Exchange) -> tuple[int, Carried | None]:
    """Let a fault happen to a call; return the status that was sent (0 for none), and what the
    platform made of the call if it was carried out."""
    match fault.effect:
        case Effect.DELAY:
            early = deed.carry_out() if fault.after else None
            await exchange.pauses.pause(fault.seconds or _DEFAULT_SECONDS)
            # Late, and all the same if the client has gone: that is what makes it a trap.
            carried = early or deed.carry_out()
        case Effect.APPEAR | Effect.VANISH:
            deed.beside(fault)
            carried = deed.carry_out()
        case Effect.RIVAL:
            carried = deed.carry_out()
            deed.beside(fault)
        case Effect.DRIP:
            carried = deed.carry_out()
            await exchange.travel()
            seconds = fault.seconds or _DEFAULT_SECONDS
            return await _drip(http(carried.response), seconds, exchange), carried
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
            outcome = deed.carry_out() if fault.after else None
            # A cut or wrong answer of a call that was not carried out shows what it would be.
            response = deed.preview() if outcome is None else outcome.response
            return await _break(fault, response, exchange), outcome
        case never:
            assert_never(never)
    await exchange.travel()
    return await exchange.answer(http(carried.response)), carried


async def _break(fault: Fault, response: Response, exchange: Exchange) -> int:
    """Let the answer to a call be no answer, a part of it, or another one."""
    if fault.effect is Effect.HANG:
        await _hang(fault.seconds, exchange)
        return 0
    await exchange.travel()
    match fault.effect:
        case Effect.RESET:
            await exchange.wire.reset()
            return 0
        case Effect.TRUNCATE:
            return await _truncate(http(response), exchange)
        case Effect.STATUS:
            host, port = exchange.scope["server"]
            return await exchange.answer(status_answer(fault, f"http://{host}:{port}"))
        case Effect.EMPTY:
            return await exchange.answer(empty())
        case Effect.GARBAGE:
            return await exchange.answer(garbage())
        case Effect.HTML:
            return await exchange.answer(html(200))
        case _:
            return await exchange.answer(wrong_type(response))


async def _hang(seconds: float | None, exchange: Exchange) -> None:
    """Say nothing until the client has gone, or for so many seconds."""
    wire = exchange.wire
    wire.hold()
    if seconds is None:
        await wire.lost
    else:
        await exchange.pauses.pause(seconds, wire.lost)
        await wire.close()


async def _truncate(answer: HttpResponse, exchange: Exchange) -> int:
    """Send the headers and half of the body, then close; a body that is empty is promised to be
    two bytes long."""
    body = bytes(answer.body) or b"{}"
    answer.headers["content-length"] = str(len(body))
    if exchange.wire.is_gone():
        await exchange.wire.close()
        return 0
    await _start(answer, exchange)
    await _body(body[: len(body) // 2], exchange, more=True)
    await exchange.wire.close()
    return answer.status_code


async def _drip(answer: HttpResponse, seconds: float, exchange: Exchange) -> int:
    """Send the answer in small pieces; a body that is empty comes as late as any other."""
    wire, body = exchange.wire, bytes(answer.body)
    if not body or wire.is_gone():
        await exchange.pauses.pause(seconds, wire.lost)
        return await exchange.answer(answer)
    pieces = max(1, min(len(body), round(seconds * _DROPS)))
    size = -(-len(body) // pieces)
    await _start(answer, exchange)
    for start in range(0, len(body), size):
        await exchange.pauses.pause(seconds / pieces, wire.lost)
        if wire.is_gone():
            await wire.close()
            break
        await _body(body[start : start + size], exchange, more=start + size < len(body))
    return answer.status_code


async def _start(answer: HttpResponse, exchange: Exchange) -> None:
    await exchange.send(
        {
            "type": "http.response.start",
            "status": answer.status_code,
            "headers": answer.raw_headers,
        }
    )


async def _body(data: bytes, exchange: Exchange, *, more: bool) -> None:
    await exchange.send({"type": "http.response.body", "body": data, "more_body": more})
