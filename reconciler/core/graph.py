"""Connected components, in a reproducible order."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def components(items: Sequence[T], ties: Iterable[Sequence[Hashable]]) -> list[list[T]]:
    """Group items that share a tie, directly or through others.

    `ties` gives the ties of each item, in the same order as the items. Groups come in the order
    of their first items, and items keep their order within a group. Near-linear.
    """
    parent = list(range(len(items)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    holder: dict[Hashable, int] = {}
    for index, keys in enumerate(ties):
        for key in keys:
            first, second = sorted((root(index), root(holder.setdefault(key, index))))
            parent[second] = first
    groups: dict[int, list[T]] = {}
    for index, item in enumerate(items):
        groups.setdefault(root(index), []).append(item)
    return list(groups.values())
