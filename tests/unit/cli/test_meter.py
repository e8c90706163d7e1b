"""The pace of a work and the time left: hand-computed, with a clock of the test's own."""

from __future__ import annotations

import pytest

from reconciler.cli.progress.meter import Meter, Meters, left_text, rate_text
from reconciler.core.events import Progress


def run(meter: Meter, since: float, seconds: int, each: int, total: int) -> float:
    """Let so many be done in each of the seconds; return the time after them."""
    for second in range(1, seconds + 1):
        meter.note(since + second, meter.done + each, total)
    return since + seconds


def test_a_steady_work() -> None:
    """40 a second, and the rest takes as long as that says."""
    meter = Meter(0.0, 0, 1_000)
    now = run(meter, 0.0, 10, 40, 1_000)

    assert (400, 40.0, 15.0) == (meter.done, meter.rate(now), meter.left(now))


def test_it_is_too_early_to_tell() -> None:
    """Neither before the first is done, nor in the first second after it."""
    meter = Meter(0.0, 0, 10)
    assert (None, None) == (meter.rate(9.0), meter.left(9.0))
    meter.note(10.0, 1, 10)
    assert (None, None) == (meter.rate(10.5), meter.left(10.5))
    meter.note(12.0, 3, 10)
    assert (1.0, 7.0) == (meter.rate(12.0), meter.left(12.0))


def test_a_pause_shows_and_is_forgotten() -> None:
    """The rate is that of the last fifteen seconds; as long as nothing moves, it falls."""
    meter = Meter(0.0, 1, 10_000)
    now = run(meter, 0.0, 20, 40, 10_000)
    before = meter.rate(now)
    paused = meter.rate(now + 15.0)
    now = run(meter, now + 60.0, 20, 40, 10_000)

    assert (40.0, 40.0) == (before, meter.rate(now))
    assert paused is not None
    assert 15.0 < paused < 25.0


def test_a_slow_work_has_a_pace_too() -> None:
    """One in twenty seconds: the window always holds the last one."""
    meter = Meter(0.0, 1, 10)
    for number in range(1, 5):
        meter.note(20.0 * number, 1 + number, 10)

    assert (0.05, 100.0) == (meter.rate(80.0), meter.left(80.0))


def test_a_total_may_grow() -> None:
    """More to do is a longer time, not another pace."""
    meter = Meter(0.0, 1, 11)
    now = run(meter, 0.0, 5, 1, 11)
    assert 5.0 == meter.left(now)
    meter.note(now, 6, 26)

    assert (20.0, False) == (meter.left(now), meter.open_ended)


def test_a_total_that_is_never_more_than_what_is_done() -> None:
    """Pages that nobody counted: how many are left is not known, and it is never finished."""
    meter = Meter(0.0, 1, 1)
    assert (True, 0.0) == (meter.finished, meter.left(0.0))
    for number in range(2, 6):
        meter.note(float(number), number, number)

    assert (False, True, None) == (meter.finished, meter.open_ended, meter.left(5.0))
    assert 0.8 == meter.rate(5.0)


@pytest.mark.parametrize(("done", "total"), [(1, 20), (7, 20), (1, 1)])
def test_a_second_round_is_one_of_its_own(done: int, total: int) -> None:
    """What a first reading made necessary is counted from its beginning."""
    meter = Meter(0.0, 1, 5)
    now = run(meter, 0.0, 4, 1, 5)
    assert meter.finished
    meter.note(now, done, total)

    assert (done, total, False) == (meter.done, meter.total, meter.open_ended)


def test_standing_still_is_no_number() -> None:
    """Ten thousand years are none."""
    meter = Meter(0.0, 1, 1_000_000)
    meter.note(100_000.0, 2, 1_000_000)

    assert None is meter.left(100_000.0)


def test_updates_wait_for_the_changes_of_owner() -> None:
    """However fast those go that need not; as long as nobody knows of these, of none of them."""
    meters = Meters()
    for work, total in (("personalize", 100), ("update", 200)):
        meters.note(Progress(work, 0, total), 0.0)
    meters.note(Progress("update", 1, 200), 1.0)
    meters.note(Progress("update", 101, 200), 3.0)
    assert (50.0, None) == (meters.of("update").rate(3.0), meters.left("update", 3.0))
    meters.note(Progress("personalize", 1, 100), 3.0)
    meters.note(Progress("personalize", 5, 100), 5.0)

    assert (47.5, 47.5) == (meters.left("personalize", 5.0), meters.left("update", 5.0))
    assert ["personalize", "update"] == list(meters.works())


def test_as_it_is_shown() -> None:
    """Short; nothing where nothing is known."""
    assert ["", "0.5/s", "39.4/s", "1,235/s"] == [
        rate_text(rate) for rate in (None, 0.5, 39.41, 1_234.6)
    ]
    assert ["", "1 s left", "9 min left"] == [left_text(left) for left in (None, 0.2, 500.0)]
