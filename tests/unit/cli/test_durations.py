"""Durations: what people write, in seconds; and what is none."""

from __future__ import annotations

import click
import pytest

from reconciler.cli.options.duration import Duration
from reconciler.engine.cancellation import Deadline


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("1h", 3600), ("2m5s", 125)],
)
def test_a_duration_in_seconds(text: str, seconds: int) -> None:
    """A bare number is seconds; units go from large to small."""
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize(
    "text", ["", "abc", "1m1h", "1.5h", "-1", "1d", "10 m", "s", "9" * 5000, "169h", "٣"]
)
def test_what_is_no_duration(text: str) -> None:
    """Wrong usage, with the forms that are right or the limit."""
    with pytest.raises(click.BadParameter, match=r"1h30m|week"):
        Duration(zero=True).convert(text, None, None)


def test_no_time_at_all() -> None:
    """Nothing can be done in no time; but one may wait for nothing."""
    with pytest.raises(click.BadParameter, match="no time"):
        Duration().convert("0s", None, None)

    assert Duration(zero=True).convert("0", None, None) == 0


def test_a_deadline_counts_down_to_nothing() -> None:
    """There is none, it is in the future, or it is over."""
    assert Deadline.after(None).left() is None
    assert 99 < (Deadline.after(100.0).left() or 0) <= 100
    assert Deadline.after(-1.0).left() == 0
