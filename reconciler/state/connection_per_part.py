"""A store of one connection for each part: a long write of one does not keep the other waiting.

The run part carries the heart-beat of a lease; behind the upload of a large record it would expire.
"""

from __future__ import annotations

from collections.abc import Callable

from .store import Part, Store, Stored


class Apart:
    """Opens a store for each part."""

    def __init__(self, open_: Callable[[], Store]) -> None:
        self._stores = {part: open_() for part in Part}
        self.where = self._stores[Part.RECORD].where

    def read(self, part: Part) -> Stored | None:
        return self._stores[part].read(part)

    def write(self, part: Part, data: bytes, expected: str | None) -> str:
        return self._stores[part].write(part, data, expected)

    def close(self) -> None:
        for store in self._stores.values():
            store.close()
