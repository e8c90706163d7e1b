"""The call log: what was asked, what was answered, when, and whom each call touched."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.platform.operations import WRITES, Operation

_KEPT: Final = 250_000


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One call of the API. `people` are those it could change, by number (none for a read, and for
    a call that a fault kept from the platform).

    `start` and `end` are monotonic seconds: the request was there, the answer was sent; of a call
    that was carried out and never answered, `end` is when it was carried out. Two writes overlapped
    when their spans do.

    `status` is 0 where nothing was answered, `fault` the spec of the fault that hit, and `done`
    says that the platform carried a write out with a 2xx, whatever was answered.
    """

    operation: Operation
    method: str
    path: str
    query: str
    status: int
    people: frozenset[int]
    start: float
    end: float
    fault: str | None = None
    done: bool = False

    @property
    def is_write(self) -> bool:
        return self.operation in WRITES


class CallLog:
    """The latest 250,000 calls in the order in which they were over, and counts of all; a call that
    hangs comes in when its connection ends."""

    def __init__(self) -> None:
        self._calls: deque[LoggedCall] = deque(maxlen=_KEPT)
        self._counts: Counter[tuple[Operation, int]] = Counter()

    def add(self, call: LoggedCall) -> None:
        self._calls.append(call)
        self._counts[call.operation, call.status] += 1

    def clear(self) -> None:
        self._calls.clear()
        self._counts.clear()

    def calls(self) -> tuple[LoggedCall, ...]:
        return tuple(self._calls)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of calls by operation and status."""
        counts: dict[str, dict[str, int]] = {}
        for (operation, status), number in self._counts.items():
            counts.setdefault(operation.value, {})[str(status)] = number
        return counts


def overlapping_writes(calls: Sequence[LoggedCall]) -> list[tuple[LoggedCall, LoggedCall]]:
    """Return the pairs of writes that touched one person at the same time."""
    overlaps: list[tuple[LoggedCall, LoggedCall]] = []
    latest: dict[int, LoggedCall] = {}
    for call in sorted((call for call in calls if call.is_write), key=lambda call: call.start):
        for number in call.people:
            earlier = latest.get(number)
            if earlier is not None and earlier.end > call.start:
                overlaps.append((earlier, call))
            if earlier is None or earlier.end < call.end:
                latest[number] = call
    return overlaps
