"""How long answers take: the time from when a call left until its answer was whole.

The wait for a turn, for a place or for a connection is no part of it.
"""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Final

from reconciler.platform.operations import Call, Operation, is_page

# Of so many answers, the latest, the middle one is told.
_REMEMBERED: Final = 1001


class Latency:
    """Notes the answers to reads and tells what one usually takes; bounded however many come."""

    __slots__ = ("_latest", "_quickest_page")

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=_REMEMBERED)
        self._quickest_page: float | None = None

    def note(self, call: Call, seconds: float) -> None:
        """Note how long the answer to a call took; that of a write is not what a read can tell."""
        if is_page(call):
            # Most of it may be the thousand people.
            known = self._quickest_page
            self._quickest_page = seconds if known is None else min(known, seconds)
        elif call.operation in (Operation.GET, Operation.PERSONS):
            self._latest.append(seconds)

    def usual(self) -> float | None:
        """Return the seconds of the middle one of the latest answers about one device or person;
        where there was none of the quickest page; None where nothing was read."""
        return median(self._latest) if self._latest else self._quickest_page
