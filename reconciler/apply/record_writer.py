"""Writes to the state what has fallen due, for as long as the state is this run's to write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from reconciler.api.breaker import Breaker
from reconciler.core.failures import StateError

from .ledger import Ledger
from .ports import Lease, Records

# So many entries gather before they are written to the state, or so many seconds pass: it is what
# another machine has to find out by reading if this one is lost.
_ENTRIES: Final = 1000
_EVERY: Final = 10.0
# A shared state is written whole. Resting ten times as long as a write took keeps the cost of all
# writes within a tenth of the run, however large the fleet.
_REST: Final = 10.0
LEASE_LOST: Final = "the lock was lost"


class RecordWriter:
    """One write at a time. A write that fails trips the breaker, and is due again."""

    def __init__(
        self,
        ledger: Ledger,
        records: Records,
        lease: Lease,
        breaker: Breaker,
        clock: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._records = records
        self._lease = lease
        self._breaker = breaker
        self._clock = clock
        self._pen = asyncio.Lock()
        self._rested, self._next = clock(), clock() + _EVERY

    async def write_when_due(self) -> None:
        """Write what is due if it is enough or old; during a write, what falls due waits."""
        if self._pen.locked() or not self._ledger.due:
            return
        now = self._clock()
        if now >= self._next or (self._ledger.due >= _ENTRIES and now >= self._rested):
            await self.write()

    async def write(self) -> None:
        """Write what is due; without the lock nothing, the state belongs to another run."""
        async with self._pen:
            if not self._lease.held():
                self._breaker.trip(LEASE_LOST)
                return
            taken = self._ledger.take()
            if taken is None:
                return
            began = self._clock()
            try:
                await asyncio.to_thread(self._records.write, *taken)
            except StateError as error:
                self._ledger.put_back(*taken)
                self._breaker.trip(str(error))
            now = self._clock()
            self._rested = now + _REST * (now - began)
            self._next = max(now + _EVERY, self._rested)
