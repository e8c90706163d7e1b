"""A persistent mapping: each change gives a new table, cheaply, and leaves the old one alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Final, TypeVar

from immutables import Map

K = TypeVar("K")
V = TypeVar("V")


class _Gone(Enum):
    GONE = "gone"


_GONE: Final = _Gone.GONE


class Table(Mapping[K, V]):
    """A mapping over a first version, which is never copied, and the changes since.

    Reading and changing cost O(log changes), so a world of a million people can be stepped. The
    first version may be any mapping, one that makes its values when asked among them; it must
    never change.
    """

    __slots__ = ("_base", "_changes", "_size")

    def __init__(self, base: Mapping[K, V]) -> None:
        self._base = base
        self._changes: Map[K, V | _Gone] = Map()
        self._size = len(base)

    @classmethod
    def _changed(cls, base: Mapping[K, V], changes: Map[K, V | _Gone], size: int) -> Table[K, V]:
        table = cls.__new__(cls)
        table._base, table._changes, table._size = base, changes, size
        return table

    def set(self, key: K, value: V) -> Table[K, V]:
        """Return a table in which `key` has `value`."""
        grown = self._size + (key not in self)
        return self._changed(self._base, self._changes.set(key, value), grown)

    def delete(self, key: K) -> Table[K, V]:
        """Return a table without `key`; KeyError if there is none."""
        self[key]
        if key in self._base:
            changes = self._changes.set(key, _GONE)
        else:
            changes = self._changes.delete(key)
        return self._changed(self._base, changes, self._size - 1)

    def differences(self, other: Table[K, V]) -> frozenset[K]:
        """Return the keys that stand in one of the two only, or with another value.

        Of two descendants of one table only what changed since is compared.
        """
        if self._base is other._base:
            keys = set(self._changes) | set(other._changes)
        else:
            keys = set(self) | set(other)
        return frozenset(
            key
            for key in keys
            if (key in self) is not (key in other) or (key in self and self[key] != other[key])
        )

    def __getitem__(self, key: K) -> V:
        if not self._changes:
            return self._base[key]
        changed = self._changes.get(key)
        if changed is None:
            return self._base[key]
        if isinstance(changed, _Gone):
            raise KeyError(key)
        return changed

    def __contains__(self, key: object) -> bool:
        try:
            self[key]  # type: ignore[index]
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[K]:
        for key in self._base:
            if key not in self._changes or not isinstance(self._changes[key], _Gone):
                yield key
        for key, value in self._changes.items():
            if key not in self._base and not isinstance(value, _Gone):
                yield key

    def __len__(self) -> int:
        return self._size

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Table):
            return self._size == other._size and not self.differences(other)
        return isinstance(other, Mapping) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Table({self._size} entries)"
