"""What looks alike as one, where it is many."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Final, TypeVar

T = TypeVar("T")
# Of more than that nobody reads each.
FOLD: Final = 5


def fold_alike(
    items: Iterable[T], look: Callable[[T], Hashable], fold: int | None = FOLD
) -> list[list[T]]:
    """Return those of the same `look` as one group if they are more than `fold`, all others alone.

    None folds nothing. A group stands where its first stood.
    """
    if fold is None:
        return [[item] for item in items]
    alike: dict[Hashable, list[tuple[int, T]]] = {}
    for place, item in enumerate(items):
        alike.setdefault(look(item), []).append((place, item))
    groups: list[list[tuple[int, T]]] = []
    for group in alike.values():
        groups += [group] if len(group) > fold else [[item] for item in group]
    groups.sort(key=lambda group: group[0][0])
    return [[item for _, item in group] for group in groups]
