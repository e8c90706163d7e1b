"""Words that every room shares: counts with their nouns, suggestions for misspelt names."""

from __future__ import annotations

import pytest

from reconciler.core.counting import counted, plural
from reconciler.core.suggestion import closest, did_you_mean


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "0 devices"), (1, "1 device"), (2, "2 devices"), (20_000, "20,000 devices")],
)
def test_a_count_stands_with_its_noun(count: int, expected: str) -> None:
    """One is singular, everything else plural; thousands are set apart."""
    assert counted(count, "device") == expected


def test_an_irregular_plural_is_given() -> None:
    """A noun that takes more than an s comes with its plural."""
    assert [counted(count, "entry", "entries") for count in (1, 3)] == ["1 entry", "3 entries"]
    assert [plural(count, "is", "are") for count in (0, 1)] == ["are", "is"]


@pytest.mark.parametrize(
    ("name", "expected"), [("lable", "label"), ("OWNER", "owner"), ("zzz", None)]
)
def test_a_misspelt_name_finds_what_was_meant(name: str, expected: str | None) -> None:
    """Letters in another case are no other letters; what is like nothing finds nothing."""
    assert closest(name, ["label", "owner"]) == expected
    assert did_you_mean(name, ["label", "owner"]) == (
        None if expected is None else f"Did you mean `{expected}`?"
    )


def test_of_very_many_names_only_likely_ones_are_compared() -> None:
    """Same first letter and about the same length: ten thousand names cost no second."""
    known = [f"device-{number:05}" for number in range(10_000)]
    assert closest("devise-00042", known) == "device-00042"
