"""Limits: no one-second window holds more than the limit, and no less is refused."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.platform.operations import DEFAULT_LIMITS, Operation
from reconciler.sandbox.limits import Limits


@given(gaps=st.lists(st.sampled_from([0.0, 0.05, 0.25, 0.5, 1.0]), max_size=40))
def test_any_window_of_one_second_is_within_the_limit(gaps: list[float]) -> None:
    """At most three requests in any one second; the fourth is refused and not counted."""
    limits = Limits({**DEFAULT_LIMITS, Operation.GET: 3})
    now, admitted = 0.0, []
    for gap in gaps:
        now += gap
        expected = sum(1 for earlier in admitted if earlier > now - 1) < 3
        assert expected == limits.admits(Operation.GET, now)
        if expected:
            admitted.append(now)


def test_operations_are_counted_apart() -> None:
    """One operation at its limit takes nothing from another."""
    limits = Limits(DEFAULT_LIMITS)
    assert [True] * 5 + [False] == [limits.admits(Operation.PERSONS, 0.5) for _ in range(6)]
    assert all(limits.admits(Operation.GET, 0.5) for _ in range(50))


def test_without_limits_everything_is_admitted() -> None:
    """None means no limits at all."""
    limits = Limits(None)
    assert all(limits.admits(Operation.PERSONS, 0.0) for _ in range(1000))
