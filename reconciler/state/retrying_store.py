"""A store that is tried again: a trouble that passes is none, and a lost answer is looked after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential
from tenacity import stop_after_delay as stop_after

from .store import OutOfReach, Overtaken, Part, Store, Stored

_ATTEMPTS: Final = 5
# Shorter than a lock lasts: who cannot beat for longer has lost it anyway.
_SECONDS: Final = 15.0
_LONGEST_WAIT: Final = 3.0

T = TypeVar("T")


class RetryingStore:
    """Reads and writes another store; OutOfReach only when several tries have failed."""

    def __init__(self, store: Store, unit: float = 0.2) -> None:
        self._store = store
        self._unit = unit
        self.where = store.where

    def read(self, part: Part) -> Stored | None:
        return self._again(lambda: self._store.read(part))

    def write(self, part: Part, data: bytes, expected: str | None) -> str:
        return self._again(lambda: self._written(part, data, expected))

    def close(self) -> None:
        self._store.close()

    def _written(self, part: Part, data: bytes, expected: str | None) -> str:
        try:
            return self._store.write(part, data, expected)
        except (Overtaken, OutOfReach):
            # The write may be an earlier try of ours, or this one, whose answer was lost: no two
            # writers ever write the same bytes over the same version and mean different things.
            stored = self._store.read(part)
            if stored is not None and stored.data == data:
                return stored.version
            raise

    def _again(self, do: Callable[[], T]) -> T:
        tries = Retrying(
            retry=retry_if_exception_type(OutOfReach),
            stop=stop_after_attempt(_ATTEMPTS) | stop_after(_SECONDS),
            wait=wait_random_exponential(multiplier=self._unit, max=_LONGEST_WAIT),
            reraise=True,
        )
        return tries(do)
