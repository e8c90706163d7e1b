"""The run part of a shared state: who holds the lock, and which plans were begun where.

A desk changes it: what was read is changed by a function and written if nobody else has written
meanwhile; else it is read again and the function decides anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec

from reconciler.core import codes
from reconciler.core.diagnostics import Diagnostic
from reconciler.core.failures import StateError

from .encryption import NO_KEYS, Keys
from .envelope import damaged, open_envelope, seal
from .store import Overtaken, Part, Store

# Of finished plans only the date is ever asked for; older ones are forgotten.
_KEPT: Final = 200
_TRIES: Final = 50


class LeaseEntry(msgspec.Struct, frozen=True, rename="camel"):
    """Who has the lock: `beats` grows while he lives, `beat` is when he says it was (UTC)."""

    token: str
    machine: str
    who: str
    host: str
    pid: int
    run_url: str | None
    since: datetime
    beat: datetime
    beats: int = 0
    ticks: float = 0.0


class PlanEntry(msgspec.Struct, frozen=True, rename="camel"):
    """A plan that was begun; `journals` name the files that hold its calls' intents."""

    id: str
    started: datetime
    finished: datetime | None = None
    journals: tuple[str, ...] = ()


class Run(msgspec.Struct, frozen=True, rename="camel"):
    """All of the part."""

    lease: LeaseEntry | None = None
    plans: tuple[PlanEntry, ...] = ()

    def plan(self, id_: str) -> PlanEntry | None:
        """Return what is known of a plan."""
        return next((plan for plan in self.plans if plan.id == id_), None)

    def with_plan(self, plan: PlanEntry) -> Run:
        """Return the same with this entry for a plan, which is the latest one then."""
        others = [other for other in self.plans if other.id != plan.id]
        return msgspec.structs.replace(self, plans=(*others, plan)[-_KEPT:])

    def with_lease(self, lease: LeaseEntry | None) -> Run:
        """Return the same with another holder, or none."""
        return msgspec.structs.replace(self, lease=lease)


class RunDesk:
    """Reads and changes the run part of a store. May be used by several threads."""

    def __init__(self, store: Store, keys: Keys = NO_KEYS, *, plain: bool = False) -> None:
        self._store = store
        self._keys = keys
        self._plain = plain
        self._turn = threading.Lock()

    def read(self) -> Run:
        """Return the part as it is now; raises StateError."""
        return self._read()[0]

    def change(self, how: Callable[[Run], Run]) -> Run:
        """Change the part by a function from what is there; what that raises ends it.

        The function may be called more than once. Returns what is there now.
        """
        with self._turn:
            for _ in range(_TRIES):
                run, serial, version = self._read()
                changed = how(run)
                if changed == run:
                    return run
                content = msgspec.json.encode(changed)
                document = seal(Part.RUN, "", serial + 1, content, self._keys)
                try:
                    self._store.write(Part.RUN, document, version)
                except Overtaken:
                    continue
                return changed
        message = f"{codes.RECORD_BUSY.title} at {self._store.where}: others kept writing to it"
        raise StateError(Diagnostic(codes.RECORD_BUSY, message))

    def _read(self) -> tuple[Run, int, str | None]:
        stored = self._store.read(Part.RUN)
        if stored is None:
            return Run(), 0, None
        where = f"{self._store.where} (run)"
        sealed = open_envelope(stored.data, Part.RUN, where, self._keys, plain=self._plain)
        try:
            run = msgspec.json.decode(sealed.content, type=Run)
            run = _in_utc(run)
        except (msgspec.MsgspecError, ValueError) as error:
            raise damaged(where, str(error)) from None
        return run, sealed.serial, stored.version


def _in_utc(run: Run) -> Run:
    moments = [plan.started for plan in run.plans] + ([run.lease.since] if run.lease else [])
    if any(moment.tzinfo is None for moment in moments):
        raise ValueError("a moment without a time zone")
    return run
