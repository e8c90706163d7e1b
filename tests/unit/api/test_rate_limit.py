"""No one-second window has more calls than the share, and nearly as many as it allows."""

from __future__ import annotations

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.api.rate_limit import Schedule, Stream, TooLate, rate_of
from reconciler.platform.pace import SPACING

from .wires import FakeTime


def most_in_a_window(times: list[float], window: float = 1.0) -> int:
    """Return the largest number of calls in any closed window."""
    start, most = 0, 0
    for end, time in enumerate(times):
        while times[start] < time - window:
            start += 1
        most = max(most, end - start + 1)
    return most


rates = st.one_of(st.integers(1, 60).map(float), st.floats(0.2, 60.0))


@given(rates, st.lists(st.floats(0.0, 3.0), min_size=1, max_size=40), st.data())
def test_no_window_has_more_than_the_share(
    rate: float, pauses: list[float], data: st.DataObject
) -> None:
    """However calls come and however late timers fire, no second has more than the share."""
    schedule = Schedule(rate)
    now = 50.0
    times = []
    for pause in pauses:
        now += pause
        for _ in range(data.draw(st.integers(1, 40))):
            asked = now - data.draw(st.sampled_from([0.0, 0.01, 5.0]))
            while (wait := schedule.wait(now)) > 0.0:
                now += wait + data.draw(st.sampled_from([0.0, 0.0, 0.001, 0.05, 0.7]))
            schedule.grant(now, asked)
            schedule.leave(now)
            times.append(now)
    assert most_in_a_window(times) <= max(1, math.floor(rate + 1e-9))


@given(rates, st.integers(1, 200), st.data())
def test_calls_that_leave_late_count_when_they_leave(
    rate: float, count: int, data: st.DataObject
) -> None:
    """However long a granted call waits for its connection, no second has more than the share."""
    schedule = Schedule(rate)
    now, times = 50.0, list[float]()
    leaving: list[float] = []
    for _ in range(count):
        while (wait := schedule.wait(now)) > 0.0:
            # Time goes on to the next thing that happens: a call leaves, or one may be granted.
            now = min(now + wait, *leaving) if leaving else now + wait
            for moment in sorted(leaving):
                if moment <= now:
                    leaving.remove(moment)
                    schedule.leave(now)
                    times.append(now)
        schedule.grant(now, now)
        leaving.append(now + data.draw(st.sampled_from([0.0, 0.001, 0.03, 0.4, 2.5])))
    assert most_in_a_window(times) <= max(1, math.floor(rate + 1e-9))


def test_one_late_call_costs_one_place_and_not_its_delay() -> None:
    """While a call waits for its connection, the others go on with the rest of the share."""
    schedule = Schedule(50.0)
    now, times = 0.0, []
    for number in range(500):
        while (wait := schedule.wait(now)) > 0.0:
            now += wait
            if number == 60:
                schedule.leave(now)
        schedule.grant(now, now)
        if number != 10:
            schedule.leave(now)
        times.append(now)
    assert len(times) / now > 0.97 * 50


@pytest.mark.parametrize(
    ("rate", "late"), [(40.0, 0.0), (40.0, 0.002), (4.0, 0.001), (200.0, 0.001)]
)
def test_the_share_is_used(rate: float, late: float) -> None:
    """Late timers are caught up: at least 97 % of the share is used, evenly spread."""
    schedule = Schedule(rate)
    now, times = 0.0, []
    for _ in range(int(rate * 30)):
        while (wait := schedule.wait(now)) > 0.0:
            now += wait + late
        schedule.grant(now, 0.0)
        schedule.leave(now)
        times.append(now)
    assert len(times) / (times[-1] + 1 / rate) > 0.97 * rate
    assert most_in_a_window(times, 0.1) <= rate * 0.1 + 2


def test_a_rate_below_one_means_longer_pauses() -> None:
    """Half a call a second is a call every two seconds."""
    schedule = Schedule(0.5)
    schedule.grant(10.0, 10.0)
    schedule.leave(10.0)
    assert 2.0 == pytest.approx(schedule.wait(10.0))


