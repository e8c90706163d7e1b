"""Folding: many that look alike are one, few are not, and the order stays."""

from __future__ import annotations

import pytest

from reconciler.render.folding import fold_alike


@pytest.mark.parametrize(
    ("fold", "expected"),
    [
        (None, ["a", "B", "A", "b", "c", "a"]),
        (3, ["a", "B", "A", "b", "c", "a"]),
        (2, ["aAa", "B", "b", "c"]),
        (1, ["aAa", "Bb", "c"]),
        (0, ["aAa", "Bb", "c"]),
    ],
)
def test_a_group_stands_where_its_first_stood(fold: int | None, expected: list[str]) -> None:
    """More than `fold` are one; all others stand alone, in their places."""
    assert expected == ["".join(group) for group in fold_alike("aBAbca", str.lower, fold)]
