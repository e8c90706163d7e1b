"""Which failures are repeated, how often, and after which waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from reconciler.api.errors import (
    ApiError,
    Conflict,
    Denied,
    NoAnswer,
    NotTheContract,
    RateLimited,
    Rejected,
    ServerFailed,
)
from reconciler.api.exchange import NoConnection
from reconciler.api.retry import SURE_AFTER, RetryBudget, retry_after_seconds, wait_before_retry
from reconciler.api.service import Service

from .wires import DEVICE, REGISTRATION, FakeTime, Wire, answer, service_exception

Ask = Callable[[Service], Awaitable[object]]
ASKS: dict[str, Ask] = {
    "get": lambda service: service.registration(DEVICE, "c"),
    "persons": lambda service: service.owner(DEVICE, "a"),
    "update": lambda service: service.update(DEVICE, "c", {}),
    "personalize": lambda service: service.personalize(DEVICE, "c", {}),
    "depersonalize": lambda service: service.depersonalize(DEVICE, "c"),
}
LIMITED = service_exception("TOO_MANY_REQUESTS", "Slow down", 429)
OOPS = service_exception("GENERAL_ERROR", "Oops", 503)


def ask(wire: Wire, operation: str, time: FakeTime | None = None) -> None:
    service = wire.service(time)

    async def main() -> None:
        async with service:
            await ASKS[operation](service)

    asyncio.run(main())


@pytest.mark.parametrize("operation", ["get", "persons"])
def test_a_429_is_waited_out(operation: str) -> None:
    """It is a promise that it will work later."""
    good = {"id": 1} if operation == "persons" else REGISTRATION
    wire = Wire(*[LIMITED] * 12, answer(good))
    ask(wire, operation)
    assert 13 == len(wire.requests)


BROKEN = [OOPS, httpx.ReadError("x"), httpx.ConnectError("x"), answer(b"<html>"), answer()]


@pytest.mark.parametrize("failure", BROKEN)
@pytest.mark.parametrize(
    ("operation", "attempts"),
    [("get", 6), ("persons", 6), ("update", 1), ("personalize", 1)],
)
def test_reads_are_repeated_a_few_times_and_writes_never(
    failure: httpx.Response | Exception, operation: str, attempts: int
) -> None:
    """Before a write is sent again its device has to be read again, which is not done here."""
    wire = Wire(LIMITED, failure)
    service = wire.service()

    async def main() -> ApiError:
        async with service:
            with pytest.raises(RateLimited):
                # The service is met: what fails now is more than a wrong address.
                await service.update(DEVICE, "c", {})
            with pytest.raises(ApiError) as caught:
                await ASKS[operation](service)
            return caught.value

    error = asyncio.run(main())
    assert (attempts + 1, attempts) == (len(wire.requests), error.attempts)
    assert isinstance(error, (ServerFailed, NoAnswer, NotTheContract))


@pytest.mark.parametrize("failure", BROKEN)
def test_a_service_never_met_is_given_up_sooner(failure: httpx.Response | Exception) -> None:
    """A wrong address is told within seconds."""
    wire, time = Wire(failure), FakeTime()
    with pytest.raises(ApiError):
        ask(wire, "get", time)
    assert 3 == len(wire.requests)
    assert time.now - 1000.0 < 2


def test_an_untrusted_certificate_is_said_at_once() -> None:
    """Waiting does not fix a certificate."""
    wire = Wire(httpx.ConnectError(NoConnection.CERTIFICATE))
    with pytest.raises(NoAnswer, match="certificate is not trusted"):
        ask(wire, "get")
    assert 1 == len(wire.requests)


def test_an_endless_429_ends_in_the_end() -> None:
    """The run stands still for many minutes, not for ever."""
    time = FakeTime()
    with pytest.raises(RateLimited) as caught:
        ask(Wire(LIMITED), "get", time)
    assert (40, "not done") == (caught.value.attempts, caught.value.truth)
    assert 15 * 60 < time.now - 1000.0 < 30 * 60


def test_waits_grow_up_to_a_cap_and_jitter_takes_up_to_half() -> None:
    """Calls that failed together do not come back together."""
    grown = [wait_before_retry(count, None, 1.0) for count in range(1, 9)]
    assert [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0] == grown
    assert [0.25, 15.0] == [wait_before_retry(count, None, 0.0) for count in (1, 20)]


def failed(kind: type[ApiError], operation: str, **more: Any) -> ApiError:
    return kind(operation, DEVICE, "PATCH", "/", **more)


@pytest.mark.parametrize(
    ("kind", "status", "attempts"),
    [
        (RateLimited, 429, 40),
        (ServerFailed, 500, 6),
        (NoAnswer, None, 6),
        (NotTheContract, 200, 6),
        (NotTheContract, None, 6),
        (Conflict, 409, 5),
        (NotTheContract, 302, 1),
        (Rejected, 400, 1),
        (Denied, 401, 1),
    ],
)
def test_a_write_has_so_many_attempts(
    kind: type[ApiError], status: int | None, attempts: int
) -> None:
    """One count for each kind of trouble; what cannot pass by itself has a single one."""
    tries = RetryBudget()
    error = failed(kind, "update", status=status)
    made = 1
    while tries.wait_after(error, jitter=0.5) is not None:
        made += 1
    assert attempts == made


def test_a_write_of_unknown_fate_waits_until_a_read_can_tell() -> None:
    """Reads may lag by two seconds; one that was surely not sent need not wait for that."""
    unknown = failed(NoAnswer, "update")
    refused = failed(NoAnswer, "update", truth="not done")
    assert SURE_AFTER == RetryBudget().wait_after(unknown, jitter=0.0)
    assert 0.25 == RetryBudget().wait_after(refused, jitter=0.0)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("Sun, 06 Nov 1994 08:49:47 GMT", 10.0),
        ("Sun, 06 Nov 1994 08:49:30 GMT", 0.0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("²", None),
        ("9" * 4000, 999999999999.0),
        ("Sun, 99 Nov 1994 08:49:47 GMT", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    """Anything else is as if it were not there."""
    assert seconds == retry_after_seconds(header, 784111777.0)


def test_a_read_that_clashes_with_a_write_is_asked_again() -> None:
    """409 is said of all calls about people; asking again is harmless."""
    wire = Wire(answer({"errorCode": 40902, "errorMessage": "OPTIMISTIC_LOCK"}, 409))
    with pytest.raises(Conflict):
        ask(wire, "get")
    assert 5 == len(wire.requests)


def test_retry_after_is_honoured_to_the_second() -> None:
    """The service knows better than any formula of ours."""
    time = FakeTime()
    limited = service_exception("TOO_MANY_REQUESTS", "Slow down", 429, Retry_After="17")
    ask(Wire(limited, answer(REGISTRATION)), "get", time)
    assert 17.0 == pytest.approx(time.now - 1000.0, abs=0.1)


def test_a_retry_after_date_is_compared_with_the_services_own_clock() -> None:
    """Our clock may be wrong; the Date header stands beside it."""
    time = FakeTime()
    limited = answer(
        {},
        429,
        Retry_After="Sun, 06 Nov 1994 08:49:47 GMT",
        Date="Sun, 06 Nov 1994 08:49:37 GMT",
    )
    ask(Wire(limited, answer(REGISTRATION)), "get", time)
    assert 10.0 == pytest.approx(time.now - 1000.0, abs=0.1)


def test_a_retry_after_of_hours_is_said_and_not_waited_for() -> None:
    """A run that would stand still for an hour says so instead."""
    limited = service_exception("TOO_MANY_REQUESTS", "Slow down", 429, Retry_After="3600")
    with pytest.raises(RateLimited):
        ask(Wire(limited), "get")
