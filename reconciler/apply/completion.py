"""What follows from the outcome of a call: for other calls, the state, the report. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from reconciler.core.events import Listener, Progress, Settled
from reconciler.core.report import Outcome
from reconciler.plan.model import Plan, PlannedCall
from reconciler.platform.operations import IN_ORDER

from .effects import EffectsSoFar
from .ledger import Ledger
from .result import Result
from .schedule import Schedule


class Settlement:
    """Settles each call of a plan once, and says which others may start by it."""

    def __init__(self, plan: Plan, ledger: Ledger, listen: Listener) -> None:
        self._ledger = ledger
        self._listen = listen
        self._schedule = Schedule(plan.calls)
        self._totals = Counter(call.operation for call in plan.calls)
        self._settled: Counter[str] = Counter()
        self.effects = EffectsSoFar(plan.calls)

    @property
    def finished(self) -> bool:
        """Whether every call is settled."""
        return self._schedule.finished

    def begin(self, done: frozenset[str]) -> list[PlannedCall]:
        """Settle what an earlier run has done; return the calls that may start now."""
        for kind in IN_ORDER:
            if self._totals[kind]:
                self._listen(Progress(kind.value, 0, self._totals[kind]))
        return self._without(self._schedule.ready(), done)

    def settle(self, call: PlannedCall, result: Result, done: frozenset[str]) -> list[PlannedCall]:
        """Take down what became of a call; return the calls that may start by it."""
        return self._without(self._one(call, result), done)

    def _without(self, calls: Iterable[PlannedCall], done: frozenset[str]) -> list[PlannedCall]:
        waiting = list(calls)
        ready: list[PlannedCall] = []
        for call in waiting:
            if call.id in done:
                earlier = Result(Outcome.APPLIED, "done", "applied by an earlier run of this plan")
                # Grows while it is walked: a chain of done calls is settled link by link.
                waiting += self._one(call, earlier)
            else:
                ready.append(call)
        return ready

    def _one(self, call: PlannedCall, result: Result) -> list[PlannedCall]:
        self._note(call, result)
        ready, skipped = self._schedule.settle(call.id, result.outcome)
        for skip in skipped:
            why = f"{skip.because} was not applied"
            self._note(skip.call, Result(Outcome.SKIPPED, "not done", why))
        return ready

    def _note(self, call: PlannedCall, result: Result) -> None:
        if result.outcome in (Outcome.APPLIED, Outcome.STORED_OTHERWISE):
            self.effects.note(call)
        self._ledger.note(call, result)
        self._settled[call.operation] += 1
        self._listen(
            Settled(
                call.id,
                call.device,
                result.outcome.value,
                result.truth,
                result.attempts,
                result.detail,
            )
        )
        count, total = self._settled[call.operation], self._totals[call.operation]
        self._listen(Progress(call.operation, count, total))
