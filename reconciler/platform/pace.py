"""Rate limits as numbers: how far apart calls leave, and how many are in flight.

What paces the calls, what starts them and what forecasts them take these numbers from here.
A rate is in calls a second after the quota share; 0 and infinity are no limit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from .operations import Operation

# As many calls as a second may have leave evenly in so many seconds: what is over is for wobbles
# of the way to the service.
SPACING: Final = 1.015
# Places in flight for one operation: over a second of latency at the usual limits, two at others.
_LEAST_IN_FLIGHT: Final = 64
_MOST_IN_FLIGHT: Final = 1024
# Between its read and its write a call waits for those before it in the same streams. So many
# seconds' worth of calls at work bear the latency, and keep that wait short.
_SECONDS: Final = 3.0
# An owner that was looked at is old after two seconds, the way of its call included.
_LOOKED: Final = 1.5
_FEWEST: Final = 8
_MOST: Final = 256


def is_limited(rate: float) -> bool:
    """Whether a rate is a limit."""
    return 0.0 < rate < math.inf


def most_a_second(rate: float) -> int:
    """Return how many calls any second may have under a limit: a whole number, 1 at the least."""
    return max(1, math.floor(rate + 1e-9))


def gap(rate: float) -> float:
    """Return the seconds from one call to the next; 0 without a limit."""
    return max(SPACING / most_a_second(rate), 1.0 / rate) if is_limited(rate) else 0.0


def in_flight(rate: float) -> int:
    """Return how many calls of one operation may be unanswered at a time."""
    wanted = math.ceil(2 * rate) if is_limited(rate) else 0
    return min(_MOST_IN_FLIGHT, max(_LEAST_IN_FLIGHT, wanted))


def looks_at_once(rate: float) -> int:
    """Return how many calls may wait for their turn at a rate after what they rest on was read, so
    that none of them waits until that is old."""
    return max(1, min(_MOST, math.floor(rate * _LOOKED))) if is_limited(rate) else _MOST


def streams(operation: Operation) -> tuple[Operation, ...]:
    """Return the streams that a planned call goes through, in order: reads, then itself. Who is
    looked up one by one (persons) comes on top."""
    if operation is Operation.UPDATE:
        return (Operation.GET, operation)
    return (Operation.GET, Operation.MATCH, operation)


def workers(operation: Operation, rates: Mapping[Operation, float]) -> int:
    """Return how many planned calls of a kind are at work, by the slowest of their streams; many
    share a match, so that its limit slows none of them."""
    own = (stream for stream in streams(operation) if stream is not Operation.MATCH)
    limits = [rates.get(stream, math.inf) for stream in own]
    wanted = min((limit for limit in limits if is_limited(limit)), default=math.inf) * _SECONDS
    return _MOST if wanted >= _MOST else max(_FEWEST, math.ceil(wanted))
