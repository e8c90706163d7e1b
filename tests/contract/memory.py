"""A state that lives in memory: the second backend of the suite, and the double for apply."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from reconciler.core.hidden import Hidden
from reconciler.core.record import Record, RecordedDevice
from reconciler.core.report import Outcome
from reconciler.state.lease import Holder, LeaseHeld


class MemoryJournal:
    """Notes every entry in `entries`, in order, too."""

    def __init__(self) -> None:
        self.plans: dict[str, datetime | None] = {}
        self.calls: dict[tuple[str, str], Outcome | None] = {}
        self.entries: list[tuple[str, Outcome | None]] = []

    def start(self, plan: str) -> None:
        self.plans.setdefault(plan, None)

    def finish(self, plan: str) -> None:
        self.plans[plan] = datetime.now(UTC)

    def finished(self, plan: str) -> datetime | None:
        return self.plans.get(plan)

    def done(self, plan: str) -> frozenset[str]:
        return self._of(plan, Outcome.APPLIED)

    def unsettled(self, plan: str) -> frozenset[str]:
        return self._of(plan, None, Outcome.UNKNOWN)

    async def intent(self, plan: str, call: str) -> None:
        self._note(plan, call, None)

    async def outcome(self, plan: str, call: str, outcome: Outcome) -> None:
        self._note(plan, call, outcome)

    def _note(self, plan: str, call: str, outcome: Outcome | None) -> None:
        self.calls[plan, call] = outcome
        self.entries.append((call, outcome))

    def _of(self, plan: str, *outcomes: Outcome | None) -> frozenset[str]:
        return frozenset(
            call for (of, call), outcome in self.calls.items() if of == plan and outcome in outcomes
        )


class MemoryLease:
    """A lease in memory; `lose` takes it away."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state
        self._held = True

    def held(self) -> bool:
        return self._held

    def lose(self) -> None:
        self._held = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._held = False
        self._state.holder = None


class MemoryState:
    """A record, a journal and a lease in memory."""

    def __init__(self) -> None:
        self.record = Record(os.urandom(4).hex(), 0, Hidden(os.urandom(32)))
        self.journal = MemoryJournal()
        self.holder: Holder | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        pass

    def read(self) -> Record:
        return self.record

    def write(
        self, changed: Mapping[str, RecordedDevice | None], application_ids: Mapping[str, str]
    ) -> int:
        was = self.record
        devices = {**was.devices, **changed}
        self.record = Record(
            was.lineage,
            was.serial + 1,
            was.key,
            {id_: entry for id_, entry in sorted(devices.items()) if entry is not None},
            dict(sorted({**was.application_ids, **application_ids}.items())),
        )
        return self.record.serial

    def lease(self, holder: Holder) -> MemoryLease:
        if self.holder is not None:
            raise LeaseHeld(self.holder)
        self.holder = holder
        return MemoryLease(self)
