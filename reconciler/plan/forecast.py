"""The forecast: the calls that an apply makes, and how long it takes at this share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from reconciler.core.device import Desired, Owner
from reconciler.core.fields import OWNER
from reconciler.platform.operations import Operation
from reconciler.platform.pace import streams

from .model import INCOMPLETE, CallCounts, Change, Forecast, ForecastCalls, PlannedCall
from .simulation import SimulatedCall, least, simulate

# Seconds for one answer where none was measured.
USUAL_LATENCY: Final = 0.1
# A rehearsal of more calls would cost more than it tells: their time is that of their streams.
_MOST_REHEARSED: Final = 200_000


def call_counts(calls: Iterable[PlannedCall]) -> CallCounts:
    """Count the calls of each kind."""
    counts = Counter(call.operation for call in calls)
    return CallCounts(
        counts[Operation.UPDATE], counts[Operation.PERSONALIZE], counts[Operation.DEPERSONALIZE]
    )


def forecast(
    calls: Sequence[PlannedCall],
    lookups: Mapping[str, int],
    rates: Mapping[Operation, float],
    latency: float | None = None,
    done: Collection[str] = frozenset(),
) -> Forecast:
    """Return how many calls an apply makes, reads before writes included, and how long it takes.

    `calls` stand in an order in which they can be carried out; `lookups` are those that a
    personalize makes beside that of the owner, by its id. `rates` are calls a second after the
    quota share; `latency` is the seconds of one answer, None where nobody measured it. `done` are
    calls of an earlier run. That calls fail, or are refused, is not in it.
    """
    seconds = USUAL_LATENCY if latency is None else latency
    pending = [call for call in calls if call.id not in done]
    errands = _errands(pending, lookups)
    needed = Counter(stream for errand in errands for stream in errand.way)
    took = simulate if len(errands) <= _MOST_REHEARSED else least
    return Forecast(
        seconds=round(took(errands, rates, seconds), 1),
        calls=ForecastCalls(*(needed[Operation(name)] for name in ForecastCalls.__struct_fields__)),
        chain=_longest_chain(errands),
        latency_seconds=round(seconds, 4),
    )


def lookups_of(
    calls: Iterable[PlannedCall], changes: Iterable[Change], desired: Desired
) -> dict[str, int]:
    """Return how many people each personalize looks up by a declared value that its live owner
    lacks: all of them, or where the owner has some, all but one at the most."""
    owner_has_some = {
        change.device
        for change in changes
        if any(
            field.path == OWNER and str(field.before).endswith(INCOMPLETE)
            for field in change.fields
        )
    }
    lookups: dict[str, int] = {}
    for call in calls:
        device = desired.devices.get(call.device)
        owner = None if device is None else device.owner
        if call.operation == Operation.PERSONALIZE and isinstance(owner, Owner):
            lookups[call.id] = len(owner.identity.values) - (call.device in owner_has_some)
    return lookups


def _errands(calls: Sequence[PlannedCall], lookups: Mapping[str, int]) -> list[SimulatedCall]:
    places = {call.id: place for place, call in enumerate(calls)}
    # Most calls of a plan are alike, so they share one errand.
    alike: dict[tuple[str, int], SimulatedCall] = {}
    errands: list[SimulatedCall] = []
    for place, call in enumerate(calls):
        key = (call.operation, lookups.get(call.id, 0))
        if key not in alike:
            alike[key] = _errand(*key)
        errand = alike[key]
        if call.after or call.needs:
            edges = {places.get(id_, place) for id_ in (*call.after, *call.needs)}
            # An edge to a call that is done, or not before this one, holds nothing up.
            follows = tuple(sorted(earlier for earlier in edges if earlier < place))
            errand = SimulatedCall(errand.kind, errand.way, follows)
        errands.append(errand)
    return errands


def _errand(operation: str, lookups: int) -> SimulatedCall:
    *reads, write = streams(Operation(operation))
    return SimulatedCall(write, (*reads, *(Operation.PERSONS,) * lookups, write))


def _longest_chain(errands: Sequence[SimulatedCall]) -> int:
    lengths: list[int] = []
    for errand in errands:
        lengths.append(1 + max((lengths[place] for place in errand.follows), default=0))
    return max(lengths, default=0)
