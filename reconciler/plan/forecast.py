"""How long an apply will take at this project's share of the limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from reconciler.platform.operations import Operation

from .definition import CallCounts, Forecast, ForecastCalls, PlannedCall
from .groups import is_ownership


def call_counts(calls: Iterable[PlannedCall]) -> CallCounts:
    """Count the calls of each kind."""
    counts = Counter(call.operation for call in calls)
    return CallCounts(
        counts[Operation.UPDATE], counts[Operation.PERSONALIZE], counts[Operation.DEPERSONALIZE]
    )


def forecast(calls: Iterable[PlannedCall], rates: Mapping[Operation, float]) -> Forecast:
    """Return how long the slowest stream of calls needs, reads before writes included.

    `rates` are requests a second after the quota share; the kinds run side by side. The time of a
    single answer is not known beforehand and not counted.
    """
    needed: Counter[Operation] = Counter()
    for call in calls:
        needed[Operation(call.operation)] += 1
        needed[Operation.GET] += 1
        if is_ownership(call):
            # The owner; and before a personalize who has the declared values, one at the least.
            needed[Operation.PERSONS] += 1 + (call.operation == Operation.PERSONALIZE)
    slowest = max((count / rates[kind] for kind, count in needed.items()), default=0.0)
    counts = ForecastCalls(*(needed[Operation(name)] for name in ForecastCalls.__struct_fields__))
    return Forecast(round(slowest, 1), counts)
