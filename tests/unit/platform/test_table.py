"""Table: behaves as the dict it stands for, and old tables stay as they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.platform.table import Table

keys = st.integers(0, 6)
changes = st.lists(st.tuples(keys, st.one_of(st.none(), st.integers(0, 3))), max_size=20)


@given(base=st.dictionaries(keys, st.integers(0, 3)), changes=changes)
def test_a_table_is_the_dict_it_stands_for(
    base: dict[int, int], changes: list[tuple[int, int | None]]
) -> None:
    """After any sets and deletes a table holds what a dict would; the first one did not move."""
    first = table = Table(base)
    expected = dict(base)
    for key, value in changes:
        if value is not None:
            table, expected[key] = table.set(key, value), value
        elif key in expected:
            table = table.delete(key)
            del expected[key]
    assert expected == dict(table)
    assert len(expected) == len(table)
    assert base == dict(first)
    assert Table(expected) == table
    moved = {key for key in base | expected if base.get(key, -1) != expected.get(key, -1)}
    assert moved == table.differences(first) == first.differences(table)


def test_deleting_what_is_not_there_is_a_key_error() -> None:
    """Delete of a missing key, or of a deleted one, raises KeyError."""
    table = Table({1: "a"}).delete(1)
    with pytest.raises(KeyError):
        table.delete(1)
    with pytest.raises(KeyError):
        table.delete(2)
