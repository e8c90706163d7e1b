"""Closing the gate: what waits ends at once, what is on the wire ends by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest

from reconciler.api.breaker import INTERRUPTED, Breaker, BreakerTripped
from reconciler.api.credentials import ApiKeyCredential
from reconciler.api.dispatch import Timing
from reconciler.api.errors import ApiError, Denied, NoAnswer
from reconciler.api.service import Service
from reconciler.core.secret import Secret
from reconciler.platform.operations import Operation

from .wires import DEVICE, KEY, REGISTRATION, FakeTime, Wire, answer, service_exception

DENIED = service_exception("UNAUTHORIZED", "Invalid login details", 401)


class HeldWire(Wire):
    """Holds each request until it is let go."""

    def __init__(self, *answers: httpx.Response) -> None:
        super().__init__(*answers)
        self.free = asyncio.Event()
        self.arrived = asyncio.Event()

    async def handle(self, request: httpx.Request) -> httpx.Response:
        self.arrived.set()
        await self.free.wait()
        return self(request)


def service(wire: Wire, breaker: Breaker, timing: Timing | None = None, **more: float) -> Service:
    handler = wire.handle if isinstance(wire, HeldWire) else wire
    return Service(
        "http://127.0.0.1:1",
        ApiKeyCredential(Secret(KEY)),
        limits={operation: more.get("limit", 0.0) for operation in Operation},
        quota_share=1.0,
        timing=timing or Timing(),
        breaker=breaker,
        transport=httpx.MockTransport(handler),
    )


def run(body: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await body()

    asyncio.run(bounded())


def test_a_call_on_the_wire_ends_and_one_that_waits_for_its_turn_does_not_go() -> None:
    """Two calls a second: the first is out, the second waits for its turn."""

    async def body() -> None:
        breaker, wire = Breaker(), HeldWire(answer(REGISTRATION))
        async with service(wire, breaker, limit=1.0) as asked:
            first = asyncio.create_task(asked.registration(DEVICE, "c"))
            await wire.arrived.wait()
            second = asyncio.create_task(asked.registration(DEVICE, "c"))
            await asyncio.sleep(0)
            breaker.trip(INTERRUPTED)
            with pytest.raises(BreakerTripped, match=INTERRUPTED):
                await second
            wire.free.set()
            assert DEVICE == (await first).id
            assert 1 == len(wire.requests)

    run(body)


def test_a_call_in_its_pause_before_another_attempt_ends_at_once() -> None:
    """A Retry-After of minutes keeps nobody who pressed Ctrl-C."""

    async def body() -> None:
        breaker = Breaker()
        paused = asyncio.Event()
        wire = Wire(service_exception("TOO_MANY_REQUESTS", "Slow down", 429, Retry_After="250"))

        async def sleep(seconds: float) -> None:
            paused.set()
            await asyncio.sleep(seconds)

        async with service(wire, breaker, Timing(sleep=sleep)) as asked:
            call = asyncio.create_task(asked.registration(DEVICE, "c"))
            await paused.wait()
            breaker.trip(INTERRUPTED)
            with pytest.raises(BreakerTripped):
                await call

    run(body)


def test_nothing_passes_a_closed_gate() -> None:
    """The first reason is the one that is told."""

    async def body() -> None:
        breaker, wire = Breaker(), Wire(answer(REGISTRATION))
        async with service(wire, breaker) as asked:
            breaker.trip("one")
            breaker.trip("two")
            with pytest.raises(BreakerTripped, match="one"):
                await asked.update(DEVICE, "c", {})
            assert [] == wire.requests

    run(body)


def test_what_watches_the_gate_is_asked_right_before_a_call_is_sent() -> None:
    """A lock that was lost in the queue keeps the call back."""

    async def body() -> None:
        breaker, wire = Breaker(), Wire(answer(REGISTRATION))
        reasons = iter([None, "the lock was lost"])
        breaker.watch = lambda: next(reasons)
        async with service(wire, breaker) as asked:
            with pytest.raises(BreakerTripped, match="lock"):
                await asked.update(DEVICE, "c", {})
            assert (0, "the lock was lost") == (len(wire.requests), breaker.reason)

    run(body)


def test_a_cancellation_from_elsewhere_stays_one() -> None:
    """Closing the gate afterwards does not make something else of it."""

    async def body() -> None:
        breaker = Breaker()

        async def wait() -> None:
            with breaker.waiting():
                await asyncio.sleep(60)

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        breaker.trip(INTERRUPTED)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(body)


def test_a_denied_call_closes_the_gate_for_all_others() -> None:
    """No other call with these credentials would fare better."""

    async def body() -> None:
        breaker, wire = Breaker(), Wire(DENIED)
        async with service(wire, breaker) as asked:
            results = await asyncio.gather(
                *(asked.update(DEVICE, "c", {}) for _ in range(200)), return_exceptions=True
            )
        kinds = {type(result) for result in results}
        assert {Denied, BreakerTripped} == kinds
        # Those in flight at once when the first answer came.
        assert len(wire.requests) <= 64
        assert "401" in str(breaker.reason)

    run(body)


def test_a_service_that_answers_nobody_closes_the_gate() -> None:
    """All attempts of one read failed, and in that time no other call was answered."""

    async def body() -> None:
        breaker, time = Breaker(), FakeTime()
        wire = Wire(answer(REGISTRATION), httpx.ConnectError("x"))
        async with service(wire, breaker, time.timing()) as asked:
            await asked.registration(DEVICE, "c")
            with pytest.raises(NoAnswer):
                await asked.registration(DEVICE, "c")
        assert str(breaker.reason).startswith("the service does not answer: get of device")

    run(body)


def test_one_call_that_fails_among_others_that_do_not_is_no_outage() -> None:
    """The others go on."""

    async def body() -> None:
        breaker, time = Breaker(), FakeTime()

        def reply(request: httpx.Request) -> httpx.Response:
            return answer({}, 503) if "lost" in str(request.url) else answer(REGISTRATION)

        async with service(Wire(reply), breaker, time.timing()) as asked:
            lost = asyncio.create_task(asked.registration("lost", "c"))
            while not lost.done():
                await asked.registration(DEVICE, "c")
                # Nothing here waits for a network, so the other call would never have its turn.
                await asyncio.sleep(0)
            with pytest.raises(ApiError):
                await lost
        assert breaker.reason is None

    run(body)
