"""The forecast: the calls that an apply makes, and how long it takes at this share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.device import Desired, Owner
from reconciler.core.fields import OWNER
from reconciler.core.identity import IdentityValue
from reconciler.core.live import LivePerson
from reconciler.platform.operations import Operation
from reconciler.platform.pace import streams

from .device_plan import OWNERSHIP
from .model import INCOMPLETE, NOBODY, CallCounts, Change, Forecast, ForecastCalls, PlannedCall
from .simulation import SimulatedCall, least, simulate

# Seconds for one answer where none was measured.
USUAL_LATENCY: Final = 0.1
# A rehearsal of more calls would cost more than it tells: their time is that of their streams.
_MOST_REHEARSED: Final = 200_000


@dataclass(frozen=True, slots=True)
class Lookups:
    """What a call asks about people before it: whether in a match, and how many one by one."""

    matches: bool = True
    persons: int = 0


_BY_MATCH: Final = Lookups()


def call_counts(calls: Iterable[PlannedCall]) -> CallCounts:
    """Count the calls of each kind."""
    counts = Counter(call.operation for call in calls)
    return CallCounts(
        counts[Operation.UPDATE], counts[Operation.PERSONALIZE], counts[Operation.DEPERSONALIZE]
    )


def forecast(
    calls: Sequence[PlannedCall],
    lookups: Mapping[str, Lookups],
    rates: Mapping[Operation, float],
    latency: float | None = None,
    done: Collection[str] = frozenset(),
) -> Forecast:
    """Return how many calls an apply makes, reads before writes included, and how long it takes.

    Matches are not counted: how many look-ups share a call depends on the moment.

    `calls` stand in an order in which they can be carried out; `lookups` are those of people one
    by one that a call makes, by its id. `rates` are calls a second after the
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
    calls: Iterable[PlannedCall],
    changes: Iterable[Change],
    desired: Desired,
    people: Mapping[IdentityValue, LivePerson | None] | None = None,
    *,
    can_match: bool = True,
) -> dict[str, Lookups]:
    """Return what each ownership call asks about people before it, by its id.

    A match confirms who owns a device and who has the declared values. What it does not tell is
    looked up one by one: that nobody owns a device, and of several values those that nobody has,
    as `people` says (None: nothing is known of who has them). Where nobody `can_match` all are.
    """
    owner_before = {
        change.device: str(field.before)
        for change in changes
        for field in change.fields
        if field.path == OWNER
    }
    lookups: dict[str, Lookups] = {}
    for call in calls:
        if call.operation not in OWNERSHIP:
            continue
        device = desired.devices.get(call.device)
        owner = None if device is None else device.owner
        values: tuple[IdentityValue, ...] = ()
        if call.operation == Operation.PERSONALIZE and isinstance(owner, Owner):
            values = owner.identity.values if len(owner.identity.values) > 1 else ()
        if not can_match:
            lookups[call.id] = Lookups(matches=False, persons=len(values) + 1)
            continue
        before = owner_before.get(call.device, "")
        held = len(values) if people is None else sum(people.get(v) is not None for v in values)
        unheld = len(values) - held
        if before.endswith(INCOMPLETE):
            # Those that the owner has are not among `people`: nobody had to look for them.
            unheld = max(1, sum(v in people and people[v] is None for v in values) if people else 1)
        is_claim = before == NOBODY
        matches = not is_claim or bool(values)
        lookups[call.id] = Lookups(matches, unheld + (is_claim or unheld > 0))
    return lookups


def _errands(calls: Sequence[PlannedCall], lookups: Mapping[str, Lookups]) -> list[SimulatedCall]:
    places = {call.id: place for place, call in enumerate(calls)}
    # Most calls of a plan are alike, so they share one errand.
    alike: dict[tuple[str, Lookups], SimulatedCall] = {}
    errands: list[SimulatedCall] = []
    for place, call in enumerate(calls):
        key = (call.operation, lookups.get(call.id, _BY_MATCH))
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


def _errand(operation: str, lookups: Lookups) -> SimulatedCall:
    *reads, write = streams(Operation(operation))
    if not lookups.matches:
        reads = [read for read in reads if read is not Operation.MATCH]
    return SimulatedCall(write, (*reads, *(Operation.PERSONS,) * lookups.persons, write))


def _longest_chain(errands: Sequence[SimulatedCall]) -> int:
    lengths: list[int] = []
    for errand in errands:
        lengths.append(1 + max((lengths[place] for place in errand.follows), default=0))
    return max(lengths, default=0)