def test_idle_time_is_not_saved_up() -> None:
    """After a long pause calls come as evenly as before."""
    schedule = Schedule(10.0)
    for now in (0.0, 100.0):
        schedule.grant(now, now)
        schedule.leave(now)
    assert SPACING / 10 == pytest.approx(schedule.wait(100.0))


def test_a_429_slows_down_once_and_recovers() -> None:
    """Many 429s of one moment are one; the pace is back within a minute."""
    schedule = Schedule(40.0)
    schedule.slow_down(0.9, 1.0, 0.0)
    schedule.slow_down(0.95, 1.1, 0.0)
    assert 0.7 == pytest.approx(schedule.factor(1.0))
    schedule.slow_down(1.2, 1.3, 0.0)
    assert schedule.factor(1.3) < 0.51
    assert 1.0 == schedule.factor(60.0)
    for moment in range(1000):
        schedule.slow_down(61.0 + moment, 61.0 + moment, 0.0)
    assert 0.05 <= schedule.factor(1061.0) < 0.8


def test_retry_after_holds_the_whole_stream() -> None:
    """No other call of the operation leaves before the time that the service named."""
    for rate in (40.0, None):
        schedule = Schedule(rate)
        schedule.grant(0.0, 0.0)
        schedule.slow_down(0.0, 0.5, 7.0)
        assert 7.0 == pytest.approx(schedule.wait(0.5))


@pytest.mark.parametrize(
    ("limit", "rate"),
    [(50.0, 40.0), (5.0, 4.0), (0.0, None), (-1.0, None), (math.inf, None)],
)
def test_a_limit_and_a_share_make_a_rate(limit: float, rate: float | None) -> None:
    """Zero, negative and infinite limits are no limit."""
    assert rate == rate_of(limit, 0.8)


def test_turns_come_in_order_and_a_cancelled_call_takes_none() -> None:
    """First come, first served; who gives up delays nobody."""
    time = FakeTime()

    async def main() -> tuple[list[int], float]:
        stream = Stream(10.0, lambda: time.now, time.sleep)
        order: list[int] = []

        async def call(number: int) -> None:
            (await stream.grant()).leave()
            order.append(number)

        tasks = [asyncio.create_task(call(number)) for number in range(10)]
        await asyncio.sleep(0)
        for number in (0, 3, 4):
            tasks[number].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return order, time.now

    order, now = asyncio.run(main())
    assert [1, 2, 5, 6, 7, 8, 9] == [number for number in order if number]
    assert now - 1000.0 <= 7 * SPACING / 10 + 1e-6


def test_unlimited_calls_do_not_wait() -> None:
    """Without a limit there is nothing to wait for."""
    time = FakeTime()

    async def main() -> None:
        stream = Stream(None, lambda: time.now, time.sleep)
        for _ in range(1000):
            (await stream.grant()).leave()

    asyncio.run(main())
    assert [] == time.slept


def test_who_waits_for_a_place_gets_it_when_a_call_leaves() -> None:
    """With all of the share granted and none of it on its way, the next turn waits for one."""
    time = FakeTime()

    async def main() -> list[str]:
        stream = Stream(2.0, lambda: time.now, time.sleep)
        said: list[str] = []
        turns = [await stream.grant(), await stream.grant()]

        async def third() -> None:
            await stream.grant()
            said.append(f"granted at {time.now - 1000:.1f}")

        task = asyncio.create_task(third())
        for _ in range(10):
            await asyncio.sleep(0)
        time.now = 1005.0
        said.append("leaves")
        turns[1].leave()
        turns[1].leave()
        await task
        return said

    assert ["leaves", "granted at 6.0"] == asyncio.run(main())


def test_a_call_whose_turn_comes_too_late_takes_none() -> None:
    """It is told as soon as that is sure, and those behind it wait no longer for it."""
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        await asyncio.sleep(0)

    async def run() -> float:
        stream = Stream(1.0, lambda: now, sleep)
        (await stream.grant()).leave()
        with pytest.raises(TooLate):
            await stream.grant(good_until=0.5)
        assert 0.0 == now
        return (await stream.grant(good_until=5.0)).granted_at

    assert pytest.approx(1.015, abs=0.01) == asyncio.run(run())
