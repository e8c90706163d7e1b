"""Which calls may start, by the edges of a plan and the outcomes so far. Pure; linear in edges."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.core.report import Outcome
from reconciler.plan.model import PlannedCall


@dataclass(frozen=True, slots=True)
class Skipped:
    """A call that will not be made, because a call that it needs was not applied."""

    call: PlannedCall
    because: str


class Schedule:
    """Every call comes out exactly once: from `ready`, from `settle` as ready or as skipped."""

    def __init__(self, calls: Sequence[PlannedCall]) -> None:
        self._calls = {call.id: call for call in calls}
        self._waits = {call.id: len({*call.after, *call.needs}) for call in calls}
        self._followers: dict[str, list[str]] = {}
        self._unmet: dict[str, str] = {}
        self._open = len(calls)
        for call in calls:
            for earlier in {*call.after, *call.needs}:
                self._followers.setdefault(earlier, []).append(call.id)

    @property
    def finished(self) -> bool:
        """Whether every call has an outcome."""
        return self._open == 0

    def ready(self) -> list[PlannedCall]:
        """Return the calls that follow no other, in the plan's order."""
        return [call for call in self._calls.values() if not self._waits[call.id]]

    def settle(self, call: str, outcome: Outcome) -> tuple[list[PlannedCall], list[Skipped]]:
        """Note an outcome; return the calls that may start by it and those that never will.

        A failure skips what needs it; what merely follows it goes on.
        """
        ready: list[PlannedCall] = []
        skipped: list[Skipped] = []
        settled = deque([(call, outcome is Outcome.APPLIED)])
        while settled:
            earlier, applied = settled.popleft()
            self._open -= 1
            for id_ in self._followers.get(earlier, ()):
                follower = self._calls[id_]
                if not applied and earlier in follower.needs:
                    self._unmet.setdefault(id_, earlier)
                self._waits[id_] -= 1
                if self._waits[id_]:
                    continue
                if id_ in self._unmet:
                    skipped.append(Skipped(follower, self._unmet[id_]))
                    settled.append((id_, False))
                else:
                    ready.append(follower)
        return ready, skipped


def in_order(calls: Iterable[PlannedCall]) -> bool:
    """Whether ids are unique and each call follows only calls that stand before it."""
    seen: set[str] = set()
    for call in calls:
        if call.id in seen or not seen.issuperset((*call.after, *call.needs)):
            return False
        seen.add(call.id)
    return True
