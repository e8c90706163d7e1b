"""What the calls of a plan have moved so far, beside what each of them is for. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.fields import IS_PRIMARY
from reconciler.core.graph import components
from reconciler.plan.model import PlannedCall
from reconciler.plan.ordering import is_ownership

from .staleness import Effects


class EffectsSoFar:
    """Notes applied calls; says what they may have moved of the device of another call."""

    def __init__(self, calls: Sequence[PlannedCall]) -> None:
        # Calls that can touch the same person are tied by edges, directly or through others.
        ties = [(call.id, *call.after, *call.needs) for call in calls]
        self._group = {
            call.id: number
            for number, group in enumerate(components(calls, ties))
            for call in group
        }
        self._owner_changed: set[str] = set()
        self._promoted: set[int] = set()

    def note(self, call: PlannedCall) -> None:
        """Take down that a call was applied."""
        if is_ownership(call):
            self._owner_changed.add(call.device)
        elif call.body is not None and call.body.get(IS_PRIMARY) is True:
            self._promoted.add(self._group[call.id])

    def on(self, call: PlannedCall) -> Effects:
        """Return what may have moved of a call's device by now."""
        return Effects(
            owner_changed=call.device in self._owner_changed,
            promoted=self._group[call.id] in self._promoted,
        )
