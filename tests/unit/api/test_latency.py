"""What one answer usually takes: of reads, from when they left; the odd one counts for little."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import httpx
import pytest

from reconciler.api.credentials import ApiKeyCredential
from reconciler.api.dispatch import Latency, Timing
from reconciler.api.errors import ApiError
from reconciler.api.exchange import BEFORE_WRITE
from reconciler.api.service import Service
from reconciler.core.secret import Secret
from reconciler.platform import operations

from .wires import DEVICE, KEY, REGISTRATION, FakeTime

GET = operations.get("a", "code")
OWNER = operations.person_of_registration("a", "APP")
PAGE = operations.persons_page(1)


def usual(*answers: tuple[operations.Call, float]) -> float | None:
    latency = Latency()
    for call, seconds in answers:
        latency.note(call, seconds)
    return latency.usual()


def test_the_middle_one_of_the_reads_of_one() -> None:
    """A hang of half a minute says nothing about the others."""
    assert 0.08 == usual((GET, 0.08), (OWNER, 0.07), (GET, 30.0), (GET, 0.09), (OWNER, 0.08))


def test_pages_and_writes_tell_less() -> None:
    """A page takes its thousand people; the quickest one where there is nothing else."""
    assert 0.2 == usual((PAGE, 0.9), (PAGE, 0.2), (PAGE, 0.4))
    assert 0.08 == usual((PAGE, 0.02), (GET, 0.08))
    assert None is usual((operations.update("a", "code", {}), 0.08))
    assert None is usual()


def test_only_the_latest_are_remembered() -> None:
    """However many are read, it costs no more memory."""
    assert 0.3 == usual(*[(GET, 0.1)] * 5_000, *[(GET, 0.3)] * 600)


class Slow(httpx.AsyncBaseTransport):
    """A service whose connection stands after two seconds, and whose answer takes one more."""

    def __init__(self, time: FakeTime, status: int = 200) -> None:
        self._time = time
        self._status = status

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._time.now += 2.0
        request.extensions[BEFORE_WRITE]()
        self._time.now += 1.0
        return httpx.Response(self._status, json=REGISTRATION)


@pytest.mark.parametrize(("status", "expected"), [(200, 1.0), (400, None)])
def test_the_waits_before_a_call_leaves_are_no_part_of_it(
    status: int, expected: float | None
) -> None:
    """Neither for its turn nor for a connection. A refusal may be quicker than an answer."""
    time = FakeTime()
    timing = Timing(lambda: time.now, time.sleep, lambda: 1.0)

    async def read() -> float | None:
        service = Service(
            "http://127.0.0.1:1",
            ApiKeyCredential(Secret(KEY)),
            limits={operations.Operation.GET: 1.0},
            timing=timing,
            transport=Slow(time, status),
        )
        async with service:
            assert service.latency is None
            for _ in range(3):
                with suppress(ApiError):
                    await service.registration(DEVICE, "code")
            return service.latency

    assert expected == asyncio.run(read())
