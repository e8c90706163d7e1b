"""What an apply knows for the state and for the report, as the outcomes come in. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from reconciler.core.device import Desired, Owner
from reconciler.core.digest import Digester
from reconciler.core.fields import updated_fields
from reconciler.core.identity import Identity
from reconciler.core.record import Record, RecordedDevice, record_entry, value_digest
from reconciler.core.report import Outcome, Row
from reconciler.plan.fingerprints import declaration_digest
from reconciler.plan.model import Action, Change, Plan, PlannedCall
from reconciler.platform.operations import Operation

from .result import Result
from .stored import StoredValue

Entries = dict[str, RecordedDevice | None]
# What is seen so, and says nothing about what was applied.
_UNDECIDED: Final = frozenset({Action.GONE, Action.UNREADABLE})


class Ledger:
    """Entries fall due when a device is settled as a whole; a device half done has none."""

    def __init__(self, plan: Plan, desired: Desired, record: Record) -> None:
        self._plan = plan
        self._desired = desired
        self._digester = Digester(record.key)
        self._changes = {change.device: change for change in plan.changes}
        self._left: dict[str, int] = {}
        for call in plan.calls:
            self._left[call.device] = self._left.get(call.device, 0) + 1
        self._results: dict[str, Result] = {}
        self._entries: Entries = {}
        # By device: the fields that were sent, and those that the service stored otherwise.
        self._sent: dict[str, set[str]] = {}
        self._stored: dict[str, tuple[StoredValue, ...]] = {}
        self._recorded = record.devices
        self._known = dict(record.application_ids)
        self._brought_by_calls = _brought(plan, desired)
        self._to_bring = frozenset(self._brought_by_calls.values())
        # Who owns the values of these identities already, or by now.
        self._brought: set[Identity] = set()
        self._waiting: dict[Identity, list[Change]] = {}
        self._application_ids: dict[str, str] = {}
        for change in plan.changes:
            if change.device not in self._left:
                self._enter(change)

    def note(self, call: PlannedCall, result: Result) -> None:
        """Take down what became of a call."""
        self._results[call.id] = result
        change = self._changes[call.device]
        number = result.application_id
        # Of a registration that does not show its application there is nothing to remember.
        if number and self._known.get(change.application) != number:
            self._known[change.application] = number
            self._application_ids[change.application] = number
        if result.outcome is Outcome.STORED_OTHERWISE:
            self._stored[call.device] = result.stored
        if result.outcome in (Outcome.APPLIED, Outcome.STORED_OTHERWISE):
            self._sent.setdefault(call.device, set()).update(
                path for path, _ in updated_fields(call.body or {})
            )
            identity = self._brought_by_calls.get(call.id)
            if identity is not None:
                self._brought.add(identity)
                for waiting in self._waiting.pop(identity, ()):
                    self._enter(waiting)
            self._left[call.device] -= 1
            if not self._left[call.device]:
                self._enter(change)

    @property
    def due(self) -> int:
        """How many entries wait to be written."""
        return len(self._entries)

    def take(self) -> tuple[Entries, Mapping[str, str]] | None:
        """Hand over what has to be written to the state; None if there is nothing."""
        if not self._entries and not self._application_ids:
            return None
        taken = (self._entries, self._application_ids)
        self._entries, self._application_ids = {}, {}
        return taken

    def put_back(self, entries: Entries, application_ids: Mapping[str, str]) -> None:
        """Take back what could not be written."""
        self._entries = {**entries, **self._entries}
        self._application_ids = {**application_ids, **self._application_ids}

    def rows(self, why_not: str | None) -> tuple[Row, ...]:
        """Return one row for each call, in the plan's order, then those of devices without calls.

        `why_not` says why calls without a result were not tried.
        """
        rest = Result(Outcome.NOT_TRIED, "not done", why_not)
        called = [
            self._row(self._changes[call.device], call, self._results.get(call.id, rest))
            for call in self._plan.calls
        ]
        return (*called, *self._only_recorded(why_not))

    def _only_recorded(self, why_not: str | None) -> list[Row]:
        """Return a row for each device that the state only learns of, or forgets."""
        waiting = {change.device for changes in self._waiting.values() for change in changes}
        rows: list[Row] = []
        for change in self._plan.changes:
            outcome = _outcome_without_calls(change)
            if outcome is None:
                continue
            if change.device in waiting:
                rest = Result(Outcome.SKIPPED, "not done", "its owner still lacks declared values")
            elif change.device in self._entries:
                rest = Result(Outcome.NOT_TRIED, "not done", why_not)
            else:
                rest = Result(outcome, "done")
            rows.append(self._row(change, None, rest))
        return rows

    def _row(self, change: Change, call: PlannedCall | None, result: Result) -> Row:
        return Row(
            device=change.device,
            application=change.application,
            label=change.label,
            outcome=result.outcome,
            call=None if call is None else call.id,
            operation=change.actions[0].value if call is None else call.operation,
            method=None if call is None else call.method,
            path=None if call is None else call.path,
            attempts=result.attempts,
            truth=result.truth,
            detail=result.detail,
        )

    def _enter(self, change: Change) -> None:
        """Make the entry of a settled device; one that is gone says nothing about the state."""
        device = self._desired.devices.get(change.device)
        owner = None if device is None else device.owner
        if isinstance(owner, Owner) and self._awaits(owner.identity):
            # Its person lacks values until then: recorded now, a failure would look like drift.
            self._waiting.setdefault(owner.identity, []).append(change)
        elif device is None:
            # Only a plan that saw it leave may forget it; its detach may be wished by now.
            if change.declaration is None and Action.UNREADABLE not in change.actions:
                self._entries[change.device] = None
        elif _UNDECIDED.isdisjoint(change.actions) and change.declaration == declaration_digest(
            device, self._digester
        ):
            # A file that moved since would be recorded as applied, and never be.
            entry = record_entry(device, self._digester, self._before(change.device))
            fields = self._with_stored(change.device, entry.fields)
            model = change.model or self._model(change)
            self._entries[change.device] = replace(entry, fields=fields, model=model)

    def _before(self, device: str) -> RecordedDevice | None:
        """Return what the state says of a device, without the fields that this run has sent."""
        known = self._recorded.get(device)
        sent = self._sent.get(device, ())
        if known is None or not sent:
            return known
        kept = {path: digests for path, digests in known.fields.items() if path not in sent}
        return replace(known, fields=kept)

    def _with_stored(
        self, device: str, fields: Mapping[str, tuple[str, ...]]
    ) -> Mapping[str, tuple[str, ...]]:
        """Return the fields of an entry as the service stored them.

        What it did not store was not applied: there the state says what it said before.
        """
        known = self._recorded.get(device)
        entered = dict(fields)
        for value in self._stored.get(device, ()):
            if value.path not in entered:
                continue
            earlier = None if known is None else known.fields.get(value.path)
            if value.is_kept:
                (stored,) = value_digest(value.path, value.stored, self._digester)
                entered[value.path] = (*entered[value.path], stored)
            elif earlier is not None:
                entered[value.path] = earlier
            else:
                del entered[value.path]
        return entered

    def _model(self, change: Change) -> str | None:
        known = self._recorded.get(change.device)
        return None if known is None else known.model

    def _awaits(self, identity: Identity) -> bool:
        return identity in self._to_bring and identity not in self._brought


def _outcome_without_calls(change: Change) -> Outcome | None:
    if Action.ADOPT in change.actions:
        return Outcome.ADOPTED
    return Outcome.RELEASED if Action.RELEASE in change.actions else None


def _brought(plan: Plan, desired: Desired) -> dict[str, Identity]:
    """Return the identity that each personalize of a plan brings to its person, by call id."""
    brought: dict[str, Identity] = {}
    for call in plan.calls:
        device = desired.devices.get(call.device)
        if call.operation == Operation.PERSONALIZE and device is not None:
            owner = device.owner
            if isinstance(owner, Owner):
                brought[call.id] = owner.identity
    return brought
