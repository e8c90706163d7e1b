"""Writes to the record what has fallen due, for as long as the record is this run's to write."""

from __future__ import annotations

import asyncio
from typing import Final

from reconciler.api.gate import Gate
from reconciler.core.failures import StateError

from .ledger import Ledger
from .ports import Lease, Records

LEASE_LOST: Final = "the lease was lost"


class Scribe:
    """One write at a time. A write that fails closes the gate, and is due again."""

    def __init__(self, ledger: Ledger, records: Records, lease: Lease, gate: Gate) -> None:
        self._ledger = ledger
        self._records = records
        self._lease = lease
        self._gate = gate
        self._pen = asyncio.Lock()

    async def write_unless_writing(self) -> None:
        """Write what is due now; what falls due during a write waits for the next one."""
        if not self._pen.locked():
            await self.write()

    async def write(self) -> None:
        """Write what is due; without the lease nothing, the record belongs to another run."""
        async with self._pen:
            if not self._lease.held():
                self._gate.close(LEASE_LOST)
                return
            taken = self._ledger.take()
            if taken is None:
                return
            try:
                await asyncio.to_thread(self._records.write, *taken)
            except StateError as error:
                self._ledger.put_back(*taken)
                self._gate.close(str(error))
