"""How long an apply takes: rehearsed without a service, event by event. Pure.

It does what apply does: reads before each write, a paced stream and a number of places for each
operation, a number of workers for each kind of call, edges; matches that wait at one moment share a
call. The numbers are those of `platform`.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import Final

from reconciler.platform.operations import WRITES, Operation
from reconciler.platform.pace import gap, in_flight, workers

# Seconds of this process for one answer, and until a line of the journal is on disk. They decide
# where neither the limits nor the latency do.
EFFORT: Final = 0.0007
NOTED: Final = 0.002


@dataclass(frozen=True, slots=True)
class SimulatedCall:
    """A planned call as a way through streams, its reads first. `follows` are the places, in the
    same list and before it, of the calls that it waits for."""

    kind: Operation
    way: tuple[Operation, ...]
    follows: tuple[int, ...] = ()


def simulate(
    calls: Sequence[SimulatedCall], rates: Mapping[Operation, float], latency: float
) -> float:
    """Return the seconds until the last call is done. O(n log n).

    `rates` are calls a second after the quota share; every answer takes `latency` seconds.
    """
    lanes: dict[Operation, _Lane | _SharedLane] = {
        kind: _Lane(rates.get(kind, inf)) for kind in Operation
    }
    lanes[Operation.MATCH] = _SharedLane(rates.get(Operation.MATCH, inf), latency)
    known = {way: [lanes[kind] for kind in way] for way in {call.way for call in calls}}
    ways = [known[call.way] for call in calls]
    waits, followers = _edges(calls)
    queues: dict[Operation, deque[int]] = {kind: deque() for kind in WRITES}
    kinds = Counter(call.kind for call in calls)
    idle = {kind: min(kinds[kind], workers(kind, rates)) for kind in WRITES}
    events: list[tuple[float, int, int, int]] = []
    turn = count()

    def start(ready: Iterable[int], now: float) -> None:
        for place in ready:
            queues[calls[place].kind].append(place)
        for kind, queue in queues.items():
            while queue and idle[kind]:
                idle[kind] -= 1
                heappush(events, (now, next(turn), queue.popleft(), 0))

    start((place for place, number in enumerate(waits) if not number), 0.0)
    now = free = 0.0
    while events:
        now, _, place, step = heappop(events)
        if step:
            # One answer at a time passes through this process.
            now = free = max(now, free) + EFFORT
        way = ways[place]
        if step == len(way):
            idle[calls[place].kind] += 1
            ready = []
            for follower in followers.get(place, ()):
                waits[follower] -= 1
                if not waits[follower]:
                    ready.append(follower)
            start(ready, now)
            continue
        lane = way[step]
        step += 1
        is_write = step == len(way)
        # The intent is on disk before, the outcome after.
        answered = lane.leave(now + NOTED * is_write) + latency
        lane.note(answered)
        heappush(events, (answered + NOTED * is_write, next(turn), place, step))
    return now


def least(
    calls: Sequence[SimulatedCall], rates: Mapping[Operation, float], latency: float
) -> float:
    """Return seconds that no rehearsal is below: of the busiest stream, the longest chain, the
    workers of each kind, this process. O(n)."""
    asked: Counter[Operation] = Counter()
    kinds: Counter[Operation] = Counter()
    chains: list[float] = []
    work: Counter[Operation] = Counter()
    for call in calls:
        asked.update(call.way)
        kinds[call.kind] += 1
        work[call.kind] += len(call.way)
        before = max((chains[place] for place in call.follows), default=0.0)
        chains.append(before + len(call.way) * latency)
    # Any number of these share a call.
    asked.pop(Operation.MATCH, None)
    paced = [(n - 1) * gap(rates.get(kind, inf)) + latency for kind, n in asked.items()]
    shared = [n * latency / min(kinds[kind], workers(kind, rates)) for kind, n in work.items()]
    return max(0.0, *paced, *shared, *chains, asked.total() * EFFORT)


class _Lane:
    """The calls of one operation: evenly spaced, and so many unanswered at a time."""

    __slots__ = ("_gap", "_next", "_places", "_unanswered")

    def __init__(self, rate: float) -> None:
        self._gap = gap(rate)
        self._next = 0.0
        self._places = in_flight(rate)
        self._unanswered: deque[float] = deque()

    def leave(self, asked: float) -> float:
        """Return when a call leaves that asked then; calls ask in the order of time."""
        if len(self._unanswered) == self._places:
            asked = max(asked, self._unanswered.popleft())
        departure = max(asked, self._next)
        self._next = departure + self._gap
        return departure

    def note(self, answered: float) -> None:
        """Note when the call that left last is answered."""
        self._unanswered.append(answered)


class _SharedLane:
    """Calls that are for all who wait when they leave: one at a time."""

    __slots__ = ("_gap", "_latency", "_leaves")

    def __init__(self, rate: float, latency: float) -> None:
        self._gap = gap(rate)
        self._latency = latency
        self._leaves = -inf

    def leave(self, asked: float) -> float:
        """Return when the call leaves that is for who asked then, in the order of time."""
        if asked > self._leaves:
            self._leaves = max(asked, self._leaves + max(self._gap, self._latency))
        return self._leaves

    def note(self, answered: float) -> None:
        """The answer to the one call before is what the next waits for, which is known already."""


def _edges(calls: Sequence[SimulatedCall]) -> tuple[list[int], dict[int, list[int]]]:
    """Return how many each call waits for, and who waits for it."""
    waits = [len(call.follows) for call in calls]
    followers: dict[int, list[int]] = {}
    for place, call in enumerate(calls):
        for earlier in call.follows:
            followers.setdefault(earlier, []).append(place)
    return waits, followers
